"""Files that the exporter `tflite` writes, run by LiteRT's reference kernels and by TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("ai_edge_litert")
from ai_edge_litert import schema_py_generated as schema
from conftest import call
from litert_operators import KINDS, OneOperator
from test_litert_reference import (
    DATA,
    NETWORKS,
    activations_of,
    differences,
    inputs_of,
    litert_activations,
    our_activations,
)
from test_tflite_int8 import build_and_test

import libcompress as lc


def written(path: Path, folder: Path) -> Path:
    result = call(
        "export", path, "--exporter", "tflite", "--out", folder, "--name", "again", "--vectors", "0"
    )
    assert result.code == 0, result.err
    return folder / "again.tflite"


def published(network: str) -> Path:
    path = DATA / network
    if not path.exists():
        pytest.skip("the published networks are not here")
    return path


@pytest.mark.parametrize("network", NETWORKS)
def test_a_published_network_written_again_computes_the_same_in_litert(network, tmp_path):
    path = published(network)
    again = written(path, tmp_path)
    assert not differences(again, tmp_path)
    inputs = inputs_of(again)
    source, ours = our_activations(path, inputs, tmp_path), our_activations(again, inputs, tmp_path)
    assert source.keys() == ours.keys()
    assert all(np.array_equal(source[name], ours[name]) for name in source)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_published_network_written_again_computes_the_same_in_micro(network, tmp_path):
    micro = pytest.importorskip("tflite_micro")
    path = published(network)
    again = micro.runtime.Interpreter.from_file(str(written(path, tmp_path)))
    original = micro.runtime.Interpreter.from_file(str(path))
    for example in inputs_of(path):
        for interpreter in (original, again):
            interpreter.set_input(example[np.newaxis], 0)
            interpreter.invoke()
        assert np.array_equal(original.get_output(0), again.get_output(0))


@pytest.mark.parametrize("network", NETWORKS)
def test_reading_and_writing_again_gives_the_same_file(network, tmp_path):
    once = written(published(network), tmp_path / "1")
    assert written(once, tmp_path / "2").read_bytes() == once.read_bytes()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_random_operators_written_again_equal_litert(kind, tmp_path):
    for seed in range(4):
        path = tmp_path / "one.tflite"
        kind(OneOperator(seed), path)
        assert not differences(written(path, tmp_path), tmp_path), f"seed {seed}"


def padded_network() -> torch.nn.Module:
    """Paddings of PyTorch that TensorFlow Lite has no name for, and groups."""
    torch.manual_seed(5)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),
        torch.nn.Conv2d(8, 12, 1, groups=2),
        torch.nn.MaxPool2d(3, stride=2, padding=1),
        torch.nn.Conv2d(12, 7, 1),
    ).eval()


class Gate(torch.nn.Module):
    """Squeeze and excite."""

    def __init__(self, channels: int):
        super().__init__()
        self.squeeze = torch.nn.Conv2d(channels, channels // 2, 1)
        self.excite = torch.nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x):
        means = x.mean((2, 3), keepdim=True)
        return x * torch.nn.functional.hardsigmoid(self.excite(torch.relu(self.squeeze(means))))


class MobileNet(torch.nn.Module):
    """The operators of MobileNetV2, MobileNetV3 and EfficientNet, and functions of other families."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        wide = [nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish()]
        deep = [nn.Conv2d(16, 16, 5, 1, 2, groups=16, bias=False), nn.BatchNorm2d(16), nn.Hardswish()]
        self.block = nn.Sequential(*wide, *deep, Gate(16), nn.Conv2d(16, 8, 1))
        down = [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(12, 12, 3, 2, groups=12), nn.SiLU()]
        self.down = nn.Sequential(nn.Conv2d(8, 12, 1), nn.ReLU6(), *down, nn.Conv2d(12, 10, 1), nn.Tanh())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 20), nn.LeakyReLU(0.1))
        self.scores = nn.Sequential(nn.Linear(20, 5), nn.Sigmoid())

    def forward(self, x):
        x = self.stem(x)
        return self.scores(self.head(self.down(x + self.block(x))))


def expect_equal_in_litert(
    source: Path, path: Path, folder: Path
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Every activation of `source` is in the file made of it, with LiteRT's bytes."""
    inputs = inputs_of(path)
    ours = our_activations(source, inputs, folder)
    wanted = {name: index for name, index in activations_of(path).items() if name in ours}
    theirs = litert_activations(path, inputs, wanted)
    assert wanted.keys() == ours.keys()
    assert not [name for name in wanted if not np.array_equal(ours[name], theirs[name])]
    return inputs, ours


def test_a_mobilenet_computes_the_same_in_litert_and_in_c(tmp_path):
    torch.manual_seed(1)
    examples = np.random.default_rng(5).standard_normal((16, 3, 24, 24)).astype(np.float32)
    source = tmp_path / "quantized.safetensors"
    lc.from_torch(MobileNet().eval(), torch.from_numpy(examples[:1])).quantize(examples).save(source)
    path = written(source, tmp_path)
    expect_equal_in_litert(source, path, tmp_path)
    result = call("export", source, "--out", tmp_path / "c")
    assert result.code == 0, result.err
    build_and_test(tmp_path / "c")


def test_paddings_without_a_name_compute_the_same_in_litert_and_in_micro(tmp_path):
    micro = pytest.importorskip("tflite_micro")
    examples = np.random.default_rng(5).standard_normal((8, 3, 32, 32)).astype(np.float32)
    model = lc.from_torch(padded_network(), torch.from_numpy(examples[:1]))
    source = tmp_path / "quantized.safetensors"
    model.quantize(examples).save(source)
    path = written(source, tmp_path)
    inputs, ours = expect_equal_in_litert(source, path, tmp_path)
    file = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    codes = {code.builtinCode for code in file.operatorCodes}
    assert {schema.BuiltinOperator.PAD, schema.BuiltinOperator.PADV2} <= codes
    graph = file.subgraphs[0]
    output = graph.tensors[graph.outputs[0]].name.decode()
    interpreter = micro.runtime.Interpreter.from_file(str(path))
    for example, expected in zip(inputs, ours[output], strict=True):
        interpreter.set_input(example[np.newaxis], 0)
        interpreter.invoke()
        assert np.array_equal(interpreter.get_output(0)[0], expected)
