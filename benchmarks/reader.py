"""Speed and F1 of the text reader against the same rules in medspaCy: same notes, one process, same run.

    python -m benchmarks.reader            # sets up .venv-peer with medspaCy on first use, then runs itself there
    python -m benchmarks.reader --here     # run in this interpreter

medspaCy gets the same concepts (as token patterns on the same folded word forms), the same trigger words (as ConText rules) and the same combinations
over its entities; what it cannot express (story tense, relation to the operation) is left out there, so its F1 is that of the framework with our rules.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / ".venv-peer"


def bootstrap() -> None:
    """medspaCy pins an old numpy, so it lives in an environment of its own."""
    python = PEER / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "medspacy", "msgspec", "pyyaml"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    raise SystemExit(
        subprocess.run([str(python), "-m", "benchmarks.reader", "--here"], cwd=ROOT, env=environment).returncode
    )


def peer(knowledge: Any) -> Callable[[str], list[tuple[str, str]]]:
    """The same rules in medspaCy: text -> (finding, status)."""
    import medspacy
    import spacy
    from medspacy.context import ConTextRule
    from medspacy.ner import TargetRule
    from spacy.language import Language

    from sequela.records.text.lexicon import Span, form_keys
    from sequela.records.text.rules import RuleBook
    from sequela.records.text.tokens import stem

    @Language.component("fold")
    def fold(doc: Any) -> Any:
        for token in doc:
            token.norm_ = stem(token.text) if token.is_alpha else token.lower_
        return doc

    nlp = medspacy.load(
        spacy.blank("en"),
        medspacy_enable=["medspacy_pyrush", "medspacy_target_matcher", "medspacy_context"],
        load_rules=False,
    )
    nlp.add_pipe("fold", first=True)
    target, context = nlp.get_pipe("medspacy_target_matcher"), nlp.get_pipe("medspacy_context")
    target.add(
        [
            TargetRule(form, concept.id, pattern=_pattern(form_keys(form)))
            for concept in knowledge.lexicon.concepts
            for form in concept.forms
        ]
    )
    kinds = {
        "neg_pre": ("NEGATED_EXISTENCE", "FORWARD"),
        "neg_post": ("NEGATED_EXISTENCE", "BACKWARD"),
        "unc_pre": ("POSSIBLE_EXISTENCE", "FORWARD"),
        "unc_post": ("POSSIBLE_EXISTENCE", "BACKWARD"),
        "hyp_pre": ("HYPOTHETICAL", "FORWARD"),
        "plan": ("HYPOTHETICAL", "FORWARD"),
        "family": ("FAMILY", "BIDIRECTIONAL"),
        "preop": ("HISTORICAL", "BIDIRECTIONAL"),
        "past": ("HISTORICAL", "BIDIRECTIONAL"),
        "stop": ("TERMINATE", "TERMINATE"),
        "pseudo": ("PSEUDO", "PSEUDO"),
    }
    context.add(
        [
            ConTextRule(form, category, direction=direction, pattern=_pattern(form_keys(form)))
            for name, (category, direction) in kinds.items()
            for form in knowledge.lexicon.triggers.get(name, ())
        ]
    )
    from sequela.records.text.lexicon import Matcher

    rules = RuleBook(knowledge.lexicon, Matcher(knowledge.lexicon, knowledge.version).spaces)
    parents = {c.id: c.is_ for c in knowledge.lexicon.concepts}

    def read(text: str) -> list[tuple[str, str]]:
        doc = nlp(text)
        out = []
        for sentence in doc.sents:
            places: dict[str, list[Span]] = {}
            entities = {}
            for entity in sentence.ents:
                entities[entity.start, entity.end] = entity
                queue = [entity.label_]
                for name in queue:
                    places.setdefault(name, []).append(Span(entity.label_, entity.start, entity.end))
                    queue += parents.get(name, ())
            for match in rules.matches(places):
                own = [entities[s.start, s.end] for s in match.spans if (s.start, s.end) in entities]
                if any(e._.is_hypothetical or e._.is_family or e._.is_historical for e in own):
                    continue
                status = match.compiled.rule.says
                if any(e._.is_negated for e in own):
                    status = "absent"
                elif any(e._.is_uncertain for e in own) and status == "present":
                    status = "uncertain"
                out.append((match.compiled.finding, status))
        return out

    return read


def _pattern(keys: list[str]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for key in keys:
        if key == "...":
            out += [{"OP": "?"}] * 4
        elif key == "#":
            out.append({"LIKE_NUM": True})
        elif key == "@grade":
            out.append({"TEXT": {"REGEX": r"^\d[+-]?/\d+$"}})
        elif key in ("@level", "@segment", "@vertebra"):
            out.append({"TEXT": {"REGEX": r"^[CTLS]\d"}})
        elif key.startswith("="):
            out.append({"TEXT": key[1:]})
        elif key.endswith("*") and len(key) > 1:
            out.append({"NORM": {"REGEX": "^" + key[:-1]}})
        else:
            out.append({"NORM": key})
    return out


def f1(answers: list[list[tuple[str, str]]], cases: list[dict[str, Any]], implied: dict[str, tuple[str, ...]]) -> float:
    import yaml

    from benchmarks.gold import GOLD, close, strongest

    tp = fp = fn = 0
    for case, answer in zip(cases, answers, strict=True):
        stated = yaml.safe_load((GOLD / f"{case['id']}.yaml").read_text(encoding="utf-8"))["findings"]
        gold = close(strongest([(f["finding"], f["status"]) for f in stated]), implied)
        got = close(strongest(answer) - {("age_over_70", "absent")}, implied)
        tp, fp, fn = tp + len(gold & got), fp + len(got - gold), fn + len(gold - got)
    return 2 * tp / (2 * tp + fp + fn)


def timed(
    read: Callable[[str], list[tuple[str, str]]], texts: list[str], rounds: int
) -> tuple[float, list[list[tuple[str, str]]]]:
    """Median seconds per round over all texts, after a warm-up, and the answers."""
    answers = [read(t) for t in texts]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        for text in texts:
            read(text)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--here", action="store_true")
    if not parser.parse_args().here:
        bootstrap()
    from importlib.metadata import version

    from sequela.case import Document
    from sequela.knowledge import load
    from sequela.records.text.reader import TextReader

    knowledge = load()
    reader = TextReader(knowledge)
    implied = {f.id: f.implies for f in knowledge.findings}
    cases = [
        json.loads(line) for line in (ROOT / "tests/cases/published.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    texts = [c["presentation"] + "\n\nINVESTIGATIONS\n" + c.get("investigations", "") for c in cases]
    with contextlib.redirect_stderr(io.StringIO()):
        theirs = peer(knowledge)
        ours_s, ours = timed(
            lambda t: [(o.id, o.status) for o in reader.read(Document("note", t)).observations], texts, 5
        )
        theirs_s, other = timed(theirs, texts, 2)
    n = len(texts)
    print(
        f"Python {platform.python_version()}, medspacy {version('medspacy')}, spacy {version('spacy')}, {n} notes, one process"
    )
    print(f"sequela  {1000 * ours_s / n:8.2f} ms a note   F1 {f1(ours, cases, implied):.3f}")
    print(f"medspaCy {1000 * theirs_s / n:8.2f} ms a note   F1 {f1(other, cases, implied):.3f}")
    print(f"ratio    {theirs_s / ours_s:8.1f} x  (target 20 x, F1 not lower)")


if __name__ == "__main__":
    main()
