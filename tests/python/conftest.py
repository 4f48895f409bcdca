"""What the tests of the command share: the program, a recipe that takes seconds, a way to run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release"))
COMMAND = BUILD / "bin" / "libcompress"
sys.path.insert(0, str(BUILD / "python"))  # the package libcompress
SHARED = ROOT.parent / "shared" / "data"

TINY = """\
version: 1
name: tiny
seed: 3
threads: 2
model:
  plugin: acdnet
  options:
    classes: 10
    sample_rate: 8000
    input_length: 4000
    channels: [4, 8, 6, 8, 8, 10, 10, 12, 12, 16, 16, 10]
data:
  plugin: sounds
  options: {sample_rate: 8000, input_length: 4000, clip_seconds: 0.75, crops: 2, train_clips: 6,
            validation_clips: 2, test_clips: 3}
train: {epochs: 2, batch_size: 16, learning_rate: 0.05}
prune:
  criterion: {plugin: taylor}
  strategy: {plugin: hybrid, options: {sparsity: 0.5, sparsify_epochs: 1, schedule: linear, steps: 2}}
  budget: {params: 40%}
  tolerance: 2%
  fine_tune: {epochs: 2, batch_size: 16, learning_rate: 0.02}
quantize: {observer: percentile, samples: 8}
export: {plugin: c, also: [tflite, onnx_qdq], name: tiny_net}
verify: {vectors: 2, microcontroller: auto}
"""


class Result:
    """What one call of the command did."""

    def __init__(self, done: subprocess.CompletedProcess):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self):
        return json.loads(self.out)


def call(*arguments, **settings) -> Result:
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments)], capture_output=True, text=True, timeout=900, **settings
    )
    return Result(done)


@pytest.fixture(scope="session", autouse=True)
def _command_is_built():
    if not COMMAND.exists():
        pytest.skip("the command is not built", allow_module_level=True)


@pytest.fixture
def tiny(tmp_path) -> Path:
    """A recipe of its own for each test, with all steps and a few seconds of work."""
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(TINY)
    return recipe


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """A finished run of the tiny recipe; tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.yaml").write_text(TINY)
    result = call("run", folder / "tiny.yaml", "--out", folder / "run")
    assert result.code == 0, result.err
    return folder / "run"


def must(*command) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory) -> Path:
    """The library as `cmake --install` leaves it."""
    prefix = tmp_path_factory.mktemp("installed")
    must("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


@pytest.fixture(scope="session")
def peak(installed, tmp_path_factory) -> Path:
    """The example's shared object, built as its README says."""
    folder = tmp_path_factory.mktemp("own_criterion")
    must(
        "cmake",
        "-S",
        ROOT / "examples" / "own_criterion" / "shared_object",
        "-B",
        folder,
        f"-DCMAKE_PREFIX_PATH={installed}",
    )
    must("cmake", "--build", folder)
    return folder / "peak.so"
