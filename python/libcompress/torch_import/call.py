"""What the function of one operator sees, and how it adds nodes to the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch
from torch import fx

from libcompress import _core
from libcompress.torch_import.extents import Extent, as_extent
from libcompress.torch_import.names import Namer

#: A value of the graph by id, or a tensor that is known already.
Operand = int | torch.Tensor


#: Stands for minus infinity in masks: behind a softmax it gives exactly 0 too.
LOWEST = torch.finfo(torch.float32).min / 4


class Unsupported(Exception):
    """This operator, or this use of it, has no form in the graph."""


@dataclass
class Draft:
    """A graph in the making with its weights."""

    namer: Namer
    graph: _core.Graph = field(default_factory=_core.Graph)
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def add_tensor(self, name: str, tensor: torch.Tensor, trained: bool = False) -> int:
        """A parameter, or a buffer, which has large numbers in place of infinite ones."""
        name = self.namer.unique(name)
        tensor = tensor.detach().to("cpu", torch.float32)
        array = (tensor if trained else tensor.clamp(LOWEST, -LOWEST)).contiguous().numpy()
        self.weights[name] = array
        add = self.graph.add_parameter if trained else self.graph.add_buffer
        return add(name, list(array.shape))

    def shape(self, value: int) -> tuple[int, ...]:
        return self.graph.value(value).shape


@dataclass
class Call:
    """One call of an ATen operator: its arguments by the schema's names, and the shapes around it."""

    draft: Draft
    operator: str  #: without namespace and overload: "conv2d"
    name: str  #: for the node that gives the result
    arguments: dict[str, Any]
    operand_of: Callable[[fx.Node], Operand]
    tensor_of: Callable[[fx.Node], torch.Tensor | None]  #: where it is constant
    extents_of: Callable[[fx.Node], Any]
    out: Any  #: Extents of the output, or a list of them
    used: set[int]  #: which of several outputs anyone reads
    module: torch.nn.Module | None  #: the one whose forward() this is in

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    # ---- arguments

    def has(self, name: str) -> bool:
        return self.arguments.get(name) is not None

    def is_tensor(self, name: str) -> bool:
        return isinstance(self.arguments.get(name), fx.Node)

    def operand(self, name: str) -> Operand:
        return self.operand_of(self.arguments[name])

    def constant(self, name: str) -> torch.Tensor | None:
        """The tensor, where it depends on no input and no parameter."""
        return self.tensor_of(self.arguments[name]) if self.is_tensor(name) else None

    def value(self, name: str) -> int:
        """The id of the tensor `name`; what is constant becomes a buffer, a number a buffer of rank 0."""
        argument = self.arguments[name]
        if isinstance(argument, fx.Node):
            return self._as_value(argument)
        if isinstance(argument, int | float):
            return self.number(argument, name)
        raise Unsupported(f"its argument '{name}' is {argument!r}")

    def values(self, name: str) -> list[int]:
        return [self._as_value(each) for each in self.arguments[name]]

    def shape(self, name: str) -> tuple[Extent, ...]:
        return self.extents_of(self.arguments[name])

    def shapes(self, name: str) -> list[tuple[Extent, ...]]:
        return [self.extents_of(each) for each in self.arguments[name]]

    def rank(self, name: str = "self") -> int:
        return len(self.shape(name))

    def axis(self, name: str = "dim", of: str = "self", extra: int = 0) -> int:
        """The axis argument `name`, from 0; `extra` where it may lie behind the last axis."""
        return self.arguments[name] % max(1, self.rank(of) + extra)

    def axes(self, name: str = "dim", of: str = "self") -> list[int]:
        """Ascending; all of them where the argument is empty or absent."""
        given = self.arguments.get(name)
        if isinstance(given, int):
            given = [given]
        rank = self.rank(of)
        return sorted({each % rank for each in given}) if given else list(range(rank))

    def integers(self, name: str, count: int, default: Iterable[int] = ()) -> list[int]:
        """A list of `count` integers; one number, or a list of one, stands for all of them."""
        given = self.arguments.get(name)
        if given is None or given == []:
            given = list(default)
        if isinstance(given, int):
            given = [given]
        return list(given) * count if len(given) == 1 else list(given)

    # ---- nodes

    def emit(self, op: str, inputs: list[int], part: str = "", **attributes: Any) -> int:
        """A node; `part` names a step on the way to the result."""
        name = f"{self.name}.{part}" if part else self.name
        return self.draft.graph.add_node(op, self.draft.namer.unique(name), inputs, attributes)

    def reshape(self, value: int, extents: Iterable[Extent], part: str = "") -> int:
        extents = [as_extent(each) if not isinstance(each, Extent) else each for each in extents]
        batched = [axis for axis, extent in enumerate(extents) if extent.batched]
        shape = [extent.size for extent in extents]
        if len(batched) > 1:
            raise Unsupported("two axes of its result grow with the batch")
        if self.draft.shape(value) == tuple(shape):
            return value
        return self.emit("reshape", [value], part, shape=shape, batch_axis=batched[0] if batched else -1)

    def permute(self, value: int, order: list[int], part: str = "") -> int:
        if order == sorted(order):
            return value
        return self.emit("permute", [value], part, order=order)

    def slice(self, value: int, axis: int, begin: int, end: int, step: int = 1, part: str = "") -> int:
        extent = self.draft.shape(value)[axis]
        if (begin, end, step) == (0, extent, 1):
            return value
        if not 0 <= begin < end <= extent:
            raise Unsupported("it takes an empty slice")
        return self.emit("slice", [value], part, axis=axis, begin=begin, end=end, step=step)

    def number(self, number: float, part: str = "value") -> int:
        """A constant of rank 0."""
        return self.constant_value(torch.tensor(float(number)), part)

    def constant_value(self, tensor: torch.Tensor, part: str) -> int:
        return self.draft.add_tensor(f"{self.name}.{part}", tensor)

    def refuse(self, why: str) -> NoReturn:
        raise Unsupported(why)

    def _as_value(self, node: fx.Node) -> int:
        operand = self.operand_of(node)
        if isinstance(operand, torch.Tensor):
            return self.constant_value(operand, "constant")
        return operand
