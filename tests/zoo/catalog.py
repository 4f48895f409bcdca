"""The architectures of the zoo: how each is made, what it reads, and what must at least be removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torchvision_models
import weights
from networks import adversaries, audio, transformers, vision
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
BATCH = 2
QUICK = {  # one of each kind of movement, seconds in all
    "lenet",
    "cifar_resnet_option_a",
    "espcn_deep",
    "unet_3d",
    "late_fusion",
    "tied_autoencoder",
    "glu_net",
    "m5",
    "roll_channels",
    "shuffle_then_flatten",
    "channels_to_height",
    "overlapping_slices",
    "coord_conv",
    "gram_matrix",
    "weight_norm",
    "uneven_concat_add",
}
EXAMPLES = 8  # that the weights are settled on; the test's own are the first of them


@dataclass(frozen=True)
class Entry:
    """One architecture. Two runs make the same network and the same inputs."""

    name: str
    family: str
    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]  # of the inputs, without the batch
    removed: float = 0.6  # at 50 % of every prunable group at least this part of all parameters goes

    def inputs(self) -> tuple[Tensor, ...]:
        return tuple(each[:BATCH] for each in self._examples())

    def network(self) -> nn.Module:
        torch.manual_seed(3)
        return weights.settle(self.make(), self._examples(), seed=5)

    def _examples(self) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(17)
        return tuple(_draw(shape, generator) for shape in self.shapes)


def _draw(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Noise around a mean that differs between examples and channels: a mean over pixels tells them apart."""
    noise = torch.randn(EXAMPLES, *shape, generator=generator)
    return noise + torch.randn(EXAMPLES, shape[0], *[1] * (len(shape) - 1), generator=generator)


@dataclass
class Catalog:
    entries: list[Entry] = field(default_factory=list)

    def add(self, family: str, name: str, make: Callable[[], nn.Module], *shapes, **more) -> None:
        self.entries.append(Entry(name, family, make, shapes, **more))


