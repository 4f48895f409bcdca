"""The networks that are measured, as plain PyTorch modules in eval mode with fixed random weights."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "zoo"))
import torchvision_models
from networks.audio import Acdnet


def make(name: str) -> tuple[nn.Module, Tensor, nn.Module]:
    """The network, an example of batch 1, and the layer whose outputs are the classes."""
    torch.manual_seed(0)
    if name == "acdnet":
        network = Acdnet().eval()
        return network, torch.randn(1, 1, 1, 30225), network.image[-1]
    network = torchvision_models.load().get_model(name, weights=None).eval()
    head = network.fc if hasattr(network, "fc") else network.classifier
    return network, torch.randn(1, 3, 224, 224), head
