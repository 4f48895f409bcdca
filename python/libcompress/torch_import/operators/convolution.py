"""Convolutions, linear layers and products of matrices."""

from __future__ import annotations

from libcompress.torch_import.call import Call
from libcompress.torch_import.extents import Extent
from libcompress.torch_import.operators.registry import aten


def _operands(call: Call, *names: str) -> list[int]:
    return [call.value(name) for name in names if call.has(name)]


def _spatial(call: Call) -> int:
    rank = call.rank("weight") - 2
    if call.rank("input") != rank + 2:
        call.refuse("its input has no batch axis")
    return rank


@aten("conv1d", "conv2d", "conv3d")
def conv(call: Call):
    spatial = _spatial(call)
    dilation = call.integers("dilation", spatial)
    return call.emit(
        "conv",
        _operands(call, "input", "weight", "bias"),
        stride=call.integers("stride", spatial),
        padding=_padding(call, spatial, dilation),
        dilation=dilation,
        groups=call["groups"],
    )


def _padding(call: Call, spatial: int, dilation: list[int]) -> list[int]:
    """All begins, then all ends. "same" puts the odd element at the end, as PyTorch does."""
    if call["padding"] == "valid":
        return [0] * (2 * spatial)
    if call["padding"] == "same":
        kernel = [extent.size for extent in call.shape("weight")[2:]]
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return [t // 2 for t in total] + [t - t // 2 for t in total]
    return call.integers("padding", spatial) * 2


@aten("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(call: Call):
    spatial = _spatial(call)
    return call.emit(
        "conv_transpose",
        _operands(call, "input", "weight", "bias"),
        stride=call.integers("stride", spatial),
        padding=call.integers("padding", spatial) * 2,
        output_padding=call.integers("output_padding", spatial),
        dilation=call.integers("dilation", spatial),
        groups=call["groups"],
    )


@aten("convolution")
def convolution(call: Call):
    return conv_transpose(call) if call["transposed"] else conv(call)


@aten("linear")
def linear(call: Call):
    return call.emit("linear", _operands(call, "input", "weight", "bias"))


@aten("mm", "bmm")
def matrix_product(call: Call):
    return call.emit("matmul", [call.value("self"), call.value("mat2")])


@aten("matmul")
def matmul(call: Call):
    """A vector becomes a matrix of one row or column for the product."""
    left, right = call.value("self"), call.value("other")
    if call.rank("self") == 1:
        left = call.reshape(left, (Extent(1), *call.shape("self")), "row")
    if call.rank("other") == 1:
        right = call.reshape(right, (*call.shape("other"), Extent(1)), "column")
    if 1 not in (call.rank("self"), call.rank("other")):
        return call.emit("matmul", [left, right])
    return call.reshape(call.emit("matmul", [left, right], "product"), call.out)


@aten("mv")
def mv(call: Call):
    column = call.reshape(call.value("vec"), (*call.shape("vec"), Extent(1)), "column")
    return call.reshape(call.emit("matmul", [call.value("self"), column], "product"), call.out)


@aten("addmm", "baddbmm")
def addmm(call: Call):
    names = ("mat1", "mat2") if "mat1" in call.arguments else ("batch1", "batch2")
    product = call.emit("matmul", [call.value(name) for name in names], "product")
    return call.emit("add", [_scaled(call, call.value("self"), "beta"), _scaled(call, product, "alpha")])


def _scaled(call: Call, value: int, factor: str) -> int:
    if call[factor] in (None, 1):
        return value
    return call.emit("mul", [value, call.number(call[factor], factor)], f"times_{factor}")
