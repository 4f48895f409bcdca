"""Activations, arithmetic, softmax and dropout."""

from __future__ import annotations

import operator

import torch
from torch import nn
from torch.nn import functional

from libcompress.torch_export.emitter import Emitter
from libcompress.torch_export.operators.registry import emits

PLAIN = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hard_swish": functional.hardswish,
    "selu": functional.selu,
    "silu": functional.silu,
    "mish": functional.mish,
    "softsign": functional.softsign,
    "log_sigmoid": functional.logsigmoid,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "abs": torch.abs,
    "neg": torch.neg,
    "erf": torch.erf,
    "sin": torch.sin,
    "cos": torch.cos,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "sign": torch.sign,
}

ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": torch.pow,
}


def _plain(op: str, function) -> None:
    @emits(op)
    def emit(node: Emitter):
        return node.call(function, *node.numbers_or_operands())


for _op, _function in (PLAIN | ARITHMETIC).items():
    _plain(_op, _function)


@emits("identity")
def identity(node: Emitter):
    return node.operand(0)


@emits("maximum", "minimum")
def extreme(node: Emitter):
    """With a number on one side it is a clamp."""
    a, b = node.numbers_or_operands()
    if isinstance(a, float):
        a, b = b, a
    if isinstance(b, float):
        return node.call(torch.clamp, a, **{"min" if node.node.op == "maximum" else "max": b})
    return node.call(torch.maximum if node.node.op == "maximum" else torch.minimum, a, b)


@emits("hard_sigmoid")
def hard_sigmoid(node: Emitter):
    alpha, beta = node["alpha"], node["beta"]
    if abs(alpha - 1 / 6) < 1e-9 and beta == 0.5:
        return node.call(functional.hardsigmoid, node.operand(0))
    line = node.call(operator.add, node.call(operator.mul, node.operand(0), alpha), beta)
    return node.call(torch.clamp, line, min=0.0, max=1.0)


@emits("gelu")
def gelu(node: Emitter):
    return node.call(functional.gelu, node.operand(0), approximate="tanh" if node["tanh"] else "none")


@emits("elu")
def elu(node: Emitter):
    return node.call(functional.elu, node.operand(0), alpha=node["alpha"])


@emits("celu")
def celu(node: Emitter):
    return node.call(functional.celu, node.operand(0), alpha=node["alpha"])


@emits("leaky_relu")
def leaky_relu(node: Emitter):
    return node.call(functional.leaky_relu, node.operand(0), negative_slope=node["slope"])


@emits("softplus")
def softplus(node: Emitter):
    return node.call(functional.softplus, node.operand(0), beta=node["beta"])


@emits("clip")
def clip(node: Emitter):
    return node.call(torch.clamp, node.operand(0), min=node["min"], max=node["max"])


@emits("prelu")
def prelu(node: Emitter):
    x, slope = node.numbers_or_operands()
    if isinstance(slope, float):
        return node.call(functional.leaky_relu, x, negative_slope=slope)
    shape, channels = node.shape(1), node.shape()[1] if len(node.shape()) > 1 else 1
    aligned = [1] * (len(node.shape()) - len(shape)) + list(shape)
    if all(extent == 1 for axis, extent in enumerate(aligned) if axis != 1) and aligned[1:2] in (
        [1],
        [channels],
    ):
        return node.call(functional.prelu, x, node.call(torch.reshape, slope, [-1]))
    negative = node.call(operator.mul, slope, node.call(torch.clamp, x, max=0.0))
    return node.call(operator.add, node.call(functional.relu, x), negative)


@emits("softmax")
def softmax(node: Emitter):
    return node.call(torch.softmax, node.operand(0), dim=node["axis"])


@emits("log_softmax")
def log_softmax(node: Emitter):
    return node.call(torch.log_softmax, node.operand(0), dim=node["axis"])


@emits("dropout")
def dropout(node: Emitter):
    return node.module(nn.Dropout(node["rate"]), node.operand(0))
