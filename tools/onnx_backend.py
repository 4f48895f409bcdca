#!/usr/bin/env python3
"""Runs ONNX's own node tests and writes docs/onnx-backend-tests.md.

The tests come with the package onnx; the program onnx_backend (tests/runtime) runs them. Each is passed,
failed or skipped; a skip has one of the reasons below.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import onnx

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "onnx-backend-tests.md"
TESTS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"

OTHER_OPERATOR = "uses an operator outside the table"
REASONS = {
    OTHER_OPERATOR: r"an operator that is not supported",
    "belongs to another domain (ai.onnx.ml, training)": r"no opset of the standard|operator of the domain",
    "uses an opset before 7": r"opset \d+; allowed",
    "uses control flow": r"control flow",
    "reads or makes sequences, maps or optionals": r"a sequence, a map or an optional|input that is left out",
    "is of training mode": r"training_mode",
    "holds text, 8-bit or 4-bit floats, or 4-bit integers": r"elements of (string|type \d+|complex)",
    "casts computed values to integers or text": r"a cast to",
    "asks for the indices of a max pool or the mask of a dropout": r"(MaxPool|Dropout)\): its output 1 in",
    "works on tensors without elements": r"of extent 0|nothing left of axis|extents of 1 or more",
    "cuts three axes into heads, or shares keys between heads": r"\(Attention\): (queries|\d+ heads)",
    "reduces booleans": r"booleans as input",
    "scatters computed values": r"\(ScatterND\): inputs that are computed",
}


@dataclass(frozen=True)
class Result:
    """What became of one test."""

    name: str
    status: str  # pass, skip, fail
    detail: str  # how it passed, or why it did not

    @property
    def reason(self) -> str | None:
        """Of a skip: the first of REASONS that explains it."""
        return next((reason for reason, pattern in REASONS.items() if re.search(pattern, self.detail)), None)

    @property
    def operator(self) -> str:
        """The operator that is not in the table."""
        return re.search(r"\('?(\w+)'?\): an operator", self.detail).group(1)


def run(program: Path) -> list[Result]:
    folders = sorted(each for each in TESTS.iterdir() if (each / "model.onnx").exists())
    done = subprocess.run([program, *folders], check=True, capture_output=True, text=True, timeout=900)
    return [Result(*line.split("\t")) for line in done.stdout.splitlines()]


def _operators(name: str) -> set[str]:
    return {node.op_type for node in onnx.load(TESTS / name / "model.onnx").graph.node}


def _wrapped(words: list[str]) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > 108:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{word}"
    return [line + ("," if line is not lines[-1] else "") for line in lines]


def page(results: list[Result]) -> str:
    """The whole document."""
    count = Counter(each.status for each in results)
    how = Counter(each.detail for each in results if each.status == "pass")
    skipped = defaultdict(list)
    for each in results:
        if each.status == "skip":
            skipped[each.reason].append(each)
    lines = [
        "# ONNX's backend tests",
        "",
        f"The package onnx {onnx.__version__} brings {len(results)} tests of single operators and of the",
        "graphs that its functions expand to. `tests/runtime/onnx_backend.cpp` reads each file, feeds its",
        "inputs and compares its outputs, with a relative tolerance of 1e-3 and an absolute one of 1e-7, as",
        "ONNX does (1/128 for bfloat16). Inputs that are not floats are bound as constants.",
        "`tools/onnx_backend.py` writes this page (`make docs`); a test holds that it is current and that",
        "nothing fails.",
        "",
        "| outcome | tests |",
        "| --- | --- |",
        f"| passed | {count['pass']} |",
        *(f"| ... {detail} | {number} |" for detail, number in sorted(how.items())),
        f"| failed | {count['fail']} |",
        f"| skipped | {count['skip']} |",
        "",
        "`run` feeds every float input while the network runs; `run with constant weights` binds all but the",
        "first, where an operator asks for it; `folded` is what is about constants: shapes, integers, truth;",
        "`run as floats` moves integers, which are the same numbers as floats.",
        "",
        "## Why tests are skipped",
        "| the test | tests |",
        "| --- | --- |",
        *(f"| {reason} | {len(skipped[reason])} |" for reason in REASONS if skipped[reason]),
        "",
        "Operators outside the table, with the number of their tests:",
        "",
    ]
    outside = Counter(each.operator for each in skipped[OTHER_OPERATOR])
    lines += _wrapped([f"{name} {number}" for name, number in sorted(outside.items())])
    lines += ["", "The others, by name:", ""]
    for reason in REASONS:
        if reason != OTHER_OPERATOR and skipped[reason]:
            names = [each.name.removeprefix("test_") for each in skipped[reason]]
            lines += [f"### The test {reason}", "", *_wrapped(names), ""]
    lines += ["## What passes", "Operators in the graphs of passed tests, with the number of tests:", ""]
    passed = Counter(name for each in results if each.status == "pass" for name in _operators(each.name))
    lines += _wrapped([f"{name} {number}" for name, number in sorted(passed.items())])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(run(Path(sys.argv[1]))))
