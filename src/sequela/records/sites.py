"""Where on the spine a coded statement lies: levels and side, from its site codes and from its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sequela.case import Side
from sequela.knowledge.codes import Codes
from sequela.records.text.levels import is_lumbar, level_name, levels_in, segments_between, side_in
from sequela.records.text.tokens import tokenize


class Place(NamedTuple):
    """level: one segment or vertebra of a finding. segments: the motion segments of an operation, from above."""

    level: str | None = None
    segments: tuple[str, ...] = ()
    side: Side | None = None
    lumbar: bool = False


def place(codes: Codes, codings: Sequence[tuple[str, str]], text: str) -> Place:
    """The place that the site codes or else the words name; empty where they name none."""
    tokens = tokenize(text)
    found = [numbers for numbers, _ in levels_in(tokens, 0, len(tokens)) if is_lumbar(numbers)]
    level = codes.level(codings) or (level_name(found[0]) if found else None)
    segments = [segment for numbers in found for segment in segments_between(numbers)]
    if not segments and level and "-" in level:
        segments = [level]
    return Place(
        level=level,
        segments=tuple(sorted(set(segments), key=_height)),
        side=codes.side(codings) or side_in(tokens, 0, len(tokens), 0),
        lumbar=bool(found or level) or codes.is_lumbar(codings, text),
    )


def _height(segment: str) -> tuple[int, int]:
    """Order from above: T12-L1 before L4-L5 before L5-S1."""
    upper = segment.split("-")[0]
    return "CTLS".index(upper[0]), int(upper[1:])
