#!/usr/bin/env python3
"""Writes docs/zoo.md from what the last runs of the zoo's tests found (zoo.json in the build folder)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "zoo.md"
OUTPUT = "it is the network's output"

INTRODUCTION = """\
# The zoo

{count} architectures that the test suite takes through the library, each with weights in which every channel
matters (random, biases and running statistics away from 0, every layer's output near a deviation of 1):
torchvision's own definitions, small ones written for this test (`tests/zoo/networks/`), the four MLPerf Tiny
networks as TensorFlow Lite files, and ACDNet from the model plugin. For each of them

1. `lc.from_torch` or `lc.load` imports it, and the runtime computes what PyTorch computes,
2. half of every prunable group is removed by two criteria, magnitude and taylor (random data), and at least
   the part of all parameters that the catalog states is gone,
3. the oracle holds: the pruned network's output is that of the original PyTorch module with the removed
   channels' weights, biases and norm parameters set to zero (layer and group norms take their statistics over
   the channels that are left), within 5e-6 of the output's scale in float32,
4. `to_torch()` gives the same network back, and every group that stays says why.

`make test` runs all of them, `make test-quick` a few. One: `.venv/bin/python -m pytest tests/zoo -k unet_3d`.
This page is written by `tests/zoo/table.py` from the last run.

"""

FOUND = """\
## What was found
Groups: prunable ones of all. Left: parameters after 50 % by magnitude, and by taylor. Twin: the largest
difference to the masked original, of the output's scale.
"""

HEAD = """\
| network | parameters | groups | left | left, taylor | twin |
| --- | ---: | ---: | ---: | ---: | ---: |
"""

STAYS = """
## What stays, and why
Besides the outputs of the networks and the classes of a last log-softmax, in the library's words.

| network | groups | reason |
| --- | ---: | --- |
"""


def thousands(number: int) -> str:
    return f"{number:,}"


def row(name: str, found: dict) -> str:
    left = [result["params"] / found["params"] for result in found["results"].values()]
    twin = max(result["twin"] for result in found["results"].values())
    cells = [name, thousands(found["params"]), f"{found['prunable']} of {found['groups']}"]
    cells += [f"{part:.0%}" for part in left] + [f"{twin:.0e}"]
    return "| " + " | ".join(cells) + " |"


def reasons(name: str, found: dict) -> list[str]:
    """Why groups of this network stay, besides being its outputs."""
    return [
        f"| {name} | {count} | {reason} |"
        for reason, count in found["reasons"].items()
        if reason != OUTPUT and not reason.startswith("the softmax 'log_softmax'")
    ]


def page(rows: dict[str, dict]) -> str:
    families: dict[str, list[str]] = {}
    for name, found in rows.items():
        families.setdefault(found["family"], []).append(row(name, found))
    text = INTRODUCTION.format(count=len(rows))
    text += "## What was found\n"
    text += (
        "Groups: prunable ones of all. Left: parameters after 50 % by magnitude, and by taylor. Twin: the\n"
    )
    text += "largest difference to the masked original, of the output's scale.\n"
    for family, lines in families.items():
        text += f"\n### {family[0].upper()}{family[1:]}\n"
        text += HEAD + "\n".join(lines) + "\n"
    why = (line for name, found in rows.items() for line in reasons(name, found))
    return text + STAYS + "\n".join(why) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="build folder")
    found = json.loads((parser.parse_args().build / "zoo.json").read_text())
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