class Outputs(nn.Module):
    """torchvision's segmentation networks give a dict; its values in order, as a tuple."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(x).values())


def _s3d(models) -> nn.Module:
    """Its last pool is made for 224 x 224; here it fits 64 x 64."""
    network = models.get_model("s3d", weights=None, num_classes=10)
    network.avgpool = nn.AvgPool3d((1, 2, 2), stride=1)
    return network


def _images(catalog: Catalog, models) -> None:
    plain = {"weights": None, "num_classes": 10}

    def add(name: str, *shape: int, **options) -> None:
        made = plain | options
        shapes = (shape or (3, 64, 64),)
        catalog.add("torchvision, images", name, lambda: models.get_model(name, **made), *shapes)

    for name in (
        "alexnet",
        "vgg11",
        "vgg16_bn",
        "resnet18",
        "resnet50",
        "resnext50_32x4d",
        "wide_resnet50_2",
    ):
        add(name)
    add("densenet121")
    add("googlenet", init_weights=False, aux_logits=False)
    add("inception_v3", 3, 96, 96, init_weights=False, aux_logits=False)
    for name in ("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"):
        add(name)
    for name in (
        "efficientnet_b0",
        "efficientnet_v2_s",
        "shufflenet_v2_x1_0",
        "squeezenet1_0",
        "squeezenet1_1",
    ):
        add(name)
    for name in ("mnasnet1_0", "regnet_x_400mf", "regnet_y_400mf", "convnext_tiny"):
        add(name)


def _attention(catalog: Catalog, models) -> None:
    """Narrower and shallower than published, from the same classes."""

    def add(name: str, make: Callable[[], nn.Module]) -> None:
        catalog.add("torchvision, attention", name, make, (3, 64, 64))

    size = {"image_size": 64, "patch_size": 16, "num_layers": 3, "num_heads": 6}
    add("vit", lambda: models.VisionTransformer(num_classes=10, hidden_dim=192, mlp_dim=384, **size))
    swin = models.swin_transformer
    shape = {
        "patch_size": [4, 4],
        "embed_dim": 48,
        "depths": [2, 2],
        "num_heads": [3, 6],
        "window_size": [4, 4],
    }
    one = {"block": swin.SwinTransformerBlock, "downsample_layer": swin.PatchMerging}
    two = {"block": swin.SwinTransformerBlockV2, "downsample_layer": swin.PatchMergingV2}
    add("swin", lambda: models.SwinTransformer(num_classes=10, **shape, **one))
    add("swin_v2", lambda: models.SwinTransformer(num_classes=10, **shape, **two))
    window = {"input_size": (64, 64), "partition_size": 4, "head_dim": 16, "stochastic_depth_prob": 0.0}
    blocks = {"stem_channels": 32, "block_channels": [32, 64], "block_layers": [1, 1]}
    add("maxvit", lambda: models.MaxVit(num_classes=10, **window, **blocks))


def _segmentation(catalog: Catalog, models) -> None:
    def add(name: str, **options) -> None:
        made = {"weights": None, "weights_backbone": None, "num_classes": 5} | options
        make = lambda: Outputs(models.get_model(name, **made))  # noqa: E731
        catalog.add("torchvision, segmentation", name, make, (3, 64, 64))

    add("deeplabv3_resnet50")
    add("deeplabv3_mobilenet_v3_large", aux_loss=True)
    add("fcn_resnet50", aux_loss=True)
    add("lraspp_mobilenet_v3_large")


def _video(catalog: Catalog, models) -> None:
    def add(name: str, make: Callable[[], nn.Module], *shape: int) -> None:
        catalog.add("torchvision, video", name, make, shape)

    for name in ("r3d_18", "mc3_18", "r2plus1d_18"):
        add(name, lambda name=name: models.get_model(name, weights=None, num_classes=10), 3, 4, 32, 32)
    add("s3d", lambda: _s3d(models), 3, 8, 64, 64)


def _own(catalog: Catalog) -> None:
    add = catalog.add
    picture, small = (3, 32, 32), (3, 16, 16)
    dense = "images"
    add(dense, "lenet", vision.LeNet, (1, 32, 32))
    add(dense, "cifar_resnet_option_a", vision.CifarResNet, picture)
    add(dense, "se_resnet", vision.SeResNet, picture)
    add(dense, "eca_net", vision.EcaNet, picture, removed=0.45)
    add(dense, "cbam", vision.Cbam, picture, removed=0.45)
    add(dense, "sk_net", vision.SkNet, picture)
    add(dense, "non_local", vision.NonLocal, picture)
    add(dense, "res2net", vision.Res2Net, picture)
    add(dense, "coord_conv", vision.CoordConv, picture)
    add(dense, "group_norm_resnet", vision.GroupNormResNet, picture)
    add(dense, "ghost_net", vision.GhostNet, picture, removed=0.58)
    add(dense, "dual_path", vision.DualPath, picture)
    add(dense, "maxout", vision.Maxout, picture)
    add(dense, "mobilenet_v1", vision.MobileNetV1, picture)
    add(dense, "network_in_network", vision.NetworkInNetwork, picture)
    add(dense, "shufflenet_v1_groups_3", vision.ShuffleNetV1, picture, removed=0.4)
    add(dense, "shufflenet_v1_groups_2", lambda: vision.ShuffleNetV1(2), picture)
    add(dense, "mlp_mixer", vision.MlpMixer, picture, removed=0.58)
    add(dense, "conv_mixer", vision.ConvMixer, picture, removed=0.58)
    add(dense, "unshuffle_net", vision.UnshuffleNet, picture)
    add(dense, "patch_transformer", transformers.PatchTransformer, picture)
    add(dense, "conv_transformer", transformers.ConvTransformer, picture)
    pixels = "pixels in, pixels out"
    add(pixels, "unet", lambda: vision.UNet(learned=True), picture)
    add(pixels, "unet_bilinear", lambda: vision.UNet(learned=False), picture)
    add(pixels, "unet_3d", vision.UNet3d, (1, 8, 16, 16))
    add(pixels, "hourglass", vision.Hourglass, picture)
    add(pixels, "espcn", vision.Espcn, (1, 16, 16))
    add(pixels, "espcn_deep", lambda: vision.Espcn(deep=True), (1, 16, 16))
    add(pixels, "fsrcnn", vision.Fsrcnn, (1, 16, 16), removed=0.58)
    add(pixels, "style_transfer", vision.StyleTransfer, picture)
    add(pixels, "grouped_autoencoder", vision.GroupedAutoencoder, picture)
    detection = "detection"
    add(detection, "csp_detector_c2f", vision.CspDetector, (3, 64, 64))
    add(detection, "csp_detector_c3_focus", lambda: vision.CspDetector(vision.C3, focus=True), (3, 64, 64))
    several = "several inputs, several outputs, shared weights"
    add(several, "late_fusion", vision.LateFusion, small, (1, 200))
    add(several, "siamese", vision.Siamese, (1, 28, 28), (1, 28, 28))
    add(several, "multi_task", vision.MultiTask, picture)
    add(several, "recurrence", vision.Recurrence, small)
    add(several, "tied_autoencoder", vision.TiedAutoencoder, (96,), removed=0.5)
    sound = "sound and time series"
    add(sound, "wavenet", audio.WaveNet, (1, 64))
    add(sound, "glu_net", audio.GluNet, (1, 16, 32))
    add(sound, "crnn_front", audio.CrnnFront, (1, 32, 24))
    add(sound, "m5", audio.M5, (1, 4000))
    add(sound, "ds_cnn", audio.DsCnn, (1, 49, 10), removed=0.58)
    add(sound, "tcn", audio.Tcn, (4, 48))
    add(sound, "broadcast_resnet", audio.BroadcastResNet, (1, 40, 30), removed=0.5)
    add(sound, "tasnet", audio.TasNet, (1, 400))
    add(sound, "eeg_net", audio.EegNet, (1, 8, 64), removed=0.55)
    add(sound, "inception_time", audio.InceptionTime, (3, 64))
    add(sound, "dense_autoencoder", audio.DenseAutoencoder, (80,))
    add(sound, "acdnet", audio.Acdnet, (1, 1, 30225))
    moving = "channels on the move"
    add(moving, "roll_channels", adversaries.RollChannels, small, removed=0.4)
    add(moving, "roll_only", adversaries.RollOnly, small)
    add(moving, "flip_channels", adversaries.FlipChannels, small)
    add(moving, "shuffle_then_flatten", adversaries.ShuffleThenFlatten, picture, removed=0.48)
    add(moving, "shuffle_then_groups", adversaries.ShuffleThenGroups, small)
    add(moving, "channels_to_height", adversaries.ChannelsToHeight, (1, 1, 300))
    add(moving, "channels_to_time", adversaries.ChannelsToTime, (2, 40))
    add(moving, "interleave", adversaries.Interleave, small)
    add(moving, "overlapping_slices", adversaries.OverlappingSlices, small)
    add(moving, "strided_slices", adversaries.StridedSlices, small)
    add(moving, "repeat_channels", adversaries.RepeatChannels, small)
    add(moving, "gather_channels", adversaries.GatherChannels, small)
    add(moving, "mixed_reshape", adversaries.MixedReshape, small)
    add(moving, "gram_matrix", adversaries.GramMatrix, small, removed=0.3)
    add(moving, "broadcast_one", adversaries.BroadcastOne, small)
    add(moving, "channel_softmax", adversaries.ChannelSoftmax, small, removed=0.4)
    add(moving, "channel_normalization", adversaries.ChannelNormalization, small, removed=0.4)
    add(moving, "weight_standardization", adversaries.WeightStandardization, small, removed=0.45)
    add(moving, "weight_norm", adversaries.WeightNorm, (2, 40), removed=0.08)
    add(moving, "constant_bias", adversaries.ConstantBias, small)
    add(moving, "uneven_concat_add", adversaries.UnevenConcatAdd, small)
    add(moving, "depthwise_multiplier", adversaries.DepthwiseMultiplier, small)
    add(moving, "flatten_then_split", adversaries.FlattenThenSplit, picture)
    add(moving, "batched_experts", adversaries.BatchedExperts, (20,), removed=0.15)


def load() -> list[Entry]:
    """Every architecture that PyTorch makes, the small ones first."""
    catalog = Catalog()
    _own(catalog)
    models = torchvision_models.load()
    for family in (_images, _attention, _segmentation, _video):
        family(catalog, models)
    return catalog.entries
