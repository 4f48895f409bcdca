"""Calibration that cannot give an int8 network, in Python and on the command line: one sentence each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Result, call
from test_bad_input import one_sentence
from torch import nn

import libcompress as lc


def network(between: nn.Module) -> lc.Model:
    """For the data set `sounds` at 8 kHz."""
    torch.manual_seed(1)
    layers = [nn.Conv2d(1, 4, (1, 9), (1, 16)), between, nn.Flatten(), nn.Linear(4 * 250, 10)]
    return lc.from_torch(nn.Sequential(*layers).eval(), torch.zeros(1, 1, 1, 4000))


@pytest.fixture(scope="module")
def examples() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(8, 1, 1, 4000)).astype(np.float32)


def with_nan(examples: np.ndarray) -> np.ndarray:
    spoilt = examples.copy()
    spoilt[3, 0, 0, 17] = np.nan
    return spoilt


def ragged(examples: np.ndarray) -> list[np.ndarray]:
    return [examples, examples[:, :, :, :9]]


def by_command(model: lc.Model, folder: Path, inputs: np.ndarray | None = None) -> Result:
    model.save(folder / "network.onnx")
    options = ["sample_rate=8000", "input_length=4000", "clip_seconds=0.75", "train_clips=4"]
    flags = [word for option in options for word in ("--data-option", option)]
    if inputs is not None:
        np.save(folder / "inputs.npy", inputs)
        flags += ["--inputs", folder / "inputs.npy"]
    return call("quantize", folder / "network.onnx", "--data", "sounds", *flags, "--samples", "4")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (with_nan, "nan during calibration"),
        (np.zeros_like, "activations that vary"),
        (lambda all: all[:0], "no inputs"),
        (lambda all: all[:, :, :, :7], "shape [8, 1, 1, 7]"),
        (lambda all: np.full(all.shape, "x"), "no numbers"),
        (ragged, "batches that agree"),
        (lambda all: None, "an array, batches"),
    ],
)
def test_bad_arrays_are_refused_in_python(examples, spoil, message):
    with pytest.raises(lc.Error) as refusal:
        network(nn.ReLU()).quantize(spoil(examples))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (with_nan, "nan"),
        (np.zeros_like, "activations that vary"),
        (lambda all: all[:0], "inputs.npy"),
        (lambda all: all[:, :, :, :7], "[8, 1, 1, 7]"),
    ],
)
def test_bad_arrays_are_refused_on_the_command_line(examples, spoil, message, tmp_path):
    result = by_command(network(nn.ReLU()), tmp_path, spoil(examples))
    assert result.code == 4, result.err
    assert message in one_sentence(result)


def test_a_float_operator_without_an_8_bit_form_is_named_with_its_node_and_a_remedy(examples, tmp_path):
    model = network(nn.GroupNorm(2, 4))
    with pytest.raises(lc.Error) as refusal:
        model.quantize(examples)
    result = by_command(model, tmp_path)
    assert result.code == 4
    for text in (str(refusal.value), one_sentence(result)):
        assert "node '" in text and "group_norm" in text and "keep the network in float32" in text


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY\x01\x00", b"PK\x03\x04broken"])
def test_a_file_of_no_arrays_is_named(content, tmp_path):
    path = tmp_path / "examples.npy"
    path.write_bytes(content)
    with pytest.raises(lc.Error, match=str(path)) as refusal:
        network(nn.ReLU()).quantize(path)
    assert refusal.value.kind == "input"


def test_a_missing_file_of_examples_is_an_io_error(tmp_path):
    with pytest.raises(lc.Error, match="cannot read") as refusal:
        network(nn.ReLU()).quantize(tmp_path / "none.npy")
    assert refusal.value.kind == "io"
