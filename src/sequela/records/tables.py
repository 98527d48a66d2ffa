"""CSV tables: nerve studies (EMG/NCS) and laboratory results. Any other table is named with the columns that are needed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO
from typing import NamedTuple

import msgspec

from sequela.case import Document, Observation, Patient, Problem, Source, Status
from sequela.knowledge.codes import Codes, find_words, load
from sequela.knowledge.codes_model import LaboratoryTable, NerveTable, Says
from sequela.records import dates, plain
from sequela.records.collect import Coded, Collector, Value
from sequela.records.gathered import Gathered, refused
from sequela.records.sites import place

MOST_ROWS = 20_000
_NO_CLOCK = date.max
_DELIMITERS = ";\t,|"
_NUMBER = re.compile(r"([<>]=?|≤|≥)?\s*([+-]?\d[\d.,\s]*)\s*(.*)", re.S)
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T].*)?")
_NEEDED = "give an EMG/NCS table (columns muscle or nerve, side, findings) or a laboratory table (columns test, value, unit, date)"


class _Row(NamedTuple):
    """number: the row as a spreadsheet counts it, the header being row 1."""

    number: int
    cells: dict[str, str]


class _Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    rows: tuple[_Row, ...]
    delimiter: str

    def column(self, names: Iterable[str]) -> str | None:
        """The column with one of the names, whatever is in brackets behind it; the first name wins."""
        plain_names = {re.sub(r"\s*[\[(].*$", "", c).strip(): c for c in reversed(self.columns)}
        return next((plain_names[name] for name in names if name in plain_names), None)


def read(data: bytes, name: str) -> Gathered:
    """A table as a readable document, with the findings that a verdict column plainly states."""
    if len(data) > plain.MOST_BYTES:
        return refused(name, f"is too large ({len(data) // 1024**2} MB)", "export the rows of one patient")
    decoded = plain.decode(data)
    if decoded.text is None:
        return refused(name, *(decoded.note or ("is not text", "save it as CSV in UTF-8")))
    try:
        table = _table(name, decoded.text)
    except csv.Error as error:
        return refused(name, f"is not a readable CSV ({error})", "save it again as CSV in UTF-8")
    if table is None:
        return refused(name, "holds no rows", "check that the right table was saved")
    notes = [Problem(name, *decoded.note)] if decoded.note else []
    codes = load()
    known = codes.file.tables
    nerve, laboratory = known.electrodiagnosis, known.laboratory
    owners = table.column(known.patient)
    ids = tuple(dict.fromkeys(filter(None, (row.cells.get(owners, "") for row in table.rows)))) if owners else ()
    if len(ids) > 1:
        return refused(name, f"holds the rows of {len(ids)} patients", "export the rows of one patient")
    if table.column(nerve.structure) and not (table.column(laboratory.unit) and table.column(laboratory.name)):
        return _owned(_nerve_study(table, nerve, codes, notes), ids)
    if table.column(laboratory.name) and table.column(laboratory.value):
        return _owned(_laboratory(table, laboratory, codes, notes), ids)
    what = f"is a table of an unknown kind (columns {', '.join(table.columns[:8])})"
    return refused(name, what, _NEEDED)


def _owned(gathered: Gathered, ids: Sequence[str]) -> Gathered:
    """The table as one of the patient whose number it carries."""
    if not ids:
        return gathered
    owners = {document.name: ids[0] for document in gathered.documents}
    return msgspec.structs.replace(gathered, patients=(Patient(ids[0]),), owners=owners)


def _table(name: str, text: str) -> _Table | None:
    """The table under its header: the first row with two or more filled cells."""
    delimiter = _delimiter(text)
    header: tuple[str, ...] = ()
    rows = []
    for number, cells in enumerate(csv.reader(StringIO(text), delimiter=delimiter), 1):
        filled = [" ".join(cell.split()) for cell in cells]
        if not header:
            if sum(map(bool, filled)) >= 2:
                header = _header(filled)
        elif any(filled):
            rows.append(_Row(number, dict(zip(header, filled, strict=False))))
        if len(rows) > MOST_ROWS:
            raise csv.Error(f"more than {MOST_ROWS} rows")
    return _Table(name, header, tuple(rows), delimiter=delimiter) if rows else None


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names in lower case; one without a name or with a name that is taken gets its number."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.lower() or "column"
        names.append(f"{name} {number}" if not cell or name in names else name)
    return tuple(names)


def _delimiter(text: str) -> str:
    """The delimiter that divides the first lines most evenly."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n")[:20] if line.strip()]

    def score(mark: str) -> tuple[int, int]:
        counts = [line.count(mark) for line in lines]
        return sum(1 for c in counts if c and c == counts[0]), max(counts, default=0)

    return max(_DELIMITERS, key=score)


