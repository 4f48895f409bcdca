"""From a float model and examples of its input to an int8 network."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from libcompress import _core
from libcompress.errors import error
from libcompress.model import Model


class QuantizedModel:
    """An int8 network, as the reference executor runs it: to the bit what the exported C computes."""

    def __init__(
        self,
        core: _core.Quantized,
        folded: Model | None = None,
        width_search: _core.WidthSearch | None = None,
    ):
        self.core = core
        #: How `int16_sqnr` chose nodes for 16 bits, None without it; `str()` of it is a table.
        self.width_search = width_search
        #: The float model that it stands for, value by value; None where it was loaded from a file.
        self.folded = folded

    @property
    def name(self) -> str:
        return self.core.name

    @property
    def profile(self) -> str:
        """Whose kernels it rounds like: `litert` or `tflite-micro`."""
        return self.core.profile

    @property
    def macs(self) -> int:
        return self.core.macs

    @property
    def constant_bytes(self) -> int:
        """Of weights and biases."""
        return self.core.constant_bytes

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """The first output, float32 [batch, elements], for float32 inputs [batch, ...]."""
        return self.core.run(np.asarray(inputs))

    def compare(self, inputs: np.ndarray, model: Model | None = None) -> _core.NetworkDifference:
        """How far each layer is from the float network's; `str()` of it is a table."""
        model = model or self.folded
        if model is None:
            raise error("usage", "compare", "an int8 network from a file", "the float model beside it")
        return _core.compare(model.core, self.core, np.asarray(inputs))

    def sensitivity(self, inputs: np.ndarray) -> list[_core.LayerSensitivity]:
        """What each layer alone costs the output: the rest of the network stays in float32."""
        if self.folded is None:
            raise error("usage", "sensitivity", "an int8 network from a file", "one that `quantize` made")
        return _core.sensitivity(self.folded.core, self.core, np.asarray(inputs))

    def save(self, path: str | os.PathLike) -> None:
        """As the quantized.safetensors of a run, which the command exports as C."""
        self.core.save(path)

    def export(
        self, folder: str | os.PathLike, to: str = "c", *, name: str = "network", vectors: int = 8
    ) -> list[Path]:
        """The files that an exporter (`lc.plugins("exporter")`) makes of it, written into `folder`.

        `name`, a C identifier, opens their names. C code brings a test program with that many test vectors.
        """
        return [Path(path) for path in self.core.export(folder, to, name, vectors)]

    def to_text(self) -> str:
        """One line a node."""
        return self.core.to_text()

    def __repr__(self) -> str:
        return (
            f"<QuantizedModel {self.name}: {self.macs:,} multiply-accumulates, {self.constant_bytes:,} bytes>"
        )


def quantize(
    model: Model,
    inputs: np.ndarray | Sequence[np.ndarray] | str | os.PathLike,
    *,
    profile: str | None = None,
    observer: str | None = None,
    percentile: float | None = None,
    observers: Mapping[str, str] | None = None,
    per_tensor: Sequence[str] = (),
    int16: Sequence[str] = (),
    int16_sqnr: float | None = None,
    equalize: bool | None = None,
    bias_correction: bool | None = None,
    adaround: bool | None = None,
    fine_tune: Mapping[str, object] | None = None,
    training: tuple[np.ndarray, np.ndarray] | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    seed: int = 1,
) -> QuantizedModel:
    """The int8 network of `model`, calibrated on `inputs`.

    `inputs` are real examples: an array [count, ...], a sequence of batches, or an .npy or .npz file of them.
    `profile` says whose kernels it is rounded like: `litert` or `tflite-micro`.
    `observer` finds the ranges of activations (`lc.plugins("observer")`), and `observers` names others by
    patterns (*, ?) of nodes. Weights have a scale an output channel, but those of nodes that match
    `per_tensor` share one.

    Nodes that match `int16` read and make activations of 16 bits. `int16_sqnr` gives them to as many further
    nodes as the output needs for this signal to noise beside float32, in dB; the result's `width_search`
    tells what each is worth.

    Three repairs for hard networks: `equalize` brings channels of consecutive layers to like ranges,
    `bias_correction` gives each channel the mean back that it lost, and `adaround`
    rounds weights so that the output of their layer changes least. What is None is as in
    a recipe that says nothing of it.

    `fine_tune` trains the network as 8 bits compute it, on `training`: inputs [count, ...] and targets, which
    are the numbers of classes [count] or probabilities [count, classes]. It holds the settings of a recipe's
    `quantize.fine_tune`: `{"epochs": 10, "learning_rate": 1e-3, "distillation": {}}`. The best epoch on
    `validation` is kept, without it the last one. The same `seed` and number of threads give the same
    weights. The model's outputs are scores of classes.
    """
    options = _options(fine_tune)
    chosen = {
        "profile": profile,
        "observer": observer,
        "percentile": percentile,
        "equalize": equalize,
        "bias_correction": bias_correction,
        "adaround": adaround,
        "int16_sqnr": int16_sqnr,
    }
    for name, value in chosen.items():
        if value is not None:
            setattr(options, name, value)
    options.observers = [f"{pattern}={name}" for pattern, name in (observers or {}).items()]
    options.per_tensor = list(per_tensor)
    options.int16 = list(int16)
    core, folded, search = _core.quantize(
        model.core, _examples(inputs), options, _training(model, fine_tune, training, validation, seed)
    )
    return QuantizedModel(core, Model.of(folded), search)


