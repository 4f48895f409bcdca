"""Architectures of the zoo as PyTorch writes them to ONNX: read, pruned by half, and proved."""

from __future__ import annotations

import catalog
import pytest
import torch

pytest.importorskip("libcompress._core", reason="the Python package is not built")
pytest.importorskip("onnx")
import trial

import libcompress as lc

QUICK = {"lenet", "late_fusion", "glu_net", "overlapping_slices"}
# Not swin: its biases are zeros, equal tensors that this exporter writes as one, and so ties.
SLOW = {
    "cifar_resnet_option_a",
    "espcn_deep",
    "m5",
    "channels_to_height",
    "group_norm_resnet",
    "shufflenet_v1_groups_2",
    "vit",
}
CASES = [
    pytest.param(entry, id=entry.name, marks=[] if entry.name in QUICK else [pytest.mark.slow])
    for entry in catalog.load()
    if entry.name in QUICK | SLOW
]


def exported(network: torch.nn.Module, inputs, path) -> lc.Model:
    """Through the exporter that needs no package beside torch, with an open batch."""
    names = [f"input{i}" for i in range(len(inputs))]
    axes = {name: {0: "batch"} for name in names}
    torch.onnx.export(
        network, inputs, str(path), dynamo=False, opset_version=17, input_names=names, dynamic_axes=axes
    )
    return lc.load(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", CASES)
def test_a_network_that_torch_exports_is_the_same_network(entry, tmp_path):
    network, inputs = entry.network().eval(), entry.inputs()
    with torch.no_grad():
        output = network(*inputs)
    model = exported(network, inputs, tmp_path / "network.onnx")
    found = trial.difference(trial.run(model, inputs), output)
    assert found < trial.ROUNDING or found < trial.rounding(network, inputs, output)

    sizes = sorted(group.size for group in model.groups() if group.prunable)
    assert sizes == sorted(group.size for group in lc.from_torch(network, inputs).groups() if group.prunable)

    pruned = model.prune(0.5)
    twin = model.masked_twin(pruned.plan)
    assert trial.difference(trial.run(pruned.model, inputs), trial.run(twin, inputs)) < trial.TWIN
