"""Reductions over axes."""

from __future__ import annotations

import torch

from libcompress.torch_export.emitter import Emitter
from libcompress.torch_export.operators.registry import emits

PLAIN = {
    "reduce_mean": torch.mean,
    "reduce_sum": torch.sum,
    "reduce_max": torch.amax,
    "reduce_min": torch.amin,
}


def _plain(op: str, function) -> None:
    @emits(op)
    def emit(node: Emitter):
        return node.call(function, node.operand(0), dim=node["axes"], keepdim=node["keep"])


for _op, _function in PLAIN.items():
    _plain(_op, _function)


@emits("reduce_l1", "reduce_l2")
def norm(node: Emitter):
    order = 1 if node.node.op == "reduce_l1" else 2
    return node.call(
        torch.linalg.vector_norm, node.operand(0), ord=order, dim=node["axes"], keepdim=node["keep"]
    )


@emits("reduce_prod")
def prod(node: Emitter):
    """Axis by axis, the last first."""
    result = node.operand(0)
    for axis in sorted(node["axes"], reverse=True):
        result = node.call(torch.prod, result, dim=axis, keepdim=node["keep"])
    return result
