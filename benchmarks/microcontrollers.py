#!/usr/bin/env python3
"""Prints the tables of docs/microcontrollers.md: what the C code of the published 8-bit networks costs."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
NETWORKS = {
    "ACDNet-20": "acdnet-published/acdnet20_20khz_fold4.h5_int8_esc50_fold4.tflite",
    "KWS DS-CNN": "mlperf-tiny/kws_ref_model.tflite",
    "ResNet-8": "mlperf-tiny/pretrainedResnet_quant.tflite",
    "VWW MobileNetV1 0.25": "mlperf-tiny/vww_96_int8.tflite",
    "AD autoencoder": "mlperf-tiny/ad01_int8.tflite",
}
TARGETS = ["cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"]


def bench(command: Path, network: Path, target: str, options: list[str]) -> dict:
    arguments = [command, "bench", network, "--target", target, "--json", *options]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


def row(name: str, target: str, figures: dict) -> str:
    cells = [
        name,
        target.removeprefix("cortex-").upper(),
        f"{figures['instructions'] / 1e6:.2f} M",
        f"{figures['instructions_per_mac']:.2f}",
        *(f"{figures[key]:,}" for key in ["arena_bytes", "stack_bytes", "code_bytes", "const_bytes"]),
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", type=Path, default=ROOT / "build/release/bin/libcompress")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the published networks")
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    parser.add_argument("options", nargs="*", help="more options of `libcompress bench`, behind --")
    arguments = parser.parse_args()
    print("| network | core | instructions | per MAC | arena, B | stack, B | code, B | constants, B |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, file in NETWORKS.items():
        for target in arguments.targets:
            figures = bench(arguments.command, arguments.data / file, target, arguments.options)
            print(row(name, target, figures), flush=True)


if __name__ == "__main__":
    main()
