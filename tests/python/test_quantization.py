"""Quantization from Python: inputs of every kind, observers, comparison, files."""

from __future__ import annotations

import json
import os
import re
import signal
import threading

import conftest  # also makes the package importable
import numpy as np
import pytest
import torch
from torch import nn

import libcompress as lc


@pytest.fixture(scope="module")
def model() -> lc.Model:
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, 2, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    return lc.from_torch(network.eval(), torch.zeros(1, 3, 8, 8))


@pytest.fixture(scope="module")
def examples() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(32, 3, 8, 8)).astype(np.float32)


def test_the_int8_network_answers_nearly_as_the_float_one(model, examples):
    quantized = model.quantize(examples)
    expected = model.run(examples)
    found = quantized.run(examples)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 0.05 * np.abs(expected).mean()
    assert quantized.macs == model.costs().macs


@pytest.mark.parametrize("observer", [each.name for each in lc.plugins("observer")])
def test_every_observer_gives_a_network(model, examples, observer):
    difference = model.quantize(examples, observer=observer).compare(examples)
    assert difference.first_parting is None
    assert "SQNR" in str(difference)


def test_examples_come_as_batches_or_from_files(model, examples, tmp_path):
    expected = model.quantize(examples).run(examples)
    np.save(tmp_path / "examples.npy", examples)
    np.savez_compressed(tmp_path / "examples.npz", first=examples[:20], second=examples[20:])
    for inputs in ([examples[:20], examples[20:]], tmp_path / "examples.npy", tmp_path / "examples.npz"):
        assert (model.quantize(inputs).run(examples) == expected).all()


def test_observers_are_chosen_by_pattern(model, examples):
    whole = model.quantize(examples, observer="minmax")
    mixed = model.quantize(examples, observer="minmax", observers={"3*": "moving_average"})
    assert whole.to_text() != mixed.to_text()
    with pytest.raises(lc.Error, match="no such plugin"):
        model.quantize(examples, observers={"3*": "guess"})
    with pytest.raises(lc.Error, match="matches no node"):
        model.quantize(examples, observers={"missing*": "minmax"})


def test_bad_calibration_is_an_error_that_says_so(model, examples):
    with pytest.raises(lc.Error, match="no inputs"):
        model.quantize([])
    with pytest.raises(lc.Error, match="no inputs"):
        model.quantize(examples[:0])
    with pytest.raises(lc.Error, match="activations that vary"):
        model.quantize(np.zeros_like(examples))
    with pytest.raises(lc.Error, match="nan during calibration"):
        model.quantize(np.full_like(examples, np.nan))
    with pytest.raises(lc.Error, match="calibration inputs"):
        model.quantize(examples[:, :2])


def test_the_rounding_profile_is_the_callers_choice(model, examples, tmp_path):
    assert model.quantize(examples).profile == "litert"
    quantized = model.quantize(examples, profile="tflite-micro")
    quantized.save(tmp_path / "micro.safetensors")
    assert lc.load_quantized(tmp_path / "micro.safetensors").profile == "tflite-micro"
    with pytest.raises(lc.Error, match="litert, tflite-micro"):
        model.quantize(examples, profile="fastest")


def test_named_nodes_have_activations_of_16_bits(model, examples, tmp_path):
    narrow = model.quantize(examples)
    first = narrow.to_text().splitlines()[2].split(":")[0]  # behind the network and its input
    wide = model.quantize(examples, int16=[first])
    assert "int16" in wide.to_text() and "int16" not in narrow.to_text()
    assert [layer.bits for layer in wide.compare(examples).layers][:3] == [8, 16, 8]
    assert {path.name for path in wide.export(tmp_path, "c")} >= {"network.c", "network_kernels.c"}
    with pytest.raises(lc.Error, match="'dense' matches no node that may have 16 bits"):
        model.quantize(examples, int16=["dense"])


def test_a_wanted_precision_gives_16_bits_to_as_many_nodes_as_it_needs(model, examples):
    all_wide = model.quantize(examples, int16_sqnr=0).width_search
    assert all_wide.nodes == []
    wanted = all_wide.narrow_db + 1
    quantized = model.quantize(examples, int16_sqnr=wanted)
    search = quantized.width_search
    assert search.narrow_db < wanted <= search.reached_db <= search.widest_db + 1
    chosen = [node.node for node in search.nodes if node.wide]
    assert 0 < len(chosen) <= len(search.nodes)
    assert "without it, dB" in str(search)
    assert np.array_equal(quantized.run(examples), model.quantize(examples, int16=chosen).run(examples))


def test_a_saved_network_answers_the_same(model, examples, tmp_path):
    quantized = model.quantize(examples)
    quantized.save(tmp_path / "quantized.safetensors")
    loaded = lc.load_quantized(tmp_path / "quantized.safetensors")
    assert (loaded.run(examples) == quantized.run(examples)).all()
    assert loaded.compare(examples, model).inputs == len(examples)
    with pytest.raises(lc.Error, match="float model"):
        loaded.compare(examples)


