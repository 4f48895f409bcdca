"""Pools."""

from __future__ import annotations

import operator

import torch
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter
from libcompress.torch_export.operators.registry import emits


def _by_rank(name: str) -> tuple:
    """For one, two and three spatial axes."""
    return tuple(getattr(functional, f"{name}{spatial}d") for spatial in (1, 2, 3))


MAX_POOLS = _by_rank("max_pool")
AVG_POOLS = _by_rank("avg_pool")
ADAPTIVE_AVG = _by_rank("adaptive_avg_pool")
ADAPTIVE_MAX = _by_rank("adaptive_max_pool")


def _is_torch_like(node: Emitter) -> bool:
    """PyTorch pads both ends alike and by half a window at most."""
    spatial = node.spatial
    begins, ends = node["padding"][:spatial], node["padding"][spatial:]
    return begins == ends and all(p <= k // 2 for p, k in zip(begins, node["kernel"], strict=True))


def _explicit_padding(node: Emitter) -> list[int]:
    """Pairs from the last axis that make every window of the output fit exactly; negative ones cut."""
    spatial, pairs = node.spatial, []
    dilation = node.along_axes("dilation", 1)
    for i in reversed(range(spatial)):
        begin, reach = node["padding"][i], dilation[i] * (node["kernel"][i] - 1) + 1
        needed = (node.output_shape[i + 2] - 1) * node["stride"][i] + reach
        pairs += [begin, needed - node.shape()[i + 2] - begin]
    return pairs


@emits("max_pool")
def max_pool(node: Emitter):
    function = MAX_POOLS[node.spatial - 1]
    window = {
        "kernel_size": node["kernel"],
        "stride": node["stride"],
        "dilation": node.along_axes("dilation", 1),
    }
    if _is_torch_like(node):
        padding = node["padding"][: node.spatial]
        return node.call(function, node.operand(0), padding=padding, ceil_mode=node["ceil"], **window)
    x = node.call(functional.pad, node.operand(0), _explicit_padding(node), "constant", float("-inf"))
    return node.call(function, x, **window)


@emits("avg_pool")
def avg_pool(node: Emitter):
    """With a padding that PyTorch does not have: the mean over the padded window, by the part that counts."""
    function = AVG_POOLS[node.spatial - 1]
    window = {"kernel_size": node["kernel"], "stride": node["stride"]}
    if _is_torch_like(node):
        return node.call(
            function,
            node.operand(0),
            padding=node["padding"][: node.spatial],
            ceil_mode=node["ceil"],
            count_include_pad=node["count_padding"],
            **window,
        )
    pairs = _explicit_padding(node)
    sums = node.call(function, node.call(functional.pad, node.operand(0), pairs), **window)
    share = _share(node, pairs)
    if bool((share == 1).all()):
        return sums
    return node.call(operator.truediv, sums, node.constant(share, "share"))


def _share(node: Emitter, pairs: list[int]) -> torch.Tensor:
    """How much of each window counts, of the windows over an input with the padding `pairs`."""
    spatial, size, rest = node.spatial, list(node.shape()[2:]), list(pairs)
    if node["count_padding"]:  # what the operator pads counts, what makes the last window fit does not
        for i in range(spatial):
            begin, end = node["padding"][i], node["padding"][spatial + i]
            size[i] += begin + end
            place = 2 * (spatial - 1 - i)
            rest[place], rest[place + 1] = 0, pairs[place + 1] - end
    ones = functional.pad(torch.ones(1, 1, *size), rest)
    return AVG_POOLS[spatial - 1](ones, kernel_size=node["kernel"], stride=node["stride"])


@emits("global_avg_pool")
def global_avg_pool(node: Emitter):
    if node.spatial not in (1, 2, 3):
        return node.call(torch.mean, node.operand(0), list(range(2, len(node.shape()))), True)
    return node.call(ADAPTIVE_AVG[node.spatial - 1], node.operand(0), 1)


@emits("global_max_pool")
def global_max_pool(node: Emitter):
    if node.spatial not in (1, 2, 3):
        return node.call(torch.amax, node.operand(0), list(range(2, len(node.shape()))), True)
    return node.call(ADAPTIVE_MAX[node.spatial - 1], node.operand(0), 1)


@emits("adaptive_avg_pool")
def adaptive_avg_pool(node: Emitter):
    return node.call(ADAPTIVE_AVG[node.spatial - 1], node.operand(0), node["size"])


@emits("adaptive_max_pool")
def adaptive_max_pool(node: Emitter):
    return node.call(ADAPTIVE_MAX[node.spatial - 1], node.operand(0), node["size"])
