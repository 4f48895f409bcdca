#!/usr/bin/env python3
"""Fuzz the readers of foreign files: hand them made-up bytes and see that they never crash.

Each target starts from its committed seeds (tests/fuzz/corpus/NAME) and from what earlier calls found worth
keeping (build/fuzz/corpus/NAME), and goes another way each time. With --runs it makes the same inputs from
the seeds each time, for a test suite that fails where it failed before. Memory is limited, so that a small
file that asks for gigabytes is a find as well. An input that crashes, hangs or eats memory is kept in
build/fuzz/finds.

Exit status: 0 if nothing was found, 1 if something was, 77 if the targets are not built.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
SEEDS = ROOT / "tests" / "fuzz" / "corpus"
NOT_BUILT = 77
LIMITS = ["-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=20", "-max_len=16384"]


def targets() -> list[str]:
    return sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests" / "fuzz").glob("fuzz_*.cpp"))


def build(jobs: int) -> int:
    """Only what the targets need, cached by ccache."""
    steps = [] if (BUILD / "build.ninja").exists() else [["cmake", "--preset", "fuzz"]]
    steps.append(["cmake", "--build", "--preset", "fuzz", "-j", str(jobs)])
    for step in steps:
        status = subprocess.run(step, cwd=ROOT, check=False).returncode
        if status != 0:
            return status
    return 0


def program(name: str) -> Path:
    return BUILD / "bin" / f"fuzz_{name}"


def fuzz(name: str, seconds: int, same_runs: int | None) -> bool:
    """Runs one target; prints one line, or how to reproduce what it found. True if it found nothing."""
    if same_runs is None:
        return fuzz_from(BUILD / "corpus" / name, name, [f"-max_total_time={seconds}"])
    with tempfile.TemporaryDirectory() as empty:
        return fuzz_from(Path(empty), name, [f"-max_total_time={seconds}", f"-runs={same_runs}", "-seed=1"])


def fuzz_from(corpus: Path, name: str, limits: list[str]) -> bool:
    finds = BUILD / "finds"
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    command = [program(name), corpus, SEEDS / name, *limits, "-print_final_stats=1"]
    command += [*LIMITS, f"-artifact_prefix={finds}/{name}-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    figures = dict(
        line.removeprefix("stat::").split(":", 1)
        for line in done.stderr.splitlines()
        if line.startswith("stat::")
    )
    runs = figures.get("number_of_executed_units", "?").strip()
    if done.returncode == 0:
        print(f"{name}: nothing found in {runs} inputs", flush=True)
        return True
    found = [line.split()[-1] for line in done.stderr.splitlines() if "Test unit written to" in line]
    print(done.stderr[-6000:])
    again = " ".join(str(path) for path in [program(name).relative_to(ROOT), *LIMITS[:2], *found])
    print(f"{name}: FOUND an input that should have been refused. See it again with\n  {again}", flush=True)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"targets (all: {', '.join(targets())})")
    parser.add_argument("--seconds", type=int, default=60, help="for each target, at most")
    parser.add_argument("--runs", type=int, help="end after so many inputs, the same ones each time")
    parser.add_argument("--build", action="store_true", help="configure and build the targets first")
    parser.add_argument("--no-run", action="store_true", help="only build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    names = arguments.names or targets()
    unknown = sorted(set(names) - set(targets()))
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(targets())}")
    if arguments.build and build(arguments.jobs) != 0:
        return 1
    if arguments.no_run:
        return 0
    missing = [name for name in names if not program(name).exists()]
    if missing:
        print(f"not built: {', '.join(missing)}; build them with tools/fuzz.py --build --no-run")
        return NOT_BUILT
    with ThreadPoolExecutor(arguments.jobs) as pool:
        passed = list(pool.map(lambda name: fuzz(name, arguments.seconds, arguments.runs), names))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
