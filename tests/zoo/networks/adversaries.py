"""Networks that move channels in ways that a careless pruner gets silently wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .vision import Classifier, conv_norm


class TwoStage(nn.Module):
    """A stem, something in between, a convolution, and a classifier."""

    def __init__(self, width: int = 24, middle: int | None = None):
        super().__init__()
        self.stem = conv_norm(3, width)
        self.after = conv_norm(middle or width, 32)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.after(self.between(self.stem(x))))


class RollChannels(TwoStage):
    """Channels move on by five and are added to where they were: every channel meets every other."""

    def between(self, x: Tensor) -> Tensor:
        return torch.relu(x + torch.roll(x, 5, 1))


class RollOnly(TwoStage):
    """Channels move on by five; nothing meets, but the order is another one."""

    def between(self, x: Tensor) -> Tensor:
        return torch.roll(x, 5, 1)


class FlipChannels(TwoStage):
    """Channel i meets channel 23 - i."""

    def between(self, x: Tensor) -> Tensor:
        return x + x.flip(1)


class ShuffleThenFlatten(nn.Module):
    """A channel shuffle with a flatten behind it: blocks of columns in shuffled order."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 24, 3, 2)
        self.head = nn.Linear(24 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.channel_shuffle(functional.avg_pool2d(self.stem(x), 4), 4)
        return self.head(x.flatten(1))


class ShuffleThenGroups(TwoStage):
    """A shuffle between two grouped convolutions of different group counts."""

    def __init__(self):
        super().__init__()
        self.left = conv_norm(24, 48, groups=4)
        self.right = conv_norm(48, 24, groups=3)

    def between(self, x: Tensor) -> Tensor:
        return self.right(functional.channel_shuffle(self.left(x), 4))


class ChannelsToHeight(nn.Module):
    """Channels become rows of an image that is then convolved with padding."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, (1, 9), (1, 4)), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 16, (1, 5), (1, 2)), nn.BatchNorm2d(16), nn.ReLU())
        self.third = conv_norm(1, 24)
        self.fourth = conv_norm(24, 32, 3, 2)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x)).permute(0, 2, 1, 3)
        return self.head(self.fourth(self.third(x)))


class ChannelsToTime(nn.Module):
    """Channels and frames become one time axis."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(2, 12, 5)
        self.second = nn.Conv1d(1, 16, 4, 4)
        self.third = nn.Conv1d(16, 24, 3)
        self.head = nn.Linear(24, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x)).flatten(1).unsqueeze(1)
        return self.head(torch.relu(self.third(torch.relu(self.second(x)))).mean(2))


class Interleave(TwoStage):
    """Two branches side by side, channel by channel."""

    def __init__(self):
        super().__init__(16, 32)
        self.other = conv_norm(16, 16)

    def between(self, x: Tensor) -> Tensor:
        pairs = torch.stack([x, self.other(x)], 2)
        return pairs.reshape(x.shape[0], 32, x.shape[2], x.shape[3])


class OverlappingSlices(TwoStage):
    """Two slices of one tensor that overlap are added: chains of channels go together."""

    def __init__(self):
        super().__init__(24, 16)

    def between(self, x: Tensor) -> Tensor:
        return x[:, :16] + x[:, 8:]


class StridedSlices(TwoStage):
    """Every second channel, and the others, joined in another order."""

    def between(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, 1::2], x[:, ::2].relu()], 1)


class RepeatChannels(TwoStage):
    """The same channels twice, once tiled and once each beside itself."""

    def __init__(self):
        super().__init__(12, 48)

    def between(self, x: Tensor) -> Tensor:
        return torch.cat([x.repeat(1, 2, 1, 1), torch.repeat_interleave(x, 2, 1)], 1)


class GatherChannels(TwoStage):
    """A fixed permutation with some channels left out and one taken twice."""

    def __init__(self):
        super().__init__(24, 16)
        order = torch.randperm(24, generator=torch.Generator().manual_seed(5))[:15]
        self.register_buffer("order", torch.cat([order, order[:1]]))

    def between(self, x: Tensor) -> Tensor:
        return x[:, self.order]


