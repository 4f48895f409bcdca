"""The table of ATen operators: one function each, by the operator's name without namespace and overload."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import fx

from libcompress.torch_import.call import Call

#: Returns the id of the result, a constant, or a list of them where there are several outputs.
Convert = Callable[[Call], object]

TABLE: dict[str, Convert] = {}


def aten(*names: str) -> Callable[[Convert], Convert]:
    """Registers a function for the operators `names`."""

    def add(convert: Convert) -> Convert:
        for name in names:
            assert name not in TABLE, name
            TABLE[name] = convert
        return convert

    return add


def operator_name(node: fx.Node) -> str:
    """ "conv2d" for aten.conv2d.default; also "relu" for relu_, which writes in place."""
    if isinstance(node.target, torch._ops.OpOverload):
        namespace, name = node.target._schema.name.split("::")
        if node.target._schema.is_mutable:
            name = name.removesuffix("_")
        return name if namespace == "aten" else f"{namespace}::{name}"
    return getattr(node.target, "__name__", str(node.target))


def is_known(node: fx.Node) -> bool:
    return operator_name(node) in TABLE
