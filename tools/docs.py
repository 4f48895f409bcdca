#!/usr/bin/env python3
"""Writes into docs/recipes.md what the command says about the keys of a recipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "recipes.md"
BEGIN, END = "<!-- keys -->\n", "<!-- end of keys -->\n"


def with_keys(page: str, program: Path) -> str:
    """`page` with the text between the markers as `program` has it now."""
    keys = subprocess.run([program, "check", "--keys"], check=True, capture_output=True, text=True).stdout
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}```\n{keys.strip()}\n```\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(with_keys(PAGE.read_text(), Path(sys.argv[1])))
