"""Quantization from Python: inputs of every kind, observers, comparison, files."""

from __future__ import annotations

import conftest  # noqa: F401  # makes the package importable
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


def test_a_saved_network_answers_the_same(model, examples, tmp_path):
    quantized = model.quantize(examples)
    quantized.save(tmp_path / "quantized.safetensors")
    loaded = lc.load_quantized(tmp_path / "quantized.safetensors")
    assert (loaded.run(examples) == quantized.run(examples)).all()
    assert loaded.compare(examples, model).inputs == len(examples)
    with pytest.raises(lc.Error, match="float model"):
        loaded.compare(examples)
