"""Spinal levels and sides: what a level token means, and where it lies relative to an operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sequela.case import Operation, Relation, Side
from sequela.records.text.tokens import Token

_PART = re.compile(r"([CTDLS]?) ?(\d{1,2})")
_COUNT = {"C": 7, "T": 12, "L": 5, "S": 5}
_OFFSET = {"C": 0, "T": 7, "L": 19, "S": 24}
SACRUM = _OFFSET["S"] + 1


def vertebra(name: str) -> int:
    """Running number of a vertebra from C1 = 1; L1 = 20, S1 = 25."""
    return _OFFSET[name[0]] + int(name[1:])


def vertebra_name(number: int) -> str:
    for letter in "SLTC":
        if number > _OFFSET[letter]:
            return f"{letter}{number - _OFFSET[letter]}"
    raise ValueError(f"no vertebra number {number}")


def vertebrae(text: str) -> tuple[int, ...]:
    """Vertebrae of a level token as written: "L4-5" -> (L4, L5); "L5/S1"; "L3" -> (L3,). Empty when impossible (L7)."""
    letter = ""
    numbers: list[int] = []
    compact = text.replace(" ", "")
    if re.fullmatch(r"L\d\d", compact):
        compact = f"{compact[:2]}-{compact[2]}"
    for match in _PART.finditer(compact):
        letter = {"D": "T"}.get(match[1], match[1]) or letter
        number = int(match[2])
        if not letter or not 1 <= number <= _COUNT[letter]:
            if letter == "L" and number == 1:
                letter = "S"
            else:
                return ()
        if numbers and letter == "L" and not match[1] and number == 1:
            letter = "S"
        numbers.append(vertebra(f"{letter}{number}"))
    return tuple(numbers)


def segments_between(numbers: Sequence[int]) -> tuple[str, ...]:
    """Motion segments from the highest to the lowest vertebra: (L3, L5) -> ("L3-L4", "L4-L5")."""
    low, high = min(numbers), max(numbers)
    return tuple(f"{vertebra_name(n)}-{vertebra_name(n + 1)}" for n in range(low, high))


def level_name(numbers: Sequence[int]) -> str:
    """ "L4-L5" for two neighbours or a range, "L5" for one."""
    low, high = min(numbers), max(numbers)
    return vertebra_name(low) if low == high else f"{vertebra_name(low)}-{vertebra_name(high)}"


def numbers_of(level: str) -> tuple[int, ...]:
    return tuple(vertebra(part) for part in level.split("-"))


def is_lumbar(numbers: Iterable[int]) -> bool:
    """True when any part lies at T11 or below: thoracolumbar, lumbar and sacral."""
    return any(n >= _OFFSET["T"] + 11 for n in numbers)


def levels_in(tokens: Sequence[Token], start: int, end: int) -> list[tuple[tuple[int, ...], int]]:
    """Level statements in tokens[start:end] with their token position; "L3 to S1" and "L3 through L5" are one range."""
    out: list[tuple[tuple[int, ...], int]] = []
    i = start
    while i < end:
        token = tokens[i]
        if token.kind == "level":
            numbers = vertebrae(token.text)
            joined = (
                i + 2 < end
                and tokens[i + 1].text.lower() in ("to", "through", "thru", "until", "–", "-")
                and tokens[i + 2].kind == "level"
            )
            if joined:
                other = vertebrae(tokens[i + 2].text)
                if numbers and other:
                    numbers = (min(numbers), max(other))
                i += 2
            elif numbers and _down_to_sacrum(tokens[i + 1 : min(end, i + 6)]):
                numbers = (min(numbers), SACRUM)
            if numbers:
                out.append((numbers, i))
        i += 1
    return out


def _down_to_sacrum(following: Sequence[Token]) -> bool:
    """ "L4 to the sacrum", "from L4 down to the pelvis"."""
    words = [t.text.lower() for t in following]
    joined = bool(words) and words[0] in ("to", "through", "down")
    return joined and any(w in ("sacrum", "pelvis", "ilium", "ilia") for w in words[1:])


_BEFORE_LITRE = frozenset({"/", "per"})
"""Before the L of a litre ("mg/L"), which is no left."""


def side_in(tokens: Sequence[Token], start: int, end: int, near: int) -> Side | None:
    """The side word nearest to a token position; both when bilateral words are nearest."""
    best: tuple[int, Side] | None = None
    for i in range(start, end):
        word = tokens[i].text.lower()
        side: Side | None = None
        if word in ("left", "lt", "left-sided", "leftward") or (
            tokens[i].text == "L" and not (i and tokens[i - 1].text in _BEFORE_LITRE)
        ):
            side = "left"
        elif word in ("right", "rt", "right-sided", "rightward"):
            side = "right" if not (i and tokens[i - 1].text.lower() in ("is", "all")) else None
        elif word in ("bilateral", "bilaterally", "both"):
            side = "both"
        if side and (best is None or abs(i - near) < best[0]):
            best = (abs(i - near), side)
    return best[1] if best else None


def blocks(operations: Iterable[Operation]) -> frozenset[tuple[int, int]]:
    """Highest and lowest vertebra of every stretch that was operated on."""
    reached = [[n for segment in one.levels for n in numbers_of(segment)] for one in operations if one.levels]
    return frozenset((min(numbers), max(numbers)) for numbers in reached)


def relation(level: str | None, operated: Iterable[tuple[int, int]]) -> Relation | None:
    """operated, adjacent (next to an operated block) or remote; None when either is unknown. operated: see `blocks`."""
    if level is None or not operated:
        return None
    numbers = numbers_of(level)
    low, high = min(numbers), max(numbers)
    found = {_one_relation(low, high, top, bottom) for top, bottom in operated}
    ranked: tuple[Relation, ...] = ("operated", "adjacent", "remote")
    return next((kind for kind in ranked if kind in found), None)


def _one_relation(low: int, high: int, top: int, bottom: int) -> Relation:
    if low == high:
        if top <= low <= bottom:
            return "operated"
        return "adjacent" if low in (top - 1, bottom + 1) else "remote"
    if low < bottom and high > top:
        return "operated"
    return "adjacent" if high == top or low == bottom else "remote"
