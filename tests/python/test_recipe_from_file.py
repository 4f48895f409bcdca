"""A recipe whose network is a file: no plugin knows it."""

from __future__ import annotations

import json
import re

import pytest
from conftest import TINY, call

OPTIONS = {
    "classes": 10,
    "sample_rate": 8000,
    "input_length": 4000,
    "channels": "4,8,6,8,8,10,10,12,12,16,16,10",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """network.onnx and a recipe for it that chooses what its plugin would have chosen."""
    folder = tmp_path_factory.mktemp("file")
    options = [f"--model-option={key}={value}" for key, value in OPTIONS.items()]
    assert call("convert", "--model", "acdnet", *options, "--out", folder / "network.onnx").code == 0
    recipe = re.sub(r"model:\n(  .*\n)+", "model: {file: network.onnx}\n", TINY)
    rows = "  spatial: [conv2]\n  ratios: [conv2=75%]\n"
    recipe = recipe.replace("  tolerance: 2%\n", "  tolerance: 2%\n" + rows)
    (folder / "recipe.yaml").write_text(recipe)
    return folder


def test_it_is_checked_and_planned(folder):
    assert call("check", folder / "recipe.yaml").code == 0
    plan = call("plan", folder / "recipe.yaml", "--json")
    assert plan.code == 0, plan.err
    kept = {group["name"]: group["kept"] / group["size"] for group in plan.json["groups"]}
    assert kept["conv2"] < 1


def test_its_plan_is_saved_and_carried_out(folder, tmp_path):
    plan = tmp_path / "plan.json"
    saved = call("plan", folder / "recipe.yaml", "--out", plan, "--json")
    assert saved.code == 0, saved.err
    arguments = ["--apply", plan, "--spatial", "conv2", "--out", tmp_path / "small.onnx", "--json"]
    applied = call("prune", folder / "network.onnx", *arguments)
    assert applied.code == 0, applied.err
    assert applied.json["after"]["params"] == saved.json["after"]["params"]
    arguments.remove("--spatial"), arguments.remove("conv2")
    pinned = call("prune", folder / "network.onnx", *arguments)
    assert pinned.code == 4 and "group 'conv2': a group that may not be pruned" in pinned.err


def test_it_runs_to_c_code_with_its_proofs(folder):
    result = call("run", folder / "recipe.yaml", "--out", folder / "run", "--json")
    assert result.code == 0, result.err
    checks = {check["name"]: check for check in result.json["checks"]}
    twins = [check for name, check in checks.items() if "removed channels zeroed" in name]
    rebuilt = [check for name, check in checks.items() if "rebuilt" in name]
    assert twins and all(check["verdict"] == "passed" for check in twins)
    assert rebuilt and all("no model plugin" in check["detail"] for check in rebuilt)
    assert (folder / "run" / "c").is_dir()
    assert call("resume", folder / "run").code == 0


PRUNING_ALONE = (
    re.sub(r"(train|quantize|export|verify): .*\n", "", TINY.split("prune:")[0])
    + """\
prune:
  criterion: {plugin: magnitude}
  budget: {params: 60%}
  tolerance: 4%
"""
)


def test_a_run_whose_proof_fails_ends_with_it_after_the_report(folder):
    lc = pytest.importorskip("libcompress", reason="the Python package is not built")
    model = lc.load(folder / "network.onnx")
    huge = {name: 1e15 * each if "conv" in name else each for name, each in model.weights.items()}
    lc.Model(model.graph, huge, "overflow").save(folder / "overflow.onnx")  # it computes infinities
    recipe = re.sub(r"model:\n(  .*\n)+", "model: {file: overflow.onnx}\n", PRUNING_ALONE)
    (folder / "overflow.yaml").write_text(recipe)
    result = call("run", folder / "overflow.yaml", "--out", folder / "overflow", "--json")
    assert result.code == 6
    assert "proof failed: prune 1/1: equals the unpruned network" in result.err
    report = json.loads((folder / "overflow" / "report.json").read_text())
    assert [check["verdict"] for check in report["checks"]] == ["failed"]


def test_a_file_that_is_not_there_is_named(folder):
    result = call("plan", folder / "recipe.yaml", "--set", "model.file=none.onnx")
    assert result.code == 7 and "none.onnx" in result.err


def test_a_plugin_beside_a_file_is_refused_at_its_place(folder):
    recipe = folder / "both.yaml"
    text = (folder / "recipe.yaml").read_text()
    recipe.write_text(text.replace("{file: network.onnx}", "{file: network.onnx, plugin: acdnet}"))
    result = call("check", recipe)
    assert result.code == 3 and "both.yaml:5:" in result.out
