"""EMG and nerve conduction tables: every measurement kept as it was written, and the study as sentences to be read.

Two layouts: a row per measurement (columns test, structure, side, measure, value, unit, finding) or a row per muscle or nerve with a
column per measure (muscle, side, fibrillations, recruitment). A normal muscle or nerve denies something of the whole study only where
all of them are normal; beside abnormal ones its row is kept but not read. Nor are the rows of paraspinal muscles ever read, since the
operation itself denervates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from sequela.case import Document, NerveTest, NerveTestKind, Observation, Problem, Side, Source, Status
from sequela.knowledge.codes import Codes, find_words
from sequela.knowledge.codes_model import NerveTable, Says
from sequela.records import plain
from sequela.records.csv_table import Row, Table
from sequela.records.gathered import Gathered
from sequela.records.sites import place

_TITLE = "EMG and nerve conduction table"
_NAMED: dict[NerveTestKind | None, str] = {"needle": "needle EMG", "motor": "CMAP", "sensory": "SNAP"}
"""The words a kind of test is told by; "motor" and "sensory" alone are also the examination of strength and feeling."""


class _Line(NamedTuple):
    """One row as a sentence. words: without the full stop, empty where nothing was measured."""

    words: str
    verdict: str
    tests: tuple[NerveTest, ...]
    normal: bool
    paraspinal: bool


class _Columns(NamedTuple):
    """The columns by what they hold; measures: those of a table with a column per measure."""

    structure: str
    side: str | None
    test: str | None
    measure: str | None
    value: str | None
    unit: str | None
    verdict: str | None
    measures: tuple[str, ...]


def read(table: Table, known: NerveTable, codes: Codes, problems: list[Problem]) -> Gathered:
    """The study of one patient. problems: those of the file so far, to which the rows without a side are added."""
    columns = _columns(table, known)
    if columns.side is None:
        problems.append(Problem(table.name, "has no column for the side", "add a column side with left or right"))
    lines = [_line(row, _tests(row, columns, table.name, known, codes, problems), columns, known) for row in table.rows]
    limbs = [line for line in lines if not line.paraspinal]
    told = limbs if all(line.normal for line in limbs) else [line for line in limbs if not line.normal]
    kept = [line for line in lines if line not in told]
    day = plain.document(table.name, "").date
    study = Document(table.name, _text(told), "emg", day)
    rest = Document(f"{table.name}#normal-and-paraspinal", _text(kept), "coded", day)
    return Gathered(
        documents=(study, rest) if kept else (study,),
        observations=_verdicts([line.verdict for line in limbs], study, known, codes),
        nerve_tests=tuple(t for line in lines for t in _placed(line, study if line in told else rest)),
        problems=tuple(problems),
    )


def _columns(table: Table, known: NerveTable) -> _Columns:
    structure = table.column(known.structure) or ""
    names = (known.side, known.test, known.measure, known.value, known.unit, known.verdict)
    side, test, measure, value, unit, verdict = map(table.column, names)
    taken = {structure, side, test, measure, value, unit, verdict, *known.ignore}
    measures = tuple(column for column in table.columns if column not in taken)
    return _Columns(structure, side, test, measure, value, unit, verdict, measures)


# Measurements ---------------------------------------------------------------------------------------------------------


def _tests(
    row: Row, columns: _Columns, table: str, known: NerveTable, codes: Codes, problems: list[Problem]
) -> tuple[NerveTest, ...]:
    """The measurements of a row, without their source yet."""

    def cell(column: str | None) -> str:
        return row.cells.get(column, "") if column else ""

    structure, verdict = cell(columns.structure), cell(columns.verdict)
    side = _side(row, columns, structure, table, codes, problems)
    measured = [(cell(columns.measure) or (columns.value or ""), cell(columns.value))] if cell(columns.value) else []
    measured += [(column, value) for column in columns.measures if (value := cell(column))]
    if not measured and (verdict or cell(columns.measure)):
        measured = [(cell(columns.measure), "")]
    return tuple(
        NerveTest(
            structure=structure,
            side=side,
            kind=_kind((cell(columns.test), structure, measure), known),
            measure=measure,
            value=value,
            unit=cell(columns.unit),
            comment=verdict,
            row=row.number,
        )
        for measure, value in measured
    )


def _side(
    row: Row, columns: _Columns, structure: str, table: str, codes: Codes, problems: list[Problem]
) -> Side | None:
    """The side of the side column, else the one the structure begins with; a row without either is named."""
    written = row.cells.get(columns.side, "") if columns.side else ""
    side = codes.side_word(written) or (codes.side_word(structure.split()[0]) if structure else None)
    if structure and columns.side and side is None:
        what = f"the side of {structure} is {'missing' if not written else f'written {written}'}"
        problems.append(Problem(f"{table}, row {row.number}", what, "write left or right"))
    return side


def _kind(said: Sequence[str], known: NerveTable) -> NerveTestKind | None:
    """The kind of test by the first of the cells that names one."""
    return next((kind for text in said for kind, words in known.kinds.items() if find_words(words, text)), None)


def _none(test: NerveTest, known: NerveTable) -> bool:
    return test.value.strip(" .").lower() in known.none


def _normal(tests: Sequence[NerveTest], verdict: str, known: NerveTable) -> bool:
    """Whether the row says so, or without a verdict of its own measured nothing but normal things."""
    if verdict:
        return verdict.strip(" .").lower() in known.none
    return bool(tests) and all(_none(test, known) for test in tests)


# Sentences ------------------------------------------------------------------------------------------------------------


def _line(row: Row, tests: Sequence[NerveTest], columns: _Columns, known: NerveTable) -> _Line:
    verdict = row.cells.get(columns.verdict, "") if columns.verdict else ""
    words = "; ".join(filter(None, (_said(test, known) for test in tests)))  # apart: each is a finding of its own
    if verdict and verdict.lower() not in words.lower():
        words = ", ".join(filter(None, (words, verdict)))
    name = row.cells.get(columns.structure, "")
    if name and words:
        words = f"{_named(name, tests)}: {words}"
    paraspinal = find_words(known.paraspinal, name) is not None
    return _Line(words, verdict, tuple(tests), _normal(tests, verdict, known), paraspinal)


def _named(name: str, tests: Sequence[NerveTest]) -> str:
    """ "Left tibialis anterior, needle EMG"; the side only once."""
    side = tests[0].side if tests else None
    kind = _NAMED.get(tests[0].kind) if tests else None
    begins = name.split()[0].strip(".").lower()
    before = "" if side is None or begins in (side, side[0]) else f"{'both' if side == 'both' else side} "
    said = f"{before}{name}"
    return f"{said[0].upper()}{said[1:]}" + (f", {kind}" if kind else "")


def _said(test: NerveTest, known: NerveTable) -> str:
    """One measurement: "fibrillations 2+", "latency 36.1 ms"; what a muscle at rest does not show is "no fibrillations (0)"."""
    if _none(test, known) and find_words(known.spontaneous, test.measure):
        return f"no {test.measure} ({test.value})"
    return " ".join(filter(None, (test.measure, test.value, test.unit)))


def _text(lines: Sequence[_Line]) -> str:
    return "\n".join([_TITLE, *(f"{line.words}." for line in lines if line.words)])


def _placed(line: _Line, document: Document) -> list[NerveTest]:
    """The measurements of a line, pointing at it."""
    start = document.text.find(f"\n{line.words}.") + 1
    if not line.words or not start:
        return []
    source = Source(document.name, start, start + len(line.words), line.words)
    return [msgspec.structs.replace(t, source=source) for t in line.tests if t.structure]


# Verdicts -------------------------------------------------------------------------------------------------------------


def _verdicts(cells: Sequence[str], document: Document, known: NerveTable, codes: Codes) -> tuple[Observation, ...]:
    """What the verdict column plainly states; "normal" counts only when every row of the study says so."""
    found: dict[tuple[str, Status, str], Observation] = {}
    cells = [cell for cell in cells if cell]
    for cell in dict.fromkeys(cells):
        start = document.text.find(cell)
        if start < 0:
            continue
        source = Source(document.name, start, start + len(cell), cell)
        for says in known.says:
            status = _stated(cell, says, known, whole=all(_same(c, cell) for c in cells))
            if status:
                where = place(codes, (), cell) if says.level else None
                level, side = (where.level, where.side) if where else (None, None)
                found[says.finding, status, level or ""] = Observation(
                    says.finding, status, level=level, side=side, date=document.date, source=source
                )
    return tuple(found.values())


def _same(one: str, other: str) -> bool:
    return one.strip(" .").lower() == other.strip(" .").lower()


def _stated(cell: str, says: Says, known: NerveTable, *, whole: bool) -> Status | None:
    """present, absent or uncertain where the cell plainly says so; None where it does not speak of it."""
    if whole and cell.strip(" .").lower() in says.whole:
        return "present"
    named = find_words(says.words, cell)
    if named is None:
        return None
    before = cell[: named.start()]
    if find_words(known.doubted, cell) or "?" in cell:
        return "uncertain"
    return "absent" if find_words(known.denied, before) else "present"
