"""One network's way through the library, with what is found on it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import oracle
import torch
from torch import Tensor, nn

TWIN = 5e-6  # of the output's scale: what pruning may change
ROUNDING = 2e-5  # of the output's scale: what another order of additions may change through all layers
AMPLIFIED = 4  # or so many times what PyTorch's own float32 is away from float64, in networks that amplify it


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


def rounding(network: nn.Module, inputs: tuple[Tensor, ...], output) -> float:
    """The difference that two float32 runtimes of this network may have."""
    with torch.no_grad():
        exact = copy.deepcopy(network).double()(*(each.double() for each in inputs))
    return max(ROUNDING, AMPLIFIED * difference(output, exact))


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


def check_torch(model, inputs: tuple[Tensor, ...]) -> None:
    """The nn.Module of a model computes what the model does."""
    module = model.to_torch().eval()
    with torch.no_grad():
        output = module(*inputs)
    found = difference(run(model, inputs), output)
    assert found < ROUNDING or found < rounding(module, inputs, output), found


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
