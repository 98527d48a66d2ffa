"""Signs of a nerve from all of a record: its texts, the rows of its nerve studies, and what imaging shows at a segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sequela.case import Activity, NerveSign, NerveTest, Observation, Problem, Side, SignKind, Status
from sequela.knowledge.model import Localisation, Structure

_ABNORMAL = re.compile(
    r"fibrillation|positive (?:sharp )?wave|psw|denervat|reduced|low\b|absent|prolong|delay|slow|block|abnormal|neurogenic|polyphas|large|discrete|unobtain|"
    r"no response|not (?:obtained|recordable)|decreas|diminish|chronic|reinnervat|small",
    re.I,
)
_NORMAL = re.compile(
    r"\b(?:normal|none|silent|preserved|no (?:fibrillation|spontaneous|abnormal)\w*|nil|intact|full|quiet|negative|unremarkable)\b",
    re.I,
)
_SPONTANEOUS = re.compile(r"spontaneous|fibrillation|psw|positive|insertion", re.I)
_CHRONIC = re.compile(r"chronic|reinnervat|polyphas|large|long[- ]duration|giant|remodel", re.I)
_PARASPINAL = re.compile(r"paraspinal|multifid|erector", re.I)
_SIDES: tuple[Side, ...] = ("left", "right")


def nerve_signs(
    told: Sequence[NerveSign],
    tests: Sequence[NerveTest],
    observations: Sequence[Observation],
    knowledge: Localisation | None,
) -> tuple[NerveSign, ...]:
    """Each sign once. A study's table says more than the sentences made of it: where it has rows, needle and conduction are taken from them."""
    if knowledge is None:
        return ()
    rows = _of_tests([t for t in tests if _wrong(t, knowledge) is None], knowledge.structures)
    measured = {"needle", "motor", "sensory", "late"} if rows else set()
    spoken = [s for s in told if s.kind not in measured]
    return _settled([*spoken, *rows, *_of_imaging(observations, knowledge)])


_STRENGTH: dict[Status, int] = {"absent": 0, "uncertain": 1, "present": 2}


def _settled(signs: Iterable[NerveSign]) -> tuple[NerveSign, ...]:
    """Said in several documents, a sign counts once; present beats uncertain beats absent."""
    kept: dict[tuple[object, ...], NerveSign] = {}
    for sign in signs:
        key = (sign.kind, sign.structure, sign.roots, sign.side)
        if key not in kept or _STRENGTH[sign.status] > _STRENGTH[kept[key].status]:
            kept[key] = sign
    return tuple(kept.values())


def unusable(tests: Sequence[NerveTest], knowledge: Localisation | None) -> list[Problem]:
    """Rows that name no known muscle or nerve, or hold a value that cannot be; the rest of the table is used."""
    if knowledge is None:
        return []
    found = []
    for test in tests:
        what = _wrong(test, knowledge)
        if what:
            where = f"{test.source.document if test.source else 'nerve study'}, row {test.row}"
            found.append(Problem(where, what[0], what[1]))
    return list(dict.fromkeys(found))


def _wrong(test: NerveTest, knowledge: Localisation) -> tuple[str, str] | None:
    """What is wrong with a row, and what to do."""
    if _PARASPINAL.search(test.structure):
        return None
    if _structure(test, knowledge.structures) is None:
        return f"{test.structure} is no muscle or nerve known here", "correct the name; the row is not used"
    number = re.fullmatch(r"\s*([<>]?)\s*(-?\d+(?:[.,]\d+)?)\s*\+?\s*", test.value)
    if number is None:
        return None
    value = float(number[2].replace(",", "."))
    told = f"{test.structure}: {test.measure} {test.value} {test.unit}".strip()
    if value < 0:
        return f"{told} cannot be below zero", "correct the value; the row is not used"
    if _SPONTANEOUS.search(test.measure) and value > knowledge.limits["grade"]:
        return (
            f"{told} is beyond the grades 0 to {knowledge.limits['grade']:g}",
            "correct the value; the row is not used",
        )
    if "ampl" in test.measure.lower() and value > _most(test, knowledge):
        return f"{told} is beyond what a nerve can give", "correct the value or its unit; the row is not used"
    return None


def _most(test: NerveTest, knowledge: Localisation) -> float:
    """The largest amplitude that can be, in the unit of the row."""
    in_millivolt = test.unit.strip().lower() == "mv"
    if test.kind == "sensory":
        return knowledge.limits["sensory"] / (1000.0 if in_millivolt else 1.0)
    return knowledge.limits["motor"] * (1.0 if in_millivolt else 1000.0)


