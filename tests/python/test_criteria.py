"""Scores of criteria: Torch-Pruning's where the definition is the same, plain PyTorch's for activations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch_pruning as tp
from torch import nn
from torch.nn import functional

lc = pytest.importorskip("libcompress", reason="the Python package is not built")
from libcompress.gradients import batch_gradients  # noqa: E402

from libcompress import _core  # noqa: E402


class Residual(nn.Module):
    """Plain, strided and pointwise convolutions, a sum, a flatten: everything that both tools follow."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.conv1 = nn.Conv2d(8, 12, 3, padding=1, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.short = nn.Conv2d(8, 16, 1, stride=2)
        self.short_norm = nn.BatchNorm2d(16)
        self.head = nn.Linear(16 * 16, 5)

    def forward(self, x):
        x = functional.relu(self.norm(self.stem(x)))
        y = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        y = functional.relu(y + self.short_norm(self.short(x)))
        return self.head(torch.flatten(y, 1))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(3)
    network = Residual()
    with torch.no_grad():
        network(torch.randn(32, 3, 8, 8))  # running statistics that are not the initial ones
        for each in network.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.weight.normal_()
                each.bias.normal_()
    return network.eval()


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return torch.randn(6, 3, 8, 8, generator=generator), torch.arange(6) % 5


def scores(network: nn.Module, criterion: str, options: dict | None = None, data=None) -> dict:
    """By group that may be pruned, the weights along which it is made and its scores."""
    model = lc.from_torch(network, torch.zeros(1, 3, 8, 8))
    groups = model.groups()
    gradients = data and batch_gradients(model, data)
    found = _core.score_groups(model.core, groups.core, criterion, options or {}, 0, gradients)
    return {
        frozenset(m.tensor for m in group.members if m.axis == 0): np.array(each)
        for group, each in zip(groups, found, strict=True)
        if group.prunable
    }


def torch_prunings(network: nn.Module, importance) -> dict[str, np.ndarray]:
    """By the weight of the layer that a group starts with."""
    names = {module: name for name, module in network.named_modules()}
    graph = tp.DependencyGraph().build_dependency(network, torch.zeros(1, 3, 8, 8))
    groups = graph.get_all_groups(ignored_layers=[network.head])
    return {f"{names[group[0].dep.target.module]}.weight": importance(group).numpy() for group in groups}


WEIGHTS = [nn.modules.conv._ConvNd, nn.Linear]


@pytest.mark.parametrize(
    ("criterion", "options", "importance"),
    [
        ("magnitude", {"norm": "l1"}, tp.importance.MagnitudeImportance(1, "sum", None, False, WEIGHTS)),
        ("magnitude", {"norm": "squares"}, tp.importance.MagnitudeImportance(2, "sum", None, False, WEIGHTS)),
        (
            "magnitude",
            {"norm": "squares", "normalize": "mean"},
            tp.importance.MagnitudeImportance(2, "mean", "mean", False, WEIGHTS),
        ),
        (
            "magnitude",
            {"norm": "l1", "normalize": "max"},
            tp.importance.MagnitudeImportance(1, "mean", "max", False, WEIGHTS),
        ),
        ("lamp", {}, tp.importance.MagnitudeImportance(2, "mean", "lamp", False, WEIGHTS)),
        ("bn_scale", {}, tp.importance.BNScaleImportance("sum", None)),
    ],
)
def test_scores_are_torch_prunings(network, criterion, options, importance):
    theirs = torch_prunings(network, importance)
    ours = scores(network, criterion, options)
    assert len(theirs) == len(ours) == 3
    for weight, expected in theirs.items():
        (found,) = [each for weights, each in ours.items() if weight in weights]
        assert np.allclose(found, expected, rtol=1e-5), (weight, found, expected)


def test_absolute_taylor_is_torch_prunings(network, batch):
    network.zero_grad()
    functional.cross_entropy(network(batch[0]), batch[1]).backward()
    theirs = torch_prunings(network, tp.importance.TaylorImportance("sum", None, target_types=WEIGHTS))
    network.zero_grad()
    ours = scores(network, "taylor", {"form": "absolute"}, data=[batch])
    # Of convolutions that are added it sorts a layer's indices, but not the group's indices beside them.
    added = {"short.weight", "conv2.weight"}
    for weight in theirs.keys() - added:
        (found,) = [each for weights, each in ours.items() if weight in weights]
        assert np.allclose(found, theirs[weight], rtol=1e-4), (weight, found, theirs[weight])


def changes_by_hand(network: nn.Module, batch, made: bool) -> dict[str, np.ndarray]:
    """z * dL/dz by example and channel, the mean over a feature map: of what each layer makes, or reads."""
    found: dict[str, list] = {}
    watched = []

    def keep(name: str, tensor: torch.Tensor) -> torch.Tensor:
        own = tensor.view_as(tensor)
        own.retain_grad()
        watched.append((name, own))
        return own

    hooks = []
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        if made:
            hooks.append(layer.register_forward_hook(lambda _, __, y, name=name: keep(name, y)))
        else:
            hooks.append(layer.register_forward_pre_hook(lambda _, x, name=name: (keep(name, x[0]),)))
    for image, target in zip(*batch, strict=True):
        functional.cross_entropy(network(image[None].requires_grad_()), target[None]).backward()
        for name, z in watched:
            products = (z * z.grad)[0]
            found.setdefault(name, []).append(
                products.reshape(products.shape[0], -1).mean(1).detach().numpy()
            )
        watched.clear()
    for hook in hooks:
        hook.remove()
    return {name: np.array(each, np.float64) for name, each in found.items()}