class MixedReshape(TwoStage):
    """Pairs of channels become rows: half the channels, twice the height."""

    def __init__(self):
        super().__init__(24, 12)

    def between(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        return x.view(batch, channels // 2, 2 * height, width)


class GramMatrix(nn.Module):
    """Products of all pairs of channels in front of a linear layer."""

    def __init__(self, width: int = 12):
        super().__init__()
        self.one, self.two = conv_norm(3, 24), conv_norm(24, width)
        self.head = nn.Linear(width * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.two(self.one(x)).flatten(2)
        return self.head((x @ x.transpose(1, 2) / x.shape[2]).flatten(1))


class BroadcastOne(TwoStage):
    """One channel of a convolution is multiplied into all channels of another one, a sum in one more."""

    def __init__(self):
        super().__init__()
        self.mask = nn.Conv2d(24, 1, 3, padding=1)
        self.shift = nn.Conv2d(24, 1, 1)

    def between(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.mask(x)) + self.shift(x)


class ChannelSoftmax(TwoStage):
    """A softmax over channels: each depends on all."""

    def between(self, x: Tensor) -> Tensor:
        return torch.softmax(x, 1) * 8.0


class ChannelNormalization(TwoStage):
    """Divided by the length over channels, and less the mean over channels in another branch."""

    def between(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=1) + (x - x.mean(1, keepdim=True))


class WeightStandardization(nn.Module):
    """Weights that are computed: each filter is standardized before it is used."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, padding=1)
        self.conv = nn.Conv2d(24, 32, 3, padding=1)
        self.after = nn.Conv2d(32, 24, 1)
        self.head = Classifier(24)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        weight = self.conv.weight
        weight = weight - weight.mean((1, 2, 3), keepdim=True)
        weight = weight / (weight.square().mean((1, 2, 3), keepdim=True) + 1e-3).sqrt() / 15.0
        x = functional.conv2d(x, weight, self.conv.bias, padding=1)
        return self.head(torch.relu(self.after(torch.relu(x))))


class WeightNorm(nn.Module):
    """PyTorch's own weight norm on two convolutions."""

    def __init__(self):
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        self.one, self.two = norm(nn.Conv1d(2, 24, 5)), norm(nn.Conv1d(24, 32, 3))
        self.three = nn.Conv1d(32, 16, 1)
        self.head = nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.leaky_relu(self.two(functional.leaky_relu(self.one(x), 0.1)), 0.1)
        return self.head(self.three(x).mean(2))


class ConstantBias(TwoStage):
    """A map of constants is added: what was zero is zero no more."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.randn(1, 24, 1, 1))
        self.register_buffer("fixed", torch.linspace(0.5, 1.5, 24).view(1, 24, 1, 1))

    def between(self, x: Tensor) -> Tensor:
        return torch.exp(-(x + self.offset)) * 0.3 + self.fixed * x


class UnevenConcatAdd(TwoStage):
    """A concat of 8 and 16 channels added to one of 16 and 8."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList(conv_norm(24, width) for width in (8, 16, 16, 8))

    def between(self, x: Tensor) -> Tensor:
        parts = [part(x) for part in self.parts]
        return torch.cat(parts[:2], 1) + torch.cat(parts[2:], 1)


class DepthwiseMultiplier(TwoStage):
    """A depthwise convolution with three outputs a channel, unflattened and summed over each triple."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(24, 72, 3, padding=1, groups=24)

    def between(self, x: Tensor) -> Tensor:
        return self.depthwise(x).unflatten(1, (24, 3)).sum(2)


class FlattenThenSplit(nn.Module):
    """A flatten, whose features are split at a place that is no channel's border."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 16, 3, 2)
        self.left, self.right = nn.Linear(100, 12), nn.Linear(156, 12)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        left, right = torch.split(functional.avg_pool2d(self.stem(x), 4).flatten(1), [100, 156], 1)
        return self.head(torch.relu(self.left(left) + self.right(right)))


class BatchedExperts(nn.Module):
    """Channels in four experts by reshape, a matrix product each, and back."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(20, 32)
        self.experts = nn.Parameter(torch.randn(4, 8, 6) * 0.4)
        self.leave = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.enter(x)).view(x.shape[0], 4, 1, 8)
        return self.leave(torch.relu(x @ self.experts).flatten(1))
