"""The int8 reference executor against LiteRT's reference kernels: published networks and random operators.

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
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from litert_networks import Converter
from litert_operators import KINDS, OneOperator

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
COUNT = 4


def inputs_for(shape: tuple[int, ...]) -> np.ndarray:
    """Noise at several levels, so that small and saturated activations both occur."""
    generator = np.random.default_rng(7)
    levels = generator.normal(0, 1, (COUNT, *shape[1:])) * np.array([4, 20, 60, 200]).reshape(
        -1, *[1] * (len(shape) - 1)
    )
    return np.clip(np.rint(levels), -128, 127).astype(np.int8)


def litert_activations(path: Path, inputs: np.ndarray, wanted: dict[str, int]) -> dict[str, np.ndarray]:
    interpreter = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
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


def differences(path: Path, folder: Path) -> dict[str, str]:
    """Runs both on the same inputs; how many elements of which activation differ."""
    wanted = Converter(path)
    names = wanted.save(folder / "network.safetensors")
    inputs = inputs_for(tuple(wanted.tensor(wanted.graph.inputs[0]).shape))
    inputs.tofile(folder / "inputs.raw")
    command = [BUILD / "bin" / "qrun", "network.safetensors", "inputs.raw", "outputs.safetensors"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = load_file(folder / "outputs.safetensors")
    theirs = litert_activations(path, inputs, names)
    assert ours.keys() == theirs.keys()
    return {
        name: f"{np.count_nonzero(ours[name] != theirs[name])} of {ours[name].size}"
        for name in ours
        if not np.array_equal(ours[name], theirs[name])
    }


@pytest.mark.parametrize("network", NETWORKS)
def test_every_activation_equals_litert(network: str, tmp_path: Path) -> None:
    path = DATA / network
    if not path.exists():
        pytest.skip("the published networks are not here")
    assert not differences(path, tmp_path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_random_operators_equal_litert(kind, tmp_path: Path) -> None:
    for seed in range(10):
        path = tmp_path / "one.tflite"
        kind(OneOperator(seed), path)
        assert not differences(path, tmp_path), f"seed {seed}"
