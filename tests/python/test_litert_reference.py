"""int8 .tflite files, read and run by the reference executor, against LiteRT's reference kernels: published
networks and random operators.

LiteRT runs with BUILTIN_REF: its optimized kernels and XNNPACK, the default, differ from it by one in places.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

pytest.importorskip("ai_edge_litert")
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from litert_operators import KINDS, MICRO_KINDS, OneOperator
from tflite_files import TfliteFile

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT.parent / "shared" / "data"
BUILD = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release"))
NETWORKS = [
    "acdnet-published/acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite",
    "mlperf-tiny/ad01_int8.tflite",
    "mlperf-tiny/pretrainedResnet_quant.tflite",
    "mlperf-tiny/kws_ref_model.tflite",
    "mlperf-tiny/vww_96_int8.tflite",
]
COUNT = int(os.environ.get("LIBCOMPRESS_INPUTS", "4"))  # of large inputs, which take a while
SMALL, SMALL_COUNT = 1000, 200  # up to so many elements


def inputs_for(shape: tuple[int, ...]) -> np.ndarray:
    """Noise at several levels, so that small and saturated activations both occur."""
    generator = np.random.default_rng(7)
    count = max(COUNT, SMALL_COUNT) if np.prod(shape) <= SMALL else COUNT
    levels = np.resize([4, 20, 60, 200], count).reshape(-1, *[1] * (len(shape) - 1))
    levels = levels * generator.normal(0, 1, (count, *shape[1:]))
    return np.clip(np.rint(levels), -128, 127).astype(np.int8)


def activations_of(path: Path) -> dict[str, int]:
    """The file's tensors by the names that their values have; a name of several is of none."""
    graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).subgraphs[0]
    made = [*graph.inputs, *(index for operator in graph.operators for index in operator.outputs)]
    names = {index: graph.tensors[index].name.decode().split(";")[0] for index in made}
    return {name: index for index, name in names.items() if list(names.values()).count(name) == 1}


def litert_activations(path: Path, inputs: np.ndarray, wanted: dict[str, int]) -> dict[str, np.ndarray]:
    codes = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).operatorCodes
    without_reference = any(code.builtinCode == schema.BuiltinOperator.ELU for code in codes)
    reference, optimized = OpResolverType.BUILTIN_REF, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        str(path),
        experimental_op_resolver_type=optimized if without_reference else reference,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    collected: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    for example in inputs:
        interpreter.set_tensor(index, example[np.newaxis])
        interpreter.invoke()
        for name, tensor in wanted.items():
            collected[name].append(interpreter.get_tensor(tensor)[0].copy())
    return {name: np.stack(arrays) for name, arrays in collected.items()}


def our_activations(
    path: Path, inputs: np.ndarray, folder: Path, profile: str = "litert"
) -> dict[str, np.ndarray]:
    inputs.tofile(folder / "inputs.raw")
    command = [BUILD / "bin" / "qrun", path, "inputs.raw", "outputs.safetensors", profile]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(folder / "outputs.safetensors")


def inputs_of(path: Path) -> np.ndarray:
    graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).subgraphs[0]
    return inputs_for(tuple(graph.tensors[graph.inputs[0]].shape))


def differences(path: Path, folder: Path) -> dict[str, str]:
    """Runs both on the same inputs; how many elements of which activation differ."""
    inputs = inputs_of(path)
    ours = our_activations(path, inputs, folder)
    wanted = activations_of(path)
    theirs = litert_activations(path, inputs, wanted)
    assert set(wanted) <= set(ours)
    return {
        name: f"{np.count_nonzero(ours[name] != theirs[name])} of {ours[name].size}"
        for name in wanted
        if not np.array_equal(ours[name], theirs[name])
    }


