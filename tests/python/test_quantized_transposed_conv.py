"""Transposed convolutions in 8 bits, which become convolutions: near the float network, and the same bytes in
LiteRT's reference kernels and in compiled C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import libcompress as lc

#: Stride, kernel, padding, output padding, dilation, groups.
SETTINGS = {
    "of a U-Net": (2, 2, 0, 0, 1, 1),
    "with overlapping windows": (2, 4, 1, 0, 1, 1),
    "with an output padding": (2, 3, 1, 1, 1, 1),
    "of one step": (1, 3, 1, 0, 1, 1),
    "of one step that grows": (1, (3, 2), 0, 0, 1, 1),
    "with gaps between windows": (3, 2, 0, 1, 1, 1),
    "with gaps between taps": (2, 3, 2, 1, 2, 1),
    "that cuts off more than it adds": (1, 2, 2, 0, 1, 1),
    "with different steps": ((3, 1), (5, 3), (1, 1), 0, 1, 1),
    "in groups": (2, 3, 1, 1, 1, 2),
    "of each channel by itself": (2, 4, 1, 0, 1, 4),
    "of one step in groups": (1, 3, 1, 0, 1, 2),
}


class Upsampling(nn.Module):
    """A norm and a clamp behind it, which are fused."""

    def __init__(self, stride, kernel, padding, output_padding, dilation, groups):
        super().__init__()
        self.up = nn.ConvTranspose2d(
            4, 8, kernel, stride, padding, output_padding, groups, dilation=dilation, bias=groups == 1
        )
        self.norm = nn.BatchNorm2d(8)
        self.last = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.up(x))))


def quantized(network: nn.Module, examples: torch.Tensor) -> tuple[lc.QuantizedModel, float]:
    """And the SQNR of its output, dB."""
    model = lc.from_torch(network.eval(), examples[:1])
    result = model.quantize(examples.numpy(), observer="minmax")
    exact = model.run(examples.numpy())
    error = np.square(result.run(examples.numpy()).ravel() - exact.ravel()).sum()
    return result, 10 * np.log10(np.square(exact).sum() / error)


def in_litert(file: Path, examples: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(str(file), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    made = []
    for example in np.moveaxis(examples, 1, -1):
        scale, zero_point = source["quantization"]
        levels = np.clip(np.round(example / np.float32(scale)) + zero_point, -128, 127)
        interpreter.set_tensor(source["index"], levels[None].astype(np.int8))
        interpreter.invoke()
        scale, zero_point = result["quantization"]
        levels = interpreter.get_tensor(result["index"]).astype(np.int32) - zero_point
        made.append(levels.astype(np.float32) * np.float32(scale))
    return np.moveaxis(np.concatenate(made), -1, 1)


def run_c(folder: Path) -> None:
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    sources = sorted(path.name for path in folder.glob("network*.c"))
    subprocess.run([compiler, "-std=c99", "-O1", *sources, "-o", "network"], cwd=folder, check=True)
    subprocess.run(["./network"], cwd=folder, check=True)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_transposed_convolution(kind, tmp_path):
    torch.manual_seed(3)
    network = Upsampling(*SETTINGS[kind])
    nn.init.uniform_(network.norm.running_var, 0.5, 2)
    examples = torch.randn(16, 4, 5, 6)
    result, sqnr = quantized(network, examples)
    assert sqnr > 30
    nodes = [line.split(":")[0].strip() for line in result.to_text().splitlines()]
    assert "up" in nodes and not {"norm", "relu"} & set(nodes)
    result.export(tmp_path / "c", "c", vectors=3)
    run_c(tmp_path / "c")
    result.export(tmp_path, "tflite", vectors=0)
    answers = in_litert(tmp_path / "network.tflite", examples.numpy())
    assert np.array_equal(answers.ravel(), result.run(examples.numpy()).ravel())


def test_a_transposed_convolution_of_sequences():
    torch.manual_seed(3)
    network = nn.Sequential(nn.ConvTranspose1d(4, 6, 4, 2, 1), nn.ReLU(), nn.Conv1d(6, 2, 3))
    _, sqnr = quantized(network, torch.randn(16, 4, 20))
    assert sqnr > 30


def test_a_result_that_the_stride_does_not_divide_is_refused():
    with pytest.raises(lc.Error, match="a multiple of the stride"):
        quantized(Upsampling(2, 3, 0, 0, 1, 1), torch.randn(4, 4, 5, 6))
