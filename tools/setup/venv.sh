#!/usr/bin/env bash
# Makes .venv with requirements.txt. A stamp with the hash of the requirements makes second runs instant.
set -euo pipefail
cd "$(dirname "$0")/../.."

stamp=.venv/requirements.sha256
python="${PYTHON:-python3}"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || {
  echo "setup: $python does not run; install python3 or set PYTHON" >&2
  exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "setup: Python $version found; 3.11 or newer is needed (set PYTHON to name another)" >&2
  exit 1
}

wanted=$({ cat requirements.txt; echo "python $version"; } | sha256sum | cut -d' ' -f1)
if [[ -x .venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
  exit 0
fi

if [[ -x .venv/bin/python ]]; then
  found=$(.venv/bin/python -c 'import pip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)
  [[ $found == "$version" ]] || rm -rf .venv  # half made, or of another Python
fi
if [[ ! -x .venv/bin/python ]]; then
  echo "setup: making .venv with Python $version"
  if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "setup: $python has no venv; on Debian: apt-get install python3-venv" >&2
    exit 1
  fi
fi

echo "setup: installing requirements.txt into .venv"
install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; }
if ! install; then
  echo "setup: pip failed; once more"
  sleep 3
  install
fi
echo "$wanted" >"$stamp"