@pytest.mark.parametrize("network", NETWORKS)
def test_every_activation_equals_litert(network: str, tmp_path: Path) -> None:
    path = DATA / network
    if not path.exists():
        pytest.skip("the published networks are not here")
    assert not differences(path, tmp_path)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_output_equals_tensorflow_lite_micro(network: str, tmp_path: Path) -> None:
    micro = pytest.importorskip("tflite_micro")
    path = DATA / network
    if not path.exists():
        pytest.skip("the published networks are not here")
    inputs = inputs_of(path)
    graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).subgraphs[0]
    output = graph.tensors[graph.outputs[0]].name.decode().split(";")[0]
    ours = our_activations(path, inputs, tmp_path, "tflite-micro")[output]
    interpreter = micro.runtime.Interpreter.from_file(str(path))
    for example, expected in zip(inputs, ours, strict=True):
        interpreter.set_input(example[np.newaxis], 0)
        interpreter.invoke()
        assert np.array_equal(interpreter.get_output(0)[0], expected)


@pytest.mark.parametrize("kind", MICRO_KINDS, ids=lambda kind: kind.__name__)
def test_random_operators_equal_tensorflow_lite_micro(kind, tmp_path: Path) -> None:
    micro = pytest.importorskip("tflite_micro")
    for seed in range(5):
        path = tmp_path / "one.tflite"
        kind(OneOperator(seed), path)
        inputs = inputs_of(path)[:40]
        graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0).subgraphs[0]
        output = graph.tensors[graph.outputs[0]].name.decode()
        ours = our_activations(path, inputs, tmp_path, "tflite-micro")[output]
        interpreter = micro.runtime.Interpreter.from_file(str(path))
        for example, expected in zip(inputs, ours, strict=True):
            interpreter.set_input(example[np.newaxis], 0)
            interpreter.invoke()
            assert np.array_equal(interpreter.get_output(0)[0], expected), f"seed {seed}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_random_operators_equal_litert(kind, tmp_path: Path) -> None:
    for seed in range(10):
        path = tmp_path / "one.tflite"
        kind(OneOperator(seed), path)
        assert not differences(path, tmp_path), f"seed {seed}"


class Movements(TfliteFile):
    """An int8 image and what is taken of it; every tensor has its scale."""

    def __init__(self, shape):
        super().__init__()
        self.inputs = [self.image(shape, "x")]

    def image(self, shape, name: str) -> int:
        return self.quantize(self.add_tensor(shape, "int8", name=name), 0.1, 3)

    def take(self, shape, begin, end, step, **masks) -> None:
        options = schema.StridedSliceOptionsT()
        for name, bits in masks.items():
            setattr(options, name, bits)
        lists = [self.constant(numbers, np.int32) for numbers in (begin, end, step)]
        self.outputs.append(self.image(shape, f"taken{len(self.outputs)}"))
        self.add_operator(
            schema.BuiltinOperator.STRIDED_SLICE, [self.inputs[0], *lists], self.outputs[-1:], options, 2
        )

    def split(self, shape, axis: int, parts: int) -> None:
        options = schema.SplitOptionsT()
        options.numSplits = parts
        made = [self.image(shape, f"part{i}") for i in range(parts)]
        self.add_operator(
            schema.BuiltinOperator.SPLIT, [self.constant(axis, np.int32), self.inputs[0]], made, options, 2
        )
        self.outputs += made


def test_slices_with_masks_and_splits_equal_litert(tmp_path: Path) -> None:
    file = Movements([1, 6, 8, 4])
    file.take([1, 3, 7, 4], [0, 5, 1, 0], [1, 0, 0, 4], [1, -2, 1, 1], beginMask=0b1000, endMask=0b1100)
    file.take([1, 6, 3, 4], [0, 0, -1, 0], [1, 6, -4, 4], [1, 1, -1, 1], beginMask=0b1011, endMask=0b0011)
    file.take([1, 8, 4], [0, -2, 0, 0], [1, 0, 8, 4], [1, 1, 1, 1], shrinkAxisMask=0b0010)
    file.take([1, 6], [0, 0, 3, 1], [1, 6, 4, 2], [1, 1, 1, 1], shrinkAxisMask=0b1100)
    file.split([1, 6, 4, 4], -2, 2)
    path = tmp_path / "moves.tflite"
    file.save(path)
    assert not differences(path, tmp_path)
