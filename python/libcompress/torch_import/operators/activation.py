"""Activations, softmax and dropout."""

from __future__ import annotations

import torch

from libcompress.torch_import.call import Call
from libcompress.torch_import.extents import Extent
from libcompress.torch_import.operators.registry import aten

#: The largest float32: a bound that bounds nothing.
NO_BOUND = torch.finfo(torch.float32).max


def _plain(op: str, *names: str) -> None:
    """Operators of one input and no settings."""

    @aten(*names)
    def convert(call: Call):
        return call.emit(op, [call.value("self")])


_plain("relu", "relu")
_plain("relu6", "relu6")
_plain("sigmoid", "sigmoid")
_plain("tanh", "tanh")
_plain("hard_swish", "hardswish")
_plain("hard_sigmoid", "hardsigmoid")
_plain("silu", "silu")
_plain("mish", "mish")
_plain("softsign", "softsign")
_plain("selu", "selu")
_plain("log_sigmoid", "log_sigmoid")
_plain("exp", "exp")
_plain("log", "log")
_plain("sqrt", "sqrt")
_plain("rsqrt", "rsqrt")
_plain("reciprocal", "reciprocal")
_plain("abs", "abs")
_plain("neg", "neg")
_plain("erf", "erf")
_plain("sin", "sin")
_plain("cos", "cos")
_plain("floor", "floor")
_plain("ceil", "ceil")
_plain("round", "round")
_plain("sign", "sign", "sgn")


@aten("log_sigmoid_forward")
def log_sigmoid_forward(call: Call):
    return [call.emit("log_sigmoid", [call.value("self")]), None]


@aten("gelu")
def gelu(call: Call):
    return call.emit("gelu", [call.value("self")], tanh=call["approximate"] == "tanh")


@aten("elu")
def elu(call: Call):
    if (call["scale"], call["input_scale"]) != (1, 1):
        call.refuse("it scales its input or output")
    return call.emit("elu", [call.value("self")], alpha=float(call["alpha"]))


@aten("celu")
def celu(call: Call):
    return call.emit("celu", [call.value("self")], alpha=float(call["alpha"]))


@aten("leaky_relu")
def leaky_relu(call: Call):
    return call.emit("leaky_relu", [call.value("self")], slope=float(call["negative_slope"]))


@aten("rrelu", "rrelu_with_noise", "rrelu_with_noise_functional")
def rrelu(call: Call):
    """Outside of training the mean of its random slopes."""
    result = call.emit("leaky_relu", [call.value("self")], slope=(call["lower"] + call["upper"]) / 2)
    return result if isinstance(call.out, tuple) else [result, None]


@aten("softplus")
def softplus(call: Call):
    return call.emit("softplus", [call.value("self")], beta=float(call["beta"]))


@aten("clamp", "clip", "hardtanh", "clamp_min", "clamp_max")
def clamp(call: Call):
    low = call["min_val"] if "min_val" in call.arguments else call["min"]
    high = call["max_val"] if "max_val" in call.arguments else call["max"]
    if any(not isinstance(bound, int | float | None) for bound in (low, high)):
        call.refuse("its bounds are tensors")
    if low == 0 and high == 6:
        return call.emit("relu6", [call.value("self")])
    if low == 0 and high is None:
        return call.emit("relu", [call.value("self")])
    return call.emit(
        "clip",
        [call.value("self")],
        min=-NO_BOUND if low is None else float(low),
        max=NO_BOUND if high is None else float(high),
    )


@aten("prelu", "_prelu_kernel")
def prelu(call: Call):
    """A slope a channel lies along axis 1."""
    slope = call.value("weight")
    shape = call.shape("weight")
    if len(shape) == 1 and shape[0].size > 1 and call.rank() > 2:
        slope = call.reshape(slope, [*shape, *[Extent(1)] * (call.rank() - 2)], "slope")
    return call.emit("prelu", [call.value("self"), slope])


@aten("glu")
def glu(call: Call):
    """The first half times the sigmoid of the second."""
    value, axis = call.value("self"), call.axis()
    extent = call.shape("self")[axis].size
    first = call.slice(value, axis, 0, extent // 2, part="first")
    second = call.slice(value, axis, extent // 2, extent, part="second")
    return call.emit("mul", [first, call.emit("sigmoid", [second], "gate")])


@aten("softmax", "_softmax")
def softmax(call: Call):
    return call.emit("softmax", [call.value("self")], axis=call.axis())


@aten("log_softmax", "_log_softmax")
def log_softmax(call: Call):
    return call.emit("log_softmax", [call.value("self")], axis=call.axis())


@aten("softmin")
def softmin(call: Call):
    return call.emit("softmax", [call.emit("neg", [call.value("self")], "neg")], axis=call.axis())


@aten("clone", "dropout", "alpha_dropout", "feature_dropout", "native_dropout")
def clone(call: Call):
    """A copy changes nothing; torch.export leaves one where a dropout was."""
    name = "input" if "input" in call.arguments else "self"
    if isinstance(call.module, torch.nn.Dropout):
        return call.emit("dropout", [call.value(name)], rate=float(call.module.p))
    return call.operand(name)


@aten(
    "contiguous",
    "detach",
    "alias",
    "lift_fresh_copy",
    "to",
    "_to_copy",
    "type_as",
    "positive",
)
def unchanged(call: Call):
    return call.operand("self")
