"""What surrounds pruning in a run: the group lasso, the teacher, and the end at the accuracy gate."""

from __future__ import annotations

import json
import re

import pytest
from conftest import ROOT, TINY, call
from test_interruption import finished_steps, kept_files, start, wait_for

LASSO = "  group_lasso: {strength: 0.02, epochs: 2, batch_size: 16, learning_rate: 0.02}\n"
TAUGHT = "fine_tune: {epochs: 2, batch_size: 16, learning_rate: 0.02, distillation: {temperature: 3}}\n"

# The network of the demo, pruned in six steps without training: its accuracy falls step by step.
FALLING = f"""\
version: 1
name: falling
seed: 1
threads: 2
model:
  plugin: acdnet
  options: {{classes: 10, sample_rate: 10000, input_length: 10000}}
  checkpoint: {ROOT}/models/acdnet/checkpoints/sounds.safetensors
data:
  plugin: sounds
  options: {{sample_rate: 10000, input_length: 10000, clip_seconds: 1.5, crops: 1, train_clips: 8,
            validation_clips: 4, test_clips: 1}}
prune:
  criterion: {{plugin: taylor}}
  strategy: {{plugin: global, options: {{schedule: linear, steps: 6}}}}
  budget: {{params: 25%}}
  ignore: [conv1, conv2]
  stop_at_gate: true
gate: {{max_drop: 30}}
"""


def steps_of(folder) -> dict[str, dict]:
    return {step["name"]: step["result"] for step in json.loads((folder / "state.json").read_text())["steps"]}


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """A finished run with both helps, and its recipe."""
    folder = tmp_path_factory.mktemp("helped")
    recipe = folder / "helped.yaml"
    recipe.write_text(re.sub(r"  fine_tune: .*\n", LASSO + "  " + TAUGHT, TINY))
    result = call("run", recipe, "--out", folder / "run")
    assert result.code == 0, result.err
    return folder


def test_the_group_lasso_trains_before_the_first_step(helped):
    names = finished_steps(helped / "run")
    assert names.index("measure original") < names.index("group lasso") < names.index("sparsify 1/3")
    history = steps_of(helped / "run")["group lasso"]["history"]
    assert history[1]["penalty"] < history[0]["penalty"]
    assert steps_of(helped / "run")["group lasso"]["best_epoch"] == 2


def test_the_teacher_changes_what_fine_tuning_ends_with(helped):
    alone = helped / "alone"
    result = call(
        "run",
        helped / "helped.yaml",
        "--out",
        alone,
        "--set",
        "prune.fine_tune={epochs: 2, batch_size: 16, learning_rate: 0.02}",
    )
    assert result.code == 0, result.err
    files, others = kept_files(helped / "run"), kept_files(alone)
    assert files["checkpoints/step-2-pruned.safetensors"] == others["checkpoints/step-2-pruned.safetensors"]
    assert files["checkpoints/step-2-tuned.safetensors"] != others["checkpoints/step-2-tuned.safetensors"]


@pytest.mark.parametrize("stage", ["measure original", "prune 2/3"])
def test_a_kill_in_either_training_changes_nothing(helped, tmp_path, stage):
    process = start(helped / "helped.yaml", tmp_path / "run")
    wait_for(lambda: stage in finished_steps(tmp_path / "run"), process)
    process.kill()
    process.communicate()
    assert call("resume", tmp_path / "run").code == 0
    assert kept_files(tmp_path / "run") == kept_files(helped / "run")


@pytest.fixture(scope="module")
def falling(tmp_path_factory):
    """A finished run that the gate ended, and its recipe."""
    folder = tmp_path_factory.mktemp("falling")
    (folder / "falling.yaml").write_text(FALLING)
    result = call("run", folder / "falling.yaml", "--out", folder / "run")
    (folder / "err").write_text(result.err)
    return folder


def test_the_gate_ends_the_schedule_with_the_last_good_network(falling):
    steps = steps_of(falling / "run")
    before = steps["validate unpruned"]["accuracy"]
    judged = [result for name, result in steps.items() if re.fullmatch(r"validate \d/6", name)]
    assert [result["good"] for result in judged] == [True] * (len(judged) - 1) + [False]
    assert 2 <= len(judged) < 6
    for result in judged:
        assert result["good"] == (before - result["accuracy"] <= 0.3 + 1e-9)
    assert steps["measure pruned"]["checkpoint"] == judged[-2]["checkpoint"]
    assert judged[-1]["rejected"] == [f"prune {len(judged)}/6"]


def test_the_end_at_the_gate_is_told_in_log_and_report(falling):
    report = json.loads((falling / "run" / "report.json").read_text())
    note = next(note for note in report["notes"] if "accuracy gate" in note)
    assert re.search(r"step \d/6 had .* gate.max_drop: .* points lost, allowed 30 at most", note)
    pruned = next(network for network in report["networks"] if network["label"] == "pruned")
    assert f"params {pruned['params']} (goal " in note
    assert f"warning: {note}" in (falling / "err").read_text()
    kept = sum(group["kept"] for group in report["groups"])
    plan = steps_of(falling / "run")["measure pruned"]["checkpoint"]
    groups = json.loads((falling / "run" / f"plan-{plan}.json").read_text())["groups"]
    assert kept >= sum(len(group["kept"]) for group in groups) > 0


def test_a_kill_before_the_gate_changes_nothing(falling, tmp_path):
    process = start(falling / "falling.yaml", tmp_path / "run")
    wait_for(lambda: "validate 1/6" in finished_steps(tmp_path / "run"), process)
    process.kill()
    process.communicate()
    call("resume", tmp_path / "run")
    notes = [json.loads((run / "run" / "report.json").read_text())["notes"] for run in (falling, tmp_path)]
    assert notes[0] == notes[1]


def test_a_first_step_below_the_gate_is_an_error_of_accuracy(tmp_path):
    (tmp_path / "falling.yaml").write_text(
        FALLING.replace("max_drop: 30", "min_accuracy: 99").replace("25%", "5%")
    )
    result = call("run", tmp_path / "falling.yaml", "--out", tmp_path / "run")
    assert result.code == 6
    assert re.search(r"prune 1/6: .* % on the validation part, gate.min_accuracy", result.err)


def test_a_gate_without_a_validation_part_to_judge_by_is_refused(tmp_path):
    (tmp_path / "falling.yaml").write_text(FALLING.replace("validation_clips: 4", "validation_clips: 0"))
    result = call("run", tmp_path / "falling.yaml", "--out", tmp_path / "run")
    assert result.code == 3, result.err
    assert "without a validation part" in result.err


def test_a_recipe_trains_in_8_bits_and_exports_what_it_trained(tmp_path):
    recipe = tmp_path / "tiny.yaml"
    training = "{epochs: 2, batch_size: 16, learning_rate: 0.001, distillation: {}}"
    recipe.write_text(TINY.replace("samples: 8}", f"samples: 8, fine_tune: {training}}}"))
    result = call("run", recipe, "--out", tmp_path / "run", "--json")
    assert result.code == 0, result.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert [each["epoch"] for each in report["training"] if each["stage"] == "quantize"] == [1, 2]
    verdicts = {each["name"]: each["verdict"] for each in report["checks"]}
    assert verdicts["C code compiled for this computer equals the int8 reference"] == "passed"
    assert not list((tmp_path / "run" / "checkpoints").glob("*.state.*"))