def load_quantized(path: str | os.PathLike, profile: str = "litert") -> QuantizedModel:
    """An int8 network that `save` or a run wrote, or one of an int8 .tflite file.

    Of a .tflite file, `profile` says whose kernels round alike: `litert` or `tflite-micro`.
    """
    return QuantizedModel(_core.load_quantized(path, profile))


def _options(fine_tune: Mapping[str, object] | None) -> _core.QuantizeOptions:
    if fine_tune is None:
        return _core.QuantizeOptions()
    try:
        text = json.dumps(dict(fine_tune))
    except (TypeError, ValueError):
        raise error(
            "usage",
            "fine_tune",
            repr(fine_tune),
            "a dict of numbers, texts and lists",
            "see docs/recipes.md, quantize.fine_tune",
        ) from None
    return _core.QuantizeOptions.with_fine_tune(text)


def _training(model: Model, fine_tune, training, validation, seed: int) -> _core.Training:
    if (fine_tune is None) != (training is None):
        raise error(
            "usage",
            "quantize",
            "training without fine_tune" if fine_tune is None else "fine_tune without training",
            "both or none",
            "fine_tune={'epochs': 10}, training=(inputs, targets)",
        )
    made = _core.Training()
    made.seed = seed
    if training is not None:
        made.train = _labelled(model, "training", training)
    if validation is not None:
        made.validation = _labelled(model, "validation", validation)
    return made


def _labelled(model: Model, where: str, pair) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise error("usage", where, f"a {type(pair).__name__}", "a pair (inputs, targets)")
    inputs, targets = map(np.asarray, pair)
    if targets.ndim != 1:
        return inputs, targets
    classes = math.prod(model.outputs[0].shape[1:])
    if targets.dtype.kind not in "iu" or (len(targets) and not 0 <= targets.min() <= targets.max() < classes):
        raise error("usage", f"targets of {where}", f"{targets!r}", f"whole numbers from 0 to {classes - 1}")
    return inputs, np.eye(classes, dtype=np.float32)[targets]


def _examples(inputs: np.ndarray | Sequence[np.ndarray] | str | os.PathLike) -> np.ndarray:
    if isinstance(inputs, str | os.PathLike):
        return _from_file(Path(inputs))
    if isinstance(inputs, np.ndarray):
        return inputs
    if not isinstance(inputs, Iterable):
        raise error("usage", "calibration inputs", repr(inputs), "an array, batches, or an .npy or .npz file")
    return _joined([np.asarray(batch) for batch in inputs], "calibration inputs")


def _from_file(path: Path) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            arrays = [found[name] for name in found.files]
    except OSError as reason:
        raise error("io", str(path), f"cannot read: {reason.strerror or reason}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as reason:
        raise error("input", str(path), "no arrays of numbers", "an .npy or .npz file", str(reason)) from None
    return _joined(arrays, str(path))


def _joined(batches: list[np.ndarray], where: str) -> np.ndarray:
    shapes = {batch.shape[1:] for batch in batches}
    if len(shapes) > 1 or any(batch.ndim == 0 for batch in batches):
        raise error(
            "input",
            where,
            "batches of shapes " + ", ".join(str(list(each.shape)) for each in batches[:4]),
            "batches that agree but for their count",
        )
    return np.concatenate(batches) if batches else np.empty(0)
