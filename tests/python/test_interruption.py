"""A run that is stopped or killed loses nothing and ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

from conftest import COMMAND, call


def start(recipe, folder):
    return subprocess.Popen(
        [str(COMMAND), "run", str(recipe), "--out", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert process.poll() is None, "the run ended before it could be stopped"


def finished_steps(folder) -> list[str]:
    state = folder / "state.json"
    return [step["name"] for step in json.loads(state.read_text())["steps"]] if state.exists() else []


def kept_files(folder) -> dict[str, bytes]:
    """What must be equal: models, code and plans. Logs and reports hold times."""
    chosen = [*folder.glob("checkpoints/*.safetensors"), *folder.rglob("c/**/*"), *folder.glob("plan-*.json")]
    chosen.append(folder / "quantized.safetensors")
    return {str(path.relative_to(folder)): path.read_bytes() for path in chosen if path.is_file()}


def test_ctrl_c_stops_at_a_safe_point_and_resume_gives_the_same_files(tiny, tiny_run, tmp_path):
    folder = tmp_path / "run"
    process = start(tiny, folder)
    wait_for(lambda: "train" in finished_steps(folder), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"libcompress resume {folder}" in err
    assert call("resume", folder).code == 0
    assert kept_files(folder) == kept_files(tiny_run)


def test_a_kill_at_any_moment_costs_at_most_the_step_it_hits(tiny, tiny_run, tmp_path):
    folder = tmp_path / "run"
    for wanted in (1, 4, 7):
        process = start(tiny, folder)
        wait_for(lambda count=wanted: len(finished_steps(folder)) >= count, process)
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert len(finished_steps(folder)) >= wanted
    assert call("resume", folder).code == 0
    assert kept_files(folder) == kept_files(tiny_run)


def test_two_processes_do_not_work_in_one_folder(tiny, tmp_path):
    folder = tmp_path / "run"
    process = start(tiny, folder)
    wait_for(lambda: (folder / "state.json").exists(), process)
    second = call("run", tiny, "--out", folder)
    process.kill()
    process.communicate()
    assert second.code == 7
    assert "another process" in second.err
