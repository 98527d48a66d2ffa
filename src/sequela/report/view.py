"""What every report shows, worked out once: names instead of identifiers, the words behind each reason, the order of importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from sequela.case import Case, Document, Event, Observation, Operation, Source
from sequela.case.spans import DAYS_PER_MONTH
from sequela.knowledge import load
from sequela.knowledge.model import Knowledge
from sequela.reasoning.assessment import Applicability, Assessment, Inapplicable, RankedCause, Weight
from sequela.report.nerve import NerveView, nerve_view
from sequela.report.percent import percent
from sequela.report.spans import in_words

ABOVE_THE_FOLD = 5
REASONS = 3
MOST_TESTS = 3
URGENCY = {
    "emergency": "Emergency: now",
    "same_day": "Same day",
    "within_72h": "Within 72 hours",
    "within_2_weeks": "Within two weeks",
}
NOTICE: dict[Inapplicable, str] = {
    "operation_denied": "The record says that no operation was done. Causes of failed surgery are not shown.",
    "operation_planned": "The record says that the operation is only planned. Causes of failed surgery are not shown.",
    "operation_on_other_region": "Only an operation on the neck or upper back was found. The ranking presumes one on the low back; do not rely on it.",
    "no_operation_found": "No operation on the low back was found. The ranking presumes one; add the operation note or say what was done.",
    "child": "The patient is under 18. This is made for adults; do not use the ranking for a child.",
}
"""What stands at the head of a report whose ranking must not be taken at face value."""
CAVEAT = "Model estimate, not validated prospectively. It supports clinicians and does not replace them."


class Quote(msgspec.Struct, frozen=True):
    """The words a reason rests on. anchor: id of the highlighted place in the document view."""

    text: str
    document: str
    anchor: str


class Reason(msgspec.Struct, frozen=True):
    """name: the finding in full; label: short; status in words; weight: natural-log likelihood ratio; strength: 1..3 for display."""

    finding: str
    name: str
    label: str
    status: str
    weight: float
    strength: int
    quotes: tuple[Quote, ...]


class CauseView(msgspec.Struct, frozen=True):
    id: str
    name: str
    plain: str
    definition: str
    probability: float
    low: float
    high: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    would_settle: tuple[str, ...]


class Notice(msgspec.Struct, frozen=True):
    """Why the ranking may not apply. text: empty when it applies. withheld: the ranking is not shown."""

    text: str = ""
    withheld: bool = False
    quotes: tuple[str, ...] = ()


class FlagView(msgspec.Struct, frozen=True):
    id: str
    name: str
    urgency: str
    action: str
    time_limit: str
    suspects: tuple[str, ...]
    quotes: tuple[Quote, ...]


class FlagGroup(msgspec.Struct, frozen=True):
    """Flags of one urgency: one card, not one interruption each."""

    urgency: str
    when: str
    flags: tuple[FlagView, ...]


class Piece(msgspec.Struct, frozen=True):
    """A stretch of a document: plain, or highlighted with the findings it states."""

    text: str
    anchor: str = ""
    title: str = ""
    status: str = ""


class TestView(msgspec.Struct, frozen=True):
    """A proposed test. bits, burden: in words. bars: what bars it or asks for caution. ask: what to ask before."""

    id: str
    name: str
    plain: str
    urgent: bool
    recommended: bool
    bits: str
    burden: str
    why: str
    bars: tuple[str, ...]
    ask: tuple[str, ...]


class DocumentView(msgspec.Struct, frozen=True):
    name: str
    kind: str
    pieces: tuple[Piece, ...]


class View(msgspec.Struct, frozen=True):
    """others: the causes below the fold taken together, in words."""

    patient: str
    notice: Notice
    red_flags: tuple[FlagGroup, ...]
    causes: tuple[CauseView, ...]
    folded: tuple[CauseView, ...]
    others: str
    none_of_these: str
    mechanisms: tuple[tuple[str, float], ...]
    operations: tuple[str, ...]
    timeline: tuple[tuple[str, str, str], ...]
    course: str
    missing: tuple[str, ...]
    nerve: NerveView | None
    conflicts: tuple[str, ...]
    problems: tuple[str, ...]
    documents: tuple[DocumentView, ...]
    knowledge_version: str
    next_tests: tuple[TestView, ...] = ()
    branches: tuple[str, ...] = ()
    caveat: str = CAVEAT


def view(assessment: Assessment, knowledge: Knowledge | None = None) -> View:
    """The assessment as a person reads it."""
    return _Presenter(assessment, knowledge or load()).view()


class _Presenter:
    def __init__(self, assessment: Assessment, knowledge: Knowledge) -> None:
        self.assessment, self.case, self.knowledge = assessment, assessment.case, knowledge
        self.names = {f.id: f.name for f in knowledge.findings}
        self.labels = {f.id: f.label or f.name for f in knowledge.findings}
        self.causes = {c.id: c for c in knowledge.causes}
        self.tests = {t.id: t.name for t in knowledge.tests}
        self.anchors = _anchors(self.case)
        self.implied_by: dict[str, list[str]] = {}
        for finding in knowledge.findings:
            for implied in finding.implies:
                self.implied_by.setdefault(implied, []).append(finding.id)

    def view(self) -> View:
        a = self.assessment
        ranked = [self._cause(c) for c in a.causes]
        return View(
            patient=_patient(self.case),
            notice=_notice(a.applicability),
            red_flags=self._flags(),
            causes=tuple(ranked[:ABOVE_THE_FOLD]),
            folded=tuple(ranked[ABOVE_THE_FOLD:]),
            others=_others(a.causes[ABOVE_THE_FOLD:], a.any_from[ABOVE_THE_FOLD:]),
            none_of_these=percent(a.none_of_these),
            mechanisms=tuple(sorted(a.mechanisms.items(), key=lambda m: -m[1])),
            operations=tuple(_operation(o) for o in self.case.operations),
            timeline=tuple((_when(e), e.kind, e.label) for e in self.case.timeline),
            course=_course(self.case),
            missing=tuple(q.question for q in a.missing),
            nerve=nerve_view(a.located, self.knowledge.localisation),
            conflicts=tuple(f"{self.names.get(c.about, c.about)}: {c.message}" for c in self.case.conflicts),
            problems=tuple(p.line() for p in self.case.problems if p.about != "operation"),  # that is the notice
            documents=tuple(self._document(d) for d in self.case.documents),
            knowledge_version=a.knowledge_version,
            next_tests=tuple(self._test(one) for one in proposed(a)),
            branches=tuple(self._branch(b) for step in a.test_sequence for b in step["branches"]),
        )

    def _test(self, given: Mapping[str, Any]) -> TestView:
        test = next(t for t in self.knowledge.tests if t.id == given["id"])
        return TestView(
            test.id,
            test.name,
            test.plain,
            given["ordered_by"] is not None,
            given["recommended"],
            f"{given['information_bits']:.2f} bits",
            test.burden,
            given["why"],
            (*(bar["why"] for bar in given["blocked_by"]), *given["cautions"]),
            tuple(one["question"] for one in given["ask_first"]),
        )

    def _branch(self, branch: Mapping[str, Any]) -> str:
        """ "If it points to X (40 %): then Y, Z"."""
        then = "; ".join(self.tests[t] for t in branch["next"]) or "enough is known"
        shown = ", ".join(self.labels[f] for f in branch["shown_by"])
        by = f", most likely by: {shown}" if shown else ""
        return f"If it points to {self.causes[branch['points_to']].name} ({percent(branch['chance'])}{by}): {then}"

    def _flags(self) -> tuple[FlagGroup, ...]:
        """Flags by urgency. Every flag quotes its words: new ones where it has any, else those that a flag before it quoted too."""
        groups: dict[str, list[FlagView]] = {}
        told: set[str] = set()
        for flag in self.assessment.red_flags:
            own = {q.anchor: q for b in flag.basis for q in self._basis(b)}
            quotes = [q for anchor, q in own.items() if anchor not in told] or list(own.values())
            told |= own.keys()
            suspects = tuple(self.causes[s].name if s in self.causes else s.replace("_", " ") for s in flag.suspects)
            seen = FlagView(flag.id, flag.name, flag.urgency, flag.action, flag.time_limit, suspects, tuple(quotes))
            groups.setdefault(flag.urgency, []).append(seen)
        return tuple(FlagGroup(u, URGENCY.get(u, u), tuple(flags)) for u, flags in groups.items())

    def _cause(self, ranked: RankedCause) -> CauseView:
        known = self.causes[ranked.id]
        return CauseView(
            ranked.id,
            ranked.name,
            known.plain,
            known.definition,
            ranked.probability,
            ranked.interval[0],
            ranked.interval[1],
            tuple(self._reason(w) for w in ranked.evidence_for),
            tuple(self._reason(w) for w in ranked.evidence_against),
            tuple(self.tests.get(t, t) for t in ranked.would_settle),
        )

    def _reason(self, weight: Weight) -> Reason:
        size = abs(weight.weight)
        words = {"present": "", "absent": "not present", "uncertain": "uncertain"}[weight.status]
        return Reason(
            weight.finding,
            self.names.get(weight.finding, weight.finding),
            self.labels.get(weight.finding, weight.finding),
            words,
            weight.weight,
            3 if size >= 1.5 else 2 if size >= 0.7 else 1,
            self._quotes(weight.finding, weight.status),
        )

    def _basis(self, finding: str) -> tuple[Quote, ...]:
        """The words a flag rests on: of the finding, stated or suspected; where it only follows from others, theirs."""
        own = self._quotes(finding, "present") or self._quotes(finding, "uncertain")
        return own or tuple(q for other in self.implied_by.get(finding, ()) for q in self._basis(other))

    def _quotes(self, finding: str, status: str) -> tuple[Quote, ...]:
        found = [o for o in self.case.observations if o.id == finding and o.source and o.status == status]
        return tuple(
            Quote(o.source.text, o.source.document, self.anchors[o.source])
            for o in found[:2]
            if o.source and o.source in self.anchors
        )

    def _document(self, document: Document) -> DocumentView:
        """The text cut at every place a finding rests on; overlapping places are shown as one."""
        places = sorted(
            (o for o in self.case.observations if o.source and o.source.document == document.name),
            key=lambda o: _span(o),
        )
        pieces, at = [], 0
        for group in _overlapping(places):
            start, end = _span(group[0])[0], max(_span(o)[1] for o in group)
            pieces.append(Piece(document.text[at:start]))
            title = "; ".join(dict.fromkeys(f"{self.names.get(o.id, o.id)} ({o.status})" for o in group))
            status = "present" if any(o.status == "present" for o in group) else group[0].status
            anchor = self.anchors[group[0].source] if group[0].source else ""
            pieces.append(Piece(document.text[start:end], anchor, title, status))
            at = end
        pieces.append(Piece(document.text[at:]))
        return DocumentView(document.name, document.kind, tuple(p for p in pieces if p.text))


def proposed(assessment: Assessment) -> list[dict[str, Any]]:
    """The first three tests that may be done, and those that a red flag orders even where something bars them."""
    possible = (
        t for t in assessment.next_tests if t["ordered_by"] or all(b["blocks"] != "test" for b in t["blocked_by"])
    )
    return list(islice(possible, MOST_TESTS))


def _span(o: Observation) -> tuple[int, int]:
    return (o.source.start, o.source.end) if o.source else (0, 0)


def _overlapping(places: Sequence[Observation]) -> list[list[Observation]]:
    groups: list[list[Observation]] = []
    reach = -1
    for o in places:
        start, end = _span(o)
        if groups and start < reach:
            groups[-1].append(o)
        else:
            groups.append([o])
        reach = max(reach, end) if groups and start < reach else end
    return groups


def _anchors(case: Case) -> dict[Source, str]:
    """An id for the highlighted place every source lies in: overlapping places share the first one's."""
    out: dict[Source, str] = {}
    for d, document in enumerate(case.documents):
        places = sorted((o for o in case.observations if o.source and o.source.document == document.name), key=_span)
        for g, group in enumerate(_overlapping(places)):
            for o in group:
                if o.source:
                    out[o.source] = f"d{d}-{g}"
    return out


