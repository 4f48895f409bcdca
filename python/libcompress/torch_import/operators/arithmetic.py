"""Elementwise arithmetic of two operands."""

from __future__ import annotations

from libcompress.torch_import.call import LOWEST, Call
from libcompress.torch_import.operators.registry import aten


def _number(call: Call, name: str) -> float | None:
    """The argument, where it is one number: as it is, or as a constant of one element."""
    if not call.is_tensor(name):
        return call[name]
    constant = call.constant(name)
    return float(constant) if constant is not None and constant.dim() == 0 else None


def _binary(call: Call, op: str, left: str = "self", right: str = "other") -> int:
    return call.emit(op, [call.value(left), call.value(right)])


@aten("add")
def add(call: Call):
    if _number(call, "other") == 0 and call.is_tensor("self"):
        return call.operand("self")
    return call.emit("add", [call.value("self"), _times_alpha(call, "other")])


@aten("sub", "subtract")
def sub(call: Call):
    return call.emit("sub", [call.value("self"), _times_alpha(call, "other")])


@aten("rsub")
def rsub(call: Call):
    return call.emit("sub", [call.value("other"), _times_alpha(call, "self")])


def _times_alpha(call: Call, name: str) -> int:
    if call["alpha"] in (None, 1):
        return call.value(name)
    return call.emit("mul", [call.value(name), call.number(call["alpha"], "alpha")], "times_alpha")


@aten("mul", "multiply")
def mul(call: Call):
    if _number(call, "other") == 1 and call.is_tensor("self"):
        return call.operand("self")
    return _binary(call, "mul")


@aten("div", "divide", "true_divide")
def div(call: Call):
    if call["rounding_mode"] == "floor":
        return call.emit("floor", [call.emit("div", [call.value("self"), call.value("other")], "ratio")])
    if call["rounding_mode"] is not None:
        call.refuse("it truncates")
    if _number(call, "other") == 1 and call.is_tensor("self"):
        return call.operand("self")
    return _binary(call, "div")


@aten("maximum")
def maximum(call: Call):
    return _binary(call, "maximum")


@aten("minimum")
def minimum(call: Call):
    return _binary(call, "minimum")


@aten("square")
def square(call: Call):
    return call.emit("mul", [call.value("self"), call.value("self")])


@aten("pow")
def power(call: Call):
    exponent = _number(call, "exponent")
    if exponent == 1:
        return call.operand("self")
    if exponent == 2:
        return call.emit("mul", [call.value("self"), call.value("self")])
    plain = {0.5: "sqrt", -0.5: "rsqrt", -1.0: "reciprocal"}.get(exponent)
    if plain:
        return call.emit(plain, [call.value("self")])
    return _binary(call, "pow", "self", "exponent")


@aten("addcmul", "addcdiv")
def addcmul(call: Call):
    op = "div" if call.operator == "addcdiv" else "mul"
    term = call.emit(op, [call.value("tensor1"), call.value("tensor2")], op)
    if call["value"] not in (None, 1):
        term = call.emit("mul", [term, call.number(call["value"])], "scaled")
    return call.emit("add", [call.value("self"), term])


@aten("log1p")
def log1p(call: Call):
    return call.emit("log", [call.emit("add", [call.value("self"), call.number(1.0, "one")], "add")])


@aten("masked_fill")
def masked_fill(call: Call):
    """Only with a constant mask: zero there, then plus the value."""
    mask, number = call.constant("mask"), _number(call, "value")
    if mask is None or number is None:
        call.refuse("its mask depends on the input")
    kept = call.constant_value((~mask).float(), "kept")
    filled = call.constant_value(mask.float() * max(float(number), LOWEST), "filled")
    return call.emit("add", [call.emit("mul", [call.value("self"), kept], "mul"), filled])


@aten("where")
def where(call: Call):
    """Only with a constant condition."""
    condition = call.constant("condition")
    if condition is None:
        call.refuse("its condition depends on the input")
    first = call.constant_value(condition.float(), "condition")
    second = call.constant_value((~condition).float(), "otherwise")
    left = call.emit("mul", [call.value("self"), first], "left")
    return call.emit("add", [left, call.emit("mul", [call.value("other"), second], "right")])
