"""Every accuracy figure of docs/accuracy.md, in one run.

python -m benchmarks.accuracy
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEQUELA = f"{ROOT / '.venv/bin/sequela'} assess - --json"


def run(title: str, *command: str) -> None:
    print(f"\n== {title}", flush=True)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)


def main() -> None:
    cases, scorer = "tests/cases/published.jsonl", "benchmarks/score_cases.py"
    run("published cases, full text", scorer, cases, "--command", SEQUELA, "--show", "causes")
    run("published cases, presentation only", scorer, cases, "--command", SEQUELA, "--part", "presentation")
    run("gold set: findings of the published cases", "-m", "benchmarks.gold")
    run("letters, the half developed on", "-m", "benchmarks.gold", "--set", "letters-develop")
    run("letters, the half only measured", "-m", "benchmarks.gold", "--set", "letters-measure")
    run("phrasing set, the half developed on", "-m", "benchmarks.phrasing", "develop")
    run("phrasing set, the half never developed on", "-m", "benchmarks.phrasing", "unseen")


if __name__ == "__main__":
    main()
