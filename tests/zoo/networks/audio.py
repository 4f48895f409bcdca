"""Networks for sound, keywords, speech and time series."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedBlock(nn.Module):
    """Dilated convolution whose halves gate each other; one 1x1 for the residual, one for the skip."""

    def __init__(self, channels: int, skip: int, dilation: int):
        super().__init__()
        self.dilated = nn.Conv1d(channels, 2 * channels, 2, dilation=dilation)
        self.residual, self.skip = nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, skip, 1)
        self.dilation = dilation

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        left, right = self.dilated(functional.pad(x, (self.dilation, 0))).chunk(2, 1)
        gated = torch.tanh(left) * torch.sigmoid(right)
        return x + self.residual(gated), self.skip(gated)


class WaveNet(nn.Module):
    """Causal stack with residual and skip sums."""

    def __init__(self, channels: int = 16, skip: int = 24):
        super().__init__()
        self.enter = nn.Conv1d(1, channels, 1)
        self.blocks = nn.ModuleList(GatedBlock(channels, skip, 2**i) for i in range(4))
        self.leave = nn.Sequential(nn.ReLU(), nn.Conv1d(skip, 32, 1), nn.ReLU(), nn.Conv1d(32, 8, 1))

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.enter(x), 0.0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.leave(total)


class GluNet(nn.Module):
    """Gated linear units behind batch norms."""

    def __init__(self):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.GLU(1))
        self.two = nn.Sequential(nn.Conv2d(16, 48, 3, padding=1), nn.BatchNorm2d(48), nn.GLU(1))
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.avg_pool2d(self.one(x), (2, 4))
        return self.head(self.two(x).mean((2, 3)))


class CrnnFront(nn.Module):
    """Convolutions; channels and frequencies then become the features of each frame."""

    def __init__(self):
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(16, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d((2, 2)),
        )
        self.features = nn.Linear(24 * 8, 48)
        self.head = nn.Linear(48, 12)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convs(x).permute(0, 3, 1, 2)
        x = x.reshape(x.shape[0], x.shape[1], -1)
        return self.head(torch.relu(self.features(x))).log_softmax(-1)


class M5(nn.Module):
    """Raw sound through 1-D convolutions; no linear layer but the last."""

    def __init__(self, width: int = 24):
        super().__init__()
        layers, inputs = [], 1
        for outputs, kernel, stride in ((width, 80, 16), (width, 3, 1), (2 * width, 3, 1), (2 * width, 3, 1)):
            layers += [nn.Conv1d(inputs, outputs, kernel, stride), nn.BatchNorm1d(outputs), nn.ReLU()]
            layers += [nn.MaxPool1d(2)]
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(inputs, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        x = functional.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return functional.log_softmax(self.head(x), 2)


class DsCnn(nn.Module):
    """Keyword spotting by depthwise separable convolutions."""

    def __init__(self, width: int = 32, depth: int = 3):
        super().__init__()
        layers = [nn.Conv2d(1, width, (10, 4), (2, 2), (4, 1)), nn.BatchNorm2d(width), nn.ReLU()]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1, groups=width), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Dropout(0.4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(width, 12)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions, the padding cut off at the end, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, dilation: int):
        super().__init__()
        self.cut = 2 * dilation
        self.one = nn.Conv1d(inputs, outputs, 3, padding=self.cut, dilation=dilation)
        self.two = nn.Conv1d(outputs, outputs, 3, padding=self.cut, dilation=dilation)
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.one(x)[:, :, : -self.cut])
        y = torch.relu(self.two(y)[:, :, : -self.cut])
        return torch.relu(y + self.shortcut(x))


class Tcn(nn.Module):
    """Dilated causal convolutions; the last time step is classified."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(TemporalBlock(4, 24, 1), TemporalBlock(24, 24, 2), TemporalBlock(24, 32, 4))
        self.head = nn.Linear(32, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[:, :, -1])


