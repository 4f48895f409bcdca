#!/usr/bin/env python3
"""Accuracy against parameters: every criterion of libcompress beside Torch-Pruning's, on the same networks.

Each network is trained (or published), pruned at once to a budget of parameters, fine-tuned by the same
PyTorch code, and tested; three seeds. Results are kept in build/release/criteria.jsonl as they come, so that
the command goes on where it was stopped. `make benchmark-criteria` builds and installs what is needed.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "build" / "release" / "python")]

import criteria_networks  # noqa: E402
import torch  # noqa: E402
import torch_pruning as tp  # noqa: E402
from torch import nn  # noqa: E402

import libcompress as lc  # noqa: E402

SCORED_BATCHES = 8  # of training data, for criteria that look at it
STRATEGY = "global"
OTHER_STRATEGIES = ("uniform", "greedy", "sensitivity")
TAYLOR_FORMS = ("activations", "weights", "absolute")  # the first is the default


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def scored_batches(data, seed: int) -> list:
    return list(itertools.islice(data.train_batches(0, seed), SCORED_BATCHES))


def ours(criterion: str, options: dict | None = None, strategy: str = STRATEGY) -> Callable:
    def prune(module: nn.Module, data, budget: float, seed: int) -> nn.Module:
        model = lc.from_torch(module.eval(), (data.example,))
        pruned = model.prune(
            {"params": budget},
            criterion=criterion,
            criterion_options=options or {},
            strategy=strategy,
            data=scored_batches(data, seed),
            loss=data.loss,
            seed=seed,
        )
        return pruned.model.to_torch()

    return prune


def torch_prunings(importance: Callable, ranked_globally: bool, needs_gradients: bool) -> Callable:
    """The largest network of Torch-Pruning within the budget: its ratio is found by bisection."""

    def prune(module: nn.Module, data, budget: float, seed: int) -> nn.Module:
        allowed = budget * count(module)
        gradients = accumulated_gradients(module, data, seed) if needs_gradients else None
        low, high, best = 0.0, 1.0, None
        for _ in range(12):
            ratio = (low + high) / 2
            trial = copy.deepcopy(module).eval()
            if gradients:
                for parameter, gradient in zip(trial.parameters(), gradients, strict=True):
                    parameter.grad = gradient.clone()
            head = [each for each in trial.modules() if isinstance(each, nn.Linear)][-1]
            tp.pruner.BasePruner(
                trial,
                data.example,
                importance=importance(),
                pruning_ratio=ratio,
                global_pruning=ranked_globally,
                ignored_layers=[head],
            ).step()
            if count(trial) <= allowed:
                high, best = ratio, trial
            else:
                low = ratio
        if best is None:
            raise RuntimeError(f"Torch-Pruning does not reach {budget:.0%}")
        return best

    return prune


def accumulated_gradients(module: nn.Module, data, seed: int) -> list:
    module.eval()
    module.zero_grad(set_to_none=True)
    for inputs, targets in scored_batches(data, seed):
        data.loss(module(inputs), targets).backward()
    gradients = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad(set_to_none=True)
    return gradients


def methods() -> dict[str, Callable]:
    magnitude, taylor = lambda: tp.importance.MagnitudeImportance(p=2), tp.importance.TaylorImportance
    found = {
        "Torch-Pruning: magnitude, each layer alike": torch_prunings(magnitude, False, False),
        "Torch-Pruning: magnitude, global": torch_prunings(magnitude, True, False),
        "Torch-Pruning: Taylor, each layer alike": torch_prunings(taylor, False, True),
        "Torch-Pruning: Taylor, global": torch_prunings(taylor, True, True),
    }
    forms = {f"taylor, {form}": ("taylor", {"form": form}) for form in TAYLOR_FORMS}
    plain = {name: (name, {}) for name in lc.criteria() if name != "taylor"}
    for name, (criterion, options) in (plain | forms).items():
        found[name] = ours(criterion, options)
    compared = {"magnitude": ("magnitude", {})} | forms
    for strategy in OTHER_STRATEGIES:
        for name, (criterion, options) in compared.items():
            found[f"{name}, {strategy}"] = ours(criterion, options, strategy)
    return found


class Results:
    """Lines of JSON, one a measurement, appended as they come."""

    KEY = ("network", "method", "seed", "budget")

    def __init__(self, path: Path):
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.rows = {self._key(row): row for row in map(json.loads, lines)}

    def _key(self, row: dict) -> tuple:
        return tuple(row[name] for name in self.KEY)

    def has(self, *key) -> bool:
        return key in self.rows

    def add(self, row: dict) -> None:
        self.rows[self._key(row)] = row
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def measure(results: Results, networks: list[str], seeds: int, only: list[str]) -> None:
    chosen = {name: prune for name, prune in methods().items() if not only or name in only}
    for name in networks:
        data = criteria_networks.NETWORKS[name]()
        for seed in range(seeds):
            keys = [(method, budget) for method in chosen for budget in data.budgets]
            missing = [each for each in keys if not results.has(name, each[0], seed, each[1])]
            if not missing:
                continue
            network = data.make(seed)
            unpruned = data.accuracy(network)
            for method, budget in missing:
                results.add(
                    {"network": name, "method": method, "seed": seed, "budget": budget, "unpruned": unpruned}
                    | outcome(network, data, chosen[method], budget, seed)
                )
                print(json.dumps(next(reversed(results.rows.values()))), file=sys.stderr, flush=True)


def outcome(network: nn.Module, data, prune: Callable, budget: float, seed: int) -> dict:
    begin = time.process_time()
    try:
        pruned = prune(copy.deepcopy(network), data, budget, seed)
    except Exception as error:  # a method that cannot is a row of the table
        return {"failed": f"{type(error).__name__}: {error}"}
    seconds = time.process_time() - begin
    at_once = data.accuracy(pruned.eval())
    criteria_networks.train(pruned, data, data.epochs, data.learning_rate, seed)
    return {
        "params": count(pruned) / count(network),
        "at_once": at_once,
        "accuracy": data.accuracy(pruned),
        "prune_seconds": seconds,
    }


def cell(rows: list[dict]) -> str:
    done = [row for row in rows if "accuracy" in row]
    if not done:
        return "cannot" if rows else "-"
    percent = [100 * row["accuracy"] for row in done]
    spread = f" ± {statistics.stdev(percent):.1f}" if len(percent) > 1 else ""
    return f"{statistics.mean(percent):.1f}{spread}"


def table(results: Results, name: str) -> str:
    rows = [row for row in results.rows.values() if row["network"] == name]
    budgets = sorted({row["budget"] for row in rows}, reverse=True)
    names = list(dict.fromkeys(row["method"] for row in rows))
    lines = [
        "| method | " + " | ".join(f"{budget:.0%}" for budget in budgets) + " |",
        "| --- |" + " ---: |" * len(budgets),
    ]
    for method in names:
        cells = [
            cell([row for row in rows if (row["method"], row["budget"]) == (method, budget)])
            for budget in budgets
        ]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    unpruned = [100 * value for value in {row["seed"]: row["unpruned"] for row in rows}.values()]
    return f"{name}: unpruned {statistics.mean(unpruned):.1f} %\n\n" + "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="*", default=list(criteria_networks.NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="*", default=[], help="these alone; all if left out")
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "release" / "criteria.jsonl")
    parser.add_argument("--table", action="store_true", help="print what is there, measure nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    networks = arguments.networks
    if "acdnet" in networks and not criteria_networks.Esc10.is_there():
        print("acdnet is left out: ../shared/data holds no ESC-10 and no published ACDNet", file=sys.stderr)
        networks.remove("acdnet")
    results = Results(arguments.results)
    if not arguments.table:
        measure(results, networks, arguments.seeds, arguments.methods)
    print(
        f"Test accuracy in percent, mean and standard deviation over the seeds, by parameters kept; torch "
        f"{torch.__version__}, torch-pruning {version('torch-pruning')}, libcompress with '{STRATEGY}'\n"
    )
    for name in networks:
        print(table(results, name) + "\n")


if __name__ == "__main__":
    main()
