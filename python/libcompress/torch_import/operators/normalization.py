"""Norms."""

from __future__ import annotations

import torch

from libcompress.torch_import.call import Call
from libcompress.torch_import.operators.registry import aten


def _scale_and_shift(call: Call, shape: list[int]) -> list[int]:
    """The optional weight and bias; a bias alone gets a weight of ones."""
    if not call.has("weight") and not call.has("bias"):
        return []
    weight = call.value("weight") if call.has("weight") else call.constant_value(torch.ones(shape), "weight")
    return [weight, call.value("bias")] if call.has("bias") else [weight]


def _running(call: Call) -> int:
    """With stored statistics."""
    channels = [call.shape("input")[1].size]
    affine = _scale_and_shift(call, channels) or [call.constant_value(torch.ones(channels), "weight")]
    if len(affine) == 1:
        affine.append(call.constant_value(torch.zeros(channels), "bias"))
    statistics = [call.value("running_mean"), call.value("running_var")]
    return call.emit(
        "batch_norm",
        [call.value("input"), *affine, *statistics],
        epsilon=float(call["eps"]),
        momentum=float(call["momentum"] or 0.0),
    )


@aten("_native_batch_norm_legit_no_training")
def batch_norm(call: Call):
    return [_running(call), None, None]


@aten("_native_batch_norm_legit", "native_batch_norm")
def batch_norm_with_batch_statistics(call: Call):
    call.refuse("a batch norm without running statistics takes those of the batch")


@aten("batch_norm", "cudnn_batch_norm")
def plain_batch_norm(call: Call):
    if not call.has("running_mean"):
        batch_norm_with_batch_statistics(call)
    return _running(call)


@aten("layer_norm")
def layer_norm(call: Call):
    shape = list(call["normalized_shape"])
    operands = [call.value("input"), *_scale_and_shift(call, shape)]
    return call.emit("layer_norm", operands, axis=call.rank("input") - len(shape), epsilon=float(call["eps"]))


@aten("native_layer_norm")
def native_layer_norm(call: Call):
    return [layer_norm(call), None, None]


@aten("group_norm")
def group_norm(call: Call):
    operands = [call.value("input"), *_scale_and_shift(call, [call.shape("input")[1].size])]
    return call.emit("group_norm", operands, groups=call["num_groups"], epsilon=float(call["eps"]))


@aten("native_group_norm")
def native_group_norm(call: Call):
    operands = [call.value("input"), *_scale_and_shift(call, [call["C"]])]
    return [call.emit("group_norm", operands, groups=call["group"], epsilon=float(call["eps"])), None, None]


@aten("instance_norm")
def instance_norm(call: Call):
    if not call["use_input_stats"]:
        return _running(call)
    operands = [call.value("input"), *_scale_and_shift(call, [call.shape("input")[1].size])]
    return call.emit("instance_norm", operands, epsilon=float(call["eps"]))


@aten("rms_norm")
def rms_norm(call: Call):
    value = call.value("input")
    rank = call.rank("input")
    axes = list(range(rank - len(call["normalized_shape"]), rank))
    epsilon = torch.finfo(torch.float32).eps if call["eps"] is None else call["eps"]
    square = call.emit("mul", [value, value], "square")
    mean = call.emit("reduce_mean", [square], "mean", axes=axes, keep=True)
    shifted = call.emit("add", [mean, call.number(epsilon, "epsilon")], "shifted")
    inverse = call.emit("rsqrt", [shifted], "rsqrt")
    if not call.has("weight"):
        return call.emit("mul", [value, inverse])
    return call.emit("mul", [call.emit("mul", [value, inverse], "normalized"), call.value("weight")])


@aten("_weight_norm", "_weight_norm_interface")
def weight_norm(call: Call):
    """v * (g / |v|), the norm over all axes but one."""
    kept = call["dim"]
    axes = [axis for axis in range(call.rank("v")) if axis != kept % call.rank("v") or kept == -1]
    norm = call.emit("reduce_l2", [call.value("v")], "norm", axes=axes, keep=True)
    ratio = call.emit("div", [call.value("g"), norm], "ratio")
    result = call.emit("mul", [call.value("v"), ratio])
    return result if isinstance(call.out, tuple) else [result, norm]
