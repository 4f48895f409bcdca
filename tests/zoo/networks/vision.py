"""Image networks: segmentation, detection, super-resolution, attention, blocks that move channels about."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_norm(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, act=nn.ReLU):
    """Convolution that keeps the extent at stride 1, batch norm, activation (None: without)."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


class Classifier(nn.Module):
    """Mean over the image and a linear layer."""

    def __init__(self, channels: int, classes: int = 10):
        super().__init__()
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.mean((2, 3)))


class LeNet(nn.Module):
    """Convolutions, pools, and a flatten in front of three linear layers."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.classifier = nn.Sequential(
            nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


class UNet(nn.Module):
    """Three levels down and up with skips joined by concat; `learned` ups are transposed convolutions."""

    def __init__(self, learned: bool, width: int = 12):
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        self.learned = learned
        self.down = nn.ModuleList()
        channels = 3
        for w in widths:
            self.down.append(nn.Sequential(conv_norm(channels, w), conv_norm(w, w)))
            channels = w
        self.bottom = nn.Sequential(conv_norm(channels, 2 * channels), conv_norm(2 * channels, 2 * channels))
        channels *= 2
        self.up, self.merge = nn.ModuleList(), nn.ModuleList()
        for w in reversed(widths):
            self.up.append(nn.ConvTranspose2d(channels, w, 2, 2) if learned else nn.Conv2d(channels, w, 1))
            self.merge.append(nn.Sequential(conv_norm(2 * w, w), conv_norm(w, w)))
            channels = w
        self.head = nn.Conv2d(channels, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for stage in self.down:
            x = stage(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            if not self.learned:
                x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = merge(torch.cat([up(x), skip], 1))
        return self.head(x)


class UNet3d(nn.Module):
    """One level of a volumetric U-Net with leaky ReLU and instance norm."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.InstanceNorm3d(8, affine=True))
        self.bottom = nn.Sequential(nn.Conv3d(8, 16, 3, padding=1), nn.InstanceNorm3d(16, affine=True))
        self.up = nn.ConvTranspose3d(16, 8, 2, 2)
        self.merge = nn.Conv3d(16, 8, 3, padding=1)
        self.head = nn.Conv3d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = functional.leaky_relu(self.down(x))
        deep = functional.leaky_relu(self.bottom(functional.max_pool3d(skip, 2)))
        return self.head(functional.leaky_relu(self.merge(torch.cat([self.up(deep), skip], 1))))


class Hourglass(nn.Module):
    """Nested down and up with additions, nearest neighbour in between."""

    def __init__(self, depth: int = 3, width: int = 16):
        super().__init__()
        self.stem = conv_norm(3, width)
        self.side = nn.ModuleList(conv_norm(width, width) for _ in range(depth))
        self.low = nn.ModuleList(conv_norm(width, width) for _ in range(depth))
        self.head = nn.Conv2d(width, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self._level(self.stem(x), 0))

    def _level(self, x: Tensor, depth: int) -> Tensor:
        if depth == len(self.side):
            return x
        low = self._level(self.low[depth](functional.max_pool2d(x, 2)), depth + 1)
        return self.side[depth](x) + functional.interpolate(low, scale_factor=2, mode="nearest")


