"""Networks of the catalog in 8 bits: the reference executor, LiteRT's reference kernels and compiled C give
the same bytes, and they are near the float network."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import catalog
import numpy as np
import pytest

pytest.importorskip("libcompress._core", reason="the Python package is not built")
pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import libcompress as lc

#: Least SQNR of the outputs beside float32, dB. Weights are drawn, not trained: deep networks keep less.
NETWORKS = {
    "resnet18": 20,
    "mobilenet_v2": 8,
    "mobilenet_v3_small": 8,
    "efficientnet_b0": 8,
    "squeezenet1_1": 20,
    "se_resnet": 15,
    "ghost_net": 15,
    "shufflenet_v2_x1_0": 8,
    "cifar_resnet_option_a": 15,
    "res2net": 10,
    "hourglass": 10,
    "unet": 15,
    "ds_cnn": 20,
    "channels_to_height": 15,
}
ENTRIES = {entry.name: entry for entry in catalog.load()}
INPUTS = 4
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O1"]


def in_litert(file: Path, inputs: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(str(file), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = source["quantization"]
    made = []
    for example in inputs:
        last = np.moveaxis(example, 0, -1).reshape(source["shape"])
        levels = np.clip(np.round(last / np.float32(scale)) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], levels)
        interpreter.invoke()
        scale_of_result, zero_of_result = result["quantization"]
        levels = interpreter.get_tensor(result["index"]).astype(np.int32) - zero_of_result
        real = levels.astype(np.float32) * np.float32(scale_of_result)
        made.append((np.moveaxis(real[0], -1, 0) if real.ndim == 4 else real).ravel())
    return np.stack(made)


def run_c(folder: Path) -> None:
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    sources = sorted(path.name for path in folder.glob("network*.c"))
    subprocess.run(
        [compiler, *STRICT, *sources, "-o", "network"], cwd=folder, check=True, capture_output=True
    )
    done = subprocess.run(["./network"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NETWORKS)
def test_it_gives_the_same_bytes_everywhere(name, tmp_path):
    entry = ENTRIES[name]
    network, inputs = entry.network(), entry.inputs()
    model = lc.from_torch(network, inputs)
    examples = np.concatenate([each.numpy() for each in inputs])[:INPUTS]
    quantized = model.quantize(examples, adaround=False)
    found, exact = quantized.run(examples), model.run(examples)
    error = np.square(found.ravel() - exact.ravel()).sum()
    assert 10 * np.log10(np.square(exact).sum() / error) > NETWORKS[name]

    quantized.export(tmp_path, "tflite", vectors=0)
    assert np.array_equal(in_litert(tmp_path / "network.tflite", examples), found.reshape(len(examples), -1))
    quantized.export(tmp_path / "c", "c", vectors=2)
    run_c(tmp_path / "c")
