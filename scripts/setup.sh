#!/usr/bin/env bash
# Makes .venv/bin/sequela ready. Debian packages are installed only when they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

need() { # need COMMAND-OR-LIBRARY PACKAGE...
  local probe=$1; shift
  if ! eval "$probe" >/dev/null 2>&1; then missing+=("$@"); fi
}
missing=()
need "python3 -c 'import ensurepip, venv'" python3 python3-venv
need "ldconfig -p | grep -q libpango-1.0.so" libpango-1.0-0
need "ldconfig -p | grep -q libpangoft2-1.0.so" libpangoft2-1.0-0
need "ldconfig -p | grep -q libharfbuzz-subset.so" libharfbuzz-subset0
need "fc-list | grep -qi dejavu" fontconfig fonts-dejavu-core
if [ "${SEQUELA_WITH_TESTS:-}" = 1 ]; then
  need "command -v chromium" chromium
  need "command -v pdftotext" poppler-utils
fi
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing Debian packages: ${missing[*]}"
  run=""; [ "$(id -u)" = 0 ] || run="sudo"
  $run apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

python3 - <<'EOF'
import sys
if sys.version_info < (3, 11):
    sys.exit(f"setup: Python 3.11 or newer is needed, this is {sys.version.split()[0]}; install python3.11")
EOF
[ -x .venv/bin/python ] || python3 -m venv .venv
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock 2> >(grep -v "is ignored: it is neither a file" >&2)
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e . 2> >(grep -v "is ignored: it is neither a file" >&2)
