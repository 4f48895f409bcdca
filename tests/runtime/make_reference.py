#!/usr/bin/env python3
"""Writes reference.safetensors: operators and a small network as stock PyTorch computes them.

Each case holds its inputs, its parameters and the output that PyTorch gives; kernels_test.cpp runs the
same case through the graph. Run again only to add cases.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(11)
tensors: dict[str, torch.Tensor] = {}


def case(name: str, output: torch.Tensor, *operands: torch.Tensor) -> None:
    tensors[f"{name}/output"] = output.clone()
    for place, operand in enumerate(operands):
        tensors[f"{name}/{place}"] = operand.clone()


def convolutions() -> None:
    x = torch.randn(2, 4, 9, 7)
    w = torch.randn(6, 2, 3, 2)
    b = torch.randn(6)
    case("conv", F.conv2d(x, w, b, (2, 1), (1, 2), (2, 1), 2), x, w, b)
    padded = F.pad(x, (0, 3, 2, 1))
    w = torch.randn(3, 4, 3, 3)
    case("conv_uneven", F.conv2d(padded, w), x, w)
    x, w = torch.randn(2, 3, 11), torch.randn(4, 3, 5)
    case("conv1d", F.conv1d(x, w, None, 2, 2), x, w)
    x, w = torch.randn(1, 2, 4, 5, 3), torch.randn(3, 2, 2, 2, 2)
    case("conv3d", F.conv3d(x, w, None, 1, 1), x, w)
    x, w, b = torch.randn(3, 2, 8), torch.randn(5, 8), torch.randn(5)
    case("linear", F.linear(x, w, b), x, w, b)


def pools() -> None:
    x = torch.randn(2, 3, 8, 9)
    case("max_pool", F.max_pool2d(x, (3, 2), (2, 2), (1, 1)), x)
    case("max_pool_wide", F.max_pool2d(F.pad(x, (2, 2, 2, 2), value=-torch.inf), 3, 1), x)
    case("avg_pool", F.avg_pool2d(x, (2, 3), (2, 3), (1, 1), count_include_pad=False), x)
    x = torch.randn(2, 3, 10)
    case("max_pool1d", F.max_pool1d(x, 3, 2, 1), x)
    x = torch.randn(1, 2, 4, 6, 4)
    case("avg_pool3d", F.avg_pool3d(x, 2, 2), x)
    case("global_avg_pool", F.adaptive_avg_pool3d(x, 1), x)


def others() -> None:
    x = torch.randn(2, 3, 4, 5)
    statistics = torch.randn(3), torch.rand(3) + 0.5
    w, b = torch.randn(3), torch.randn(3)
    case("batch_norm", F.batch_norm(x, *statistics, w, b, eps=1e-3), x, w, b, *statistics)
    case("softmax", F.softmax(x, 2), x)
    case("permute", x.permute(0, 2, 3, 1).contiguous(), x)
    case("concat", torch.cat([x, 2 * x], 3), x, 2 * x)


if __name__ == "__main__":
    convolutions()
    pools()
    others()
    save_file(tensors, Path(__file__).with_name("reference.safetensors"))
