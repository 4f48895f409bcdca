"""What depends on no input and no parameter is computed while importing, by torch itself."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import fx
from torch.utils import _pytree as pytree

from libcompress.torch_import.call import Unsupported
from libcompress.torch_import.extents import BatchInt

#: Operators that read of their first argument no more than its shape and type.
_LIKE = frozenset(
    "new_zeros new_ones new_full new_empty zeros_like ones_like full_like empty_like".split()  # noqa: SIM905
)

#: Operators whose result is the same along the batch: at a batch of 1 it broadcasts to any.
_UNIFORM = _LIKE | frozenset("zeros ones full empty scalar_tensor expand repeat".split())  # noqa: SIM905

Peek = Callable[[fx.Node], torch.Tensor | None]


@dataclass(frozen=True)
class Named:
    """A constant; it becomes a buffer of this name if the graph reads it."""

    name: str
    tensor: torch.Tensor


def is_operator(node: fx.Node) -> bool:
    """Whether it makes tensors, apart from getitem."""
    if node.op != "call_function" or node.target is operator.getitem:
        return False
    value = node.meta.get("val")
    values = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(each, torch.Tensor) for each in values)


def folds(step, peek: Peek) -> bool:
    """Whether the result is known now."""
    if not isinstance(step.node.target, torch._ops.OpOverload) or not isinstance(step.extents, tuple):
        return False
    if _name(step) in _LIKE:
        return True
    nodes = [leaf for leaf in _leaves(step) if isinstance(leaf, fx.Node)]
    return all(peek(node) is not None for node in nodes)


def fold(step, peek: Peek) -> torch.Tensor:
    """The result at a batch of 1."""
    name = _name(step)
    if name not in _UNIFORM and any(isinstance(leaf, BatchInt) for leaf in _leaves(step)):
        raise Unsupported("it computes a constant from the batch")
    if name in _LIKE:
        return _like(step, name)

    def known(leaf):
        return peek(leaf) if isinstance(leaf, fx.Node) else int(leaf) if isinstance(leaf, BatchInt) else leaf

    arguments = {key: pytree.tree_map(known, each, is_leaf=_is_leaf) for key, each in step.arguments.items()}
    with torch.no_grad():
        return step.node.target(**arguments)


def _like(step, name: str) -> torch.Tensor:
    dtype = step.node.meta["val"].dtype
    shape = [extent.size for extent in step.extents]
    fill = step.arguments.get("fill_value", 1 if "ones" in name else 0)
    return torch.full(shape, fill, dtype=dtype)


def _name(step) -> str:
    return step.node.target._schema.name.split("::")[1]


def _is_leaf(leaf) -> bool:
    return isinstance(leaf, fx.Node | BatchInt)


def _leaves(step) -> list:
    return pytree.tree_leaves(step.arguments, is_leaf=_is_leaf)
