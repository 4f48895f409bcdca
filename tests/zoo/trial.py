"""One network's way through the library, with what is found on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import oracle
import torch
from torch import Tensor, nn

import libcompress as lc

TWIN = 5e-6  # of the output's scale: what pruning may change
ROUNDING = 2e-5  # of the output's scale: what another order of additions may change through all layers


def outputs_of(result) -> list[np.ndarray]:
    """The outputs of any of the three runtimes as arrays."""
    several = result if isinstance(result, tuple | list) else (result,)
    return [each.detach().numpy() if isinstance(each, Tensor) else each for each in several]


def difference(found, wanted) -> float:
    """The largest one, as a part of the largest output there is."""
    pairs = list(zip(outputs_of(found), outputs_of(wanted), strict=True))
    for one, other in pairs:
        assert one.shape == other.shape and np.isfinite(one).all()
    return max(float(np.abs(one - other).max() / np.abs(other).max()) for one, other in pairs)


def run(model, inputs: Iterable[Tensor]):
    return model.run(*(each.numpy() for each in inputs))


def check_scale(output) -> None:
    """Outputs that neither fade nor explode, and that tell the examples apart."""
    for each in outputs_of(output):
        assert 0.05 < each.std() < 20.0, f"scale {each.std()}"
        assert (each[0] - each[1]).std() > 0.02 * each.std(), "the output hardly depends on the input"


def taylor_data(output) -> dict:
    """Arguments of prune() for the gradient criterion: a loss with its own slope for every output."""
    generator = torch.Generator().manual_seed(11)
    slopes = [torch.randn(each.shape, generator=generator) for each in outputs_of(output)]

    def loss(outputs, _targets) -> Tensor:
        several = outputs if isinstance(outputs, tuple | list) else (outputs,)
        return sum((each * slope).sum() for each, slope in zip(several, slopes, strict=True))

    return {"criterion": "taylor", "loss": loss}


@dataclass
class Pruned:
    """One criterion's result."""

    criterion: str
    params: int
    macs: int
    twin: float  # difference to the masked twin


def prune(network: nn.Module, model, inputs: tuple[Tensor, ...], **options):
    """Half of every prunable group by one criterion: the smaller model, and how far it is from the twin."""
    pruned = model.prune(0.5, **options)
    removal = oracle.removal_of(pruned.groups, pruned.plan)
    twin = oracle.masked_output(network, inputs, removal)
    return pruned, difference(run(pruned.model, inputs), twin)


def torch_and_back(model, inputs: tuple[Tensor, ...]) -> float:
    """How far the nn.Module of a model is from the model."""
    module = model.to_torch().eval()
    with torch.no_grad():
        return difference(module(*inputs), run(model, inputs))


def row_of(model, results: list[Pruned], groups) -> dict:
    """What docs/zoo.md says of a network."""
    reasons: dict[str, int] = {}
    for group in groups:
        if not group.prunable:
            reasons[group.reason] = reasons.get(group.reason, 0) + 1
    costs = model.costs()
    return {
        "params": costs.params,
        "macs": costs.macs,
        "groups": len(groups),
        "prunable": sum(group.prunable for group in groups),
        "reasons": reasons,
        "results": {r.criterion: {"params": r.params, "macs": r.macs, "twin": r.twin} for r in results},
    }


__all__ = ["ROUNDING", "TWIN", "Pruned", "check_scale", "difference", "lc", "prune", "row_of", "run"]
