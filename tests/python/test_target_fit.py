"""A recipe for a chip with too little memory ends before anything is trained."""

from __future__ import annotations

import pytest
from conftest import call


def recipe_for(tiny, memory: str):
    """The tiny recipe for a chip described beside it."""
    (tiny.parent / "chip.yaml").write_text(f"name: chip\ncore: cortex-m4\n{memory}\n")
    text = tiny.read_text()
    tiny.write_text(text.replace("export: {plugin: c,", "export: {plugin: c, target: chip.yaml,"))
    return tiny


@pytest.mark.parametrize(
    ("memory", "key"), [("flash: 1KiB", "prune.budget.flash"), ("ram: 1KiB", "prune.budget.peak_ram")]
)
def test_plan_says_what_does_not_fit_the_target(tiny, memory, key):
    result = call("plan", recipe_for(tiny, memory))
    assert result.code == 5
    assert "target 'chip'" in result.err and "allowed: 1,024 bytes" in result.err
    assert f"set {key} to less than 1024" in result.err


def test_plan_passes_what_fits_the_target(tiny):
    assert call("plan", recipe_for(tiny, "flash: 1MiB")).code == 0


def test_a_run_of_an_unpruned_network_ends_before_it_trains(tiny):
    text = recipe_for(tiny, "ram: 1KiB").read_text()
    begin, end = text.index("prune:"), text.index("quantize:")
    tiny.write_text(text[:begin] + text[end:])
    result = call("run", tiny, "--out", tiny.parent / "run")
    assert result.code == 5
    assert "target 'chip'" in result.err
    assert not (tiny.parent / "run" / "checkpoints" / "trained.safetensors").exists()


def test_a_run_ends_before_it_tunes_what_does_not_fit(tiny):
    result = call("run", recipe_for(tiny, "flash: 1KiB"), "--out", tiny.parent / "run")
    assert result.code == 5
    assert "prune.budget.flash" in result.err


def test_a_mistake_in_the_target_file_is_told_at_the_start_of_a_run(tiny):
    result = call("run", recipe_for(tiny, "flsh: 1KiB"), "--out", tiny.parent / "run")
    assert result.code == 3
    assert "chip.yaml:3:1: unknown key 'flsh'" in result.err