# Nerve studies -------------------------------------------------------------------------------------------------------


def _nerve_study(table: _Table, known: NerveTable, codes: Codes, problems: list[Problem]) -> Gathered:
    """Each row as a sentence: "Left tibialis anterior: fibrillations 2+, recruitment reduced."."""
    structure, side = table.column(known.structure) or "", table.column(known.side)
    verdict = table.column(known.verdict)
    if side is None:
        problems.append(Problem(table.name, "has no column for the side", "add a column side with left or right"))
    sentences = ["EMG and nerve conduction table"]
    for row in table.rows:
        words = _nerve_row(table, row, structure, side, known, codes, problems)
        if words:
            sentences.append(words)
    document = Document(table.name, "\n".join(sentences), "emg", plain.document(table.name, "").date)
    observations = _verdicts(table, document, verdict, known, codes) if verdict else ()
    return Gathered(documents=(document,), observations=observations, problems=tuple(problems))


def _nerve_row(
    table: _Table,
    row: _Row,
    structure: str,
    side: str | None,
    known: NerveTable,
    codes: Codes,
    problems: list[Problem],
) -> str:
    name = row.cells.get(structure, "")
    others = [(c, v) for c, v in row.cells.items() if v and c not in (structure, side, *known.ignore)]
    if not name:
        return "; ".join(f"{column} {value}" for column, value in others)
    which = codes.side_word(row.cells.get(side, "")) if side else None
    said = codes.side_word(name.split()[0])
    if side and which is None and said is None:
        written = row.cells.get(side, "")
        what = f"the side of {name} is {'missing' if not written else f'written {written}'}"
        problems.append(Problem(f"{table.name}, row {row.number}", what, "write left or right"))
    before = "" if said or which is None else ("Both " if which == "both" else f"{which.capitalize()} ")
    findings = ", ".join(f"{column} {value}" for column, value in others)
    return f"{before}{name}: {findings}." if findings else ""


def _verdicts(
    table: _Table, document: Document, column: str, known: NerveTable, codes: Codes
) -> tuple[Observation, ...]:
    """What the verdict column plainly states; "normal" counts only when every row of the study says so."""
    cells = [value for row in table.rows if (value := row.cells.get(column, ""))]
    found: dict[tuple[str, Status, str], Observation] = {}
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


# Laboratory ----------------------------------------------------------------------------------------------------------


