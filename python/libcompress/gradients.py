"""Gradients of a loss for criteria that rank by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import fx

from libcompress.model import Model
from libcompress.torch_export.exporter import Written, write

#: A node's id, the operand that it reads or `OUTPUT`, and an axis of that activation.
Tap = tuple[int, int, int]
OUTPUT = -1


class BatchGradients:
    """Gradients of `loss(outputs, targets)`, a mean over the batch, for each batch of `data`.

    The network is as it will be pruned: running statistics, no dropout.
    """

    def __init__(self, model: Model, data: Iterable, loss: Callable | None = None):
        self._model = model
        self._data = data
        self._loss = loss or torch.nn.functional.cross_entropy

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """By the name of each parameter, for each batch."""
        written = write(self._model)
        module = written.module.eval()
        for inputs, targets in self._batches():
            module.zero_grad(set_to_none=True)
            self._loss(module(*inputs), targets).backward()
            yield {
                written.names[name]: np.zeros(each.shape, np.float32)
                if each.grad is None
                else each.grad.numpy()
                for name, each in module.named_parameters()
            }

    def tapped(self, taps: list[Tap]) -> Iterator[list[np.ndarray]]:
        """For each batch and tap [examples, extent]: z * dL/dz of each example's own loss, summed by index.

        Of an operand the gradient is that of this reading alone, not of all who read the value.
        """
        written = write(self._model)
        written.module.eval().requires_grad_(False)
        for inputs, targets in self._batches():
            readings = _Readings(written, self._model, taps, examples=len(inputs[0]))
            loss = self._loss(readings.run(*inputs), targets)
            if loss.requires_grad:
                loss.backward()
            yield readings.changes()

    def _batches(self) -> Iterator[tuple[list[torch.Tensor], torch.Tensor]]:
        for inputs, targets in self._data:
            arguments = inputs if isinstance(inputs, list | tuple) else (inputs,)
            yield [torch.as_tensor(each) for each in arguments], torch.as_tensor(targets)


def batch_gradients(model: Model, data: Iterable, loss: Callable | None = None) -> BatchGradients:
    """What `_core.score_groups` takes as gradients."""
    return BatchGradients(model, data, loss)


class _Readings(fx.Interpreter):
    """One forward pass that watches the gradients at taps."""

    def __init__(self, written: Written, model: Model, taps: list[Tap], examples: int):
        super().__init__(written.module)
        graph = model.graph
        self._owners = written.owners
        self._taps = taps
        self._examples = examples
        self._reads: dict[tuple[int, fx.Node], list[int]] = {}
        self._makes: dict[fx.Node, list[int]] = {}
        self._own: dict[tuple[int, fx.Node], torch.Tensor] = {}
        self._changes: list[torch.Tensor | None] = [None] * len(taps)
        self._extents = []
        for i, (node, operand, axis) in enumerate(taps):
            at = graph.node(node)
            value = at.output if operand == OUTPUT else at.inputs[operand]
            self._extents.append(graph.value(value).shape[axis])
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
        axis = self._taps[i][2]
        rows = products.shape[0] // self._examples  # of one example
        shape = (self._examples, rows, products.shape[axis], -1)
        # The loss is a mean: an example's own is as many times its part as there are examples.
        change = self._examples * products.transpose(1, axis).reshape(shape).sum((1, 3))
        self._changes[i] = change if self._changes[i] is None else self._changes[i] + change
