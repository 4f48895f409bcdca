#!/usr/bin/env python3
"""How much of an iterative schedule's time passes outside training.

Prunes ACDNet in many small steps with an epoch of training after each, as its paper does, by a recipe and the
command, on ESC-10's recordings where ../shared/data has them, else on sounds that the command makes. The run
records how long each step took, and how long the epochs inside took; the rest is scoring, planning, cutting,
proof, and reading and writing files. A criterion that looks at data passes over up to 512 training examples
in each step, so the one asked of here looks at weights; `--criterion taylor` shows the difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ROOT / "build" / "release" / "bin" / "libcompress"
ESC10 = ROOT.parent / "shared" / "data" / "esc10"

RECIPE = """\
version: 1
name: schedule
seed: 1
threads: 2
model: {{plugin: acdnet, options: {{classes: {classes}, sample_rate: 20000, input_length: 30225}}}}
data: {data}
prune:
  criterion: {{plugin: {criterion}}}
  strategy: {{plugin: global, options: {{schedule: linear, steps: {steps}}}}}
  budget: {{params: 20%}}
  fine_tune: {{epochs: {steps}, batch_size: 64, learning_rate: 0.01}}
"""
RECORDED = "{{plugin: esc, options: {{path: {path}, sample_rate: 20000, input_length: 30225}}}}"
MADE = "{plugin: sounds, options: {sample_rate: 20000, input_length: 30225, train_clips: 32}}"


def run(recipe: str) -> list[dict]:
    """The finished steps."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        path.write_text(recipe)
        subprocess.run(
            [COMMAND, "run", path, "--out", Path(folder) / "run", "--quiet"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return json.loads((Path(folder) / "run" / "state.json").read_text())["steps"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--criterion", default="magnitude")
    arguments = parser.parse_args()
    steps = arguments.steps
    data = RECORDED.format(path=ESC10) if ESC10.is_dir() else MADE
    finished = run(RECIPE.format(classes=10, data=data, steps=steps, criterion=arguments.criterion))
    pruning = [step for step in finished if step["name"].startswith("prune ")]
    tuning = [step for step in finished if step["name"].startswith("fine-tune ")]
    epochs = sum(epoch["seconds"] for step in tuning for epoch in step["result"]["history"])
    cutting = sum(step["seconds"] for step in pruning)
    around = sum(step["seconds"] for step in tuning) - epochs
    whole = cutting + around + epochs
    print(
        f"{len(pruning)} steps of {whole / len(pruning):.2f} s: training {epochs / whole:.1%}, pruning "
        f"{1000 * cutting / len(pruning):.0f} ms a step ({cutting / whole:.1%}), files around training "
        f"{1000 * around / len(pruning):.0f} ms ({around / whole:.1%}); outside training "
        f"{1 - epochs / whole:.1%}"
    )


if __name__ == "__main__":
    main()
