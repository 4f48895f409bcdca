"""What the C code of a network costs on a microcontroller, as the command tells it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from conftest import COMMAND, SHARED, call

AD = SHARED / "mlperf-tiny" / "ad01_int8.tflite"
needs_tools = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="no cross compiler or emulator",
)
needs_network = pytest.mark.skipif(not AD.exists(), reason="the published networks are not here")


@needs_tools
@needs_network
def test_bench_counts_instructions_by_layer_and_in_all():
    result = call("bench", AD, "--target", "cortex-m4", "--json")
    assert result.code == 0, result.err
    figures = result.json
    assert figures["macs"] == 264_192
    assert figures["instructions"] > figures["macs"]
    layers = sum(layer["instructions"] for layer in figures["layers"])
    assert layers == pytest.approx(figures["instructions"], rel=0.01)
    assert sum(layer["macs"] for layer in figures["layers"]) == figures["macs"]
    assert figures["instructions_per_mac"] == pytest.approx(figures["instructions"] / figures["macs"])
    assert 0 < figures["stack_bytes"] <= figures["stack_bound_bytes"]
    assert figures["const_bytes"] > 264_192 and 0 < figures["code_bytes"] < 10_000
    assert figures["arena_bytes"] > 0


@needs_tools
@needs_network
def test_bench_takes_a_target_file(tmp_path):
    target = tmp_path / "chip.yaml"
    target.write_text("name: chip\ncore: cortex-m3\nflags: ['-Os']\n")
    result = call("bench", AD, "--target", target, "--json")
    assert result.code == 0, result.err
    assert result.json["target"] == "chip"


def test_bench_names_the_place_of_a_mistake_in_a_target_file(tmp_path):
    target = tmp_path / "chip.yaml"
    target.write_text("core: cortex-m3\nrom: 1MiB\n")
    result = call("bench", tmp_path / "none.tflite", "--target", target)
    assert result.code == 3
    assert "chip.yaml:2:1: unknown key 'rom'" in result.err


def test_bench_lists_the_targets():
    result = call("bench", "--targets", "--json")
    assert result.code == 0
    assert [target["name"] for target in result.json][:2] == ["cortex-m0", "cortex-m3"]


def test_bench_without_a_target_says_where_they_are_listed():
    result = call("bench", AD)
    assert result.code == 2
    assert "bench --targets" in result.err


@needs_network
def test_bench_without_a_compiler_says_how_to_get_one(tmp_path):
    done = subprocess.run(
        [COMMAND, "bench", AD, "--target", "cortex-m4"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 8
    assert "arm-none-eabi-gcc is not in PATH" in done.stderr and "apt-get install" in done.stderr


@needs_network
@pytest.mark.parametrize(
    ("name", "most_bytes"),
    [
        ("mlperf-tiny/kws_ref_model.tflite", 8_192),
        ("mlperf-tiny/pretrainedResnet_quant.tflite", 16_384),
        ("mlperf-tiny/vww_96_int8.tflite", 20_480),
        ("acdnet-published/acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite", 8_192),
    ],
)
def test_published_networks_stream_in_a_few_kilobytes(name, most_bytes, tmp_path):
    export = ["export", SHARED / name, "--out", tmp_path, "--vectors", "0", "--json"]
    streamed = call(*export, "--memory", "stream")
    assert streamed.code == 0, streamed.err
    assert 0 < streamed.json["arena_bytes"] <= most_bytes
    assert call(*export, "--memory", "auto").json["arena_bytes"] == streamed.json["arena_bytes"]
    assert call(*export, "--memory", "whole").json["arena_bytes"] > streamed.json["arena_bytes"]


@needs_tools
@needs_network
def test_bench_measures_a_network_that_streams():
    network = SHARED / "mlperf-tiny" / "kws_ref_model.tflite"
    result = call("bench", network, "--target", "cortex-m4", "--memory", "stream", "--json")
    assert result.code == 0, result.err
    rows = [layer["calls"] for layer in result.json["layers"]]
    assert max(rows) == 25, "every layer of the front makes its rows one by one"
    assert sum(layer["macs"] for layer in result.json["layers"]) == result.json["macs"]


@needs_network
def test_a_network_that_needs_its_whole_input_does_not_stream(tmp_path):
    result = call("export", AD, "--out", tmp_path, "--memory", "stream")
    assert result.code == 4
    assert "memory 'whole' or 'auto'" in result.err
