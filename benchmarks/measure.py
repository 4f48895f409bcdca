"""One measurement in a process of its own: measure.py TOOL NETWORK PART writes a JSON object to its output.

PART is `stages` (graph, groups, scores one after the other), `whole` (pruning in one go, as its users do) or
`memory` (the same for its memory alone: what was freed before is given back first, or it would be used again
without a trace; getting it back from the system costs time that users do not pay).
Seconds are processor time of the one thread that works: other work on the machine changes them little.
`peak_mb` is how far resident memory rises, at most, above what it was with network and library loaded.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from pathlib import Path

import measured_networks
import torch

FRACTION = 0.5


class Laps:
    """Seconds by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        now = time.process_time()
        self.seconds[name] = now - self._last
        self._last = time.process_time()


def memory_mb(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {what} in /proc/self/status")


def forget_peak() -> float:
    """Makes the peak the memory of now; returns that. Linux."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory_mb("VmRSS")


def give_back_memory() -> None:
    """What was freed goes back to the system, or it would hide what pruning takes."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def torch_pruning(name: str, part: str) -> dict:
    laps = Laps()
    import torch_pruning as tp

    laps.lap("import_package")
    network, example, head = measured_networks.make(name)
    importance = tp.importance.MagnitudeImportance(p=2)
    params = count(network)
    if part == "stages":
        laps.lap("make")
        graph = tp.DependencyGraph().build_dependency(network, example_inputs=example)
        laps.lap("graph")
        groups = list(graph.get_all_groups(ignored_layers=[head]))
        laps.lap("groups")
        failed = 0
        for group in groups:
            try:
                importance(group)
            except IndexError:  # ACDNet: channels that became rows, which it does not follow
                failed += 1
        laps.lap("score")
        return {"seconds": laps.seconds, "groups": len(groups), "groups_failed": failed}
    if part == "memory":
        give_back_memory()
    before = forget_peak()
    laps.lap("make")
    pruner = tp.pruner.BasePruner(
        network, example, importance=importance, pruning_ratio=FRACTION, ignored_layers=[head]
    )
    pruner.step()
    laps.lap("whole")
    peak = memory_mb("VmHWM") - before
    return {"seconds": laps.seconds, "params": params, "params_after": count(network), "peak_mb": peak}


def libcompress(name: str, part: str) -> dict:
    laps = Laps()
    import libcompress as lc
    from libcompress import _core

    laps.lap("import_package")
    network, example, _ = measured_networks.make(name)
    laps.lap("make")
    model = lc.from_torch(network, (example,))
    laps.lap("from_torch")
    if part == "stages":
        model.save("network.safetensors")
        laps.lap("save")
        lc.load("network.safetensors")
        laps.lap("load")
        groups = _core.find_groups(model.graph)
        laps.lap("groups")
        scores = _core.score_groups(model.core, groups, "magnitude")
        laps.lap("score")
        plan = _core.plan_fraction(model.core, groups, scores, FRACTION)
        laps.lap("plan")
        _core.prune(model.core, groups, plan)
        laps.lap("prune")
        return {"seconds": laps.seconds}
    del network
    if part == "memory":
        give_back_memory()
    before = forget_peak()
    laps.lap("between")
    pruned = model.prune(FRACTION)
    laps.lap("whole")
    peak = memory_mb("VmHWM") - before
    costs = {"params": pruned.costs_before.params, "params_after": pruned.costs_after.params}
    return {"seconds": laps.seconds, **costs, "peak_mb": peak}


def main() -> None:
    tool, name, part = sys.argv[1:]
    torch.set_num_threads(1)
    measure = {"torch-pruning": torch_pruning, "libcompress": libcompress}[tool]
    json.dump(measure(name, part), sys.stdout)


if __name__ == "__main__":
    main()
