#!/usr/bin/env bash
# Everything again, from a clone alone: installs by the lock, checks the data, builds every report and compares every number.
set -euo pipefail
cd "$(dirname "$0")"
for needed in make git "${PYTHON:-python3}"; do
  command -v "$needed" >/dev/null || { echo "error: $needed is not here; on Debian: apt-get install make git python3-venv" >&2; exit 2; }
done
make reproduce "$@"
echo "open reports/index.html"
