"""Norms."""

from __future__ import annotations

import operator

import torch
from torch import nn
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter, Layer
from libcompress.torch_export.operators.convolution import weight_and_bias
from libcompress.torch_export.operators.registry import emits

BATCH_NORMS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
INSTANCE_NORMS = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}


@emits("batch_norm")
def batch_norm(node: Emitter):
    """Always a module: only that knows whether it is training."""
    rank, channels = len(node.shape()), node.shape()[1]
    settings = {"eps": node["epsilon"], "momentum": node["momentum"]}
    statistics = dict(zip(("running_mean", "running_var"), node.node.inputs[3:5], strict=True))

    def make(affine: bool) -> nn.Module:
        return BATCH_NORMS[rank](channels, affine=affine, **settings)

    whole = Layer(lambda: make(True), weight_and_bias(node) | statistics)
    result = node.layer(whole, node.operand(0))
    if result is not None:
        return result
    result = node.layer(Layer(lambda: make(False), statistics), node.operand(0))
    if result is None:  # statistics that another layer holds too: a copy of them
        module = make(False)
        module.running_mean.copy_(node.writer.tensor(statistics["running_mean"]))
        module.running_var.copy_(node.writer.tensor(statistics["running_var"]))
        result = node.module(module, node.operand(0))
    return _scaled_and_shifted(node, result)


def _scaled_and_shifted(node: Emitter, result):
    """By a weight and a bias along the channels that are not the layer's own."""
    column = [-1, *[1] * (len(node.shape()) - 2)]
    for position, function, neutral in ((1, operator.mul, 1.0), (2, operator.add, 0.0)):
        value = node.node.inputs[position]
        stored = node.writer.is_stored(value) and not node.writer.is_trained(value)
        if stored and bool((node.writer.tensor(value) == neutral).all()):
            continue
        result = node.call(function, result, node.call(torch.reshape, node.operand(position), column))
    return result


@emits("layer_norm")
def layer_norm(node: Emitter):
    shape, tensors = list(node.shape()[node["axis"] :]), weight_and_bias(node)

    def make() -> nn.Module:
        return nn.LayerNorm(shape, eps=node["epsilon"], bias="bias" in tensors)

    made = node.layer(Layer(make, tensors), node.operand(0)) if tensors else None
    return made or node.call(
        functional.layer_norm, node.operand(0), shape, node.optional(1), node.optional(2), node["epsilon"]
    )


@emits("group_norm")
def group_norm(node: Emitter):
    tensors = weight_and_bias(node)

    def make() -> nn.Module:
        return nn.GroupNorm(node["groups"], node.shape()[1], eps=node["epsilon"])

    made = node.layer(Layer(make, tensors), node.operand(0)) if len(tensors) == 2 else None
    return made or node.call(
        functional.group_norm,
        node.operand(0),
        node["groups"],
        node.optional(1),
        node.optional(2),
        node["epsilon"],
    )


@emits("instance_norm")
def instance_norm(node: Emitter):
    tensors, rank = weight_and_bias(node), len(node.shape())

    def make() -> nn.Module:
        return INSTANCE_NORMS[rank](node.shape()[1], eps=node["epsilon"], affine=True)

    possible = len(tensors) == 2 and rank in INSTANCE_NORMS
    made = node.layer(Layer(make, tensors), node.operand(0)) if possible else None
    return made or node.call(
        functional.instance_norm,
        node.operand(0),
        weight=node.optional(1),
        bias=node.optional(2),
        eps=node["epsilon"],
    )
