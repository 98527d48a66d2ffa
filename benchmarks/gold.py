"""Precision, recall and F1 of the text reader on the gold set of published cases.

    python -m benchmarks.gold [--half develop|measure|all] [--show]

An item is (case, finding, status). Findings that a stated one implies are added on both sides. Cases alternate between the half that
rules were developed on and the half that was only measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import yaml

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "published.jsonl"
GOLD = ROOT / "tests" / "gold"


def close(items: set[tuple[str, str]], implied: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    out = set(items)
    for finding, status in items:
        if status == "present":
            queue = list(implied.get(finding, ()))
            while queue:
                name = queue.pop()
                out.add((name, "present"))
                queue += implied.get(name, ())
    return out


def strongest(pairs: list[tuple[str, str]]) -> set[tuple[str, str]]:
    rank = {"absent": 0, "uncertain": 1, "present": 2}
    best: dict[str, str] = {}
    for finding, status in pairs:
        if finding not in best or rank[status] > rank[best[finding]]:
            best[finding] = status
    return set(best.items())


def score(tp: int, fp: int, fn: int) -> str:
    p, r = tp / max(tp + fp, 1), tp / max(tp + fn, 1)
    return f"precision {p:.3f} recall {r:.3f} F1 {2 * p * r / max(p + r, 1e-9):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", default="all", choices=["develop", "measure", "all"])
    parser.add_argument("--show", action="store_true", help="print every difference (develop half only)")
    options = parser.parse_args()
    knowledge = load()
    reader = TextReader(knowledge)
    implied = {f.id: f.implies for f in knowledge.findings}
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines() if line.strip()]
    counts = {"status": [0, 0, 0], "finding": [0, 0, 0]}
    n = 0
    for index, case in enumerate(cases):
        half = "measure" if index % 2 else "develop"
        path = GOLD / f"{case['id']}.yaml"
        if not path.exists() or options.half not in ("all", half):
            continue
        n += 1
        text = case["presentation"] + "\n\nINVESTIGATIONS\n" + case.get("investigations", "")
        gold = strongest(
            [(f["finding"], f["status"]) for f in yaml.safe_load(path.read_text(encoding="utf-8"))["findings"]]
        )
        got = strongest([(o.id, o.status) for o in reader.read(Document(case["id"], text)).observations])
        got.discard(("age_over_70", "absent"))  # an age is not annotated as the absence of old age
        gold, got = close(gold, implied), close(got, implied)
        names_gold, names_got = {f for f, _ in gold}, {f for f, _ in got}
        for key, a, b in (("status", gold, got), ("finding", names_gold, names_got)):
            counts[key][0] += len(a & b)
            counts[key][1] += len(b - a)
            counts[key][2] += len(a - b)
        if options.show and half == "develop":
            print(case["id"], "MISSED", sorted(gold - got), "EXTRA", sorted(got - gold))
    for key, (tp, fp, fn) in counts.items():
        print(f"{options.half} ({n} cases), {key}: {score(tp, fp, fn)}")


if __name__ == "__main__":
    main()