class Prototypes:
    """Ten fixed pictures with noise: a task that a small network learns in seconds."""

    def __init__(self, noise: float):
        generator = torch.Generator().manual_seed(5)
        self.pictures = torch.randn(10, 3, 8, 8, generator=generator)
        self.noise = noise

    def draw(self, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        targets = torch.randint(10, (count,), generator=generator)
        return self.pictures[targets] + self.noise * torch.randn(count, 3, 8, 8, generator=generator), targets


def separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def trained_depthwise(task: Prototypes) -> nn.Module:
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *separable(16, 24, 1),
        *separable(24, 24, 2),
        *separable(24, 32, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for step in range(150):
        inputs, targets = task.draw(64, 100 + step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
    return network.eval()


def made_hostile(network: nn.Module) -> None:
    """Scales every channel of a layer by a factor of its own and undoes it in the next one; in place."""
    generator = torch.Generator().manual_seed(6)
    layers = [each for each in network if isinstance(each, nn.Conv2d | nn.Linear)]
    norms = [each for each in network if isinstance(each, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm, following in zip(norms, layers[1:], strict=True):
            factors = torch.exp2(10 * torch.rand(norm.num_features, generator=generator))
            norm.weight *= factors
            norm.bias *= factors
            depthwise = isinstance(following, nn.Conv2d) and following.groups > 1
            shape = (
                (-1, *[1] * (following.weight.dim() - 1))
                if depthwise
                else (1, -1, *[1] * (following.weight.dim() - 2))
            )
            following.weight /= factors.reshape(shape)


def test_repairs_win_back_what_hostile_ranges_cost():
    task = Prototypes(noise=1.2)
    network = trained_depthwise(task)
    inputs, targets = task.draw(2000, 1)
    examples = task.draw(64, 2)[0].numpy()
    before = network(inputs).argmax(1)
    made_hostile(network)
    assert (network(inputs).argmax(1) == before).float().mean() > 0.999  # the function is the same
    model = lc.from_torch(network, torch.zeros(1, 3, 8, 8))

    def right(run) -> float:
        return float((run(inputs.numpy()).argmax(1) == targets.numpy()).mean())

    def in_8_bits(**repairs) -> float:
        off = {"observer": "minmax", "adaround": False, "bias_correction": False, "equalize": False}
        return right(model.quantize(examples, **{**off, **repairs}).run)

    exact, naive = right(model.run), in_8_bits()
    repaired = in_8_bits(equalize=True, bias_correction=True)
    print(f"float {exact:.4f}, min-max {naive:.4f}, equalized and corrected {repaired:.4f}")
    assert exact - naive > 0.1  # hostile indeed
    assert repaired >= naive + 0.9 * (exact - naive)


def test_sensitivity_tells_what_each_layer_alone_costs(model, examples):
    quantized = model.quantize(examples)
    layers = quantized.sensitivity(examples)
    assert layers[0].value == model.inputs[0].name
    assert all(layer.sqnr_db > 10 and layer.same_class > 16 for layer in layers)


def test_the_command_quantizes_and_tells_of_layers(tiny_run, tmp_path):
    network = tiny_run / "checkpoints" / "original.safetensors"
    data = ["--data", "sounds", "--data-option", "sample_rate=8000", "--data-option", "input_length=4000"]
    made = conftest.call(
        "quantize", network, *data, "--samples", "8", "--out", tmp_path / "q.safetensors", "--json"
    )
    assert made.code == 0, made.err
    assert all(layer["cosine"] > 0.5 for layer in made.json["layers"])
    assert any("alone_db" in layer for layer in made.json["layers"])
    assert lc.load_quantized(tmp_path / "q.safetensors").macs > 0
    table = conftest.call("quantize", network, *data, "--samples", "8")
    assert "alone in 8 bits" in table.out


def test_the_command_evaluates_a_file_of_8_bits_as_the_run_measured_it(tiny_run):
    options = ["clip_seconds=0.75", "crops=2", "train_clips=6", "validation_clips=2", "test_clips=3"]
    data = ["--data", "sounds", "--data-option", "sample_rate=8000", "--data-option", "input_length=4000"]
    data += [part for option in options for part in ("--data-option", option)]
    file = tiny_run / "quantized.safetensors"
    networks = json.loads((tiny_run / "report.json").read_text())["networks"]
    measured = next(each for each in networks if each["label"] == "int8")
    reference, c = (conftest.call("evaluate", file, *data, "--as", kind, "--json") for kind in ("int8", "c"))
    assert reference.json["correct"] == c.json["correct"] == measured["correct"]
    assert c.json["different_views"] == 0
    wrong = conftest.call("evaluate", file, *data, "--as", "float")
    assert wrong.code == 2 and "a network of 8 bits; allowed: int8, c" in wrong.err


def test_a_recipe_calibrates_on_a_file_of_examples(tmp_path):
    examples = np.random.default_rng(3).normal(size=(12, 1, 1, 4000)).astype(np.float32)
    np.savez(tmp_path / "examples.npz", first=examples[:5], second=examples[5:])
    recipe = tmp_path / "tiny.yaml"
    text = re.sub(r"(train|prune|export|verify):.*\n(  .*\n)*", "", conftest.TINY)
    recipe.write_text(text.replace("samples: 8}", "samples: 8, inputs: examples.npz}"))
    made = conftest.call("run", recipe, "--out", tmp_path / "run")
    assert made.code == 0, made.err
    np.save(tmp_path / "other.npy", examples[:, :, :, :100])
    refused = conftest.call("run", recipe, "--out", tmp_path / "no", "--set", "quantize.inputs=other.npy")
    assert refused.code == 4 and "other.npy" in refused.err
    np.savez_compressed(tmp_path / "small.npz", examples)
    refused = conftest.call("run", recipe, "--out", tmp_path / "no2", "--set", "quantize.inputs=small.npz")
    assert refused.code == 4 and "np.savez" in refused.err


def small_network(classes: int) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, classes)
    )


@pytest.fixture(scope="module")
def task() -> tuple[lc.Model, Prototypes]:
    """A network that was trained in float, with too few levels in its weights for min-max to do well."""
    task = Prototypes(noise=2.0)
    network = small_network(10)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for seed in range(30):
        inputs, targets = task.draw(64, seed)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
    return lc.from_torch(network.eval(), inputs[:1]), task


def arrays(task: Prototypes, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets = task.draw(count, seed)
    return inputs.numpy(), targets.numpy()


def test_training_in_8_bits_on_arrays_lowers_the_loss(task):
    model, prototypes = task
    training, unseen = arrays(prototypes, 512, 100), arrays(prototypes, 1000, 101)
    settings = {"epochs": 3, "learning_rate": 0.01}

    def loss(quantized: lc.QuantizedModel) -> float:
        scores = torch.tensor(quantized.run(unseen[0]))
        return nn.functional.cross_entropy(scores, torch.from_numpy(unseen[1])).item()

    before = loss(model.quantize(training[0][:64]))
    trained = model.quantize(training[0][:64], fine_tune=settings, training=training)
    assert loss(trained) < before
    assert trained.compare(unseen[0][:16]).first_parting is None
    again = model.quantize(training[0][:64], fine_tune=settings, training=training)
    assert (again.run(unseen[0]) == trained.run(unseen[0])).all()


def test_training_in_8_bits_keeps_the_best_epoch_and_takes_probabilities(task):
    model, prototypes = task
    inputs, labels = arrays(prototypes, 128, 100)
    ruinous = {"epochs": 4, "learning_rate": 0.3, "schedule": "step", "distillation": {"weight": 0.5}}
    probabilities = 0.9 * np.eye(10, dtype=np.float32)[labels] + 0.01
    quantized = model.quantize(
        inputs, fine_tune=ruinous, training=(inputs, probabilities), validation=arrays(prototypes, 200, 102)
    )
    unseen, expected = arrays(prototypes, 500, 103)
    assert (quantized.run(unseen).argmax(1) == expected).mean() > 0.3


def test_control_c_ends_training(task):
    model, prototypes = task
    training = arrays(prototypes, 512, 100)
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.quantize(training[0][:8], fine_tune={"epochs": 100_000}, training=training)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": None}, "fine_tune without training"),
        ({"fine_tune": None}, "training without fine_tune"),
        ({"fine_tune": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"fine_tune": {"epochs": 0}}, "from 1 to 100000"),
        ({"fine_tune": {"epochs": object()}}, "a dict of numbers"),
        ({"labels": np.full(32, 4)}, "from 0 to 3"),
        ({"labels": np.zeros((32, 4))}, "sum to 1"),
        ({"labels": np.zeros(31, int)}, "as many rows"),
    ],
)
def test_bad_training_is_an_error_that_says_so(model, examples, changes, message):
    labels = changes.pop("labels", np.zeros(32, int))
    given = {"fine_tune": {"epochs": 1}, "training": (examples, labels), **changes}
    with pytest.raises(lc.Error, match=re.escape(message)):
        model.quantize(examples, **given)


QAT = """\
version: 1
model:
  plugin: acdnet
  options: {{classes: 50}}
  checkpoint: {shared}/acdnet-published/micro_acdnet_pruned_trained_fold4_86.00.pt
data:
  plugin: esc
  options: {{path: {shared}/esc10, classes: 50, test_folds: [4], train_folds: [1, 2], validation_fraction: 0}}
quantize:
  samples: 64
  fine_tune: {{epochs: 2, batch_size: 32, learning_rate: 0.0003, distillation: {{weight: 1}}}}
gate: {{max_drop: 0.5}}
"""


@pytest.mark.slow
@pytest.mark.skipif(not (conftest.SHARED / "esc10").exists(), reason="needs ../shared/data")
def test_the_pruned_acdnet_trained_in_8_bits_is_no_worse_than_in_float(tmp_path):
    (tmp_path / "qat.yaml").write_text(QAT.format(shared=conftest.SHARED))
    result = conftest.call("run", tmp_path / "qat.yaml", "--out", tmp_path / "run")
    assert result.code == 0, result.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    figures = {network["label"]: network for network in report["networks"]}
    assert figures["int8"]["accuracy"] >= figures["original"]["accuracy"] - 0.005
