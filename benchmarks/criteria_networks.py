"""The networks and data sets that criteria are compared on: trained networks, real data, no download.

Each gives `make(seed)`, a trained network; `train_batches(epoch, seed)`, one epoch of (inputs, targets);
`loss(outputs, targets)`; and `accuracy(module)`, the fraction of the test part that is right.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


def train(module: nn.Module, data, epochs: int, learning_rate: float, seed: int) -> None:
    """SGD with momentum and a cosine schedule over the batches; in place."""
    torch.manual_seed(seed)
    batches = len(list(data.train_batches(0, seed)))
    optimizer = torch.optim.SGD(
        module.parameters(), lr=learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    module.train()
    for epoch in range(epochs):
        for inputs, targets in data.train_batches(epoch, seed):
            optimizer.zero_grad(set_to_none=True)
            data.loss(module(inputs), targets).backward()
            optimizer.step()
            schedule.step()
    module.eval()


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.short = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.short(x))


class Digits:
    """A small residual network on the handwritten digits that scikit-learn ships (1,797 of 8 x 8, UCI)."""

    name = "digits"
    budgets = (0.5, 0.2, 0.1, 0.05, 0.02)
    epochs, learning_rate = 8, 0.02
    example = torch.zeros(1, 1, 8, 8)
    loss = staticmethod(F.cross_entropy)

    def __init__(self):
        from sklearn.datasets import load_digits

        images, targets = load_digits(return_X_y=True)
        self.inputs = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
        self.targets = torch.tensor(targets)
        self.test = torch.arange(len(self.targets)) % 3 == 0

    def make(self, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(1, 24, 3, 1, 1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            Block(24, 24, 1),
            Block(24, 48, 2),
            Block(48, 48, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(48, 10),
        )
        train(network, self, 20, 0.05, seed)
        return network

    def train_batches(self, epoch: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        indices = torch.nonzero(~self.test).flatten()
        generator = torch.Generator().manual_seed(1000 * seed + epoch)
        order = indices[torch.randperm(len(indices), generator=generator)]
        for chunk in order.split(64):
            if len(chunk) > 1:
                yield self.inputs[chunk], self.targets[chunk]

    @torch.no_grad()
    def accuracy(self, module: nn.Module) -> float:
        right = module(self.inputs[self.test]).argmax(1) == self.targets[self.test]
        return right.float().mean().item()


class Esc10:
    """ACDNet on ESC-10's real recordings: the published ACDNet-20, tested on fold 4, which it never saw.

    Its training data were the other folds of ESC-50, of which ESC-10's are a part: fine-tuning uses those.
    """

    name = "acdnet"
    budgets = (0.5, 0.2)
    epochs, learning_rate = 8, 0.01
    rate, length, test_fold = 20_000, 30_225, "4"
    example = torch.zeros(1, 1, 1, 30_225)
    checkpoint = "micro_acdnet_pruned_trained_fold4_86.00.pt"

    @classmethod
    def is_there(cls) -> bool:
        return (SHARED / "esc10" / "audio").is_dir() and (
            SHARED / "acdnet-published" / cls.checkpoint
        ).is_file()

    def __init__(self):
        with (SHARED / "esc10" / "meta" / "esc10.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.sounds = [self._load(SHARED / "esc10" / "audio" / row["filename"]) for row in rows]
        self.targets = torch.tensor([int(row["target"]) for row in rows])
        self.folds = [row["fold"] for row in rows]

    def _load(self, path: Path) -> np.ndarray:
        """At 20 kHz, without silence at both ends, half a window of zeros around it."""
        import soundfile
        import soxr

        sound, rate = soundfile.read(path, dtype="float32")
        sound = soxr.resample(sound, rate, self.rate)
        loud = np.nonzero(sound)[0]
        return np.pad(sound[loud[0] : loud[-1] + 1], self.length // 2)

    def make(self, seed: int) -> nn.Module:
        import libcompress as lc

        command = ROOT / "build" / "release" / "bin" / "libcompress"
        file = ROOT / "build" / "release" / "acdnet20.safetensors"
        options = ["classes=50", f"sample_rate={self.rate}", f"input_length={self.length}"]
        subprocess.run(
            [
                command,
                "convert",
                SHARED / "acdnet-published" / self.checkpoint,
                "--model",
                "acdnet",
                "--quiet",
            ]
            + [f"--model-option={option}" for option in options]
            + ["--out", file],
            check=True,
        )
        return lc.load(file).to_torch().eval()

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.nll_loss(torch.log(outputs + 1e-9), targets)  # the network ends with a softmax

    def train_batches(self, epoch: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        random = np.random.default_rng(1000 * seed + epoch)
        indices = [i for i, fold in enumerate(self.folds) if fold != self.test_fold]
        random.shuffle(indices)
        for start in range(0, len(indices), 32):
            chunk = indices[start : start + 32]
            views = [self._view(i, random.random()) * 10 ** (random.uniform(-6, 6) / 20) for i in chunk]
            yield torch.tensor(np.stack(views), dtype=torch.float32), self.targets[chunk]

    def _view(self, i: int, where: float) -> np.ndarray:
        sound = self.sounds[i]
        start = int(where * (len(sound) - self.length))
        return sound[start : start + self.length].reshape(1, 1, -1)

    @torch.no_grad()
    def accuracy(self, module: nn.Module) -> float:
        """Softmax averaged over ten equally spaced crops of each clip."""
        test = [i for i, fold in enumerate(self.folds) if fold == self.test_fold]
        right = 0
        for i in test:
            views = np.stack([self._view(i, k / 9) for k in range(10)])
            right += int(module(torch.tensor(views)).mean(0).argmax() == self.targets[i])
        return right / len(test)


NETWORKS = {each.name: each for each in (Digits, Esc10)}
