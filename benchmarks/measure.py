"""One measurement in a process of its own: measure.py TOOL NETWORK writes a JSON object to standard output.

Seconds are wall clock. `peak_mb` is how far the process's resident memory rises above what it was once network
and library were loaded, at most, while groups are found, channels scored and the network cut in one go.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import networks
import torch

FRACTION = 0.5


class Laps:
    """Seconds by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = time.perf_counter()


def memory_mb(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {what} in /proc/self/status")


def forget_peak() -> float:
    """Makes the peak the memory of now; returns that."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_mb("VmRSS")


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def torch_pruning(name: str) -> dict:
    laps = Laps()
    import torch_pruning as tp

    laps.lap("import_package")
    network, example, head = networks.make(name)
    importance = tp.importance.MagnitudeImportance(p=2)
    laps.lap("make")

    # Stage by stage.
    graph = tp.DependencyGraph().build_dependency(network, example_inputs=example)
    laps.lap("graph")
    groups = list(graph.get_all_groups(ignored_layers=[head]))
    laps.lap("groups")
    for group in groups:
        importance(group)
    laps.lap("score")
    del graph, groups

    # In one go, as its users do.
    before = forget_peak()
    params = count(network)
    laps.lap("between")
    pruner = tp.pruner.BasePruner(
        network, example, importance=importance, pruning_ratio=FRACTION, ignored_layers=[head]
    )
    laps.lap("one_shot_prepare")
    pruner.step()
    laps.lap("one_shot_prune")
    peak = memory_mb("VmHWM") - before
    result = {"version": tp.__version__, "params": params, "params_after": count(network), "peak_mb": peak}
    result["whole"] = laps.seconds["one_shot_prepare"] + laps.seconds["one_shot_prune"]
    return result | {"seconds": laps.seconds}


def libcompress(name: str) -> dict:
    laps = Laps()
    import libcompress as lc
    from libcompress import _core

    laps.lap("import_package")
    network, example, _ = networks.make(name)
    laps.lap("make")
    model = lc.from_torch(network, (example,))
    laps.lap("from_torch")
    model.save("network.safetensors")
    laps.lap("save")
    lc.load("network.safetensors")
    laps.lap("load")

    # Stage by stage.
    groups = _core.find_groups(model.graph)
    laps.lap("groups")
    scores = _core.score_groups(model.core, groups, "magnitude")
    laps.lap("score")
    plan = _core.plan_fraction(model.core, groups, scores, FRACTION)
    laps.lap("plan")
    _core.prune(model.core, groups, plan)
    laps.lap("prune")
    del groups, scores, plan

    # In one go, as its users do.
    before = forget_peak()
    laps.lap("between")
    pruned = model.prune(FRACTION)
    laps.lap("one_shot")
    peak = memory_mb("VmHWM") - before
    result = {
        "params": pruned.costs_before.params,
        "params_after": pruned.costs_after.params,
        "peak_mb": peak,
    }
    result["whole"] = laps.seconds["one_shot"]
    return result | {"seconds": laps.seconds}


def main() -> None:
    tool, name = sys.argv[1:]
    torch.set_num_threads(1)
    measured = {"torch-pruning": torch_pruning, "libcompress": libcompress}[tool](name)
    json.dump({"tool": tool, "network": name, **measured}, sys.stdout)


if __name__ == "__main__":
    main()
