"""ONNX's own node tests: none fails, every skip has a reason, and the page that lists them is current."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import onnx_backend  # noqa: E402

BUILD = Path(os.environ.get("LIBCOMPRESS_BUILD", ROOT / "build" / "release"))
PROGRAM = BUILD / "bin" / "onnx_backend"


@pytest.fixture(scope="module")
def results():
    if not PROGRAM.exists():
        pytest.skip("onnx_backend is not built")
    return onnx_backend.run(PROGRAM)


def test_no_node_test_fails(results):
    assert [each for each in results if each.status == "fail"] == []


def test_every_skipped_node_test_has_a_reason(results):
    assert [each for each in results if each.status == "skip" and each.reason is None] == []


def test_most_node_tests_run(results):
    assert sum(each.status == "pass" for each in results) >= 860


def test_page_of_node_tests_is_current(results):
    assert onnx_backend.PAGE.read_text() == onnx_backend.page(results), "run: make docs"
