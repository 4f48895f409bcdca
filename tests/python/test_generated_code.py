"""The C of the published networks: clean under strict warnings of three compilers, and under sanitizers."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from conftest import SHARED, call, must

NETWORKS = [
    "acdnet-published/acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite",
    "mlperf-tiny/ad01_int8.tflite",
    "mlperf-tiny/kws_ref_model.tflite",
    "mlperf-tiny/pretrainedResnet_quant.tflite",
    "mlperf-tiny/vww_96_int8.tflite",
]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror"]

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the published networks are not here")
every_form = pytest.mark.parametrize("target", ["cortex-m3", "cortex-m4", "cortex-m55"])
both_memories = pytest.mark.parametrize("memory", ["whole", "auto"])
every_network = pytest.mark.parametrize("network", NETWORKS)


def exported(network: str, target: str, memory: str, folder, vectors: int) -> list:
    """The sources; kernels of an extension have plain C for other processors."""
    order = ["--target", target, "--memory", memory, "--vectors", vectors, "--name", "sound"]
    result = call("export", SHARED / network, "--out", folder, *order)
    assert result.code == 0, result.err
    return sorted(folder.glob("*.c"))


def compilers(target: str) -> list[list[str]]:
    floats = ["-mfloat-abi=hard"] if target == "cortex-m55" else []
    known = [["gcc"], ["clang-14"], ["arm-none-eabi-gcc", f"-mcpu={target}", "-mthumb", *floats]]
    return [compiler for compiler in known if shutil.which(compiler[0])]


@both_memories
@every_form
@every_network
def test_no_compiler_warns_of_the_code(network, target, memory, tmp_path):
    sources = exported(network, target, memory, tmp_path, vectors=0)
    for compiler in compilers(target):
        must(*compiler, *STRICT, "-fsyntax-only", f"-I{tmp_path}", *sources)


@pytest.mark.skipif(not shutil.which("gcc"), reason="no compiler")
@both_memories
@every_form
@every_network
def test_no_sanitizer_finds_anything_and_the_bytes_are_right(network, target, memory, tmp_path):
    sources = exported(network, target, memory, tmp_path, vectors=1)
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    must("gcc", "-O1", "-std=c99", *sanitize, f"-I{tmp_path}", *sources, "-o", tmp_path / "test")
    done = subprocess.run([tmp_path / "test"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
