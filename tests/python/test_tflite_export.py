"""Files that the exporter `tflite` writes, run by LiteRT's reference kernels and by TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from conftest import call
from litert_operators import KINDS, OneOperator
from test_litert_reference import (
    DATA,
    NETWORKS,
    differences,
    inputs_of,
    our_activations,
)


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
