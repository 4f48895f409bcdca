"""Reductions over axes."""

from __future__ import annotations

import math

from libcompress.torch_import.call import Call
from libcompress.torch_import.operators.registry import aten


def _reduce(call: Call, op: str, part: str = "", value: int | None = None, keep: bool | None = None) -> int:
    axes = call.axes()
    if any(call.shape("self")[axis].batched for axis in axes):
        call.refuse("it reduces over the batch")
    keep = bool(call["keepdim"]) if keep is None else keep
    value = call.value("self") if value is None else value
    return call.emit(op, [value], part, axes=axes, keep=keep)


def _plain(op: str, name: str) -> None:
    """Reductions with no settings but the axes."""

    @aten(name)
    def convert(call: Call):
        return _reduce(call, op)


_plain("reduce_mean", "mean")
_plain("reduce_sum", "sum")
_plain("reduce_max", "amax")
_plain("reduce_min", "amin")
_plain("reduce_prod", "prod")


@aten("max", "min")
def extreme(call: Call):
    """Along an axis, without the indices; or over everything."""
    if call.has("other"):
        return call.emit(f"{call.operator}imum", [call.value("self"), call.value("other")])
    result = _reduce(call, f"reduce_{call.operator}")
    if isinstance(call.out, tuple):
        return result
    if 1 in call.used:
        call.refuse("somebody reads the indices")
    return [result, None]


@aten("norm", "linalg_vector_norm")
def norm(call: Call):
    order = call["ord"] if "ord" in call.arguments else call["p"]
    order = 2 if order is None else order
    if order in (1, 2):
        return _reduce(call, f"reduce_l{int(order)}")
    if order in (math.inf, -math.inf):
        sizes = call.emit("abs", [call.value("self")], "abs")
        return _reduce(call, "reduce_max" if order > 0 else "reduce_min", value=sizes)
    call.refuse(f"a norm of order {order}")


@aten("logsumexp")
def logsumexp(call: Call):
    """Less the largest, so that nothing overflows."""
    largest = _reduce(call, "reduce_max", "largest", keep=True)
    rest = call.emit("sub", [call.value("self"), largest], "rest")
    exponential = call.emit("exp", [rest], "exp")
    logarithm = call.emit("log", [_reduce(call, "reduce_sum", "sum", exponential)], "log")
    same_rank = largest if call["keepdim"] else call.reshape(largest, call.out, "flat")
    return call.emit("add", [logarithm, same_rank])


def _variance(call: Call, part: str) -> int:
    """The mean square of what the mean leaves, times n / (n - correction)."""
    count = math.prod(call.shape("self")[axis].size for axis in call.axes())
    correction = call["correction"] if "correction" in call.arguments else int(call["unbiased"])
    correction = 1 if correction is None else correction
    centre = _reduce(call, "reduce_mean", "mean", keep=True)
    rest = call.emit("sub", [call.value("self"), centre], "centred")
    square = call.emit("mul", [rest, rest], "square")
    if correction == 0:
        return _reduce(call, "reduce_mean", part, square)
    if count <= correction:
        call.refuse(f"a variance of {count} elements")
    biased = _reduce(call, "reduce_mean", "biased", square)
    return call.emit("mul", [biased, call.number(count / (count - correction), "correction")], part)


@aten("var")
def var(call: Call):
    return _variance(call, "")


@aten("std")
def std(call: Call):
    return call.emit("sqrt", [_variance(call, "variance")])


@aten("var_mean")
def var_mean(call: Call):
    return [_variance(call, "variance"), _reduce(call, "reduce_mean")]
