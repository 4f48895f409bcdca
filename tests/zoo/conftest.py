"""The package as the build put it together, and the table of what the zoo's run found."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(BUILD / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch  # noqa: E402

torch.set_num_threads(2)


class Findings:
    """One row a network, kept in a file of the build folder; table.py makes docs/zoo.md of it."""

    def __init__(self, path: Path):
        self.path = path

    def add(self, name: str, row: dict) -> None:
        rows = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.path.write_text(json.dumps(rows | {name: row}, indent=1))


@pytest.fixture(scope="session")
def findings() -> Findings:
    return Findings(BUILD / "zoo.json")
