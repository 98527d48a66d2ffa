"""Precision, recall and F1 of the text reader on annotated texts.

    python -m benchmarks.gold [--set published|letters-develop|letters-measure] [--show]

published: the 84 published cases (tests/gold). letters: fictional letters (tests/letters), of which only the develop half may be shown.
An item is (text, finding, status). Findings that a stated one implies are added on both sides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "published.jsonl"
GOLD = ROOT / "tests" / "gold"
LETTERS = ROOT / "tests" / "letters"
SETS = ("published", "letters-develop", "letters-measure")

Items = set[tuple[str, str]]
"""(finding, status)"""


class Annotated(NamedTuple):
    id: str
    text: str
    findings: list[dict[str, str]]
    causes: tuple[str, ...]


def joined(presentation: str, investigations: str | None) -> str:
    return f"{presentation.strip()}\n\nINVESTIGATIONS\n{(investigations or '').strip()}"


def annotated(name: str) -> Iterator[Annotated]:
    """The texts of one set with their annotation and the causes that count as right."""
    if name == "published":
        for line in CASES.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            gold = yaml.safe_load((GOLD / f"{case['id']}.yaml").read_text(encoding="utf-8"))
            truth = case["truth"]
            text = joined(case["presentation"], case.get("investigations"))
            yield Annotated(case["id"], text, gold["findings"], tuple(truth.get("accept") or [truth["cause"]]))
        return
    for path in sorted((LETTERS / name.removeprefix("letters-")).glob("*.yaml")):
        case = yaml.safe_load(path.read_text(encoding="utf-8"))
        text = joined(case["presentation"], case.get("investigations"))
        yield Annotated(case["case"], text, case["findings"], (case["cause"],))


def close(items: Items, implied: dict[str, tuple[str, ...]]) -> Items:
    out = set(items)
    for finding, status in items:
        if status == "present":
            queue = list(implied.get(finding, ()))
            while queue:
                name = queue.pop()
                out.add((name, "present"))
                queue += implied.get(name, ())
    return out


def strongest(pairs: list[tuple[str, str]]) -> Items:
    rank = {"absent": 0, "uncertain": 1, "present": 2}
    best: dict[str, str] = {}
    for finding, status in pairs:
        if finding not in best or rank[status] > rank[best[finding]]:
            best[finding] = status
    return set(best.items())


def score(tp: int, fp: int, fn: int) -> str:
    p, r = tp / max(tp + fp, 1), tp / max(tp + fn, 1)
    return f"precision {p:.3f} recall {r:.3f} F1 {2 * p * r / max(p + r, 1e-9):.3f}"


def compare(reader: TextReader, one: Annotated, implied: dict[str, tuple[str, ...]]) -> tuple[Items, Items]:
    """What the annotation and the reader hold of one text."""
    gold = strongest([(f["finding"], f["status"]) for f in one.findings])
    got = strongest([(o.id, o.status) for o in reader.read(Document(one.id, one.text)).observations])
    got.discard(("age_over_70", "absent"))  # an age is not annotated as the absence of old age
    return close(gold, implied), close(got, implied)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="published", choices=SETS)
    parser.add_argument("--show", action="store_true", help="print every difference (never of the measured half)")
    options = parser.parse_args()
    knowledge = load()
    reader = TextReader(knowledge)
    implied = {f.id: f.implies for f in knowledge.findings}
    counts = {"status": [0, 0, 0], "finding": [0, 0, 0]}
    n = 0
    for one in annotated(options.set):
        n += 1
        gold, got = compare(reader, one, implied)
        for key, a, b in (("status", gold, got), ("finding", {f for f, _ in gold}, {f for f, _ in got})):
            counts[key][0] += len(a & b)
            counts[key][1] += len(b - a)
            counts[key][2] += len(a - b)
        if options.show and options.set != "letters-measure":
            print(one.id, "MISSED", sorted(gold - got), "EXTRA", sorted(got - gold))
    for key, (tp, fp, fn) in counts.items():
        print(f"{options.set} ({n} texts), {key}: {score(tp, fp, fn)}")


if __name__ == "__main__":
    main()
