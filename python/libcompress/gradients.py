"""Gradients of a loss for criteria that rank by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from libcompress.model import Model
from libcompress.taps import Readings, Tap, example_axes
from libcompress.torch_export.exporter import write


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
        axes = None
        for inputs, targets in self._batches():
            if axes is None:
                axes = example_axes(written, self._model, taps, inputs)
            readings = Readings(written, self._model, taps, axes, examples=len(inputs[0]))
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
