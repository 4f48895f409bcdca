"""Bad input of every kind: one clear sentence, its exit code, and earlier files stay whole."""

from __future__ import annotations

import os
import resource
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import COMMAND, SHARED, call

PUBLISHED = SHARED / "acdnet-published" / "micro_acdnet_pruned_1659.pt"


def one_sentence(result) -> str:
    lines = [line for line in result.err.splitlines() if line.startswith("libcompress: ")]
    assert len(lines) == 1, result.err
    assert "internal error" not in lines[0]
    return lines[0]


def original(tiny_run):
    return tiny_run / "checkpoints" / "original.safetensors"


def with_nan(source, target):
    """The same file with a NaN as the first number of its data."""
    raw = bytearray(source.read_bytes())
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    raw[start : start + 4] = struct.pack("<f", float("nan"))
    target.write_bytes(raw)


def test_a_truncated_checkpoint_is_an_input_error(tiny_run, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(original(tiny_run).read_bytes()[:-100])
    result = call("inspect", bad)
    assert result.code == 4
    assert "bad.safetensors" in one_sentence(result)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="needs ../shared/data")
@pytest.mark.parametrize("length", [0, 10, 1000, 100_000])
def test_a_truncated_pt_is_an_input_error(length, tmp_path):
    bad = tmp_path / "bad.pt"
    bad.write_bytes(PUBLISHED.read_bytes()[:length])
    result = call("inspect", bad, "--model", "acdnet")
    assert result.code == 4
    assert "bad.pt" in one_sentence(result)


def test_a_hostile_pickle_is_refused_by_the_name_of_what_it_wants(tmp_path):
    marker = tmp_path / "executed"
    payload = (
        b"\x80\x02cposix\nsystem\nX" + struct.pack("<I", len(f"touch {marker}")) + f"touch {marker}".encode()
    )
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    bad = tmp_path / "bad.pt"
    bad.write_bytes(magic + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + payload + b"\x85R.")
    result = call("inspect", bad, "--model", "acdnet")
    assert result.code == 4
    assert "system" in one_sentence(result)
    assert not marker.exists()


def test_a_nan_weight_is_named(tiny_run, tmp_path):
    bad = tmp_path / "nan.safetensors"
    with_nan(original(tiny_run), bad)
    result = call("inspect", bad)
    assert result.code == 4
    assert "tensor '" in one_sentence(result) and "nan" in one_sentence(result).lower()


def test_a_tensor_of_a_wrong_shape_is_named(tiny_run, tmp_path):
    raw = original(tiny_run).read_bytes()
    end = 8 + struct.unpack("<Q", raw[:8])[0]
    header = raw[8:end].replace(b'"shape":[4,1,1,9]', b'"shape":[4,1,9,1]')
    assert header != raw[8:end]
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(raw[:8] + header + raw[end:])
    result = call("inspect", bad)
    assert result.code == 4
    assert "conv1.weight" in one_sentence(result)


def test_a_network_that_does_not_fit_the_data_is_an_input_error(tiny_run):
    result = call("evaluate", original(tiny_run), "--data", "sounds")
    assert result.code == 4
    assert "4000" in one_sentence(result)


def test_a_missing_file_is_an_io_error(tmp_path):
    assert call("inspect", tmp_path / "nothing.pt", "--model", "acdnet").code == 7
    assert call("run", tmp_path / "nothing.yaml").code == 7


