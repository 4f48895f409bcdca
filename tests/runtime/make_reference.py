#!/usr/bin/env python3
"""Writes reference.safetensors: every operator of the table as stock PyTorch computes it.

A case is one node. The file holds its operands ("NAME/0", "NAME/1", ...), the output that PyTorch gives
("NAME/output"), and the gradients of half the sum of its squares ("NAME/gradient/0", ...) where there are
some. Operator, attributes and how the operands enter stand as JSON under "cases" in the file's metadata.
kernels_test.cpp runs every case through the graph. Run again only to change cases.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(11)
tensors: dict[str, torch.Tensor] = {}
cases: list[dict] = []


def case(
    name: str,
    op: str,
    compute: Callable[..., torch.Tensor],
    *operands: torch.Tensor,
    batch: int = 1,
    parameters: Sequence[int] = (),
    inputs: Sequence[int] = (),
    **attributes: bool | int | float | str | list[int],
) -> None:
    """`batch`: by how much dimension 0 of the inputs is larger than declared. `parameters` and `inputs` are
    the places of operands that enter as such, whatever is usual for the operator."""
    leaves = [operand.clone().requires_grad_() for operand in operands]
    output = compute(*leaves)
    tensors[f"{name}/output"] = output.detach().contiguous().clone()
    (output.square().sum() / 2).backward()
    for place, leaf in enumerate(leaves):
        tensors[f"{name}/{place}"] = leaf.detach().contiguous().clone()
        if leaf.grad is not None and op != "batch_norm":
            tensors[f"{name}/gradient/{place}"] = leaf.grad.contiguous().clone()
    cases.append(
        {
            "name": name,
            "op": op,
            "operands": len(operands),
            "batch": batch,
            "parameters": list(parameters),
            "inputs": list(inputs),
            "attributes": attributes,
        }
    )


def convolutions() -> None:
    x, w, b = torch.randn(2, 4, 7, 5), torch.randn(6, 2, 3, 2), torch.randn(6)
    case(
        "conv",
        "conv",
        lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 2), (2, 1), 2),
        *(x, w, b),
        stride=[2, 1],
        padding=[1, 2, 1, 2],
        dilation=[2, 1],
        groups=2,
    )
    w = torch.randn(3, 4, 3, 3)
    case(
        "conv_uneven",
        "conv",
        lambda x, w: F.conv2d(F.pad(x, (0, 3, 2, 1)), w),
        *(x, w),
        padding=[2, 0, 1, 3],
    )
    case("conv_computed_weight", "conv", F.conv2d, x, w, inputs=[1])
    x, w = torch.randn(2, 3, 11), torch.randn(4, 3, 5)
    case(
        "conv_1d",
        "conv",
        lambda x, w: F.conv1d(x, w, None, 2, 2),
        *(x, w),
        stride=[2],
        padding=[2, 2],
        dilation=[1],
    )
    x, w = torch.randn(1, 2, 4, 5, 3), torch.randn(3, 2, 2, 2, 2)
    case(
        "conv_3d",
        "conv",
        lambda x, w: F.conv3d(x, w, None, 1, 1),
        *(x, w),
        stride=[1, 1, 1],
        padding=[1] * 6,
        dilation=[1, 1, 1],
    )


def transposed_convolutions() -> None:
    x, w, b = torch.randn(2, 4, 3, 4), torch.randn(4, 3, 3, 2), torch.randn(6)
    case(
        "conv_transpose",
        "conv_transpose",
        lambda x, w, b: F.conv_transpose2d(x, w, b, (2, 3), (1, 0), (1, 2), 2, (2, 1)),
        *(x, w, b),
        stride=[2, 3],
        padding=[1, 0, 1, 0],
        output_padding=[1, 2],
        dilation=[2, 1],
        groups=2,
    )
    case(
        "conv_transpose_uneven",
        "conv_transpose",
        lambda x, w: F.conv_transpose2d(x, w, None, 2)[:, :, 2:-1, :-1],
        *(x, w),
        stride=[2, 2],
        padding=[2, 0, 1, 1],
    )
    x, w = torch.randn(2, 2, 5), torch.randn(2, 3, 4)
    case("conv_transpose_1d", "conv_transpose", F.conv_transpose1d, x, w)
    x, w = torch.randn(1, 2, 2, 3, 2), torch.randn(2, 1, 2, 2, 2)
    case(
        "conv_transpose_3d",
        "conv_transpose",
        lambda x, w: F.conv_transpose3d(x, w, None, 2),
        *(x, w),
        stride=[2, 2, 2],
    )


def products() -> None:
    w, b = torch.randn(5, 8), torch.randn(5)
    case("linear", "linear", F.linear, torch.randn(3, 2, 8), w, b)
    case("linear_without_bias", "linear", F.linear, torch.randn(3, 8), w)
    case("matmul", "matmul", torch.matmul, torch.randn(2, 3, 4, 5), torch.randn(2, 3, 5, 2))
    case("matmul_broadcast", "matmul", torch.matmul, torch.randn(2, 1, 4, 5), torch.randn(3, 5, 2))
    case(
        "matmul_by_parameter",
        "matmul",
        torch.matmul,
        *(torch.randn(4, 3, 5), torch.randn(5, 2)),
        batch=4,
        parameters=[1],
    )


def norms() -> None:
    x, w, b = torch.randn(2, 4, 3, 5), torch.randn(4), torch.randn(4)
    statistics = torch.randn(4), torch.rand(4) + 0.5

    def batch_norm(x, w, b, mean, variance):
        return F.batch_norm(x, mean.detach(), variance.detach(), w, b, eps=1e-3)

    case("batch_norm", "batch_norm", batch_norm, x, w, b, *statistics, epsilon=1e-3)
    case("batch_norm_of_features", "batch_norm", batch_norm, x[:, :, 0, 0], w, b, *statistics, epsilon=1e-3)
    case("group_norm", "group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), x, w, b, groups=2)
    case("group_norm_plain", "group_norm", lambda x: F.group_norm(x, 2, eps=0.1), x, groups=2, epsilon=0.1)
    case(
        "instance_norm",
        "instance_norm",
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-3),
        *(x, w, b),
        epsilon=1e-3,
    )
    case("instance_norm_1d", "instance_norm", F.instance_norm, x[:, :, 0])
    w, b = torch.randn(3, 5), torch.randn(3, 5)
    case("layer_norm", "layer_norm", lambda x, w, b: F.layer_norm(x, (3, 5), w, b), x, w, b, axis=2)
    case(
        "layer_norm_without_bias",
        "layer_norm",
        lambda x, w: F.layer_norm(x, (5,), w, None, 0.01),
        *(x, w[0]),
        axis=3,
        epsilon=0.01,
    )
    case("layer_norm_plain", "layer_norm", lambda x: F.layer_norm(x, (4, 3, 5)), x, axis=1)


def activations() -> None:
    x = 4 * torch.randn(2, 3, 7)
    positive = torch.rand(2, 3, 4) + 0.5
    functions = {
        "relu": F.relu,
        "relu6": F.relu6,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "hard_sigmoid": F.hardsigmoid,
        "hard_swish": F.hardswish,
        "silu": F.silu,
        "mish": F.mish,
        "gelu": F.gelu,
        "elu": F.elu,
        "celu": F.celu,
        "selu": F.selu,
        "leaky_relu": F.leaky_relu,
        "softplus": F.softplus,
        "softsign": F.softsign,
        "log_sigmoid": F.logsigmoid,
        "abs": torch.abs,
        "neg": torch.neg,
        "erf": torch.erf,
        "sin": torch.sin,
        "cos": torch.cos,
        "floor": torch.floor,
        "ceil": torch.ceil,
        "round": torch.round,
        "sign": torch.sign,
        "clip": lambda x: x.clamp(0, 6),
        "identity": lambda x: x * 1,
        "dropout": lambda x: F.dropout(x, training=False) * 1,
    }
    for name, function in functions.items():
        case(name, name, function, x)
    for name in ("exp", "log", "sqrt", "rsqrt", "reciprocal"):
        case(name, name, getattr(torch, name), positive)
    halves = torch.tensor([[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]])
    case("round_halves_to_even", "round", torch.round, halves)
    case("hard_sigmoid_0.2", "hard_sigmoid", lambda x: (x / 5 + 0.4).clamp(0, 1), x, alpha=0.2, beta=0.4)
    case("gelu_tanh", "gelu", lambda x: F.gelu(x, approximate="tanh"), x, tanh=True)
    case("elu_0.7", "elu", lambda x: F.elu(x, 0.7), x, alpha=0.7)
    case("celu_0.7", "celu", lambda x: F.celu(x, 0.7), x, alpha=0.7)
    case("leaky_relu_0.3", "leaky_relu", lambda x: F.leaky_relu(x, 0.3), x, slope=0.3)
    case("softplus_2", "softplus", lambda x: F.softplus(x, 2), x, beta=2.0)
    case("clip_own", "clip", lambda x: x.clamp(-2.5, 1), x, min=-2.5, max=1.0)
    case("prelu", "prelu", lambda x, a: F.prelu(x, a[:, 0]), x, torch.rand(3, 1))
    case("prelu_of_one_slope", "prelu", F.prelu, x, torch.rand(1))
    case("softmax", "softmax", lambda x: F.softmax(x, 2), x, axis=2)
    case("softmax_over_axis_0", "softmax", lambda x: F.softmax(x, 0), x, axis=0)
    case("log_softmax", "log_softmax", lambda x: F.log_softmax(x, 1), x)


def binaries() -> None:
    a, b = torch.rand(2, 3, 4) + 0.5, torch.rand(2, 3, 4) + 0.5
    functions = {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "div": torch.div,
        "pow": torch.pow,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
    }
    for name, function in functions.items():
        case(name, name, function, a, b)
        case(f"{name}_broadcast", name, function, a[:, :1], torch.rand(3, 1) + 0.5, batch=2, parameters=[1])
    case("add_to_a_shorter_shape", "add", torch.add, torch.randn(4), a, parameters=[0])
    case("mul_by_a_number", "mul", torch.mul, a, torch.randn(()), parameters=[1])


def max_pools() -> None:
    x = torch.randn(2, 2, 7, 9)
    case(
        "max_pool",
        "max_pool",
        lambda x: F.max_pool2d(x, (3, 2), (2, 2), (1, 1)),
        x,
        kernel=[3, 2],
        stride=[2, 2],
        padding=[1, 1, 1, 1],
    )
    case(
        "max_pool_wide",
        "max_pool",
        lambda x: F.max_pool2d(F.pad(x, (2, 2, 2, 2), value=-torch.inf), 3, 1),
        x,
        kernel=[3, 3],
        stride=[1, 1],
        padding=[2, 2, 2, 2],
    )
    case(
        "max_pool_ceil_dilated",
        "max_pool",
        lambda x: F.max_pool2d(x, 2, (2, 3), 1, (2, 3), ceil_mode=True),
        x,
        kernel=[2, 2],
        stride=[2, 3],
        padding=[1, 1, 1, 1],
        dilation=[2, 3],
        ceil=True,
    )
    case(
        "max_pool_ceil_uneven",
        "max_pool",
        lambda x: F.max_pool2d(F.pad(x, (1, 0, 0, 1), value=-torch.inf), 3, 2, ceil_mode=True),
        x,
        kernel=[3, 3],
        stride=[2, 2],
        padding=[0, 1, 1, 0],
        ceil=True,
    )
    x = torch.randn(2, 3, 10)
    case(
        "max_pool_1d",
        "max_pool",
        lambda x: F.max_pool1d(x, 3, 2, 1),
        x,
        kernel=[3],
        stride=[2],
        padding=[1, 1],
    )
    case(
        "max_pool_1d_unpadded",
        "max_pool",
        lambda x: F.max_pool1d(x, 3),
        x,
        kernel=[3],
        stride=[3],
        padding=[],
    )
    x = torch.randn(1, 2, 5, 4, 4)
    case(
        "max_pool_3d",
        "max_pool",
        lambda x: F.max_pool3d(x, 2, 2, ceil_mode=True),
        x,
        kernel=[2, 2, 2],
        stride=[2, 2, 2],
        padding=[0] * 6,
        ceil=True,
    )


def avg_pools() -> None:
    x = torch.randn(2, 2, 7, 9)

    def pool(name: str, kernel, stride, padding, ceil=False, count=False) -> None:
        case(
            name,
            "avg_pool",
            lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, count),
            x,
            kernel=kernel,
            stride=stride,
            padding=padding + padding,
            ceil=ceil,
            count_padding=count,
        )

    pool("avg_pool", [2, 3], [2, 3], [1, 1])
    pool("avg_pool_counting", [3, 3], [2, 2], [1, 1], count=True)
    pool("avg_pool_ceil", [3, 2], [3, 2], [1, 0], ceil=True)
    pool("avg_pool_ceil_counting", [3, 2], [3, 2], [1, 1], ceil=True, count=True)
    case(
        "avg_pool_wide_counting",
        "avg_pool",
        lambda x: F.avg_pool2d(F.pad(x, (2, 2, 2, 2)), 3, 2),
        x,
        kernel=[3, 3],
        stride=[2, 2],
        padding=[2, 2, 2, 2],
        count_padding=True,
    )
    case(
        "avg_pool_uneven",
        "avg_pool",
        lambda x: F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2) / F.avg_pool2d(F.pad(0 * x + 1, (0, 1, 0, 1)), 2),
        x,
        kernel=[2, 2],
        stride=[2, 2],
        padding=[0, 0, 1, 1],
    )
    # The last window hangs one element over the padding, which counts as little as it does in PyTorch.
    case(
        "avg_pool_ceil_uneven_counting",
        "avg_pool",
        lambda x: F.avg_pool2d(F.pad(x, (0, 0, 1, 0)), (3, 1), (3, 1), ceil_mode=True),
        x,
        kernel=[3, 1],
        stride=[3, 1],
        padding=[1, 0, 0, 0],
        ceil=True,
        count_padding=True,
    )
    x = torch.randn(2, 3, 7)
    case(
        "avg_pool_1d_unpadded",
        "avg_pool",
        lambda x: F.avg_pool1d(x, 3, 2),
        x,
        kernel=[3],
        stride=[2],
        padding=[],
    )
    x = torch.randn(1, 2, 4, 6, 4)
    case(
        "avg_pool_3d",
        "avg_pool",
        lambda x: F.avg_pool3d(x, 2, 2),
        x,
        kernel=[2, 2, 2],
        stride=[2, 2, 2],
        padding=[0] * 6,
    )


def whole_pools() -> None:
    images = {1: torch.randn(2, 3, 7), 2: torch.randn(2, 3, 5, 4), 3: torch.randn(1, 2, 4, 3, 5)}
    for axes, x in images.items():
        size = [3, 2, 4][:axes]
        average = getattr(F, f"adaptive_avg_pool{axes}d")
        largest = getattr(F, f"adaptive_max_pool{axes}d")
        case(f"global_avg_pool_{axes}d", "global_avg_pool", lambda x, f=average: f(x, 1), x)
        case(f"global_max_pool_{axes}d", "global_max_pool", lambda x, f=largest: f(x, 1), x)
        case(
            f"adaptive_avg_pool_{axes}d",
            "adaptive_avg_pool",
            lambda x, f=average, s=size: f(x, s),
            x,
            size=size,
        )
        case(
            f"adaptive_max_pool_{axes}d",
            "adaptive_max_pool",
            lambda x, f=largest, s=size: f(x, s),
            x,
            size=size,
        )


def reductions() -> None:
    x = torch.randn(2, 3, 4, 2)
    functions = {
        "mean": lambda x, axes, keep: x.mean(axes, keep),
        "sum": lambda x, axes, keep: x.sum(axes, keep),
        "max": lambda x, axes, keep: x.amax(axes, keep),
        "min": lambda x, axes, keep: x.amin(axes, keep),
        "l1": lambda x, axes, keep: torch.linalg.vector_norm(x, 1, axes, keep),
        "l2": lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep),
        "prod": lambda x, axes, keep: x.prod(axes[1], keep).prod(axes[0], keep),
    }
    for name, function in functions.items():
        op = f"reduce_{name}"
        case(op, op, lambda x, f=function: f(x, [1, 3], False), x, axes=[1, 3])
        case(f"{op}_keeping", op, lambda x, f=function: f(x, [0, 2], True), x, axes=[0, 2], keep=True)
        nothing = torch.abs if name in ("l1", "l2") else lambda x: x * 1
        case(f"{op}_over_nothing", op, nothing, x, axes=[])


def joins_and_ranges() -> None:
    x = torch.randn(2, 3, 2, 3)
    for axis in (0, 1, 3):
        case(f"concat_{axis}", "concat", lambda x, y, a=axis: torch.cat([x, y], a), x, 2 * x, axis=axis)
    case(
        "concat_with_a_class_token",
        "concat",
        lambda token, x: torch.cat([token.expand(4, 1, 5), x], 1),
        *(torch.randn(1, 1, 5), torch.randn(4, 3, 5)),
        batch=4,
        parameters=[0],
        axis=1,
    )
    x = torch.randn(3, 8, 2)
    case("slice", "slice", lambda x: x[:, 1:7:2], x, axis=1, begin=1, end=7, step=2)
    case("slice_to_the_end", "slice", lambda x: x[1:], x, axis=0, begin=1, end=3)
    case("gather", "gather", lambda x: x[:, [7, 0, 0, 3]], x, axis=1, indices=[7, 0, 0, 3])


def pads() -> None:
    x = torch.randn(2, 3, 4, 3)
    case("pad", "pad", lambda x: F.pad(x, (1, 0, 0, 2)), x, padding=[0, 0, 0, 1, 0, 0, 2, 0])
    case(
        "pad_channels",
        "pad",
        lambda x: F.pad(x, (0, 0, 0, 0, 1, 2), value=-1.5),
        x,
        padding=[0, 1, 0, 0, 0, 2, 0, 0],
        value=-1.5,
    )
    for mode, name in (("reflect", "reflect"), ("edge", "replicate"), ("circular", "circular")):
        case(
            f"pad_{mode}",
            "pad",
            lambda x, name=name: F.pad(x, (2, 1, 0, 3), name),
            x,
            padding=[0, 0, 0, 2, 0, 0, 3, 1],
            mode=mode,
        )


def other_axes() -> None:
    x = torch.randn(3, 4, 2, 3)
    case("permute", "permute", lambda x: x.permute(0, 2, 3, 1), x, order=[0, 2, 3, 1])
    case("permute_batch", "permute", lambda x: x.permute(2, 0, 3, 1), x, batch=3, order=[2, 0, 3, 1])
    case("flatten", "flatten", lambda x: x.flatten(1), x, batch=3)
    case("reshape", "reshape", lambda x: x.reshape(3, 2, 12), x, batch=3, shape=[1, 2, 12])
    case(
        "reshape_to_one_axis_with_the_batch",
        "reshape",
        lambda x: x.reshape(12, 6),
        x,
        batch=3,
        shape=[4, 6],
        batch_axis=0,
    )
    case(
        "reshape_behind_the_batch",
        "reshape",
        lambda x: x.reshape(1, 3, 24),
        x,
        batch=3,
        shape=[1, 1, 24],
        batch_axis=1,
    )
    case(
        "reshape_to_a_number", "reshape", lambda x: x.reshape(()), x[:1, :1, :1, :1], shape=[], batch_axis=-1
    )
    x = torch.randn(3, 1, 2)
    case("expand", "expand", lambda x: x.expand(3, 4, 2), x, batch=3, shape=[1, 4, 2])
    case("expand_to_more_axes", "expand", lambda x: x.expand(2, 3, 5, 2), x, shape=[2, 3, 5, 2])


def blocks() -> None:
    x = torch.randn(2, 8, 2, 3)

    def depth_first(x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        blocks = x.reshape(n, 2, 2, c // 4, h, w)
        rows = [torch.stack([blocks[:, i, 0], blocks[:, i, 1]], -1).flatten(-2) for i in range(2)]
        return torch.stack(rows, -2).flatten(-3, -2)

    def undone(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, :, i::2, j::2] for i in range(2) for j in range(2)], 1)

    case("depth_to_space", "depth_to_space", lambda x: F.pixel_shuffle(x, 2), x, block=2)
    case("depth_to_space_dcr", "depth_to_space", depth_first, x, block=2, order="dcr")
    x = torch.randn(2, 3, 4, 6)
    case("space_to_depth", "space_to_depth", lambda x: F.pixel_unshuffle(x, 2), x, block=2)
    case("space_to_depth_dcr", "space_to_depth", undone, x, block=2, order="dcr")
    x = torch.randn(2, 6, 2, 2)
    case("channel_shuffle", "channel_shuffle", lambda x: torch.channel_shuffle(x, 3), x, groups=3)
    case(
        "channel_shuffle_of_features",
        "channel_shuffle",
        lambda x: x.reshape(2, 2, 3).transpose(1, 2).flatten(1),
        x[:, :, 0, 0],
        groups=2,
    )


def resizes() -> None:
    images = {1: torch.randn(1, 2, 5), 2: torch.randn(2, 2, 4, 5), 3: torch.randn(1, 1, 3, 4, 2)}
    for axes, x in images.items():
        for way, size in (("up", [7, 9, 5][:axes]), ("down", [3, 2, 1][:axes])):
            linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[axes]
            settings = [
                ("nearest", "nearest", None, {"coordinates": "asymmetric", "rounding": "floor"}),
                ("exact", "nearest-exact", None, {"rounding": "round_prefer_ceil"}),
                ("linear", linear, False, {"mode": "linear"}),
                ("corners", linear, True, {"mode": "linear", "coordinates": "align_corners"}),
            ]
            if axes == 2:
                settings += [
                    ("cubic", "bicubic", False, {"mode": "cubic"}),
                    ("cubic_corners", "bicubic", True, {"mode": "cubic", "coordinates": "align_corners"}),
                ]
            for name, mode, corners, attributes in settings:
                case(
                    f"resize_{name}_{way}_{axes}d",
                    "resize",
                    lambda x, s=size, m=mode, c=corners: F.interpolate(x, s, mode=m, align_corners=c),
                    x,
                    size=size,
                    **attributes,
                )


if __name__ == "__main__":
    convolutions()
    transposed_convolutions()
    products()
    norms()
    activations()
    binaries()
    max_pools()
    avg_pools()
    whole_pools()
    reductions()
    joins_and_ranges()
    pads()
    other_axes()
    blocks()
    resizes()
    save_file(tensors, Path(__file__).with_name("reference.safetensors"), {"cases": json.dumps(cases)})
