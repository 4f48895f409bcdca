"""Pages that repeat what the program says still say the same."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import docs  # noqa: E402

PROGRAM = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release")) / "bin" / "libcompress"


@pytest.mark.skipif(not PROGRAM.exists(), reason="the command is not built")
def test_the_keys_of_a_recipe_are_up_to_date():
    page = docs.PAGE.read_text()
    assert page == docs.with_keys(page, PROGRAM), "run: make docs"


@pytest.mark.skipif(not PROGRAM.exists(), reason="the command is not built")
def test_the_page_of_operators_is_up_to_date():
    assert docs.OPERATORS.read_text() == docs.operators_page(PROGRAM), "run: make docs"
