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


def _is_unchanged(call: Call, neutral: float) -> bool:
    """Whether the result is the left operand, since the right one is `neutral`."""
    return _number(call, "other") == neutral and call.is_tensor("self")


def _plain(op: str, *names: str) -> None:
    """Operators of two operands and no settings."""

    @aten(*names)
    def convert(call: Call):
        return _binary(call, op)


_plain("maximum", "maximum")
_plain("minimum", "minimum")


@aten("add")
def add(call: Call):
    if _is_unchanged(call, 0):
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
    if _is_unchanged(call, 1):
        return call.operand("self")
    return _binary(call, "mul")


@aten("div", "divide", "true_divide")
def div(call: Call):
    if call["rounding_mode"] == "floor":
        return call.emit("floor", [call.emit("div", [call.value("self"), call.value("other")], "ratio")])
    if call["rounding_mode"] is not None:
        call.refuse("it truncates")
    if _is_unchanged(call, 1):
        return call.operand("self")
    return _binary(call, "div")


@aten("square")
def square(call: Call):
    return _binary(call, "mul", right="self")


@aten("pow")
def power(call: Call):
    exponent = _number(call, "exponent")
    if exponent == 1:
        return call.operand("self")
    if exponent == 2:
        return square(call)
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