def test_missing_audio_is_named(tmp_path, tiny_run):
    (tmp_path / "audio").mkdir()
    (tmp_path / "meta").mkdir()
    rows = "filename,fold,target,category,esc10,src_file,take\n"
    rows += "".join(f"{fold}-1-A-{t}.wav,{fold},{t},c{t},True,1,A\n" for fold in (1, 2) for t in (0, 1))
    (tmp_path / "meta" / "esc10.csv").write_text(rows)
    result = call("evaluate", original(tiny_run), "--data", f"esc:{tmp_path}", "--folds", "2",
                  "--data-option", "sample_rate=8000", "--data-option", "input_length=4000")  # fmt: skip
    assert result.code == 4
    assert ".wav" in one_sentence(result)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: [1",
        "\x00\x01\x02",
        "version: 1\nversion: 1\n",
        "a: &x [*x]\n",
        "version: 1\n---\nversion: 1\n",
    ],
)
def test_an_unreadable_recipe_is_a_recipe_error(text, tmp_path):
    recipe = tmp_path / "bad.yaml"
    recipe.write_text(text)
    result = call("run", recipe, "--out", tmp_path / "run")
    assert result.code == 3
    assert "bad.yaml" in one_sentence(result)


def test_an_impossible_budget_says_what_holds_it(tiny, tmp_path):
    result = call("plan", tiny, "--set", "prune.budget.params=10%", "--set", "prune.min_channels=4")
    assert result.code == 5
    assert "min_channels" in one_sentence(result)


def test_a_budget_missed_in_a_run_leaves_the_earlier_steps(tiny, tmp_path):
    folder = tmp_path / "run"
    result = call(
        "run", tiny, "--out", folder, "--set", "prune.budget.params=10%", "--set", "prune.min_channels=4"
    )
    assert result.code == 5
    assert (folder / "checkpoints" / "trained.safetensors").exists()


def test_a_missed_gate_exits_with_6_after_the_report(tiny, tiny_run, tmp_path):
    result = call("run", tiny, "--out", tmp_path / "run", "--set", "gate.min_accuracy=100")
    assert result.code == 6
    assert "min_accuracy" in one_sentence(result)
    assert (tmp_path / "run" / "report.html").exists()


def test_a_folder_that_cannot_be_written_is_an_io_error(tiny, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    result = call("run", tiny, "--out", blocked / "run")
    assert result.code == 7
    assert "file" in one_sentence(result)


def test_a_folder_without_write_permission_is_an_io_error(tiny, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    other = {}
    if os.geteuid() == 0:  # root may write anywhere: be somebody else
        temporary = Path(tempfile.gettempdir())
        for path in [tiny, tmp_path, *tmp_path.parents]:
            if temporary in path.parents:
                path.chmod(path.stat().st_mode | 0o055)
        other = {"user": 65534, "env": {**os.environ, "HOME": str(tmp_path)}}
        reachable = subprocess.run([str(COMMAND), "--version"], capture_output=True, check=False, **other)
        if reachable.returncode != 0:
            pytest.skip("another user cannot read the program here")
    result = call("run", tiny, "--out", folder / "run", **other)
    assert result.code == 7, result.err
    assert "locked" in one_sentence(result)


def test_a_full_disk_leaves_earlier_files_whole(tiny_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(tiny_run, copy)
    before = (copy / "report.html").read_bytes()

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [str(COMMAND), "report", str(copy)], capture_output=True, text=True, preexec_fn=small_files
    )
    assert done.returncode == 7, done.stderr
    assert (copy / "report.html").read_bytes() == before
    assert not [path for path in copy.rglob("*") if path.name.endswith(".tmp")]


def test_results_that_cannot_be_written_are_an_io_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(COMMAND), "plugins"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 7, done.stderr


def test_numbers_out_of_range_and_wrong_names_are_usage_errors(tiny_run):
    assert call("evaluate", original(tiny_run), "--data", "sounds", "--samples", "99999999999999").code == 2
    wrong = call("export", tiny_run / "quantized.safetensors", "--out", tiny_run, "--name", "../x y")
    assert wrong.code == 2
    assert "C identifier" in one_sentence(wrong)


def test_an_unknown_plugin_is_named_with_its_neighbour(tiny_run):
    result = call("evaluate", original(tiny_run), "--data", "sound")
    assert result.code == 8
    assert "sounds" in one_sentence(result)
