"""A CSV file as a table: its delimiter, the row that names the columns, and the rows below."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import NamedTuple

MOST_ROWS = 20_000
_DELIMITERS = ";\t,|"


class Row(NamedTuple):
    """number: the row as a spreadsheet counts it, the header being row 1."""

    number: int
    cells: dict[str, str]


class Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str

    def column(self, names: Iterable[str]) -> str | None:
        """The column with one of the names, whatever is in brackets behind it; the first name wins."""
        plain_names = {re.sub(r"\s*[\[(].*$", "", c).strip(): c for c in reversed(self.columns)}
        return next((plain_names[name] for name in names if name in plain_names), None)


def parse(name: str, text: str) -> Table | None:
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
            rows.append(Row(number, dict(zip(header, filled, strict=False))))
        if len(rows) > MOST_ROWS:
            raise csv.Error(f"more than {MOST_ROWS} rows")
    return Table(name, header, tuple(rows), delimiter=delimiter) if rows else None


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
