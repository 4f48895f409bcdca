#!/usr/bin/env python3
"""Writes into docs/ what the command says about itself: the keys of a recipe and the operators."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "recipes.md"
OPERATORS = ROOT / "docs" / "operators.md"
BEGIN, END = "<!-- keys -->\n", "<!-- end of keys -->\n"

OPERATORS_HEAD = """\
# Operators

What networks are made of, as `libcompress plugins --ops` lists it. Importers translate the operators of
other frameworks into these. Operands with `?` may be left out at the end; of those with `...` there may be
several. Any operand may be a weight or an activation, and axes count from 0, the batch included. Paddings are
all begins, then all ends.

The last column says what pruning does with the axes that reach an operator ([coupling.md](coupling.md)). An
index of an axis that passes is removed behind the operator too. Tied indices go together, or stay where one
of them cannot go; pinned ones stay; spatial ones, channels that a permute made rows or columns, go only where
model or recipe says so. Zero means what a removed index holds in the masked twin: it has to be zero where it
is read without weights.

"""


def output_of(program: Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def with_keys(page: str, program: Path) -> str:
    """`page` with the text between the markers as `program` has it now."""
    keys = output_of(program, "check", "--keys")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}```\n{keys.strip()}\n```\n{END}{rest.split(END)[1]}"


def table(head: list[str], rows: list[list[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ["---"] * len(head), *cells])


def default_of(attribute: dict) -> str:
    if attribute["required"]:
        return "required"
    return "`" + json.dumps(attribute["default"]).strip('"') + "`" if attribute["default"] != "" else ""


def names_of(attributes: list[dict]) -> str:
    return ", ".join(attribute["name"] for attribute in attributes)


def operators_page(program: Path) -> str:
    """The page on the operators, whole."""
    operators = json.loads(output_of(program, "plugins", "--ops", "--json"))
    summary = [
        [
            f"`{op['name']}`",
            ", ".join(op["operands"]),
            names_of(op["attributes"]),
            op["summary"],
            op["pruning"],
        ]
        for op in operators
    ]
    attributes = [
        [f"`{op['name']}`", a["name"], a["type"], default_of(a), a["help"]]
        for op in operators
        for a in op["attributes"]
    ]
    return (
        OPERATORS_HEAD
        + table(["operator", "operands", "attributes", "what it does", "pruning"], summary)
        + "\n## Attributes\n\n"
        + table(["operator", "attribute", "type", "default", "meaning"], attributes)
    )


if __name__ == "__main__":
    PAGE.write_text(with_keys(PAGE.read_text(), Path(sys.argv[1])))
    OPERATORS.write_text(operators_page(Path(sys.argv[1])))
