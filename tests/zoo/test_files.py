"""Networks from files, pruned networks in ONNX Runtime, and channels that become rows by choice."""

from __future__ import annotations

import catalog
import pytest
import torch

pytest.importorskip("libcompress._core", reason="the Python package is not built")
import numpy as np
import oracle
import trial
from libcompress.torch_export import convert
from networks.audio import Acdnet

import libcompress as lc

PUBLISHED = catalog.ROOT.parent / "shared" / "data" / "mlperf-tiny"
FILES = {  # and what must at least be removed
    "ad01_fp32.tflite": 0.5,
    "kws_ref_model_float32.tflite": 0.55,
    "pretrainedResnet.tflite": 0.6,
    "vww_96_float.tflite": 0.6,
}
EXPORTED = (
    "lenet",
    "unet",
    "shufflenet_v1_groups_2",
    "mlp_mixer",
    "csp_detector_c2f",
    "late_fusion",
    "tcn",
    "cbam",
)


def inputs_of(model) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(7)
    return tuple(torch.randn(catalog.BATCH, *value.shape[1:], generator=generator) for value in model.inputs)


def twin_of(model, pruned, inputs):
    """The masked twin by PyTorch: of the module that the unpruned model gives."""
    module, names = convert(model)
    by_tensor = {tensor: name for name, tensor in names.items()}
    removal = {
        by_tensor[tensor]: axes
        for tensor, axes in oracle.removal_of(pruned.groups, pruned.plan).items()
        if tensor in by_tensor
    }
    return oracle.masked_output(module.eval(), inputs, removal)


def check_by_two_criteria(model, removed: float) -> list[trial.Pruned]:
    inputs = inputs_of(model)
    output = trial.run(model, inputs)
    results = []
    for options in ({"criterion": "magnitude"}, {**trial.taylor_data(output), "data": [(inputs, ())]}):
        pruned = model.prune(0.5, **options)
        twin = trial.difference(trial.run(pruned.model, inputs), twin_of(model, pruned, inputs))
        assert twin < trial.TWIN, options["criterion"]
        after = pruned.costs_after
        results.append(trial.Pruned(options["criterion"], after.params, after.macs, twin))
        assert 1 - after.params / pruned.costs_before.params >= removed
    assert all(group.prunable or group.reason for group in pruned.groups)
    return results


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.exists(), reason="the MLPerf Tiny networks are not there")
@pytest.mark.parametrize(("name", "removed"), FILES.items())
def test_half_of_a_published_network_can_go(name, removed, findings):
    model = lc.load(PUBLISHED / name)
    results = check_by_two_criteria(model, removed)
    row = trial.row_of(model, results, model.groups())
    findings.add(name, {"family": "MLPerf Tiny, from TensorFlow Lite", **row})


@pytest.mark.slow
def test_half_of_a_trained_acdnet_of_the_model_plugin_can_go(findings):
    model = lc.load(catalog.ROOT / "models" / "acdnet" / "checkpoints" / "sounds.safetensors")
    results = check_by_two_criteria(model, 0.4)
    row = trial.row_of(model, results, model.groups())
    findings.add("acdnet_sounds", {"family": "the model plugin's own format", **row})


@pytest.mark.slow
def test_channels_that_become_rows_go_by_choice_and_give_the_network_of_the_new_widths():
    entry = next(entry for entry in catalog.load() if entry.name == "acdnet")
    network, inputs = entry.network(), entry.inputs()
    model = lc.from_torch(network, inputs)
    (pinned,) = (group for group in model.groups() if group.spatial)
    assert not pinned.prunable and "rows" in pinned.reason

    pruned = model.prune(0.5, spatial=[pinned.name])
    weights = {name: torch.tensor(array) for name, array in pruned.model.weights.items()}
    widths = [len(weights[name]) for name, each in network.named_parameters() if each.dim() == 4]
    assert widths[:11] == [width // 2 for width in Acdnet.WIDTHS[:11]]
    rebuilt = Acdnet(widths).eval()
    rebuilt.load_state_dict(weights, strict=False)  # all but the counters of batches
    with torch.no_grad():
        assert trial.difference(trial.run(pruned.model, inputs), rebuilt(*inputs)) < trial.ROUNDING


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_runtime_computes_a_pruned_network_the_same(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    entry = next(entry for entry in catalog.load() if entry.name == name)
    inputs = entry.inputs()
    pruned = lc.from_torch(entry.network(), inputs).prune(0.5).model
    pruned.save(tmp_path / "pruned.onnx")
    session = runtime.InferenceSession(tmp_path / "pruned.onnx", providers=["CPUExecutionProvider"])
    fed = {given.name: array.numpy() for given, array in zip(session.get_inputs(), inputs, strict=True)}
    found = session.run(None, fed)
    assert all(np.isfinite(each).all() for each in found)
    assert trial.difference(tuple(found), trial.run(pruned, inputs)) < trial.ROUNDING