def _of_tests(tests: Sequence[NerveTest], structures: Sequence[Structure]) -> list[NerveSign]:
    """One sign per muscle or conduction and side: abnormal if any of its rows is. Paraspinal muscles do not count after an operation."""
    rows: dict[tuple[SignKind, str, Side | None], list[NerveTest]] = {}
    for test in tests:
        structure = None if _PARASPINAL.search(test.structure) else _structure(test, structures)
        if structure is not None:
            rows.setdefault((_kind(structure), structure.id, test.side), []).append(test)
    out = []
    for (kind, id_, side), own in rows.items():
        states = [s for s in map(_state, own) if s is not None]
        if states:
            activity = _activity(own) if kind == "needle" and any(states) else None
            status: Status = "present" if any(states) else "absent"
            out.append(NerveSign(kind, id_, side, status, activity=activity, source=own[0].source))
    return out


def _kind(structure: Structure) -> SignKind:
    return "sensation" if structure.kind == "area" else structure.kind


def _structure(test: NerveTest, structures: Sequence[Structure]) -> Structure | None:
    """The structure a row names, by the longest form in its words, among those of the row's kind."""
    told = f" {_plain(test.structure)} {_plain(test.measure)} "
    kinds = {"needle", "motor", "sensory", "late"} if test.kind is None else {str(test.kind)}
    best: tuple[int, Structure] | None = None
    for structure in structures:
        if structure.kind not in kinds or (structure.focal and not _across(told)):
            continue
        for form in structure.forms:
            words = _plain(form)
            if f" {words} " in told and (best is None or len(words) > best[0]):
                best = (len(words), structure)
    return best[1] if best else _by_nerve(test, kinds, structures)


def _by_nerve(test: NerveTest, kinds: Iterable[str], structures: Sequence[Structure]) -> Structure | None:
    """A conduction named by its nerve alone ("peroneal (EDB)", "tibial"): the one of that kind whose name begins so."""
    told = _plain(test.structure).split()
    for structure in structures:
        first = _plain(structure.name).split()
        named = first[0] in told and (structure.kind != "sensory" or all(word in told for word in first[:-1]))
        if named and structure.kind in kinds and structure.kind != "needle" and not structure.focal:
            return structure
    return None


def _across(told: str) -> bool:
    return bool(re.search(r"fibular (?:head|neck)|across|popliteal|block|slowing", told))


def _plain(words: str) -> str:
    return " ".join(
        re.findall(r"[a-z0-9]+", words.lower().replace("fibular nerve", "peroneal").replace("h-reflex", "h reflex"))
    )


def _state(test: NerveTest) -> bool | None:
    """Abnormal, normal, or not said. The lab's own word comes first, then the grade of spontaneous activity."""
    if _NORMAL.search(test.comment) and not _ABNORMAL.search(_NORMAL.sub("", test.comment)):
        return False
    if _ABNORMAL.search(test.comment):
        return True
    value = test.value.strip()
    if _SPONTANEOUS.search(test.measure):
        grade = re.match(r"(\d)", value)
        return int(grade[1]) > 0 if grade else (True if value.startswith("+") else None)
    if _NORMAL.search(value):
        return False
    return True if _ABNORMAL.search(value) else None


def _activity(rows: Sequence[NerveTest]) -> Activity | None:
    words = " ".join(f"{r.measure} {r.value} {r.comment}" for r in rows if _state(r))
    active = any(_SPONTANEOUS.search(f"{r.measure} {r.comment}") and _state(r) for r in rows)
    chronic = bool(_CHRONIC.search(words))
    if active:
        return "active on chronic" if chronic else "active"
    return "chronic" if chronic else None


def _of_imaging(observations: Sequence[Observation], knowledge: Localisation) -> list[NerveSign]:
    """What lies at a segment presses the root of that segment; a finding that names a root names it."""
    levels = knowledge.levels
    out = []
    for o in observations:
        if o.status != "present" or o.level is None:
            continue
        where = levels.canal if o.id in levels.in_canal else levels.foramen if o.id in levels.in_foramen else {}
        if not where and o.id not in levels.misplaced:
            continue
        roots = where.get(o.level, {}) if "-" in o.level else {o.level: 1.0}
        known = {site.roots[0] for site in knowledge.sites if site.kind == "root"}
        shares = tuple((root, p) for root, p in roots.items() if root in known)
        if shares:
            out.append(NerveSign("imaging", "", o.side, "present", roots=shares, source=o.source))
    return list({(s.roots, s.side): s for s in out}.values())
