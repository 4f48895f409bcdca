"""Gradients of a loss for criteria that rank by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from libcompress.model import Model
from libcompress.torch_export import convert


def batch_gradients(
    model: Model, data: Iterable, loss: Callable | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """For each batch of `data` the gradient of its loss, by parameter.

    The network is as it will be pruned: running statistics, no dropout.
    """
    loss = loss or torch.nn.functional.cross_entropy
    module, names = convert(model)
    module.eval()
    for inputs, targets in data:
        module.zero_grad(set_to_none=True)
        arguments = inputs if isinstance(inputs, list | tuple) else (inputs,)
        outputs = module(*map(torch.as_tensor, arguments))
        loss(outputs, torch.as_tensor(targets)).backward()
        yield {
            names[name]: np.zeros(each.shape, np.float32) if each.grad is None else each.grad.numpy()
            for name, each in module.named_parameters()
        }
