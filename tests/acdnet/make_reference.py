#!/usr/bin/env python3
"""Writes reference.safetensors: what the published Micro-ACDNet gives in stock PyTorch.

The network is built here from torch.nn, apart from the C++ code, and run on the wave of
acdnet_test.cpp. Usage: make_reference.py FILE.pt
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


def block(inputs: int, outputs: int, kernel: tuple[int, int], **settings: int) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **settings)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]


class Network(nn.Module):
    def __init__(self, c: list[int], classes: int) -> None:
        super().__init__()
        self.sfeb = nn.Sequential(
            *block(1, c[0], (1, 9), stride=(1, 2)),
            *block(c[0], c[1], (1, 5), stride=(1, 2)),
            nn.MaxPool2d((1, 50)),
        )
        # Twenty rows and 151 columns: the rows are used up by four pools, the columns by none.
        windows = {2: (2, 2), 4: (2, 2), 6: (2, 2), 8: (2, 2), 10: (1, 2)}
        layers: list[nn.Module] = []
        inputs = 1
        for i in range(2, 11):
            layers += block(inputs, c[i], (3, 3), padding=1)
            layers += [nn.MaxPool2d(windows[i])] if i in windows else []
            inputs = c[i]
        layers += [nn.Dropout(0.2), *block(inputs, c[11], (1, 1)), nn.AvgPool2d((1, 4))]
        layers += [nn.Flatten(), nn.Linear(c[11], classes)]
        self.tfeb = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.tfeb(self.sfeb(x).permute(0, 2, 1, 3)).softmax(1)


def main() -> None:
    checkpoint = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    network = Network(checkpoint["config"], 50)
    network.load_state_dict(checkpoint["weight"])
    wave = (0.5 * torch.sin(0.05 * torch.arange(30225, dtype=torch.float64))).float()
    with torch.no_grad():
        output = network.eval()(wave.reshape(1, 1, 1, -1))
    save_file({"probabilities": output}, Path(__file__).with_name("reference.safetensors"))


if __name__ == "__main__":
    main()
