"""Random 8-bit networks, written as .tflite: our reference executor makes the bytes of LiteRT's reference
kernels, or of TensorFlow Lite Micro where a network has that rounding profile.
tests/export/random_graphs_test.cpp says the same of the exported C, for the same seeds.

LIBCOMPRESS_GRAPHS asks for more networks. A failure names its seeds; one alone: LIBCOMPRESS_FIRST=SEED
LIBCOMPRESS_GRAPHS=1.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from test_litert_reference import BUILD

FIRST = int(os.environ.get("LIBCOMPRESS_FIRST", "0"))
GRAPHS = int(os.environ.get("LIBCOMPRESS_GRAPHS", "360"))  # a third of them has the other profile
INPUTS = 50


def litert_outputs(path: Path, inputs: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    made = []
    for example in inputs:
        interpreter.set_tensor(source["index"], example.reshape(source["shape"]))
        interpreter.invoke()
        parts = [interpreter.get_tensor(each["index"]).ravel() for each in interpreter.get_output_details()]
        made.append(np.concatenate(parts))
    return np.stack(made)


def micro_outputs(path: Path, inputs: np.ndarray) -> np.ndarray:
    micro = pytest.importorskip("tflite_micro")
    interpreter = micro.runtime.Interpreter.from_file(str(path))
    shape = interpreter.get_input_details(0)["shape"]
    count = len(Interpreter(str(path)).get_output_details())
    made = []
    for example in inputs:
        interpreter.set_input(example.reshape(shape), 0)
        interpreter.invoke()
        made.append(np.concatenate([interpreter.get_output(i).ravel() for i in range(count)]))
    return np.stack(made)


@pytest.fixture(scope="module", params=["8 bits", "some of 16 bits"])
def networks(request, tmp_path_factory) -> tuple[Path, dict[int, str]]:
    """A folder of networks, and the profile of each by its seed."""
    folder = tmp_path_factory.mktemp("networks")
    wide = [] if request.param == "8 bits" else ["wide"]
    command = [BUILD / "bin" / "qrandom", folder, str(FIRST), str(GRAPHS), str(INPUTS), *wide]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    refused = [text for _, text in lines if text.startswith("refused")]
    assert all("an average over another padding" in text for text in refused), refused
    return folder, {int(seed): text for seed, text in lines if not text.startswith("refused")}


@pytest.mark.parametrize("profile", ["litert", "tflite-micro"])
def test_random_networks_make_the_bytes_of_the_golden_kernels(networks, profile):
    folder, profiles = networks
    outputs_of = litert_outputs if profile == "litert" else micro_outputs
    seeds = [seed for seed, text in profiles.items() if text == profile]
    different = []
    for seed in seeds:
        inputs = np.fromfile(folder / f"{seed}.inputs", np.int8).reshape(INPUTS, -1)
        expected = np.fromfile(folder / f"{seed}.outputs", np.int8).reshape(INPUTS, -1)
        if not np.array_equal(outputs_of(folder / f"{seed}.tflite", inputs), expected):
            different.append(seed)
    assert not different
    if profile == "litert" and GRAPHS >= 360:
        assert len(seeds) >= 200  # others have the other profile, or pools that the format cannot say
