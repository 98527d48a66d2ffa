"""Recall and precision of the text reader on the phrasing set.

    python -m benchmarks.phrasing [develop|unseen] [--part NAME] [--show FINDING|all] [--summary]

Each sentence is read on its own. Recall: sentences that state a finding and yield it as present. Precision: of all sentences on which the
target finding was reported present, those that state it. Sentences of the unseen half must not be used to write rules.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader

ROOT = Path(__file__).resolve().parent.parent / "tests" / "phrasing"


def statuses(reader: TextReader, text: str, implied: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Finding -> strongest status read in the text, implied findings included."""
    out: dict[str, str] = {}
    rank = {"absent": 0, "uncertain": 1, "present": 2}
    for observation in reader.read(Document("sentence", text)).observations:
        names = [observation.id]
        if observation.status == "present":
            for name in names:
                names += [i for i in implied.get(name, ()) if i not in names]
        for name in names:
            if name not in out or rank[observation.status] > rank[out[name]]:
                out[name] = observation.status
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", nargs="?", default="develop", choices=["develop", "unseen"])
    parser.add_argument("--part")
    parser.add_argument("--show", help="print the misses of one finding, or of all (develop half only)")
    parser.add_argument("--summary", action="store_true", help="one line per finding, worst first")
    options = parser.parse_args()
    knowledge = load()
    reader = TextReader(knowledge)
    implied = {f.id: f.implies for f in knowledge.findings}
    hit = said = false = extra = denied = denials = 0
    table = []
    for path in sorted((ROOT / options.half).glob("*.yaml")):
        if options.part and path.stem != options.part:
            continue
        for finding, sets in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            h = f = 0
            show = options.half == "develop" and options.show in ("all", finding)
            for item in sets["present"]:
                got = statuses(reader, item["text"], implied)
                said += 1
                ok = got.get(finding) in ("present", "uncertain")
                h += ok
                allowed = {finding, *item.get("also", ())}
                for name in list(allowed):
                    allowed |= set(implied.get(name, ()))
                extra += sum(s == "present" and n not in allowed for n, s in got.items())
                if show and not ok:
                    print(f"MISS  {finding}: {item['text']}   got {got}")
            for item in sets["near"]:
                got = statuses(reader, item["text"], implied)
                wrong = got.get(finding) == "present"
                f += wrong
                if item["expect"] == "absent":
                    denials += 1
                    denied += got.get(finding) == "absent"
                if show and wrong:
                    print(f"FALSE {finding} ({item['expect']}): {item['text']}   got {got}")
            hit, false = hit + h, false + f
            table.append((h / len(sets["present"]), -f, finding, h, len(sets["present"]), f, path.stem))
    if options.summary:
        for _recall, _, finding, h, n, f, part in sorted(table):
            print(f"  {finding:48s} {part:12s} recall {h}/{n}  false {f}")
    precision = hit / (hit + false) if hit + false else float("nan")
    print(
        f"{options.half}: {said} sentences, recall {hit}/{said} = {hit / max(said, 1):.3f}, precision {hit}/{hit + false} = {precision:.3f}, "
        f"denials read as denied {denied}/{denials}, findings beyond the labelled ones {extra}"
    )


if __name__ == "__main__":
    main()
