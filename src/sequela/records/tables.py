"""CSV tables: nerve studies (EMG/NCS) and laboratory results. Any other table is named with the columns that are needed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from sequela.case import Patient, Problem
from sequela.knowledge.codes import Codes, load
from sequela.knowledge.codes_model import LaboratoryTable
from sequela.records import dates, nerve_study, plain
from sequela.records.collect import Coded, Collector, Value
from sequela.records.csv_table import Table, parse
from sequela.records.gathered import Gathered, refused

_NO_CLOCK = date.max
_NUMBER = re.compile(r"([<>]=?|≤|≥)?\s*([+-]?\d[\d.,\s]*)\s*(.*)", re.S)
_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T].*)?")
_NEEDED = "give an EMG/NCS table (columns muscle or nerve, side, findings) or a laboratory table (columns test, value, unit, date)"


def read(data: bytes, name: str) -> Gathered:
    """A table as a readable document, with the findings that a verdict column plainly states."""
    if len(data) > plain.MOST_BYTES:
        return refused(name, f"is too large ({len(data) // 1024**2} MB)", "export the rows of one patient")
    decoded = plain.decode(data)
    if decoded.text is None:
        return refused(name, *(decoded.note or ("is not text", "save it as CSV in UTF-8")))
    try:
        table = parse(name, decoded.text)
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
    if table.column(nerve.structure):  # first, since a nerve study too may have columns test, value and unit
        return _owned(nerve_study.read(table, nerve, codes, notes), ids)
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


# Laboratory ----------------------------------------------------------------------------------------------------------


def _laboratory(table: Table, known: LaboratoryTable, codes: Codes, problems: list[Problem]) -> Gathered:
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
