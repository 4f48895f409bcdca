"""Modules that models give back: they compute the same, train on, and need nothing else."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

lc = pytest.importorskip("libcompress", reason="the Python package is not built")


class Block(nn.Module):
    """A residual block."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + x)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(8, 5))

    def forward(self, x):
        return self.head(self.pool(self.blocks(self.stem(x))))


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(4)
    network = Network()
    with torch.no_grad():
        network(torch.randn(16, 3, 12, 12))  # running statistics that are not the initial ones
    return network.eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(7, 3, 12, 12, generator=torch.Generator().manual_seed(5))


def test_a_round_trip_computes_the_same(network, images):
    again = lc.from_torch(network, images[:1]).to_torch().eval()
    assert torch.allclose(again(images), network(images), atol=1e-6)


def test_the_state_dict_has_the_original_keys(network, images):
    again = lc.from_torch(network, images[:1]).to_torch()
    assert again.state_dict().keys() == network.state_dict().keys()
    again.load_state_dict(network.state_dict())
    assert isinstance(again.get_submodule("blocks.1.conv2"), nn.Conv2d)
    assert isinstance(again.get_submodule("stem.1"), nn.BatchNorm2d)


def test_a_step_of_training_is_the_original_ones(network, images):
    again = lc.from_torch(network, images[:1]).to_torch()
    targets = torch.arange(len(images)) % 5
    for module in (network, again):
        module.train()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(images), targets).backward()
            optimizer.step()
    for name, tensor in network.state_dict().items():
        if "num_batches" not in name:
            assert torch.allclose(again.state_dict()[name], tensor, atol=1e-5), name


def test_every_parameter_of_a_pruned_module_gets_a_gradient(network, images):
    pruned = lc.from_torch(network, images[:1]).prune(0.5).model.to_torch()
    assert pruned.get_submodule("stem.0").out_channels == 4
    pruned(images).square().sum().backward()
    for name, parameter in pruned.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_changing_the_module_leaves_the_model_alone(network, images):
    model = lc.from_torch(network, images[:1])
    before = model.run(images.numpy())
    module = model.to_torch()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert (model.run(images.numpy()) == before).all()


def test_it_can_be_copied_pickled_and_its_weights_loaded(network, images):
    module = lc.from_torch(network, images[:1]).to_torch().eval()
    expected = module(images)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(again(images), expected)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    other = lc.from_torch(Network().eval(), images[:1]).to_torch().eval()
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(other(images), expected)


def test_a_saved_module_needs_neither_the_class_nor_this_package(network, images, tmp_path):
    module = lc.from_torch(network, images[:1]).prune(0.5).model.to_torch().eval()
    torch.save(module, tmp_path / "module.pt")
    torch.save(images, tmp_path / "images.pt")
    program = (
        "import sys, torch\n"
        f"module = torch.load(r'{tmp_path}/module.pt', weights_only=False)\n"
        f"print(module(torch.load(r'{tmp_path}/images.pt')).sum().item(), 'libcompress' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PATH": ""}, check=True
    )
    total, seen = done.stdout.split()
    assert float(total) == pytest.approx(module(images).sum().item(), abs=1e-5)
    assert seen == "False"


def test_names_that_are_no_paths_become_paths(images):
    graph = lc.Graph()
    x = graph.add_input("input:0", [1, 3, 4, 4])
    weight = graph.add_parameter("onnx::Conv_12", [2, 3, 1, 1])
    settings = {"stride": [1, 1], "padding": [0] * 4, "dilation": [1, 1], "groups": 1}
    graph.set_outputs([graph.add_node("conv", "/features/0/Conv", [x, weight], settings)])
    model = lc.Model(graph, {"onnx::Conv_12": torch.ones(2, 3, 1, 1).numpy()})
    assert list(model.to_torch().state_dict()) == ["features.0.Conv.weight"]


def test_parameters_that_no_layer_holds_keep_their_names():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.add_module("a-b", nn.Linear(8, 4))

        def forward(self, x):
            return getattr(self, "a-b")(self.attention(x, x, x, need_weights=False)[0])

    network = Attention().eval()
    module = lc.from_torch(network, torch.zeros(1, 5, 8)).to_torch().eval()
    assert module.state_dict().keys() == network.state_dict().keys()
    x = torch.randn(3, 5, 8)
    assert torch.allclose(module(x), network(x), atol=1e-6)


def test_shared_weights_stay_shared(images):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(torch.relu(self.conv(x)))

    network = Twice().eval()
    model = lc.from_torch(network, images[:1])
    assert len(model.weights) == 2
    module = model.to_torch().eval()
    assert len(list(module.parameters())) == 2
    assert torch.allclose(module(images), network(images), atol=1e-6)


def test_taylor_ranks_by_the_gradients_of_the_data(network, images):
    model = lc.from_torch(network, images[:1])
    targets = torch.arange(len(images)) % 5
    pruned = model.prune(0.5, criterion="taylor", data=[(images, targets)])
    other = model.prune(
        0.5, criterion="taylor", data=[(images.numpy(), targets)], loss=lambda y, t: y.square().sum()
    )
    assert pruned.model.graph.fingerprint() == other.model.graph.fingerprint()
    assert pruned.plan.to_json() != other.plan.to_json()


def test_the_default_criterion_looks_at_data_where_there_is_some(network, images):
    model = lc.from_torch(network, images[:1])
    data = [(images, torch.arange(len(images)) % 5)]
    with_data, without = model.prune(0.5, data=data), model.prune(0.5)
    assert with_data.plan.to_json() == model.prune(0.5, criterion="taylor", data=data).plan.to_json()
    assert without.plan.to_json() == model.prune(0.5, criterion="magnitude").plan.to_json()
    assert with_data.plan.to_json() != without.plan.to_json()


def test_every_operator_of_the_table_has_a_form_in_torch():
    from libcompress.torch_export.operators import TABLE

    assert TABLE.keys() == lc.op_table().keys()
