"""The command line as a person or a script meets it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from conftest import ROOT, SHARED, call

VERBS = [
    *["inspect", "groups", "prune", "convert", "check", "plan", "run", "resume", "report", "export", "bench"],
    *["evaluate", "plugins", "doctor"],
]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_and_json(verb):
    result = call(verb, "--help")
    assert result.code == 0
    assert "Example:" in result.out and f"libcompress {verb}" in result.out
    assert "--json" in result.out


def test_the_help_names_every_verb_and_exit_code():
    result = call("--help")
    assert result.code == 0
    assert all(verb in result.out for verb in VERBS)
    assert "130 interrupted" in result.out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["evaluate", "--as", "int9"], ["inspect"]])
def test_wrong_usage_exits_with_2(arguments):
    assert call(*arguments).code == 2


def test_an_option_that_a_verb_does_not_have_is_refused():
    result = call("plugins", "--verify")
    assert result.code == 2
    assert "--verify" in result.err


def test_an_unknown_verb_is_named_with_its_neighbour():
    result = call("evalute")
    assert result.code == 2
    assert "evalute" in result.err and "'evaluate'" in result.err


def test_check_names_place_key_and_remedy(tiny):
    tiny.write_text(tiny.read_text().replace("criterion: {plugin", "critereon: {plugin"))
    result = call("check", tiny)
    assert result.code == 3
    assert re.search(r"tiny\.yaml:\d+:\d+: ", result.out)
    assert "critereon" in result.out and "criterion" in result.out


def test_check_lists_every_mistake_as_json(tiny):
    text = tiny.read_text().replace("seed: 3", "seed: -3").replace("samples: 8", "samples: many")
    tiny.write_text(text)
    result = call("check", tiny, "--json")
    assert result.code == 3
    assert len(result.json["complaints"]) == 2


def test_check_accepts_the_recipes_in_the_tree():
    for recipe in [*ROOT.glob("examples/*.yaml"), *ROOT.glob("models/*/recipes/*.yaml")]:
        result = call("check", recipe)
        assert result.code == 0, f"{recipe}: {result.out}{result.err}"


def test_run_refuses_a_wrong_recipe_before_it_writes(tiny, tmp_path):
    result = call("run", tiny, "--out", tmp_path / "run", "--set", "prune.budget.params=0%")
    assert result.code == 3
    assert not (tmp_path / "run").exists()


def test_plan_predicts_within_the_budget_and_writes_nothing(tiny, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    result = call("plan", tiny, "--json")
    assert result.code == 0, result.err
    params = result.json["after"]["params"] / result.json["before"]["params"]
    assert 0.39 <= params <= 0.40
    assert sorted(tmp_path.rglob("*")) == before


def test_plan_says_why_a_group_stays(tiny):
    result = call("plan", tiny, "--json")
    fixed = [group for group in result.json["groups"] if not group["prunable"]]
    assert fixed and all(group["reason"] for group in fixed)


def test_inspect_shows_the_reference_network_of_the_paper():
    result = call("inspect", "--model", "acdnet", "--model-option", "classes=50", "--json")
    assert result.code == 0
    assert result.json["params"] == 4_735_378
    names = [layer["name"] for layer in result.json["layers"]]
    assert names[0] == "conv1" and "fc" in names
    assert sum(layer["params"] for layer in result.json["layers"]) == 4_735_378
    assert any(abs(figure - 544.42e6) < 0.01e6 for figure in result.json["paper"].values())


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_inspect_draws_the_graph(tmp_path):
    result = call(
        "inspect", "--model", "acdnet", "--dot", tmp_path / "net.dot", "--svg", tmp_path / "net.svg"
    )
    assert result.code == 0, result.err
    assert (tmp_path / "net.dot").read_text().startswith("digraph")
    assert "conv12" in (tmp_path / "net.svg").read_text()


def test_plugins_and_operators_are_listed():
    plugins = call("plugins", "--json").json
    assert {row["name"] for row in plugins["criterion"]} >= {"magnitude", "taylor"}
    assert {row["name"] for row in plugins["strategy"]} >= {"uniform", "global", "greedy", "hybrid"}
    assert {row["name"] for row in plugins["data set"]} >= {"esc", "sounds"}
    assert "conv" in [row["name"] for row in call("plugins", "--ops", "--json").json]


def test_doctor_gives_the_command_that_fixes_what_is_missing(tmp_path):
    result = call("doctor", "--json", env={"PATH": str(tmp_path)})
    assert result.code == 4
    assert all("apt-get install" in tool["fix"] for tool in result.json["tools"])


def test_a_run_leaves_models_code_proofs_and_a_report(tiny_run):
    report = json.loads((tiny_run / "report.json").read_text())
    labels = [network["label"] for network in report["networks"]]
    assert labels == ["original", "pruned", "int8", "C", "tflite", "onnx_qdq"]
    assert report["networks"][1]["params"] <= 0.4 * report["networks"][0]["params"]
    assert {check["verdict"] for check in report["checks"]} <= {"passed", "skipped"}
    assert len(report["checks"]) >= 4
    for name in ["recipe.yaml", "state.json", "metrics.jsonl", "report.html", "quantized.safetensors"]:
        assert (tiny_run / name).stat().st_size > 0
    epochs = [json.loads(line) for line in (tiny_run / "metrics.jsonl").read_text().splitlines()]
    assert [epoch["step"] for epoch in epochs].count("train") == 2


def test_the_exported_folder_builds_and_passes_its_own_test(tiny_run, tmp_path):
    shutil.copytree(tiny_run / "c", tmp_path / "c")
    for command in (["cmake", "-S", ".", "-B", "b"], ["cmake", "--build", "b"]):
        subprocess.run(command, cwd=tmp_path / "c", check=True, capture_output=True)
    done = subprocess.run(
        ["ctest", "--output-on-failure"], cwd=tmp_path / "c" / "b", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_finished_run_is_not_done_again(tiny_run):
    before = (tiny_run / "state.json").read_bytes()
    result = call("resume", tiny_run)
    assert result.code == 0, result.err
    assert (tiny_run / "state.json").read_bytes() == before


def test_a_run_folder_of_another_recipe_is_refused(tiny, tiny_run):
    before = (tiny_run / "state.json").read_bytes()
    result = call("run", tiny, "--out", tiny_run, "--set", "seed=4")
    assert result.code == 2
    assert "another recipe" in result.err
    assert (tiny_run / "state.json").read_bytes() == before


def test_report_is_made_again_from_the_steps(tiny_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(tiny_run, copy)
    (copy / "report.json").unlink()
    assert call("report", copy).code == 0
    assert json.loads((copy / "report.json").read_text())["networks"]


def test_export_writes_c_from_the_quantized_network(tiny_run, tmp_path):
    out = tmp_path / "c"
    result = call("export", tiny_run / "quantized.safetensors", "--out", out, "--name", "mine", "--json")
    assert result.code == 0, result.err
    assert (out / "mine.h").exists() and result.json["arena_bytes"] > 0


def test_every_exporter_leaves_its_folder_and_its_proof(tiny_run):
    report = json.loads((tiny_run / "report.json").read_text())
    what = {file["path"]: file["what"] for file in report["files"]}
    assert what["c/tiny_net.c"] == "exported C code"
    assert what["tflite/tiny_net.tflite"] == "export of tflite"
    proof = next(check for check in report["checks"] if "TensorFlow Lite" in check["name"])
    assert proof["verdict"] == "passed"
    assert re.match(r"0 of \d+ output bytes differ", proof["detail"])
    figures = {network["label"]: network for network in report["networks"]}
    assert figures["tflite"]["correct"] == figures["int8"]["correct"]


def test_a_network_of_another_rounding_is_not_exported_as_if_it_were(tiny_run, tmp_path):
    result = call(
        "export", tiny_run / "quantized.safetensors", "--out", tmp_path / "c", "--profile", "tflite-micro"
    )
    assert result.code == 2
    assert "was quantized for litert" in result.err


def test_evaluate_reads_a_model_of_a_run(tiny_run):
    model = tiny_run / "checkpoints" / "step-3-tuned.safetensors"
    options = [
        "sample_rate=8000",
        "input_length=4000",
        "clip_seconds=0.75",
        "crops=2",
        "test_clips=3",
        "train_clips=6",
    ]
    flags = [word for option in options for word in ("--data-option", option)]
    result = call("evaluate", model, "--data", "sounds", *flags, "--as", "c", "--json")
    assert result.code == 0, result.err
    assert result.json["total"] == 30 and result.json["different_views"] == 0


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "esc10").exists(), reason="needs ../shared/data")
def test_the_published_network_gets_68_of_80_on_real_recordings():
    checkpoint = SHARED / "acdnet-published" / "micro_acdnet_pruned_trained_fold4_86.00.pt"
    data = f"esc:{SHARED / 'esc10'}"
    common = [
        "evaluate",
        "--model",
        "acdnet",
        "--checkpoint",
        checkpoint,
        "--data",
        data,
        "--folds",
        "4",
        "--json",
    ]
    result = call(*common)
    assert result.code == 0, result.err
    figures = result.json
    assert figures["total"] == 80 and figures["correct"] >= 68
    assert figures["params"] == 131_474 and figures["macs"] > 10_000_000
    coded = call(
        *common, "--as", "c", "--data-option", "train_folds=1", "--data-option", "validation_fraction=0"
    )
    assert coded.code == 0, coded.err
    assert coded.json["correct"] >= 67
    assert coded.json["compared_views"] == 800 and coded.json["different_views"] == 0