class Bottleneck(nn.Module):
    """Two convolutions with an optional shortcut around them."""

    def __init__(self, channels: int, shortcut: bool = True):
        super().__init__()
        self.one = conv_norm(channels, channels, act=nn.SiLU)
        self.two = conv_norm(channels, channels, act=nn.SiLU)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.two(self.one(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    """Cross-stage partial block by chunk: every bottleneck's output is kept for the concat."""

    def __init__(self, inputs: int, outputs: int, count: int = 2, shortcut: bool = True):
        super().__init__()
        hidden = outputs // 2
        self.enter = conv_norm(inputs, 2 * hidden, 1, act=nn.SiLU)
        self.blocks = nn.ModuleList(Bottleneck(hidden, shortcut) for _ in range(count))
        self.leave = conv_norm((2 + count) * hidden, outputs, 1, act=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.enter(x).chunk(2, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class C3(nn.Module):
    """Cross-stage partial block with two entries."""

    def __init__(self, inputs: int, outputs: int, count: int = 1):
        super().__init__()
        hidden = outputs // 2
        self.left = conv_norm(inputs, hidden, 1, act=nn.SiLU)
        self.right = conv_norm(inputs, hidden, 1, act=nn.SiLU)
        self.blocks = nn.Sequential(*(Bottleneck(hidden) for _ in range(count)))
        self.leave = conv_norm(2 * hidden, outputs, 1, act=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(torch.cat((self.blocks(self.left(x)), self.right(x)), 1))


class Sppf(nn.Module):
    """Three pools in a row, all of them kept."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.enter = conv_norm(inputs, inputs // 2, 1, act=nn.SiLU)
        self.leave = conv_norm(2 * inputs, outputs, 1, act=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        one = functional.max_pool2d(x, 5, 1, 2)
        two = functional.max_pool2d(one, 5, 1, 2)
        return self.leave(torch.cat([x, one, two, functional.max_pool2d(two, 5, 1, 2)], 1))


class Focus(nn.Module):
    """Space to depth by four strided slices."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = conv_norm(4 * inputs, outputs, act=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        corners = [x[..., i::2, j::2] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return self.conv(torch.cat(corners, 1))


class CspDetector(nn.Module):
    """Backbone, upsampling neck with concat, and heads at two scales: several outputs."""

    def __init__(self, block: type[nn.Module] = C2f, focus: bool = False):
        super().__init__()
        stem = Focus(3, 16) if focus else conv_norm(3, 16, 3, 2, act=nn.SiLU)
        self.stem = nn.Sequential(stem, conv_norm(16, 32, 3, 2, act=nn.SiLU), block(32, 32, 1))
        self.deep = nn.Sequential(conv_norm(32, 64, 3, 2, act=nn.SiLU), block(64, 64, 2), Sppf(64, 64))
        self.merge_up = block(96, 32, 1)
        self.down = conv_norm(32, 32, 3, 2, act=nn.SiLU)
        self.merge_down = block(96, 64, 1)
        self.heads = nn.ModuleList(
            nn.Sequential(conv_norm(c, 24, act=nn.SiLU), nn.Conv2d(24, 14, 1)) for c in (32, 64)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shallow = self.stem(x)
        deep = self.deep(shallow)
        up = self.merge_up(torch.cat([functional.interpolate(deep, scale_factor=2), shallow], 1))
        down = self.merge_down(torch.cat([self.down(up), deep], 1))
        # Scales side by side, as a detector decodes them: [N, outputs, cells].
        return self.heads[0](up).flatten(2), self.heads[1](down).flatten(2)


class OptionABlock(nn.Module):
    """A shortcut without weights: every second pixel, channels padded with zeros on both sides."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.one = conv_norm(inputs, outputs, 3, stride)
        self.two = conv_norm(outputs, outputs, act=None)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.two(self.one(x))
        if self.pad:
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return functional.relu(x + y)


class CifarResNet(nn.Module):
    """The residual network for CIFAR with option-A shortcuts, 8 layers."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 16)
        self.blocks = nn.Sequential(
            OptionABlock(16, 16, 1), OptionABlock(16, 32, 2), OptionABlock(32, 64, 2), OptionABlock(64, 64, 1)
        )
        self.head = Classifier(64)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


def shuffle(x: Tensor, groups: int) -> Tensor:
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).reshape(batch, channels, height, width)


class ShuffleUnit(nn.Module):
    """Grouped 1x1, shuffle, depthwise, grouped 1x1; at stride 2 the pooled input is joined by concat."""

    def __init__(self, inputs: int, outputs: int, groups: int, stride: int):
        super().__init__()
        hidden = outputs // 4
        self.groups, self.stride = groups, stride
        grown = outputs - inputs if stride == 2 else outputs
        self.squeeze = conv_norm(inputs, hidden, 1, groups=groups)
        self.depthwise = conv_norm(hidden, hidden, 3, stride, groups=hidden, act=None)
        self.expand = conv_norm(hidden, grown, 1, groups=groups, act=None)

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.depthwise(shuffle(self.squeeze(x), self.groups)))
        if self.stride == 2:
            return functional.relu(torch.cat([functional.avg_pool2d(x, 3, 2, 1), y], 1))
        return functional.relu(x + y)


class ShuffleNetV1(nn.Module):
    """Grouped convolutions with channel shuffles between them."""

    def __init__(self, groups: int = 3):
        super().__init__()
        self.stem = conv_norm(3, 24, 3, 2)
        self.stages = nn.Sequential(
            ShuffleUnit(24, 120, groups, 2),
            ShuffleUnit(120, 120, groups, 1),
            ShuffleUnit(120, 240, groups, 2),
            ShuffleUnit(240, 240, groups, 1),
        )
        self.head = Classifier(240)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)))


class Espcn(nn.Module):
    """Super-resolution: channels become pixels at the end; `deep` convolves behind that."""

    def __init__(self, deep: bool = False):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2), nn.Tanh(), nn.Conv2d(32, 24, 3, padding=1), nn.Tanh()
        )
        self.up = nn.Sequential(nn.Conv2d(24, 36 if deep else 9, 3, padding=1), nn.PixelShuffle(3))
        self.tail = nn.Conv2d(4, 1, 3, padding=1) if deep else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.up(self.body(x)))


