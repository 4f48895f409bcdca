#!/usr/bin/env python3
"""Build, lint, C++ tests and Python tests, with one closing line of counts.

The line reads `N passed, N failed`, and `, N skipped` behind it where some were. Every linter counts as
one test. The exit status is 1 if anything failed or nothing ran.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "lint"))


@dataclass
class Tally:
    """Names of the tests that passed, failed and were skipped."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def read_junit(self, path: Path, prefix: str, status: int) -> None:
        """Adds the tests of a JUnit file; a runner that failed without naming a test is a failure too."""
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            self.failed.append(f"{prefix}: no result file ({error})")
            return
        before = len(self.failed)
        for case in cases:
            owner = case.get("classname", "")
            name = case.get("name", "?")
            full = f"{prefix}: {name}" if owner in ("", name) else f"{prefix}: {owner}.{name}"
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed.append(full)
            elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                self.skipped.append(full)
            else:
                self.passed.append(full)
        if status != 0 and len(self.failed) == before:
            self.failed.append(f"{prefix}: exit status {status}")

    def closing_line(self) -> str:
        line = f"{len(self.passed)} passed, {len(self.failed)} failed"
        return line + (f", {len(self.skipped)} skipped" if self.skipped else "")


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def build(preset: str, jobs: int, tally: Tally) -> bool:
    heading(f"build ({preset})")
    folder = ROOT / "build" / preset
    targets = ["make", "--no-print-directory", f"build/{preset}/build.ninja"]
    status = run(targets) or run(["cmake", "--build", str(folder), "-j", str(jobs)])
    if status != 0:
        tally.failed.append("build: the build failed, so its tests did not run")
    return status == 0


def build_fuzz_targets(jobs: int, tally: Tally) -> None:
    """They have a compiler and a folder of their own; ctest runs them with the other tests."""
    heading("build (fuzz)")
    if run([sys.executable, "tools/fuzz.py", "--build", "--no-run", "--jobs", str(jobs)]) != 0:
        tally.failed.append("build: the fuzz targets do not build")


def lint(jobs: int, build_folder: Path, tally: Tally) -> None:
    import lint as linters  # tools/lint/lint.py

    heading("lint")
    for name, passed in linters.run_all(jobs, build_folder):
        (tally.passed if passed else tally.failed).append(f"lint: {name}")


def cpp_tests(build_folder: Path, quick: bool, jobs: int, tally: Tally) -> None:
    heading("C++ tests")
    results = build_folder / "ctest.xml"
    results.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(build_folder), "-j", str(jobs), "--output-on-failure"]
    command += ["--output-junit", str(results)]
    if quick:
        command += ["-LE", "slow"]
    tally.read_junit(results, "C++", run(command))


def python_tests(build_folder: Path, quick: bool, tally: Tally) -> None:
    heading("Python tests")
    results = build_folder / "pytest.xml"
    results.unlink(missing_ok=True)
    os.environ["LIBCOMPRESS_BUILD"] = str(build_folder)  # where tests find the built programs
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={results}"]
    if quick:
        command += ["-m", "not slow"]
    status = run(command)
    tally.read_junit(results, "Python", 0 if status == 5 else status)  # 5: no tests collected


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", action="store_true", help="configure and build first")
    parser.add_argument("--lint", action="store_true", help="run the linters, each counted as one test")
    parser.add_argument("--quick", action="store_true", help="leave out tests labelled slow")
    parser.add_argument("--no-python", action="store_true", help="leave out the Python tests")
    parser.add_argument("--preset", default="release", help="CMake preset, also the folder below build/")
    parser.add_argument("--build-dir", type=Path, help="use this build folder instead of the preset's")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    build_folder = (arguments.build_dir or ROOT / "build" / arguments.preset).resolve()

    started = time.monotonic()
    tally = Tally()
    built = not arguments.build or build(arguments.preset, arguments.jobs, tally)
    if built:
        if arguments.build and not arguments.quick:
            build_fuzz_targets(arguments.jobs, tally)
        if arguments.lint:
            lint(arguments.jobs, build_folder, tally)
        cpp_tests(build_folder, arguments.quick, arguments.jobs, tally)
        if not arguments.no_python:
            python_tests(build_folder, arguments.quick, tally)

    heading(f"{time.monotonic() - started:.0f} s")
    for name in tally.skipped:
        print(f"skipped  {name}")
    for name in tally.failed:
        print(f"FAILED   {name}")
    print(tally.closing_line(), flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