def read_by_hand(network: nn.Module, batch) -> dict[str, np.ndarray]:
    """By the weight that makes a group, the means by example and channel of all that reads it."""
    read = changes_by_hand(network, batch, made=False)
    flat = read["head"].reshape(len(read["head"]), 16, 16)
    return {
        "stem.weight": read["conv1"] + read["short"],
        "conv1.weight": read["conv2"],
        "conv2.weight": flat.sum(2),
    }


def assert_scores(ours: dict, expected: dict[str, np.ndarray]) -> None:
    assert len(ours) == len(expected)
    for weight, by_hand in expected.items():
        (found,) = [each for weights, each in ours.items() if weight in weights]
        assert np.allclose(found, by_hand, rtol=2e-4, atol=1e-9), (weight, found, by_hand)


def test_taylor_of_activations_is_the_mean_absolute_change(network, batch):
    ours = scores(network, "taylor", {"form": "activations"}, data=[batch])
    expected = {name: np.abs(each).mean(0) for name, each in read_by_hand(network, batch).items()}
    assert_scores(ours, expected)


def test_fisher_is_half_the_mean_square_of_the_changes(network, batch):
    elements = {"stem.weight": 64, "conv1.weight": 16, "conv2.weight": 1}
    expected = {
        name: ((each * elements[name]) ** 2).mean(0) / 2
        for name, each in read_by_hand(network, batch).items()
    }
    assert_scores(scores(network, "fisher", data=[batch]), expected)


def test_normalized_taylor_looks_at_what_layers_make(network, batch):
    made = changes_by_hand(network, batch, made=True)
    sums = {
        "stem.weight": made["stem"].sum(0),
        "conv1.weight": made["conv1"].sum(0),
        "conv2.weight": made["conv2"].sum(0) + made["short"].sum(0),
    }
    expected = {name: np.abs(each) / np.linalg.norm(each) for name, each in sums.items()}
    assert_scores(scores(network, "normalized_taylor", data=[batch]), expected)


def test_batches_of_activations_do_not_change_the_scores(network, batch):
    images, targets = batch
    halves = [(images[:2], targets[:2]), (images[2:], targets[2:])]
    whole = scores(network, "fisher", data=[batch])
    for weights, each in scores(network, "fisher", data=halves).items():
        assert np.allclose(each, whole[weights], rtol=1e-4)


class Attention(nn.Module):
    """Torch's attention puts positions before examples, and merges both axes in its last layer."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 2, stride=2)
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.wide = nn.Linear(12, 20)
        self.head = nn.Linear(20, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return self.head(functional.gelu(self.wide(x)).mean(1))


@pytest.mark.parametrize("criterion", ["fisher", "normalized_taylor"])
def test_examples_are_told_apart_where_attention_merges_them(batch, criterion):
    torch.manual_seed(6)
    network = Attention().eval()
    images, targets = batch
    one_by_one = [(images[i : i + 1], targets[i : i + 1]) for i in range(len(images))]
    whole = scores(network, criterion, data=[batch])
    assert len(whole) >= 2
    for weights, each in scores(network, criterion, data=one_by_one).items():
        assert np.allclose(each, whole[weights], rtol=1e-3, atol=1e-3 * each.max())


def test_parameters_are_left_as_they_were(network, batch):
    before = [each.clone() for each in network.parameters()]
    scores(network, "normalized_taylor", data=[batch])
    assert all(map(torch.equal, before, network.parameters()))
    assert all(each.requires_grad for each in network.parameters())


class WithoutNorms(nn.Module):
    """Depthwise, grouped and transposed convolutions, biases, and two branches that are joined."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.down = nn.Conv2d(6, 4, 2, stride=2, bias=False)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = functional.leaky_relu(self.depthwise(functional.leaky_relu(self.stem(x))))
        joined = torch.cat(
            [functional.leaky_relu(self.grouped(x)), self.down(functional.leaky_relu(self.up(x)))], 1
        )
        return self.head(joined.mean((2, 3)))


@pytest.mark.parametrize("criterion", sorted(set(lc.criteria()) - {"bn_scale"}))
def test_every_index_of_a_network_of_any_convolution_has_a_score(batch, criterion):
    torch.manual_seed(5)
    found = scores(WithoutNorms().eval(), criterion, data=[batch])
    assert len(found) == 4
    for weights, each in found.items():
        assert np.isfinite(each).all() and (each > 0).all(), (weights, each)


def test_batch_norm_scales_are_missed_where_there_are_none():
    with pytest.raises(lc.Error, match=r"group .stem.*no batch norm"):
        scores(WithoutNorms().eval(), "bn_scale")


@pytest.mark.parametrize("criterion", [each for each in lc.criteria()])
def test_every_criterion_prunes_to_a_network_that_its_twin_proves(network, batch, criterion):
    model = lc.from_torch(network, torch.zeros(1, 3, 8, 8))
    pruned = model.prune({"params": 0.5}, criterion=criterion, data=[batch])
    images = batch[0].numpy()
    assert pruned.costs_after.params <= 0.5 * pruned.costs_before.params
    assert np.allclose(pruned.model.run(images), pruned.masked_twin().run(images), atol=1e-4)
