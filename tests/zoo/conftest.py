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


@pytest.fixture(scope="session")
def findings():
    """One row a network; kept in the build folder, from which table.py makes docs/zoo.md."""
    rows: dict[str, dict] = {}
    yield rows
    if rows:
        path = BUILD / "zoo.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(before | rows, indent=1))
