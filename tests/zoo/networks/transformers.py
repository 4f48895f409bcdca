"""Small attention networks in plain operators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Heads by reshape and permute of one projection, as most vision transformers write it."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        parts = self.project(x).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, -1))


class PatchTransformer(nn.Module):
    """Patches by a convolution, a class token, a position table, pre-norm blocks."""

    def __init__(self, width: int = 32, depth: int = 2):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.5)
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.LayerNorm(width),
                    Attention(width, 4),
                    nn.LayerNorm(width),
                    nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width)),
                ]
            )
            for _ in range(depth)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        for norm_one, attention, norm_two, perceptron in self.blocks:
            x = x + attention(norm_one(x))
            x = x + perceptron(norm_two(x))
        return self.head(self.norm(x)[:, 0])


class ConvTransformer(nn.Module):
    """Depthwise convolution and attention over pixels in turn, separate projections, SwiGLU perceptron."""

    def __init__(self, width: int = 24, heads: int = 3):
        super().__init__()
        self.heads = heads
        self.stem = nn.Sequential(nn.Conv2d(3, width, 4, 4), nn.BatchNorm2d(width))
        self.local = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.query, self.key, self.value = (nn.Linear(width, 36) for _ in range(3))
        self.out = nn.Linear(36, width)
        self.gate, self.up, self.down = nn.Linear(width, 40), nn.Linear(width, 40), nn.Linear(40, width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = (x + self.local(x)).flatten(2).transpose(1, 2)
        batch, length, _ = x.shape
        query, key, value = (
            layer(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        attention = torch.softmax(query @ key.transpose(-2, -1) / 12**0.5, -1)
        x = x + self.out((attention @ value).transpose(1, 2).reshape(batch, length, -1))
        x = x + self.down(functional.silu(self.gate(x)) * self.up(x))
        return self.head(x.mean(1))
