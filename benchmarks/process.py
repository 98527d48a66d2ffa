"""Time and memory of the whole command `sequela assess note.txt --json`, warm.

python -m benchmarks.process [--runs 15]
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = ROOT / "examples" / "recurrent-disc" / "clinic-letter.txt"


def once() -> float:
    start = time.perf_counter()
    subprocess.run([ROOT / ".venv/bin/sequela", "assess", str(NOTE), "--json"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def bare() -> float:
    """The same interpreter doing nothing: what the machine itself takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    once()
    pairs = [(once(), bare()) for _ in range(options.runs)]
    ours, floor = [a for a, _ in pairs], [b for _, b in pairs]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"Python {platform.python_version()}, {options.runs} runs after one warm-up, whole process")
    print(
        f"sequela assess note.txt --json: median {statistics.median(ours):.3f} s (min {min(ours):.3f}, max {max(ours):.3f}); target 0.6 s"
    )
    print(
        f"ratio to `python -c 'import numpy'` in the same run: {statistics.median(ours) / statistics.median(floor):.2f}"
    )
    print(f"peak memory of the largest process: {peak:.0f} MB; target 200 MB")


if __name__ == "__main__":
    main()