def _notice(applicability: Applicability) -> Notice:
    if applicability.reason is None:
        return Notice()
    quotes = tuple(source.text for source in applicability.sources)
    return Notice(NOTICE[applicability.reason], applicability.withheld, quotes)


def _others(causes: Sequence[RankedCause], any_from: Sequence[float]) -> str:
    """The causes below the fold taken together: how probable it is that any of them contributes, and which is the first."""
    if not causes:
        return ""
    together = f"Other causes together ({len(causes)})"
    if any_from:
        together += f": {percent(any_from[0])} that at least one contributes"
    return f"{together}; the most probable of them: {causes[0].name} {percent(causes[0].probability)}"


def _patient(case: Case) -> str:
    p = case.patient
    parts = [p.name or "", p.sex or "", f"{p.age} years" if p.age is not None else "", f"no. {p.id}" if p.id else ""]
    return ", ".join(x for x in parts if x) or "Patient not named in the record"


def _operation(operation: Operation) -> str:
    when = operation.date or (
        f"{in_words(operation.months_ago * DAYS_PER_MONTH)} ago"
        if operation.months_ago is not None
        else "date not stated"
    )
    where = ", ".join(operation.levels) or "level not stated"
    side = f", {operation.side}" if operation.side else ""
    return f"{operation.name or operation.procedure} {where}{side} ({when})"


def _when(event: Event) -> str:
    if event.date:
        return str(event.date)
    return f"{in_words(event.months_ago * DAYS_PER_MONTH)} before" if event.months_ago is not None else "undated"


_PATTERN = {
    "never_relieved": "never relieved by the operation",
    "returned": "returned after relief",
    "new": "new since the operation",
}


def _course(case: Case) -> str:
    course = case.course
    parts = [_PATTERN[course.pattern]] if course.pattern else []
    if course.interval_days is not None:
        parts.append(
            "from the operation on"
            if course.interval_days < 1
            else f"onset {in_words(course.interval_days)} after the operation"
        )
    return ", ".join(parts) or "course after the operation not stated"
