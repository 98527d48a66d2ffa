"""The findings that a criterion asks for. Apart from the check of its form, which needs the YAML parser that a warm start must not import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def findings_in(criteria: Any) -> Iterator[str]:
    """Every finding the criteria ask for, in reading order, possibly twice."""
    if isinstance(criteria, str):
        yield criteria
    elif isinstance(criteria, list):
        for part in criteria:
            yield from findings_in(part)
    elif isinstance(criteria, dict):
        if "finding" in criteria:
            yield criteria["finding"]
            yield from criteria.get("cleared_by", ())
        for head in ("all", "any", "not"):
            yield from findings_in(criteria.get(head, []))
        yield from findings_in(criteria.get("at_least", {}).get("of", []))
