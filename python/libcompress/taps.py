"""What taps see: activations of a module, and gradients at one place each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import fx

from libcompress.errors import error
from libcompress.model import Model
from libcompress.torch_export.exporter import Written

#: A node's id, the operand that it reads or `OUTPUT`, and an axis of that activation.
Tap = tuple[int, int, int]
OUTPUT = -1


def _tapped(model: Model, tap: Tap) -> int:
    """The value's id."""
    node, operand, _ = tap
    at = model.graph.node(node)
    return at.output if operand == OUTPUT else at.inputs[operand]


class _Seen(fx.Interpreter):
    """Keeps some of what is computed."""

    def __init__(self, module: fx.GraphModule, wanted: set[fx.Node]):
        super().__init__(module)
        self._wanted = wanted
        self.found: dict[fx.Node, torch.Tensor] = {}

    def run_node(self, n: fx.Node):
        value = super().run_node(n)
        if n in self._wanted:
            self.found[n] = value
        return value


@dataclass(frozen=True)
class ExampleAxis:
    """Index (o * examples + n) * inner + i of the axis belongs to example n."""

    axis: int
    inner: int


def example_axes(
    written: Written, model: Model, taps: list[Tap], inputs: list[torch.Tensor]
) -> list[ExampleAxis]:
    """Where the examples lie in each tapped activation: found by computing each of them twice."""
    places = [written.operands[_tapped(model, tap)] for tap in taps]
    one, two = _Seen(written.module, set(places)), _Seen(written.module, set(places))
    with torch.no_grad():
        one.run(*inputs)
        two.run(*(torch.cat([each, each]) for each in inputs))
    axes = []
    for tap, place in zip(taps, places, strict=True):
        found = _example_axis(one.found[place].shape, two.found[place], len(inputs[0]))
        if found is None or found.axis == tap[2]:
            raise error(
                "input",
                f"node '{model.graph.node(tap[0]).name}'",
                "an activation that mixes examples",
                "one axis of examples",
                "a criterion of weights ('magnitude') needs no activations",
            )
        axes.append(found)
    return axes


def _example_axis(shape: torch.Size, doubled: torch.Tensor, examples: int) -> ExampleAxis | None:
    growing = [axis for axis, extent in enumerate(shape) if doubled.shape[axis] != extent]
    if len(growing) != 1:
        return None
    rows = shape[growing[0]] // examples  # of one example
    along_axis = doubled.movedim(growing[0], 0)
    scale = float(along_axis.abs().max())
    for inner in (each for each in range(rows, 0, -1) if rows % each == 0):
        halves = along_axis.reshape(rows // inner, 2, examples * inner, -1)
        if torch.allclose(halves[:, 0], halves[:, 1], 1e-4, 1e-5 * scale):
            return ExampleAxis(growing[0], inner)
    return None


class Readings(fx.Interpreter):
    """One forward pass that watches the gradients at taps."""

    def __init__(
        self, written: Written, model: Model, taps: list[Tap], axes: list[ExampleAxis], examples: int
    ):
        super().__init__(written.module)
        self._owners = written.owners
        self._taps = taps
        self._axes = axes
        self._examples = examples
        self._reads: dict[tuple[int, fx.Node], list[int]] = {}
        self._makes: dict[fx.Node, list[int]] = {}
        self._own: dict[tuple[int, fx.Node], torch.Tensor] = {}
        self._changes: list[torch.Tensor | None] = [None] * len(taps)
        self._extents = []
        for i, tap in enumerate(taps):
            node, operand, axis = tap
            value = _tapped(model, tap)
            self._extents.append(model.graph.value(value).shape[axis])
            if operand == OUTPUT:
                self._makes.setdefault(written.operands[value], []).append(i)
            else:
                self._reads.setdefault((node, written.operands[value]), []).append(i)

    def map_nodes_to_values(self, args, n: fx.Node):
        return fx.node.map_arg(args, lambda each: self._read(n, each))

    def run_node(self, n: fx.Node):
        value = super().run_node(n)
        return self._watched(value, self._makes[n]) if n in self._makes else value

    def changes(self) -> list[np.ndarray]:
        """By tap [examples, extent]: z * dL/dz of each example's own loss, summed by index."""
        return [
            np.zeros((self._examples, extent), np.float32) if each is None else each.numpy()
            for each, extent in zip(self._changes, self._extents, strict=True)
        ]

    def _read(self, reader: fx.Node, operand: fx.Node):
        """A tensor of its own for each reading, or its gradient would be that of all."""
        key = (self._owners.get(reader), operand)
        if key not in self._reads:
            return self.env[operand]
        if key not in self._own:
            self._own[key] = self._watched(self.env[operand].view_as(self.env[operand]), self._reads[key])
        return self._own[key]

    def _watched(self, tensor: torch.Tensor, taps: list[int]) -> torch.Tensor:
        if not tensor.requires_grad:  # nothing before it is asked for
            tensor = tensor.detach().requires_grad_()
        z = tensor.detach()
        for i in taps:
            tensor.register_hook(lambda gradient, i=i: self._add(i, z * gradient))
        return tensor

    def _add(self, i: int, products: torch.Tensor) -> None:
        at = self._axes[i]
        turned = products.movedim((at.axis, self._taps[i][2]), (0, 1))
        outer = turned.shape[0] // (self._examples * at.inner)
        shape = (outer, self._examples, at.inner, turned.shape[1], -1)
        # The loss is a mean: an example's own is as many times its part as there are examples.
        change = self._examples * turned.reshape(shape).sum((0, 2, 4))
        self._changes[i] = change if self._changes[i] is None else self._changes[i] + change
