"""Operators that move elements and compute nothing."""

from __future__ import annotations

import operator

import numpy as np
import torch
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter, Operand
from libcompress.torch_export.operators.registry import emits


@emits("flatten")
def flatten(node: Emitter):
    return node.call(torch.flatten, node.operand(0), 1)


@emits("reshape")
def reshape(node: Emitter):
    shape = list(node["shape"])
    if node["batch_axis"] >= 0:
        shape[node["batch_axis"]] = -1
    return node.call(torch.reshape, node.operand(0), shape)


@emits("permute")
def permute(node: Emitter):
    return node.call(torch.permute, node.operand(0), node["order"])


@emits("expand")
def expand(node: Emitter):
    """Axes that stay keep what they have, whatever the batch."""
    target = list(node["shape"])
    before = [0] * (len(target) - len(node.shape())) + list(node.shape())
    return node.method(
        "expand",
        node.operand(0),
        [-1 if old == new else new for old, new in zip(before, target, strict=True)],
    )


@emits("concat")
def concat(node: Emitter):
    """What depends on no input has no batch yet: it is stretched to what lies beside it."""
    axis = node["axis"]
    full = [i for i in range(node.count) if not node.lacks_batch(i)]
    parts = node.operands()
    if full and len(full) < node.count:
        reference = parts[full[0]]
        size = [node.method("size", reference, i) if i != axis else -1 for i in range(len(node.shape()))]
        parts = [
            node.method("expand", part, *size) if node.lacks_batch(i) else part
            for i, part in enumerate(parts)
        ]
    return node.call(torch.cat, parts, dim=axis)


@emits("slice")
def slice_(node: Emitter):
    whole = [slice(None)] * node["axis"]
    part = slice(node["begin"], node["end"], None if node["step"] == 1 else node["step"])
    return node.call(operator.getitem, node.operand(0), (*whole, part))


def pick(node: Emitter, x: Operand, axis: int, indices: list[int], part: str) -> Operand:
    """The indices of an axis, in this order."""
    if indices == list(range(node.shape()[axis]))[::-1] and x is node.operand(0):
        return node.call(torch.flip, x, [axis])
    return node.call(torch.index_select, x, axis, node.constant(torch.tensor(indices), part))


@emits("gather")
def gather(node: Emitter):
    return pick(node, node.operand(0), node["axis"], list(node["indices"]), "indices")


@emits("pad")
def pad(node: Emitter):
    rank = len(node.shape())
    begins, ends = node["padding"][:rank], node["padding"][rank:]
    if node["mode"] == "constant":
        pairs = [each for i in reversed(range(rank)) for each in (begins[i], ends[i])]
        while pairs[-2:] == [0, 0]:
            pairs = pairs[:-2]
        return node.call(functional.pad, node.operand(0), pairs, "constant", node["value"])
    if not any(begins[:2] + ends[:2]) and 3 <= rank <= 5:
        pairs = [each for i in reversed(range(2, rank)) for each in (begins[i], ends[i])]
        mode = {"reflect": "reflect", "edge": "replicate", "circular": "circular"}[node["mode"]]
        return node.call(functional.pad, node.operand(0), pairs, mode)
    return _pad_by_indices(node, begins, ends)


def _pad_by_indices(node: Emitter, begins: list[int], ends: list[int]) -> Operand:
    """PyTorch pads no channels with anything but a constant: each axis is picked from."""
    mode = {"reflect": "reflect", "edge": "edge", "circular": "wrap"}[node["mode"]]
    x = node.operand(0)
    for axis, extent in enumerate(node.shape()):
        if begins[axis] or ends[axis]:
            indices = np.pad(np.arange(extent), (begins[axis], ends[axis]), mode=mode)
            x = pick(node, x, axis, indices.tolist(), f"indices{axis}")
    return x


@emits("channel_shuffle")
def channel_shuffle(node: Emitter):
    return node.call(functional.channel_shuffle, node.operand(0), node["groups"])


@emits("depth_to_space")
def depth_to_space(node: Emitter):
    block = node["block"]
    if node["order"] == "crd":
        return node.call(functional.pixel_shuffle, node.operand(0), block)
    _, channels, height, width = node.shape()
    x = node.call(torch.reshape, node.operand(0), [-1, block, block, channels // block**2, height, width])
    x = node.call(torch.permute, x, [0, 3, 4, 1, 5, 2])
    return node.call(torch.reshape, x, [-1, *node.output_shape[1:]])


@emits("space_to_depth")
def space_to_depth(node: Emitter):
    block = node["block"]
    if node["order"] == "crd":
        return node.call(functional.pixel_unshuffle, node.operand(0), block)
    _, channels, height, width = node.shape()
    x = node.call(
        torch.reshape, node.operand(0), [-1, channels, height // block, block, width // block, block]
    )
    x = node.call(torch.permute, x, [0, 3, 5, 1, 2, 4])
    return node.call(torch.reshape, x, [-1, *node.output_shape[1:]])
