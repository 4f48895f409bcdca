#!/usr/bin/env python3
"""Accuracy in 8 bits: libcompress beside onnxruntime's quantizer and NNCF, on the same networks and examples.

Each quantizes the trained network after training, calibrated on the same 64 examples; several draws of them
show how much of a difference is luck. `make benchmark-quantization` builds and installs what is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "build" / "release" / "python")]

import criteria_networks  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

import libcompress as lc  # noqa: E402

SAMPLES = 64
Runner = Callable[[np.ndarray], np.ndarray]  # examples [n, ...] to scores [n, classes]


@dataclass
class Subject:
    """A trained network, and test clips of one view or more whose scores are averaged."""

    name: str
    model: lc.Model
    views: np.ndarray  # [clips, views, ...]
    targets: np.ndarray
    draw: Callable[[int], np.ndarray]  # calibration examples, by seed

    def scores(self, run: Runner) -> np.ndarray:
        flat = self.views.reshape(-1, *self.views.shape[2:])
        return run(flat).reshape(len(flat), -1)

    def correct(self, scores: np.ndarray) -> int:
        mean = scores.reshape(*self.views.shape[:2], -1).mean(1)
        return int((mean.argmax(1) == self.targets).sum())


# --- the networks ---


def acdnet() -> Subject:
    """Tested on the 80 clips of fold 4, which it never saw; calibrated on crops of fold 1."""
    data = criteria_networks.Esc10()
    test = [i for i, fold in enumerate(data.folds) if fold == data.test_fold]
    views = np.stack([[data._view(i, k / 9) for k in range(10)] for i in test])
    calibration = [i for i, fold in enumerate(data.folds) if fold == "1"]

    def draw(seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        clips = random.permutation(calibration)[:SAMPLES]
        return np.stack([data._view(i, random.random()) for i in clips]).astype(np.float32)[:, None, :, :]

    data.make(0)  # converts the checkpoint
    model = lc.load(ROOT / "build" / "release" / "acdnet20.safetensors")
    views = views.astype(np.float32).reshape(len(test), 10, 1, 1, -1)
    return Subject(
        "acdnet", model, views, data.targets[test].numpy(), lambda s: draw(s).reshape(-1, *views.shape[2:])
    )


class Separable(nn.Sequential):
    """A depthwise convolution and a pointwise one, as in MobileNet."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class DepthwiseDigits(criteria_networks.Digits):
    name = "digits, depthwise"

    def make(self, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(1, 16, 3, 1, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            Separable(16, 32, 1),
            Separable(32, 32, 2),
            Separable(32, 48, 1),
            Separable(48, 48, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(48, 10),
        )
        criteria_networks.train(network, self, 30, 0.05, seed)
        return network


def digits(data: criteria_networks.Digits) -> Subject:
    model = lc.from_torch(data.make(0), (data.example,))
    train = data.inputs[~data.test].numpy()

    def draw(seed: int) -> np.ndarray:
        return train[np.random.default_rng(seed).permutation(len(train))[:SAMPLES]]

    return Subject(
        data.name, model, data.inputs[data.test].numpy()[:, None], data.targets[data.test].numpy(), draw
    )


NETWORKS = {
    "acdnet": acdnet,
    "digits": lambda: digits(criteria_networks.Digits()),
    "depthwise": lambda: digits(DepthwiseDigits()),
}


# --- the quantizers: from a subject and examples to what runs the int8 network ---


def ours(**options) -> Callable[[Subject, np.ndarray], Runner]:
    return lambda subject, examples: subject.model.quantize(examples, **options).run


def save_for_onnxruntime(subject: Subject, path: Path) -> None:
    """Its 8-bit average pool does not know of dilations, not even of those of 1."""
    import onnx

    subject.model.save(path)
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [each for each in node.attribute if (node.op_type, each.name) != ("AveragePool", "dilations")]
        del node.attribute[:]
        node.attribute.extend(kept)
    onnx.save(model, path)


def session(path: Path) -> Runner:
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.log_severity_level = 3
    run = ort.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    name = run.get_inputs()[0].name
    return lambda examples: np.concatenate(
        [run.run(None, {name: each})[0] for each in np.array_split(examples, 16)]
    )


def onnxruntimes(method: str) -> Callable[[Subject, np.ndarray], Runner]:
    def quantize(subject: Subject, examples: np.ndarray) -> Runner:
        from onnxruntime.quantization import (
            CalibrationDataReader,
            CalibrationMethod,
            QuantType,
            quantize_static,
        )
        from onnxruntime.quantization.shape_inference import quant_pre_process

        class Reader(CalibrationDataReader):
            def __init__(self):
                self.batches = iter({subject.model.inputs[0].name: each[None]} for each in examples)

            def get_next(self):
                return next(self.batches, None)

        with tempfile.TemporaryDirectory() as folder:
            plain, prepared, done = (Path(folder) / f"{each}.onnx" for each in ("plain", "prepared", "done"))
            save_for_onnxruntime(subject, plain)
            quant_pre_process(plain, prepared)
            quantize_static(
                prepared,
                done,
                Reader(),
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod[method],
            )
            return session(done)

    return quantize


def nncfs(fast_bias_correction: bool) -> Callable[[Subject, np.ndarray], Runner]:
    def quantize(subject: Subject, examples: np.ndarray) -> Runner:
        import nncf
        import onnx

        name = subject.model.inputs[0].name
        with tempfile.TemporaryDirectory() as folder:
            plain, done = (Path(folder) / f"{each}.onnx" for each in ("plain", "done"))
            save_for_onnxruntime(subject, plain)
            made = nncf.quantize(
                onnx.load(plain),
                nncf.Dataset(examples, lambda each: {name: each[None]}),
                subset_size=len(examples),
                fast_bias_correction=fast_bias_correction,
            )
            onnx.save(made, done)
            return session(done)

    return quantize


def methods() -> dict[str, Callable[[Subject, np.ndarray], Runner]]:
    found = {"libcompress, as it is by default": ours()}
    for observer in [each.name for each in lc.plugins("observer")]:
        found[f"libcompress, {observer}"] = ours(observer=observer)
    for observer in ("minmax", "mse"):
        bare = ours(observer=observer, adaround=False, bias_correction=False)
        found[f"libcompress, {observer}, nothing repaired"] = bare
    found["libcompress, equalized too"] = ours(equalize=True)
    for method in ("MinMax", "Percentile", "Entropy"):
        found[f"onnxruntime, {method}"] = onnxruntimes(method)
    found["NNCF"] = nncfs(True)
    found["NNCF, exact bias correction"] = nncfs(False)
    return found


# --- measuring ---


@dataclass
class Row:
    correct: list[int]
    same: list[float]  # fraction of the views whose class is that of the float network
    error: list[float]  # mean absolute difference of the scores
    seconds: list[float]  # of quantizing


def measured(subject: Subject, quantize: Callable, reference: np.ndarray, draws: int) -> Row:
    row = Row([], [], [], [])
    for seed in range(draws):
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):  # theirs tell of their progress
            run = quantize(subject, subject.draw(seed))
        row.seconds.append(time.perf_counter() - begin)
        scores = subject.scores(run)
        row.correct.append(subject.correct(scores))
        row.same.append(float((scores.argmax(1) == reference.argmax(1)).mean()))
        row.error.append(float(np.abs(scores - reference).mean()))
    return row


def line(name: str, row: Row) -> str:
    each = ", ".join(map(str, row.correct))
    return (
        f"| {name} | {statistics.mean(row.correct):.1f} ({each}) | {100 * statistics.mean(row.same):.1f} % | "
        f"{statistics.mean(row.error):.4f} | {statistics.mean(row.seconds):.1f} |"
    )


def table(subject: Subject, chosen: dict[str, Callable], draws: int) -> None:
    reference = subject.scores(subject.model.run)
    print(f"{subject.name}: {subject.correct(reference)} of {len(subject.targets)} right in float32\n")
    print("| quantizer | right, mean (each draw) | views as in float32 | error of the scores | seconds |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, quantize in chosen.items():
        try:
            print(line(name, measured(subject, quantize, reference, draws)), flush=True)
        except Exception as error:  # a quantizer that cannot is a row of the table
            print(f"| {name} | {type(error).__name__}: {str(error).splitlines()[0]} | | | |", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--draws", type=int, default=5, help="of calibration examples")
    parser.add_argument("--methods", nargs="*", default=[], help="those that begin so; all if left out")
    arguments = parser.parse_args()
    if "acdnet" in arguments.networks and not criteria_networks.Esc10.is_there():
        print("acdnet is left out: ../shared/data holds no ESC-10 and no published ACDNet", file=sys.stderr)
        arguments.networks.remove("acdnet")
    chosen = {
        name: quantize
        for name, quantize in methods().items()
        if not arguments.methods or name.startswith(tuple(arguments.methods))
    }
    versions = ", ".join(f"{each} {version(each)}" for each in ("torch", "onnxruntime", "nncf"))
    print(f"{versions}; {SAMPLES} calibration examples, {arguments.draws} draws of them\n")
    for name in arguments.networks:
        table(NETWORKS[name](), chosen, arguments.draws)


if __name__ == "__main__":
    main()
