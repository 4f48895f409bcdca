"""Changing the size of images."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter
from libcompress.torch_export.operators.movement import pick
from libcompress.torch_export.operators.registry import emits

#: What torch.nn.functional.interpolate does, by mode, coordinates and rounding.
NEAREST = {("asymmetric", "floor"): "nearest", ("half_pixel", "round_prefer_ceil"): "nearest-exact"}
LINEAR = ("linear", "bilinear", "trilinear")


@emits("resize")
def resize(node: Emitter):
    mode, coordinates, size = node["mode"], node["coordinates"], list(node["size"])
    if mode == "nearest":
        name = NEAREST.get((coordinates, node["rounding"]))
        if name:
            return node.call(functional.interpolate, node.operand(0), size=size, mode=name)
        return _by_nearest(node)
    name = LINEAR[node.spatial - 1] if mode == "linear" else "bicubic"
    known = coordinates in ("half_pixel", "align_corners") and (
        mode == "linear" or (node["cubic_a"] == -0.75 and node.spatial == 2)
    )
    if not known:
        return _by_matrices(node)
    corners = coordinates == "align_corners"
    return node.call(functional.interpolate, node.operand(0), size=size, mode=name, align_corners=corners)


def _coordinate(kind: str, before: int, after: int) -> Callable[[int], float]:
    """From an index of the output to a place in the input."""
    scale = before / after
    if kind == "align_corners":
        return lambda i: i * (before - 1) / (after - 1) if after > 1 else 0.0
    if kind == "asymmetric":
        return lambda i: i * scale
    if kind == "pytorch_half_pixel" and after == 1:
        return lambda i: 0.0
    return lambda i: (i + 0.5) * scale - 0.5


ROUNDINGS: dict[str, Callable[[float], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda x: math.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: math.floor(x + 0.5),
}


def _by_nearest(node: Emitter):
    """Picks rows and columns."""
    x, rounding = node.operand(0), ROUNDINGS[node["rounding"]]
    for axis, (before, after) in enumerate(zip(node.shape()[2:], node["size"], strict=True), 2):
        place = _coordinate(node["coordinates"], before, after)
        indices = [min(max(rounding(place(i)), 0), before - 1) for i in range(after)]
        if indices != list(range(before)):
            x = pick(node, x, axis, indices, f"indices{axis}")
    return x


def _by_matrices(node: Emitter):
    """Each axis is multiplied by the weights of its interpolation."""
    x, rank = node.operand(0), len(node.shape())
    for axis, (before, after) in enumerate(zip(node.shape()[2:], node["size"], strict=True), 2):
        if before == after:
            continue
        matrix = _weights(node, before, after)
        order = list(range(rank))
        order[axis], order[-1] = order[-1], order[axis]
        turned = node.call(torch.permute, x, order)
        product = node.call(torch.matmul, turned, node.constant(matrix, f"weights{axis}"))
        x = node.call(torch.permute, product, order)
    return x


def _weights(node: Emitter, before: int, after: int) -> torch.Tensor:
    """[before, after]; places outside the image count for its edge."""
    matrix = torch.zeros(before, after, dtype=torch.float64)
    place = _coordinate(node["coordinates"], before, after)
    for i in range(after):
        x = place(i)
        first = math.floor(x)
        taps = _linear(x - first) if node["mode"] == "linear" else _cubic(x - first, node["cubic_a"])
        for offset, weight in taps.items():
            matrix[min(max(first + offset, 0), before - 1), i] += weight
    return matrix.float()


def _linear(part: float) -> dict[int, float]:
    return {0: 1 - part, 1: part}


def _cubic(part: float, a: float) -> dict[int, float]:
    """Keys, "Cubic convolution interpolation for digital image processing", 1981."""

    def near(x: float) -> float:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: float) -> float:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return {-1: far(1 + part), 0: near(part), 1: near(1 - part), 2: far(2 - part)}
