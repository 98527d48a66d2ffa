#!/usr/bin/env bash
# Runs every test. Installs what only the tests need.
set -euo pipefail
cd "$(dirname "$0")/.."
SEQUELA_WITH_TESTS=1 bash scripts/setup.sh
.venv/bin/python -m pytest -n 2 "$@"
