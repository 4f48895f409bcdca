#!/usr/bin/env python3
"""The rules of the rooms that no compiler checks.

A room includes only itself and rooms above it in the list of libcompress/CMakeLists.txt; LibTorch
headers appear only in a few rooms; fmt stays out of headers, the whole of nlohmann json out of those of the
rooms before the pipeline; the library knows no network by name; tracked text names no folder of somebody's
machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TORCH_ROOMS = {"runtime", "train", "quant"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
TORCH = re.compile(r"^(ATen|torch|c10|caffe2)/")
NETWORK = re.compile("acd" + "net", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w/.<~$})-])/(?:root|work|home)\b(?![-.])")
UNFINISHED = re.compile(r"\b(?:" + "TO" + "DO|FIX" + r"ME)\b")
SOURCES = (".h", ".cpp", ".c")


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def room_order() -> list[str]:
    text = (ROOT / "libcompress" / "CMakeLists.txt").read_text()
    return re.search(r"foreach\(room ([^)]*)\)", text).group(1).split()


def room_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[1] if parts[0] == "libcompress" and len(parts) > 2 else None


def may_see_torch(path: str) -> bool:
    parts = path.split("/")
    folder = parts[1] if parts[0] == "tests" and len(parts) > 2 else None
    if room := room_of(path):
        return room in TORCH_ROOMS
    return parts[0] == "plugins" or folder in TORCH_ROOMS | {"plugins", "models"}


def check_include(path: str, header: str, order: list[str]) -> str | None:
    room, other = room_of(path), room_of(header)
    if TORCH.match(header) and not may_see_torch(path):
        return f"LibTorch header <{header}> outside {', '.join(sorted(TORCH_ROOMS))} and plugins"
    if path.endswith(".h") and header.startswith("fmt/"):
        return "fmt in a header; format in the .cpp"
    # The pipeline keeps its state in JSON and the command prints it; nobody includes their headers.
    last = path.startswith(("libcompress/pipeline/", "tools/"))
    if path.endswith(".h") and header == "nlohmann/json.hpp" and not last:
        return "nlohmann/json.hpp in a header; include nlohmann/json_fwd.hpp"
    if room and header.startswith(("plugins/", "models/")):
        return f"the library includes {header}; plugins and models know the library, not the reverse"
    if room and other and other in order and room in order and order.index(other) > order.index(room):
        return f"room {room} includes {header}; it may include only rooms above it: {' '.join(order)}"
    return None


def check_file(path: str, order: list[str]) -> list[str]:
    try:
        text = (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []  # not text
    complaints = []
    nameless = path.startswith(("libcompress/", "plugins/"))
    if nameless and NETWORK.search(path):
        complaints.append(f"{path}: a network's name; it belongs in models/")
    if path.endswith(".h") and "#pragma once" not in text:
        complaints.append(f"{path}: no #pragma once")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        include = INCLUDE.match(line) if path.endswith(SOURCES) else None
        if include and (complaint := check_include(path, include.group(1), order)):
            complaints.append(f"{where}: {complaint}")
        if nameless and NETWORK.search(line):
            complaints.append(f"{where}: a network's name; it belongs in models/")
        if match := MACHINE_PATH.search(line):
            complaints.append(f"{where}: {match.group(0)} is a folder of one machine")
        if UNFINISHED.search(line):
            complaints.append(f"{where}: unfinished work is told in an issue, not in the tree")
    return complaints


def check() -> list[str]:
    order = room_order()
    return [complaint for path in tracked_files() for complaint in check_file(path, order)]


if __name__ == "__main__":
    found = check()
    print("\n".join(found))
    sys.exit(1 if found else 0)
