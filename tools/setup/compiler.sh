#!/usr/bin/env bash
# Says so if the C++ compiler or CMake is too old, before a build fails with pages of errors.
set -euo pipefail

compiler="${CXX:-g++}"
if ! command -v "$compiler" >/dev/null; then
  echo "setup: no $compiler; on Debian: apt-get install g++" >&2
  exit 1
fi
if "$compiler" --version | head -1 | grep -qi clang; then
  oldest=15
else
  oldest=12
fi
found=$("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)
if ((${found%%.*} < oldest)); then
  echo "setup: $compiler $found found; $oldest or newer is needed for C++20 (set CXX to name another)" >&2
  exit 1
fi

cmake_version=$(cmake --version | head -1 | sed 's/[^0-9.]//g')
if ! printf '3.24\n%s\n' "$cmake_version" | sort -C -V; then
  echo "setup: cmake $cmake_version found; 3.24 or newer is needed" >&2
  exit 1
fi