class BroadcastResNet(nn.Module):
    """Keyword spotting with residuals in two shapes: the mean over frequencies is broadcast back."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 5, (2, 1), 2), nn.BatchNorm2d(width), nn.ReLU())
        self.frequency = nn.Sequential(
            nn.Conv2d(width, width, (3, 1), padding=(1, 0), groups=width), nn.BatchNorm2d(width)
        )
        self.time = nn.Sequential(
            nn.Conv2d(width, width, (1, 3), padding=(0, 1), groups=width),
            nn.BatchNorm2d(width),
            nn.SiLU(),
            nn.Conv2d(width, width, 1),
        )
        self.head = nn.Conv2d(width, 12, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = self.frequency(x)
        x = torch.relu(x + y + self.time(y.mean(2, keepdim=True)))
        return self.head(x.mean((2, 3), keepdim=True)).flatten(1)


class TasNet(nn.Module):
    """Speech separation: a learned filter bank, masks for two speakers from it, and its way back."""

    def __init__(self, filters: int = 32, width: int = 24):
        super().__init__()
        self.filters = filters
        self.encode = nn.Conv1d(1, filters, 16, 8, bias=False)
        self.enter = nn.Sequential(nn.GroupNorm(1, filters), nn.Conv1d(filters, width, 1))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(width, 48, 1),
                nn.PReLU(),
                nn.GroupNorm(1, 48),
                nn.Conv1d(48, 48, 3, padding=2**i, dilation=2**i, groups=48),
                nn.PReLU(),
                nn.GroupNorm(1, 48),
                nn.Conv1d(48, width, 1),
            )
            for i in range(2)
        )
        self.masks = nn.Conv1d(width, 2 * filters, 1)
        self.decode = nn.ConvTranspose1d(filters, 1, 16, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        encoded = torch.relu(self.encode(x))
        y = self.enter(encoded)
        for block in self.blocks:
            y = y + block(y)
        masks = torch.sigmoid(self.masks(y)).chunk(2, 1)
        return torch.cat([self.decode(encoded * mask) for mask in masks], 1)


class EegNet(nn.Module):
    """Time series of 8 electrodes: a depthwise convolution with multiplier 2 takes all electrodes in."""

    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Conv2d(1, 8, (1, 16), padding=(0, 8), bias=False), nn.BatchNorm2d(8))
        self.place = nn.Sequential(
            nn.Conv2d(8, 16, (8, 1), groups=8, bias=False), nn.BatchNorm2d(16), nn.ELU(), nn.AvgPool2d((1, 4))
        )
        self.separable = nn.Sequential(
            nn.Conv2d(16, 16, (1, 8), padding=(0, 4), groups=16, bias=False),
            nn.Conv2d(16, 24, 1, bias=False),
            nn.BatchNorm2d(24),
            nn.ELU(),
            nn.AvgPool2d((1, 4)),
        )
        self.head = nn.Linear(24 * 4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.separable(self.place(self.time(x))).flatten(1))


class InceptionTime(nn.Module):
    """Parallel kernels of three lengths behind a bottleneck, a pooled branch, a shortcut."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.bottleneck = nn.Conv1d(3, 12, 1, bias=False)
        self.kernels = nn.ModuleList(nn.Conv1d(12, width, k, padding=k // 2, bias=False) for k in (9, 5, 3))
        self.pooled = nn.Conv1d(3, width, 1, bias=False)
        self.norm = nn.BatchNorm1d(4 * width)
        self.shortcut = nn.Sequential(nn.Conv1d(3, 4 * width, 1), nn.BatchNorm1d(4 * width))
        self.head = nn.Linear(4 * width, 5)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.bottleneck(x)
        branches = [kernel(narrow) for kernel in self.kernels]
        branches.append(self.pooled(functional.max_pool1d(x, 3, 1, 1)))
        y = torch.relu(self.norm(torch.cat(branches, 1)))
        return self.head(torch.relu(y + self.shortcut(x)).mean(2))


class DenseAutoencoder(nn.Module):
    """A dense autoencoder for anomalies in machine sounds, with batch norms."""

    def __init__(self):
        super().__init__()
        layers, inputs = [], 80
        for outputs in (64, 64, 8, 64, 64):
            layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]
            inputs = outputs
        self.body = nn.Sequential(*layers, nn.Linear(inputs, 80))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Acdnet(nn.Module):
    """ACDNet on raw sound (arXiv:2103.03483): behind the first pool channels become rows of an image.

    `channels` are the twelve convolutions' widths. Every second pool halves rows and columns as long as there
    are rows; the last one takes all that is left.
    """

    WIDTHS = (8, 64, 32, 64, 64, 128, 128, 256, 256, 512, 512, 50)

    def __init__(self, channels: Sequence[int] = WIDTHS, classes: int = 50):
        super().__init__()
        self.sound = nn.Sequential(
            *self._conv(1, channels[0], (1, 9), stride=(1, 2)),
            *self._conv(channels[0], channels[1], (1, 5), stride=(1, 2)),
            nn.MaxPool2d((1, 50)),
        )
        layers, inputs, rows = [], 1, channels[1]
        for i, outputs in enumerate(channels[2:11]):
            layers += self._conv(inputs, outputs, (3, 3), padding=1)
            inputs = outputs
            if i % 2 == 0:
                window = min(2, rows)
                layers.append(nn.MaxPool2d((window, 2)))
                rows //= window
        layers += [nn.Dropout(0.2), *self._conv(inputs, channels[11], (1, 1)), nn.AvgPool2d((rows, 4))]
        self.image = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[11], classes))

    @staticmethod
    def _conv(inputs: int, outputs: int, kernel: tuple[int, int], **settings) -> list[nn.Module]:
        conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **settings)
        return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]

    def forward(self, x: Tensor) -> Tensor:
        return self.image(self.sound(x).permute(0, 2, 1, 3))
