"""Full ACDNet pruned to the size of the published one, by every criterion and strategy, down to checked C."""

from __future__ import annotations

import json

import pytest
from conftest import call

PUBLISHED = 131_474
FULL = 4_735_378

RECIPE = """\
version: 1
name: published_size
seed: 1
threads: 2
model: {{plugin: acdnet, options: {{classes: {classes}}}}}
data:
  plugin: sounds
  options: {{sample_rate: 20000, input_length: 30225, clip_seconds: 2, crops: 1, train_clips: 12,
            validation_clips: 1, test_clips: 2}}
train: {{epochs: 2, batch_size: 16, learning_rate: 0.02}}
prune:
  criterion: {{plugin: {criterion}}}
  strategy: {{plugin: {strategy}}}
  budget: {{params: {budget}}}
  min_channels: 4
  fine_tune: {{epochs: 4, batch_size: 16, learning_rate: 0.005}}
quantize: {{samples: 8}}
export: {{plugin: c, name: micro}}
verify: {{vectors: 1, clips: 5, microcontroller: auto}}
"""

ONE_SHOT = "global, options: {schedule: one_shot}"
HYBRID = "hybrid, options: {sparsity: 0.95, sparsify_epochs: 1}"


def test_the_full_network_is_planned_to_the_published_size(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(classes=50, criterion="magnitude", strategy=ONE_SHOT, budget=PUBLISHED))
    result = call("plan", recipe, "--json")
    assert result.code == 0, result.err
    assert result.json["before"]["params"] == FULL
    assert 0.995 * PUBLISHED <= result.json["after"]["params"] <= PUBLISHED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("criterion", "strategy"), [("magnitude", ONE_SHOT), ("taylor", ONE_SHOT), ("taylor", HYBRID)]
)
def test_every_way_ends_in_code_that_equals_its_network(criterion, strategy, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(classes=10, criterion=criterion, strategy=strategy, budget="2.78%"))
    result = call("run", recipe, "--out", tmp_path / "run")
    assert result.code == 0, result.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    figures = {network["label"]: network for network in report["networks"]}
    budget = 0.0278 * figures["original"]["params"]
    assert 0.995 * budget <= figures["pruned"]["params"] <= budget + 1
    assert all(check["verdict"] != "failed" for check in report["checks"])
    assert figures["C"]["total"] == 5