class Fsrcnn(nn.Module):
    """Super-resolution with PReLU and one transposed convolution at the end."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 28, 5, padding=2),
            nn.PReLU(28),
            nn.Conv2d(28, 12, 1),
            nn.PReLU(12),
            nn.Conv2d(12, 12, 3, padding=1),
            nn.PReLU(1),
            nn.Conv2d(12, 28, 1),
            nn.PReLU(28),
        )
        self.up = nn.ConvTranspose2d(28, 1, 9, 3, padding=4, output_padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.body(x))


class UnshuffleNet(nn.Module):
    """Pixel unshuffle in the middle: one channel becomes four."""

    def __init__(self):
        super().__init__()
        self.one = conv_norm(3, 12)
        self.two = conv_norm(48, 32)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.two(functional.pixel_unshuffle(self.one(x), 2)))


class GroupedAutoencoder(nn.Module):
    """Grouped convolutions down, grouped transposed convolutions up."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ELU(),
            nn.Conv2d(16, 32, 3, 2, 1, groups=4),
            nn.ELU(),
            nn.Conv2d(32, 32, 3, padding=2, dilation=2, groups=8),
            nn.ELU(),
        )
        self.decode = nn.Sequential(
            nn.ConvTranspose2d(32, 24, 4, 2, 1, groups=4),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.ConvTranspose2d(24, 24, 3, 1, 1, groups=24),
            nn.ReLU(),
            nn.ConvTranspose2d(24, 12, 3, 2, 1, output_padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(12, 3, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.decode(self.encode(x)))


class MixerBlock(nn.Module):
    """One perceptron over patches, one over channels."""

    def __init__(self, patches: int, channels: int):
        super().__init__()
        self.norm_patches, self.norm_channels = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.patches = nn.Sequential(nn.Linear(patches, 24), nn.GELU(), nn.Linear(24, patches))
        self.channels = nn.Sequential(nn.Linear(channels, 64), nn.GELU(), nn.Linear(64, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.patches(self.norm_patches(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm_channels(x))


class MlpMixer(nn.Module):
    """Patches and channels mixed in turn: two axes of one tensor can shrink."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 8, 8)
        self.blocks = nn.Sequential(MixerBlock(16, 32), MixerBlock(16, 32))
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(1))


class Residual(nn.Module):
    """A layer with a shortcut around it."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x)


class ConvMixer(nn.Module):
    """Depthwise convolutions with shortcuts between 1x1 convolutions; norms behind the activations."""

    def __init__(self, width: int = 32, depth: int = 3):
        super().__init__()
        layers = [nn.Conv2d(3, width, 4, 4), nn.GELU(), nn.BatchNorm2d(width)]
        for _ in range(depth):
            depthwise = nn.Conv2d(width, width, 5, padding=2, groups=width)
            layers.append(Residual(nn.Sequential(depthwise, nn.GELU(), nn.BatchNorm2d(width))))
            layers += [nn.Conv2d(width, width, 1), nn.GELU(), nn.BatchNorm2d(width)]
        self.body = nn.Sequential(*layers)
        self.head = Classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class SqueezeExcite(nn.Module):
    """Two linear layers see each channel's mean and scale it."""

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, channels = x.shape[:2]
        return x * self.gate(x.mean((2, 3))).view(batch, channels, 1, 1)


class SeResNet(nn.Module):
    """Residual blocks with squeeze-and-excite by linear layers."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 32)
        self.branches = nn.ModuleList(
            nn.Sequential(conv_norm(32, 24), conv_norm(24, 32, act=None), SqueezeExcite(32, 8))
            for _ in range(2)
        )
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for branch in self.branches:
            x = functional.relu(x + branch(x))
        return self.head(x)


class EcaNet(nn.Module):
    """Channel attention by a convolution along the channels: neighbours matter, so they stay."""

    def __init__(self):
        super().__init__()
        self.one, self.two = conv_norm(3, 24), conv_norm(24, 32)
        self.attend = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.two(self.one(x))
        weight = self.attend(x.mean((2, 3)).unsqueeze(1)).squeeze(1)
        return self.head(x * torch.sigmoid(weight)[:, :, None, None])


class Cbam(nn.Module):
    """Attention over channels, then over pixels from the mean and maximum over channels."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = conv_norm(3, 24), conv_norm(24, 32), conv_norm(32, 32)
        self.gate = nn.Sequential(nn.Conv2d(32, 8, 1), nn.ReLU(), nn.Conv2d(8, 32, 1))
        self.pixels = nn.Conv2d(2, 1, 7, padding=3)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.two(self.one(x))
        pooled = self.gate(functional.adaptive_avg_pool2d(x, 1))
        x = x * torch.sigmoid(pooled + self.gate(functional.adaptive_max_pool2d(x, 1)))
        over_channels = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return self.head(self.three(x * torch.sigmoid(self.pixels(over_channels))))


class SkNet(nn.Module):
    """Selective kernels: a softmax between two branches decides for every channel."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.stem = conv_norm(3, width)
        self.small, self.large = conv_norm(width, width), conv_norm(width, width, 5)
        self.squeeze = nn.Sequential(nn.Linear(width, 12), nn.ReLU())
        self.choose = nn.ModuleList(nn.Linear(12, width) for _ in range(2))
        self.head = Classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        branches = torch.stack([self.small(x), self.large(x)], 1)
        squeezed = self.squeeze(branches.sum(1).mean((2, 3)))
        weights = torch.stack([choose(squeezed) for choose in self.choose], 1).softmax(1)
        return self.head((branches * weights[..., None, None]).sum(1))


class NonLocal(nn.Module):
    """Attention between all pixels in the middle of a convolutional network."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.stem = conv_norm(3, width, 3, 2)
        self.query, self.key, self.value = (nn.Conv2d(width, width // 2, 1) for _ in range(3))
        self.out = nn.Conv2d(width // 2, width, 1)
        self.head = Classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key / 3.0, -1)
        y = (attention @ value.transpose(1, 2)).transpose(1, 2)
        return self.head(x + self.out(y.reshape(x.shape[0], -1, x.shape[2], x.shape[3])))


class Res2Block(nn.Module):
    """The channels in four parts; each is convolved after the part before it was added."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.enter = conv_norm(channels, 4 * width, 1)
        self.convs = nn.ModuleList(conv_norm(width, width) for _ in range(3))
        self.leave = conv_norm(4 * width, channels, 1, act=None)

    def forward(self, x: Tensor) -> Tensor:
        first, *others = torch.split(self.enter(x), self.convs[0][0].in_channels, 1)
        done, last = [first], None
        for part, conv in zip(others, self.convs, strict=True):
            last = conv(part if last is None else part + last)
            done.append(last)
        return functional.relu(x + self.leave(torch.cat(done, 1)))


class Res2Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 32)
        self.blocks = nn.Sequential(Res2Block(32, 8), Res2Block(32, 12))
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)))


class CoordConv(nn.Module):
    """Two constant channels with the pixel's place are joined to the data at two depths."""

    def __init__(self, size: int = 32):
        super().__init__()
        line = torch.linspace(-1, 1, size)
        self.register_buffer("places", torch.stack(torch.meshgrid(line, line, indexing="ij"))[None])
        self.one, self.two = conv_norm(5, 24), conv_norm(26, 32)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        places = self.places.expand(x.shape[0], -1, -1, -1)
        x = self.one(torch.cat([x, places], 1))
        return self.head(self.two(torch.cat([places, x], 1)))


class GroupNormResNet(nn.Module):
    """Residual network with group norms instead of batch norms."""

    def __init__(self, width: int = 32):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(8, width),
                nn.ReLU(),
                nn.Conv2d(width, 48, 3, padding=1),
                nn.GroupNorm(4, 48),
                nn.ReLU(),
                nn.Conv2d(48, width, 3, padding=1),
            )
            for _ in range(2)
        )
        self.norm = nn.GroupNorm(8, width)
        self.head = Classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(functional.relu(self.norm(x)))


class StyleTransfer(nn.Module):
    """Reflection pads, instance norms, nearest-neighbour ups."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(self._stage(3, 16, 9, 1), self._stage(16, 32, 3, 2))
        self.blocks = nn.Sequential(*(Residual(self._stage(32, 32, 3, 1)) for _ in range(2)))
        self.up = self._stage(32, 16, 3, 1)
        self.head = nn.Sequential(nn.ReflectionPad2d(4), nn.Conv2d(16, 3, 9))

    @staticmethod
    def _stage(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
        return nn.Sequential(
            nn.ReflectionPad2d(kernel // 2),
            nn.Conv2d(inputs, outputs, kernel, stride),
            nn.InstanceNorm2d(outputs, affine=True),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.down(x))
        return self.head(self.up(functional.interpolate(x, scale_factor=2, mode="nearest")))


class LateFusion(nn.Module):
    """Two inputs, a tower each, joined in front of the classifier."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(conv_norm(3, 16), nn.MaxPool2d(2), conv_norm(16, 24))
        self.sound = nn.Sequential(nn.Conv1d(1, 12, 9, 4), nn.ReLU(), nn.Conv1d(12, 20, 5, 2), nn.ReLU())
        self.joined = nn.Linear(44, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, image: Tensor, sound: Tensor) -> Tensor:
        both = torch.cat([self.image(image).mean((2, 3)), self.sound(sound).amax(2)], 1)
        return self.head(functional.relu(self.joined(both)))


class Siamese(nn.Module):
    """Two inputs through one tower; the distance of both is classified."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(conv_norm(1, 16, 3, 2), conv_norm(16, 32, 3, 2), nn.Flatten())
        self.embed = nn.Linear(32 * 49, 24)
        self.head = nn.Linear(24, 2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        left, right = self.embed(self.tower(left)), self.embed(self.tower(right))
        return self.head((left - right).abs())


class MultiTask(nn.Module):
    """One trunk and three outputs of different shapes, one of them taken in the middle."""

    def __init__(self):
        super().__init__()
        self.low, self.high = conv_norm(3, 24, 3, 2), conv_norm(24, 48, 3, 2)
        self.mask = nn.Sequential(nn.ConvTranspose2d(48, 16, 4, 4), nn.ReLU(), nn.Conv2d(16, 2, 1))
        self.edges = nn.Conv2d(24, 1, 1)
        self.head = Classifier(48)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        low = self.low(x)
        high = self.high(low)
        return self.head(high), self.mask(high), self.edges(low)


class Recurrence(nn.Module):
    """One convolution and its norm applied three times: shared weights tie its input to its output."""

    def __init__(self, width: int = 24):
        super().__init__()
        self.stem = conv_norm(3, width)
        self.step = conv_norm(width, width)
        self.out = conv_norm(width, 32)
        self.head = Classifier(32)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for _ in range(3):
            x = self.step(x)
        return self.head(self.out(x))


class TiedAutoencoder(nn.Module):
    """The decoder is the encoder's weight read the other way."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(96, 40)
        self.deeper = nn.Linear(40, 16)
        self.back = nn.Linear(16, 40)
        self.bias = nn.Parameter(torch.randn(96) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.encode(x))
        hidden = torch.relu(self.back(torch.relu(self.deeper(hidden))))
        return functional.linear(hidden, self.encode.weight.t(), self.bias)


class GhostModule(nn.Module):
    """Half of the channels by a 1x1 convolution, the other half from them by a depthwise one."""

    def __init__(self, inputs: int, outputs: int, act=nn.ReLU):
        super().__init__()
        self.primary = conv_norm(inputs, outputs // 2, 1, act=act)
        self.cheap = conv_norm(outputs // 2, outputs // 2, 3, groups=outputs // 2, act=act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], 1)


class GhostNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 16, 3, 2)
        self.branches = nn.ModuleList(
            nn.Sequential(GhostModule(16, 32), GhostModule(32, 16, act=nn.Identity)) for _ in range(2)
        )
        self.head = Classifier(16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x)


class DualPath(nn.Module):
    """Part of a block's output is added to what came in, the rest is joined to it."""

    def __init__(self, added: int = 24, grown: int = 8, blocks: int = 3):
        super().__init__()
        self.added = added
        self.stem = conv_norm(3, added + grown)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                conv_norm(added + grown * (i + 1), 32, 1),
                conv_norm(32, 32, groups=4),
                conv_norm(32, added + grown, 1, act=None),
            )
            for i in range(blocks)
        )
        self.head = Classifier(added + grown * (blocks + 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        residual, dense = x[:, : self.added], x[:, self.added :]
        for block in self.blocks:
            y = block(torch.cat([residual, dense], 1))
            residual = residual + y[:, : self.added]
            dense = torch.cat([dense, y[:, self.added :]], 1)
        return self.head(torch.relu(torch.cat([residual, dense], 1)))


class Maxout(nn.Module):
    """Channel by channel the larger one of two halves, and of an expanded pair by reshape."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(16, 48, 3, padding=1)
        self.head = Classifier(24)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.one(x).chunk(2, 1)
        x = self.two(torch.maximum(left, right))
        batch, channels, height, width = x.shape
        return self.head(x.view(batch, channels // 2, 2, height, width).amax(2))


class MobileNetV1(nn.Module):
    """Depthwise separable convolutions with hard swish."""

    def __init__(self):
        super().__init__()
        layers = [conv_norm(3, 16, 3, 2, act=nn.Hardswish)]
        for inputs, outputs, stride in ((16, 32, 1), (32, 64, 2), (64, 64, 1)):
            layers += [conv_norm(inputs, inputs, 3, stride, inputs, nn.Hardswish)]
            layers += [conv_norm(inputs, outputs, 1, act=nn.Hardswish)]
        self.body = nn.Sequential(*layers)
        self.head = Classifier(64)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class NetworkInNetwork(nn.Module):
    """Ceil-mode pools, a pool with its pad not counted, and a global maximum as the output."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2),
            nn.Mish(),
            nn.Conv2d(32, 24, 1),
            nn.Softplus(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(24, 32, 5, padding=2),
            nn.CELU(),
            nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
            nn.Conv2d(32, 10, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(functional.adaptive_max_pool2d(self.body(x), 1).flatten(1), 1)
