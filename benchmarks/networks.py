"""The networks that are measured, as plain PyTorch modules in eval mode with fixed random weights."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "zoo"))
import torchvision_models


def conv_norm(inputs: int, outputs: int, kernel: tuple[int, int], **settings) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **settings)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]


class Acdnet(nn.Module):
    """ACDNet for 30,225 samples and 50 classes (arXiv:2103.03483)."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.sound = nn.Sequential(
            *conv_norm(1, width, (1, 9), stride=(1, 2)),
            *conv_norm(width, 8 * width, (1, 5), stride=(1, 2)),
            nn.MaxPool2d((1, 50)),
        )
        windows = {0: (2, 2), 2: (2, 2), 4: (2, 2), 6: (2, 2), 8: (1, 2)}
        layers: list[nn.Module] = []
        inputs = 1
        for i, factor in enumerate((4, 8, 8, 16, 16, 32, 32, 64, 64)):
            layers += conv_norm(inputs, factor * width, (3, 3), padding=1)
            inputs = factor * width
            if i in windows:
                layers.append(nn.MaxPool2d(windows[i]))
        layers += [nn.Dropout(0.2), *conv_norm(inputs, 50, (1, 1)), nn.AvgPool2d((2, 4))]
        self.image = nn.Sequential(*layers, nn.Flatten(), nn.Linear(50, 50))

    def forward(self, x: Tensor) -> Tensor:
        return self.image(self.sound(x).permute(0, 2, 1, 3)).softmax(1)


def make(name: str) -> tuple[nn.Module, Tensor, nn.Module]:
    """The network, an example of batch 1, and the layer whose outputs are the classes."""
    torch.manual_seed(0)
    if name == "acdnet":
        network = Acdnet().eval()
        return network, torch.randn(1, 1, 1, 30225), network.image[-1]
    network = torchvision_models.load().get_model(name, weights=None).eval()
    head = network.fc if hasattr(network, "fc") else network.classifier
    return network, torch.randn(1, 3, 224, 224), head


NAMES = ("resnet50", "densenet121", "acdnet")
