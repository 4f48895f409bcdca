"""Every architecture of the catalog: imported, pruned by half by two criteria, and proved."""

from __future__ import annotations

import catalog
import pytest
import torch

pytest.importorskip("libcompress._core", reason="the Python package is not built")
import trial

import libcompress as lc

ENTRIES = [
    pytest.param(entry, id=entry.name, marks=[] if entry.name in catalog.QUICK else [pytest.mark.slow])
    for entry in catalog.load()
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_half_of_it_can_go_and_the_rest_computes_the_same(entry, findings):
    network, inputs = entry.network(), entry.inputs()
    with torch.no_grad():
        output = network(*inputs)
    trial.check_scale(output)

    model = lc.from_torch(network, inputs)
    found = trial.difference(trial.run(model, inputs), output)
    assert found < trial.ROUNDING or found < trial.rounding(network, inputs, output)

    results = []
    for options in ({"criterion": "magnitude"}, {**trial.taylor_data(output), "data": [(inputs, ())]}):
        pruned, twin = trial.prune(network, model, inputs, **options)
        assert twin < trial.TWIN, options["criterion"]
        after = pruned.costs_after
        results.append(trial.Pruned(options["criterion"], after.params, after.macs, twin))
        assert 1 - after.params / pruned.costs_before.params >= entry.removed
    assert all(group.prunable or group.reason for group in pruned.groups)

    trial.check_torch(pruned.model, inputs)
    findings.add(entry.name, {"family": entry.family, **trial.row_of(model, results, pruned.groups)})
