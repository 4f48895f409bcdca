"""Pruned networks of the zoo as ONNX files: the same for ONNX Runtime, and for our own reader."""

import catalog
import numpy as np
import pytest
import trial

lc = pytest.importorskip("libcompress", reason="the Python package is not built")
onnxruntime = pytest.importorskip("onnxruntime")

NETWORKS = [entry for entry in catalog.load() if entry.name in catalog.QUICK]


def answers(file, arrays: list[np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry.name)
def test_a_pruned_network_runs_in_onnx_runtime_with_any_batch(entry, tmp_path):
    inputs = entry.inputs()
    pruned = lc.from_torch(entry.network(), inputs).prune(0.5).model
    pruned.save(tmp_path / "network.onnx")
    again = lc.load(tmp_path / "network.onnx")
    for batch in (1, len(inputs[0])):
        arrays = [each[:batch] for each in inputs]
        wanted = trial.run(pruned, arrays)
        found = answers(tmp_path / "network.onnx", [each.numpy() for each in arrays])
        assert trial.difference(found, wanted) <= trial.ROUNDING
        assert trial.difference(trial.run(again, arrays), wanted) <= trial.ROUNDING