def _laboratory(table: _Table, known: LaboratoryTable, codes: Codes, problems: list[Problem]) -> Gathered:
    """Each row as a line of its day: "CRP 85 mg/L 2024-01-02"."""
    name, value = table.column(known.name) or "", table.column(known.value) or ""
    unit, day, flag = table.column(known.unit), table.column(known.date), table.column(known.flag)
    collector = Collector(table.name, codes, _NO_CLOCK)
    decimal = _decimal_mark([row.cells.get(value, "") for row in table.rows], table.delimiter)
    day_first = _day_first([row.cells.get(day, "") for row in table.rows]) if day else None
    for row in table.rows:
        test, written = row.cells.get(name, ""), row.cells.get(value, "")
        if not test or not written:
            if test or written:
                missing = "value" if test else "test"
                collector.problem(f"the {missing} is missing", f"fill in the {missing}", f"row {row.number}")
            continue
        given = row.cells.get(day, "") if day else ""
        when = _day(given, day_first)
        if given and when is None:
            collector.problem(
                f"the date {given} can be read in two ways or none", "write it as 2024-01-31", f"row {row.number}"
            )
        result = _value(
            written, row.cells.get(unit, "") if unit else "", row.cells.get(flag, "") if flag else "", decimal
        )
        if result is None:
            collector.problem(
                f"the value {written} of {test} can be read in two ways", "write 1234 or 1.234", f"row {row.number}"
            )
            continue
        collector.result(Coded(f"row {row.number}", test, date=when), result)
    gathered = collector.gathered()
    return Gathered(documents=gathered.documents, problems=(*problems, *gathered.problems))


def _value(written: str, unit: str, flag: str, decimal: str | None) -> Value | None:
    """A number with its sign of comparison, or the words; None when a comma may mean either thing."""
    match = _NUMBER.fullmatch(written)
    if match is None:
        return Value(text=f"{written} {unit}".strip(), flag=flag)
    sign = {"≤": "<=", "≥": ">="}.get(match[1] or "", match[1] or "")
    digits = re.sub(r"\s", "", match[2])
    number = _number(digits, decimal)
    if number is None:
        return None
    if number != number:  # dates, phone numbers and the like: words, not a number
        return Value(text=f"{written} {unit}".strip(), flag=flag)
    return Value(number, unit=unit or match[3].strip(), comparator=sign, flag=flag)


def _number(digits: str, decimal: str | None) -> float | None:
    """ "1.234,5" -> 1234.5. "1,234" is 1.234 or 1234 as the decimal mark says, None where it is unknown; no number -> nan."""
    marks = {mark for mark in ".," if mark in digits}
    if len(marks) == 2:
        decimal = max(marks, key=digits.rfind)
    elif marks and re.fullmatch(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+", digits):
        if decimal is None:
            return None
    else:
        decimal = next(iter(marks), ".")
    thousands = "," if decimal == "." else "."
    try:
        return float(digits.replace(thousands, "").replace(",", "."))
    except ValueError:
        return float("nan")


def _decimal_mark(written: Iterable[str], delimiter: str) -> str | None:
    """The decimal mark that the values of a column show beyond doubt; in a table divided by commas it is the point."""
    for text in written:
        clear = re.fullmatch(r"\D*\d+([.,])(?:\d{1,2}|\d{4,})\D*", text) or re.fullmatch(r"\D*0([.,])\d+\D*", text)
        if clear:
            return clear[1]
    return "." if delimiter == "," and not any("," in text for text in written) else None


def _day_first(written: Sequence[str]) -> bool | None:
    """Whether dates like 3/4/2024 put the day first, as the other rows show; None when no row decides."""
    for text in written:
        match = _SLASHED.fullmatch(text.strip())
        if match and int(match[1]) > 12:
            return True
        if match and int(match[2]) > 12:
            return False
    return None


def _day(written: str, day_first: bool | None) -> str | None:
    """An ISO date; 31.01.2024 is day first; 3/4/2024 only where the table shows which comes first."""
    text = written.strip()
    iso = dates.from_iso(text.replace("/", "-")) if re.match(r"\d{4}", text) else None
    match = _SLASHED.fullmatch(text)
    if iso or match is None:
        return iso
    first, second, year = match[1].zfill(2), match[2].zfill(2), match[3]
    if "." in text:
        day_first = True
    if day_first is None and first != second:
        return None
    return dates.from_iso(f"{year}-{second}-{first}" if day_first else f"{year}-{first}-{second}")
