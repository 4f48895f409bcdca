"""Convolutions, linear layers and products of matrices."""

from __future__ import annotations

import operator

import torch
from torch import nn
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter, Layer, Operand
from libcompress.torch_export.operators.registry import emits

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED_FUNCTIONS = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def weight_and_bias(node: Emitter) -> dict[str, int]:
    return dict(zip(("weight", "bias"), node.node.inputs[1:3], strict=False))


def padded(node: Emitter, value: float = 0.0) -> tuple[Operand, list[int]]:
    """The input and what its window pads: PyTorch pads both ends alike, so another padding is made first."""
    spatial = node.spatial
    begins, ends = node["padding"][:spatial], node["padding"][spatial:]
    if begins == ends:
        return node.operand(0), begins
    pairs = [each for pair in zip(reversed(begins), reversed(ends), strict=True) for each in pair]
    return node.call(functional.pad, node.operand(0), pairs, "constant", value), [0] * spatial


def _settings(node: Emitter, padding: list[int]) -> dict:
    return {
        "stride": tuple(node["stride"]),
        "padding": tuple(padding),
        "dilation": tuple(node.along_axes("dilation", 1)),
        "groups": node["groups"],
    }


@emits("conv")
def conv(node: Emitter):
    x, padding = padded(node)
    settings = _settings(node, padding)
    tensors = weight_and_bias(node)
    out, per_group, *kernel = node.shape(1)

    def make() -> nn.Module:
        kind = CONVOLUTIONS[node.spatial - 1]
        channels = per_group * node["groups"]
        return kind(channels, out, tuple(kernel), bias="bias" in tensors, **settings)

    function = (functional.conv1d, functional.conv2d, functional.conv3d)[node.spatial - 1]
    return node.layer(Layer(make, tensors), x) or node.call(
        function, x, node.operand(1), node.optional(2), **settings
    )


@emits("conv_transpose")
def conv_transpose(node: Emitter):
    spatial, tensors = node.spatial, weight_and_bias(node)
    begins, ends = node["padding"][:spatial], node["padding"][spatial:]
    settings = _settings(node, begins)
    # A padding at the end that differs is cut off or added at the output's end.
    extra = [o + b - e for o, b, e in zip(node.along_axes("output_padding", 0), begins, ends, strict=True)]
    if any(e >= max(pair) for e, *pair in zip(extra, settings["stride"], settings["dilation"], strict=True)):
        return _cut_from_whole(node)
    settings["output_padding"] = tuple(max(0, each) for each in extra)
    channels, per_group, *kernel = node.shape(1)

    def make() -> nn.Module:
        kind = TRANSPOSED[spatial - 1]
        return kind(channels, per_group * node["groups"], tuple(kernel), bias="bias" in tensors, **settings)

    result = node.layer(Layer(make, tensors), node.operand(0)) or node.call(
        TRANSPOSED_FUNCTIONS[spatial - 1], node.operand(0), node.operand(1), node.optional(2), **settings
    )
    cut = [each for over in reversed(extra) for each in (0, min(0, over))]
    return node.call(functional.pad, result, cut) if any(cut) else result


def _cut_from_whole(node: Emitter):
    """Without padding, then cut or stretched, then the bias: for what PyTorch allows no output padding."""
    spatial, rank = node.spatial, len(node.shape())
    begins, ends = node["padding"][:spatial], node["padding"][spatial:]
    whole = node.call(
        TRANSPOSED_FUNCTIONS[spatial - 1],
        node.operand(0),
        node.operand(1),
        **_settings(node, [0] * spatial),
    )
    pairs, more = [], node.along_axes("output_padding", 0)
    for i in reversed(range(spatial)):
        pairs += [-begins[i], more[i] - ends[i]]
    result = node.call(functional.pad, whole, pairs)
    if node.count < 3:
        return result
    column = node.call(torch.reshape, node.operand(2), [-1, *[1] * (rank - 2)])
    return node.call(operator.add, result, column)


@emits("linear")
def linear(node: Emitter):
    tensors = weight_and_bias(node)
    out, features = node.shape(1)

    def make() -> nn.Module:
        return nn.Linear(features, out, bias="bias" in tensors)

    return node.layer(Layer(make, tensors), node.operand(0)) or node.call(functional.linear, *node.operands())


@emits("matmul")
def matmul(node: Emitter):
    return node.call(torch.matmul, *node.operands())
