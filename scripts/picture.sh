#!/usr/bin/env bash
# Takes docs/report.png from the report of a bundled fictional patient, so that the picture is what the program writes. Needs Debian's chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
patient=examples/${PATIENT:-epidural-haematoma}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/sequela assess "$patient" --html "$work/report.html" >/dev/null
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --user-data-dir="$work/profile" \
  --hide-scrollbars --window-size=1000,1250 --screenshot="$work/report.png" "file://$work/report.html" 2>/dev/null
mv "$work/report.png" docs/report.png
echo "docs/report.png: $patient"
