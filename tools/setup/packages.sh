#!/usr/bin/env bash
# Installs the Debian packages of packages.txt that are missing, after saying which and what for.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here; the build needs what these Debian packages hold:"
  sed 's/^/  /' "$here/packages.txt"
  exit 0
fi

missing=()
while IFS=$'\t' read -r name why; do
  [[ -z "$name" || "$name" == \#* ]] && continue
  # A command that is there by other means (a newer cmake, a Python of one's own) needs no package.
  case "$name" in
    g++ | cmake | ccache | git | python3) command -v "$name" >/dev/null && continue ;;
    ninja-build) command -v ninja >/dev/null && continue ;;
    python3-dev) [[ -f "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]] && continue ;;
    python3-venv) command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
  esac
  dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed && continue
  missing+=("$name")
  [[ ${#missing[@]} -eq 1 ]] && echo "setup: Debian packages to install:"
  printf '  %-26s %s\n' "$name" "$why"
done <"$here/packages.txt"
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  as_root=(sudo)
  # sudo may ask for a password on a terminal; without one it has to work unasked.
  if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
    echo "setup: these packages need root. Run this, then start again:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

update() { "${as_root[@]}" apt-get -q update; }
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"
}

# Fresh machines have no package lists; then every candidate is "(none)" or the package is unknown.
for name in "${missing[@]}"; do
  if ! apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [^(]'; then
    update || { echo "setup: apt-get update failed; once more"; sleep 3; update; }
    break
  fi
done

if ! install; then
  echo "setup: apt-get install failed; once more with fresh package lists"
  update
  install
fi
