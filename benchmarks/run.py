#!/usr/bin/env python3
"""Measures libcompress beside Torch-Pruning, and a chain of convolutions; prints tables and writes JSON.

Every measurement is a process of its own with one thread; figures are medians over the runs. `make benchmark`
builds and installs what is needed and calls this.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NETWORKS = ("resnet50", "densenet121", "acdnet")
TOOLS = ("torch-pruning", "libcompress")
LAYERS = (100, 1_000, 10_000)


def measured(command: list[str], build: Path, runs: int) -> list[dict]:
    """The JSON of each run; threads are one everywhere."""
    environment = os.environ | {"PYTHONPATH": str(build / "python")}
    environment |= {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
        results.append(json.loads(done.stdout.splitlines()[-1]))
    return results


def medians(results: list[dict]) -> dict:
    """Of every number, also of those one level down."""
    first = results[0]
    merged = {}
    for key, value in first.items():
        values = [result[key] for result in results]
        if isinstance(value, dict):
            merged[key] = medians(values)
        else:
            merged[key] = statistics.median(values) if isinstance(value, int | float) else value
    return merged


def compare(build: Path, runs: int) -> dict:
    found: dict[str, dict] = {}
    for network in NETWORKS:
        found[network] = {}
        for tool in TOOLS:
            script = [sys.executable, str(HERE / "measure.py"), tool, network]
            stages = medians(measured([*script, "stages"], build, runs))
            wholes = measured([*script, "whole"], build, runs)
            whole = medians(wholes)
            seconds = stages["seconds"] | whole["seconds"]
            slowest = max(result["seconds"]["whole"] for result in wholes)
            peak = medians(measured([*script, "memory"], build, runs))["peak_mb"]
            found[network][tool] = whole | {"seconds": seconds, "slowest_whole": slowest, "peak_mb": peak}
    return found


def chains(build: Path, runs: int) -> dict:
    program = str(build / "bin" / "benchmark_chain")
    return {layers: medians(measured([program, str(layers)], build, runs)) for layers in LAYERS}


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.1f}" if seconds < 0.1 else f"{1000 * seconds:,.0f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]]
    return "\n".join(lines)


def comparison_rows(found: dict) -> list[list[str]]:
    rows = []
    for network, tools in found.items():
        peer, ours = tools["torch-pruning"], tools["libcompress"]
        theirs, mine = peer["seconds"], ours["seconds"]
        graph = theirs["graph"] + theirs["groups"]
        whole = theirs["whole"], mine["whole"]
        pairs = {
            "graph and groups": (graph, mine["groups"]),
            "scores": (theirs["score"], mine["score"]),
            "one shot: graph, groups, scores, 50 % cut": whole,
            "the same with from_torch": (whole[0], whole[1] + mine["from_torch"]),
        }
        for what, (a, b) in pairs.items():
            rows.append([f"{network}: {what}, ms", milliseconds(a), milliseconds(b), f"{a / b:.1f}"])
        peaks = peer["peak_mb"], max(ours["peak_mb"], 0.1)
        rows.append(
            [f"{network}: peak memory, MB", *(f"{p:,.0f}" for p in peaks), f"{peaks[0] / peaks[1]:.1f}"]
        )
        left = [f"{t['params_after'] / t['params']:.1%}" for t in (peer, ours)]
        rows.append([f"{network}: parameters left", *left, ""])
    return rows


def loading_rows(found: dict) -> list[list[str]]:
    rows = []
    for network, tools in found.items():
        mine = tools["libcompress"]["seconds"]
        imports = [tools[tool]["seconds"]["import_package"] for tool in TOOLS]
        figures = [*imports, mine["from_torch"], mine["load"]]
        rows.append([network, *map(milliseconds, figures)])
    return rows


def chain_rows(found: dict) -> list[list[str]]:
    rows = []
    for layers, result in found.items():
        stages = [result[stage] for stage in ("build", "groups", "score", "plan", "prune")]
        total = sum(stages)
        per_layer = f"{1e6 * total / layers:.1f}"
        peak = f"{result['peak_kilobytes'] / 1024:,.0f}"
        rows.append([f"{layers:,}", *map(milliseconds, stages), milliseconds(total), per_layer, peak])
    return rows


def report(results: dict) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    measured_how = f"one thread's processor time, median of {results['runs']} processes"
    loads = ["ms", "import torch_pruning", "import libcompress", "from_torch", "load a file"]
    stages = [
        "layers of conv + ReLU",
        "build",
        "groups",
        "scores",
        "plan",
        "prune",
        "all, ms",
        "us each",
        "MB",
    ]
    parts = [
        f"{results['machine']}, {results['date']}; {measured_how}; {versions}",
        table(["", "Torch-Pruning", "libcompress", "ratio"], comparison_rows(results["networks"])),
        table(loads, loading_rows(results["networks"])),
        table(stages, chain_rows(results["chain"])),
    ]
    return "\n\n".join(parts)


def machine() -> str:
    """Processor and cores, as the kernel names them."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="build folder")
    parser.add_argument("--runs", type=int, default=5, help="processes a figure")
    parser.add_argument("--out", type=Path, help="JSON file; default: benchmarks.json in the build folder")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    results = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "runs": arguments.runs,
        "versions": {name: version(name) for name in ("torch", "torchvision", "torch-pruning")},
        "networks": compare(build, arguments.runs),
        "chain": chains(build, arguments.runs),
    }
    out = arguments.out or build / "benchmarks.json"
    out.write_text(json.dumps(results, indent=1))
    print(report(results), f"\nwritten to {out}", sep="\n")


if __name__ == "__main__":
    main()
