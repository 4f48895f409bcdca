"""The rules of the rooms find what they are for, and let pass what is right."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "lint"))
import rooms  # noqa: E402

ORDER = ["base", "graph", "runtime", "surgery", "train", "report", "pipeline"]


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("libcompress/graph/graph.cpp", "libcompress/base/error.h"),
        ("libcompress/graph/graph.cpp", "libcompress/graph/op.h"),
        ("libcompress/pipeline/run.cpp", "libcompress/train/trainer.h"),
        ("libcompress/runtime/kernels.cpp", "ATen/ops/conv2d.h"),
        ("plugins/criteria/taylor.cpp", "torch/nn.h"),
        ("tests/graph/graph_test.cpp", "libcompress/pipeline/run.h"),
        ("tests/runtime/executor_test.cpp", "ATen/core/Tensor.h"),
        ("libcompress/base/error.cpp", "fmt/format.h"),
        ("libcompress/report/report.h", "nlohmann/json_fwd.hpp"),
        ("libcompress/pipeline/run_folder.h", "nlohmann/json.hpp"),
    ],
)
def test_right_includes_pass(path, header):
    assert rooms.check_include(path, header, ORDER) is None


@pytest.mark.parametrize(
    ("path", "header", "complaint"),
    [
        ("libcompress/graph/graph.cpp", "libcompress/surgery/surgery.h", "only rooms above it"),
        ("libcompress/surgery/surgery.cpp", "ATen/ATen.h", "LibTorch"),
        ("models/any/net.cpp", "torch/torch.h", "LibTorch"),
        ("tests/graph/graph_test.cpp", "c10/util/Half.h", "LibTorch"),
        ("libcompress/base/error.h", "fmt/core.h", "fmt in a header"),
        ("libcompress/report/report.h", "nlohmann/json.hpp", "json_fwd"),
        ("libcompress/train/trainer.cpp", "plugins/datasets/datasets.h", "not the reverse"),
    ],
)
def test_wrong_includes_are_named(path, header, complaint):
    assert complaint in rooms.check_include(path, header, ORDER)


def complaints_about(monkeypatch, tmp_path, path, text):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    monkeypatch.setattr(rooms, "ROOT", tmp_path)
    return rooms.check_file(path, ORDER)


@pytest.mark.parametrize("folder", ["/ro" + "ot/x", "/wo" + "rk", "'/ho" + "me/me/data'"])
def test_folders_of_one_machine_are_named(monkeypatch, tmp_path, folder):
    assert "one machine" in complaints_about(monkeypatch, tmp_path, "docs/a.md", f"see {folder}\n")[0]


@pytest.mark.parametrize("text", ["</root>", "a/work/b", "/workspace", "https://x.org/home/"])
def test_other_words_and_relative_paths_pass(monkeypatch, tmp_path, text):
    assert complaints_about(monkeypatch, tmp_path, "docs/a.md", text + "\n") == []


def test_a_network_has_no_name_in_the_library(monkeypatch, tmp_path):
    word = "AC" + "DNet"
    assert complaints_about(monkeypatch, tmp_path, "libcompress/graph/a.cpp", f"// {word}\n")
    assert not complaints_about(monkeypatch, tmp_path, "models/a/a.cpp", f"// {word}\n")


def test_a_header_needs_a_guard_and_nothing_stays_unfinished(monkeypatch, tmp_path):
    assert "pragma" in complaints_about(monkeypatch, tmp_path, "libcompress/base/a.h", "int a;\n")[0]
    assert complaints_about(monkeypatch, tmp_path, "libcompress/base/a.cpp", "// TO" + "DO: later\n")


def test_the_order_of_rooms_is_read_from_cmake():
    assert rooms.room_order()[:2] == ["base", "graph"]
