#!/usr/bin/env python3
"""Writes reference.safetensors: distillation and the group lasso as stock PyTorch computes them.

The file holds the weights of a student ("student/NAME") and of a teacher ("teacher/NAME"), a batch ("inputs",
"targets"), and for "plain", "distilled" and "lasso" the loss and its gradients ("distilled/loss",
"distilled/gradient/NAME"). loss_test.cpp has the same network as a graph. Run again only to change cases.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

CHANNELS, PIXELS, CLASSES = 4, 4 * 5, 3
TEMPERATURE, WEIGHT, STRENGTH = 3.0, 0.7, 0.01

torch.manual_seed(5)
Weights = dict[str, torch.Tensor]


def fresh_weights() -> Weights:
    return {
        "conv1.weight": torch.randn(CHANNELS, 1, 3, 3),
        "norm.weight": 1 + 0.3 * torch.randn(CHANNELS),
        "norm.bias": 0.3 * torch.randn(CHANNELS),
        "norm.mean": torch.randn(CHANNELS),
        "norm.variance": 0.5 + torch.rand(CHANNELS),
        "conv2.weight": 0.3 * torch.randn(CHANNELS, CHANNELS, 3, 3),
        "linear.weight": 0.2 * torch.randn(CLASSES, CHANNELS * PIXELS),
        "linear.bias": torch.randn(CLASSES),
    }


def logits(x: torch.Tensor, w: Weights, training: bool) -> torch.Tensor:
    """A convolution, a norm and a residual convolution, so that a channel is in both axes of conv2."""
    x = F.conv2d(x, w["conv1.weight"], padding=1)
    mean, variance = w["norm.mean"].clone(), w["norm.variance"].clone()
    x = F.relu(F.batch_norm(x, mean, variance, w["norm.weight"], w["norm.bias"], training))
    x = x + F.conv2d(x, w["conv2.weight"], padding=1)
    return F.linear(x.flatten(1), w["linear.weight"], w["linear.bias"])


def penalty(w: Weights) -> torch.Tensor:
    total = torch.zeros(())
    for i in range(CHANNELS):
        slices = [
            w["conv1.weight"][i],
            w["norm.weight"][i],
            w["norm.bias"][i],
            w["conv2.weight"][i],
            w["conv2.weight"][:, i],
            w["linear.weight"][:, i * PIXELS : (i + 1) * PIXELS],
        ]
        together = torch.cat([each.flatten() for each in slices])
        total = total + together.numel() ** 0.5 * together.norm()
    return STRENGTH * total


def main() -> None:
    student, teacher = fresh_weights(), fresh_weights()
    inputs = torch.randn(6, 1, 4, 5)
    targets = torch.randn(6, CLASSES).softmax(1)
    tensors = {f"student/{name}": each.clone() for name, each in student.items()}
    tensors |= {f"teacher/{name}": each.clone() for name, each in teacher.items()}
    tensors |= {"inputs": inputs, "targets": targets}

    for name, each in student.items():
        each.requires_grad_(name not in ("norm.mean", "norm.variance"))
    scores = logits(inputs, student, training=True)
    with torch.no_grad():
        taught = logits(inputs, teacher, training=False)
    plain = F.kl_div(scores.log_softmax(1), targets, reduction="batchmean")
    soft = F.kl_div(
        (scores / TEMPERATURE).log_softmax(1), (taught / TEMPERATURE).softmax(1), reduction="batchmean"
    )
    losses = {
        "plain": plain,
        "distilled": (1 - WEIGHT) * plain + WEIGHT * TEMPERATURE**2 * soft,
        "lasso": penalty(student),
    }
    for case, loss in losses.items():
        trained = {name: each for name, each in student.items() if each.requires_grad}
        gradients = torch.autograd.grad(loss, list(trained.values()), retain_graph=True, allow_unused=True)
        tensors[f"{case}/loss"] = loss.detach().reshape(1).clone()
        for name, gradient in zip(trained, gradients, strict=True):
            if gradient is not None:
                tensors[f"{case}/gradient/{name}"] = gradient.contiguous().clone()
    save_file(tensors, Path(__file__).with_name("reference.safetensors"))


if __name__ == "__main__":
    main()
