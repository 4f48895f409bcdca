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


LEVELS = ["-O0", "-Og -g", "-O1", "-Os", "-O3", "-O2 -fno-omit-frame-pointer -DLOOPS_IN_ASSEMBLY=0"]


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no cross compiler")
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("network", ["mlperf-tiny/ad01_int8.tflite", "mlperf-tiny/kws_ref_model.tflite"])
def test_a_compiler_finds_registers_at_every_level(network, target, tmp_path):
    kernels = next(each for each in exported(network, target, "whole", tmp_path, 0) if "kernels" in each.name)
    compiler = next(each for each in compilers(target) if each[0].startswith("arm"))
    for level in LEVELS:
        must(*compiler, *STRICT, *level.split(), "-c", kernels, "-o", tmp_path / "kernels.o")


@pytest.mark.skipif(not (shutil.which("clang-14") and shutil.which("arm-none-eabi-gcc")), reason="no clang")
def test_clang_compiles_the_kernels_for_a_cortex_m4(tmp_path):
    sources = exported("mlperf-tiny/kws_ref_model.tflite", "cortex-m4", "whole", tmp_path, 0)
    kernels = next(each for each in sources if "kernels" in each.name)
    arm = ["--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-isystem", "/usr/lib/arm-none-eabi/include"]
    for level in ("-O0", "-O2"):
        must("clang-14", *arm, *STRICT, level, "-c", kernels, "-o", tmp_path / "kernels.o")


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
