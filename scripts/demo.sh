#!/usr/bin/env bash
# Assesses one bundled fictional patient and writes the report.
set -euo pipefail
cd "$(dirname "$0")/.."
patient=examples/${PATIENT:-recurrent-disc}
mkdir -p build/demo
.venv/bin/sequela assess "$patient" --html build/demo/report.html --pdf build/demo/report.pdf --fhir build/demo/report.fhir.json
echo
echo "Fictional patient: $patient"
echo "Report: build/demo/report.html, build/demo/report.pdf, build/demo/report.fhir.json"
