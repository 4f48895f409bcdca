#!/usr/bin/env python3
"""The linters: clang-format, ruff, the rules of the rooms, and clang-tidy on the sources without LibTorch.

clang-tidy remembers, by the hash of a file with every project header it includes, what it has
already found clean.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import rooms

ROOT = rooms.ROOT
TOOLS = Path(sys.executable).parent
CACHE = ROOT / ".cache" / "clang-tidy"


def cpp_files() -> list[str]:
    return [name for name in rooms.tracked_files() if name.endswith((".h", ".cpp"))]


def run(*command: str) -> tuple[bool, str]:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def clang_format() -> tuple[bool, str]:
    files = cpp_files()
    return run(str(TOOLS / "clang-format"), "--dry-run", "--Werror", *files) if files else (True, "")


def ruff_check() -> tuple[bool, str]:
    return run(str(TOOLS / "ruff"), "check", "--quiet", ".")


def ruff_format() -> tuple[bool, str]:
    return run(str(TOOLS / "ruff"), "format", "--check", "--quiet", ".")


def room_rules() -> tuple[bool, str]:
    complaints = rooms.check()
    return not complaints, "\n".join(complaints)


@cache
def project_headers(path: Path) -> frozenset[Path]:
    """Every header of the project that `path` includes, directly or not."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        for line in waiting.pop().read_text(encoding="utf-8").splitlines():
            match = rooms.INCLUDE.match(line)
            header = ROOT / match.group(1) if match else None
            if header and header not in found and header.is_file():
                found.add(header)
                waiting.append(header)
    return frozenset(found)


def sees_torch(path: Path) -> bool:
    texts = [each.read_text(encoding="utf-8") for each in [path, *project_headers(path)]]
    return any("<ATen/" in text or "<torch/" in text or "<c10/" in text for text in texts)


def state_of(path: Path, command: str) -> str:
    """A hash of all that decides what clang-tidy says about `path`."""
    digest = hashlib.sha256(command.encode())
    for each in [ROOT / ".clang-tidy", ROOT / "requirements.txt", path, *sorted(project_headers(path))]:
        digest.update(each.read_bytes())
    return digest.hexdigest()


def without_precompiled_headers(command: str) -> str:
    """The compiler call as if every file had to stand on its own includes."""
    return re.sub(r"-Winvalid-pch|-fpch-preprocess|-include \S*cmake_pch\S*", "", command)


def clang_tidy(jobs: int, build_folder: Path) -> tuple[bool, str]:
    database = build_folder / "compile_commands.json"
    if not database.is_file():
        return False, f"{database} is missing; configure first (make build)"
    tracked = set(rooms.tracked_files())
    work = []
    entries = json.loads(database.read_text())
    for entry in entries:
        entry["command"] = without_precompiled_headers(entry["command"])
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "compile_commands.json").write_text(json.dumps(entries))
    for entry in entries:
        path = Path(entry["file"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        # Not the tests: GoogleTest's headers and macros would double the time and find next to nothing.
        if name not in tracked or name.startswith("tests/") or path.suffix != ".cpp" or sees_torch(path):
            continue
        stamp = CACHE / state_of(path, entry["command"].replace(str(build_folder), "build"))
        if not stamp.exists():
            work.append((path, stamp))

    def check(item: tuple[Path, Path]) -> tuple[bool, str]:
        path, stamp = item
        passed, output = run(str(TOOLS / "clang-tidy"), "--quiet", "-p", str(CACHE), str(path))
        if passed:
            stamp.touch()
        return passed, output

    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(check, work))
    return all(passed for passed, _ in results), "\n".join(text for passed, text in results if not passed)


def run_all(jobs: int, build_folder: Path) -> Iterator[tuple[str, bool]]:
    """Runs every linter, prints what it found, yields its name and whether it passed."""
    linters: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("clang-format", clang_format),
        ("ruff check", ruff_check),
        ("ruff format", ruff_format),
        ("rooms", room_rules),
        ("clang-tidy", lambda: clang_tidy(jobs, build_folder)),
    ]
    for name, linter in linters:
        started = time.monotonic()
        passed, output = linter()
        print(f"{'ok' if passed else 'FAILED':7} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if not passed:
            print(output, flush=True)
        yield name, passed


def apply_formats() -> None:
    """Formats every tracked C++ and Python file in place."""
    run(str(TOOLS / "clang-format"), "-i", *cpp_files())
    run(str(TOOLS / "ruff"), "check", "--quiet", "--fix", ".")
    run(str(TOOLS / "ruff"), "format", "--quiet", ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--build-dir", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--fix", action="store_true", help="format the files instead of checking them")
    arguments = parser.parse_args()
    if arguments.fix:
        apply_formats()
        sys.exit(0)
    results = list(run_all(arguments.jobs, arguments.build_dir.resolve()))
    sys.exit(0 if all(passed for _, passed in results) else 1)
