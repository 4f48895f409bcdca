"""The example of a firmware that listens: built for a Cortex-M4, run in QEMU, held to the reference."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SHARED, call, must

import libcompress as lc

ACDNET = SHARED / "acdnet-published" / "acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite"

pytestmark = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="no cross compiler or emulator",
)


class Firmware:
    """The example around a network, and what the reference executor says of the same sound."""

    def __init__(self, network: Path, folder: Path):
        exported = call(
            *("export", network, "--out", folder / "c", "--name", "sound"),
            *("--memory", "stream", "--target", "cortex-m4", "--vectors", "0"),
        )
        assert exported.code == 0, exported.err
        self.folder = folder
        self.reference = lc.load_quantized(network)
        self.header = (folder / "c" / "sound.h").read_text()
        self.samples = int(self.macro("ROW_COUNT"))
        self.scale = np.float32(self.macro("INPUT_SCALE").rstrip("f"))
        self.zero_point = int(self.macro("INPUT_ZERO_POINT").strip("()"))
        self._build()

    def macro(self, name: str) -> str:
        return re.search(rf"#define SOUND_{name} (\S+)", self.header).group(1)

    def _build(self) -> None:
        source, toolchain = (
            ROOT / "examples" / "firmware_stream",
            self.folder / "c" / "cortex-m4" / "toolchain.cmake",
        )
        must(
            *(
                "cmake",
                "-S",
                source,
                "-B",
                self.folder / "build",
                "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON",
                "-DNAME=sound",
            ),
            *(f"-DNETWORK={self.folder / 'c'}", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"),
        )
        must("cmake", "--build", self.folder / "build")

    def hear(self, clip: np.ndarray) -> subprocess.CompletedProcess:
        sound = self.folder / "clip.raw"
        sound.write_bytes(clip.astype("<i2").tobytes())
        return subprocess.run(
            [
                *(
                    "qemu-system-arm",
                    "-M",
                    "mps2-an386",
                    "-nographic",
                    "-kernel",
                    self.folder / "build" / "firmware",
                ),
                *("-semihosting-config", f"enable=on,target=native,arg=firmware,arg={sound}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where QEMU writes what the board prints
            text=True,
            timeout=120,
        )

    def expected(self, clip: np.ndarray) -> str:
        """The line that the firmware prints."""
        windows = -(-len(clip) // self.samples)
        steps = np.pad(clip, (0, windows * self.samples - len(clip))).astype(np.float32)
        steps *= np.float32(1.0 / 32768.0) / self.scale
        whole = np.trunc(steps + np.copysign(np.float32(0.5), steps)) + self.zero_point
        real = (np.clip(whole, -128, 127) - self.zero_point).astype(np.float32) * self.scale
        answers = self.reference.run(real.reshape(windows, 1, 1, self.samples))
        winner = answers.reshape(windows, -1).sum(axis=0).argmax()
        return f"class {winner} after {windows} window{'s' if windows > 1 else ''}\n"


def noise(samples: int, seed: int) -> np.ndarray:
    """A clip whose loudness changes, so that windows differ."""
    random = np.random.default_rng(seed)
    loudness = np.exp(random.uniform(4, 10)) * np.abs(np.sin(np.linspace(0, random.uniform(1, 20), samples)))
    return np.clip(random.normal(size=samples) * loudness, -32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def tiny_firmware(tiny_run, tmp_path_factory) -> Firmware:
    return Firmware(tiny_run / "quantized.safetensors", tmp_path_factory.mktemp("firmware"))


@pytest.mark.parametrize("windows", [0.001, 0.7, 1, 2.5])
def test_the_firmware_tells_the_class_of_a_clip_of_any_length(tiny_firmware, windows):
    clip = noise(int(windows * tiny_firmware.samples), seed=int(windows * 10))
    heard = tiny_firmware.hear(clip)
    assert heard.stdout == tiny_firmware.expected(clip)
    assert heard.returncode == 0


def test_different_sounds_are_told_apart_as_the_reference_does(tiny_firmware):
    clips = [noise(tiny_firmware.samples, seed) for seed in range(12)]
    expected = [tiny_firmware.expected(clip) for clip in clips]
    assert [tiny_firmware.hear(clip).stdout for clip in clips] == expected
    assert len(set(expected)) > 1, "the sounds of this test are all of one class"


def test_the_firmware_says_that_there_is_nothing_to_hear(tiny_firmware):
    heard = tiny_firmware.hear(np.zeros(0, np.int16))
    assert (heard.returncode, heard.stdout) == (1, "the sound is empty\n")


@pytest.mark.skipif(not ACDNET.exists(), reason="the published networks are not here")
def test_the_firmware_hears_with_acdnet_in_less_than_8_kilobytes(tmp_path):
    firmware = Firmware(ACDNET, tmp_path)
    clip = noise(2 * firmware.samples - 5_000, seed=3)
    assert firmware.hear(clip).stdout == firmware.expected(clip)
    sizes = must("arm-none-eabi-size", firmware.folder / "build" / "firmware").splitlines()[1].split()
    assert int(sizes[1]) + int(sizes[2]) < 8 * 1024, "variables beside the stack"


def test_a_folder_without_the_network_is_told_by_its_name(tmp_path):
    source = ROOT / "examples" / "firmware_stream"
    done = subprocess.run(
        ["cmake", "-S", source, "-B", tmp_path, f"-DNETWORK={tmp_path}", "-DNAME=none"],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "no none.h in" in done.stderr and "-DNETWORK=FOLDER" in done.stderr
