"""Landmarks placed on a film, from JSON: read, and refused with what is wrong where they cannot be right. Format: docs/alignment.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from sequela.case.landmarks import SEGMENTS, Endplate, Landmarks, Point, forward

SPINOPELVIC = ("femoral_heads", "S1", "L1")
"""What the spinopelvic measures cannot do without."""


class BadLandmarks(ValueError):
    """The landmarks cannot be used. problems: one line each, with what to do."""

    def __init__(self, problems: Iterator[str] | list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def schema() -> dict[str, Any]:
    """The JSON Schema of a landmarks file."""
    return msgspec.json.schema(Landmarks)


def read_landmarks(path: Path, columns: int, rows: int, *, motion: bool = False) -> Landmarks:
    """The landmarks of an image of this many columns and rows. motion: for a pair of dynamic films, which need a segment and no pelvis.

    Raises BadLandmarks.
    """
    try:
        landmarks = msgspec.json.decode(path.read_bytes(), type=Landmarks)
    except OSError as error:
        raise BadLandmarks([f"{path}: cannot be read ({error.strerror}); name a landmarks file"]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = str(error).replace(" - at `$", " at `")
        raise BadLandmarks([f"{path.name}: {what}; see `sequela alignment --schema`"]) from None
    missing = _missing_of_motion(landmarks) if motion else _missing(landmarks)
    problems = missing or [*_outside(landmarks, columns, rows), *_coincident(landmarks)]
    problems = problems or [*_wrong_side(landmarks), *_wrong_height(landmarks), *_wrong_frontal(landmarks)]
    if problems:
        raise BadLandmarks([f"{path.name}: {problem}" for problem in problems])
    return landmarks


def _missing(landmarks: Landmarks) -> list[str]:
    """A frontal film alone needs nothing but its curve."""
    given = {"femoral_heads": landmarks.femoral_heads, "S1": landmarks.s1, "L1": landmarks.l1}
    absent = [name for name in SPINOPELVIC if not given[name]]
    if absent and not (landmarks.coronal and not any(True for _ in landmarks.endplates())):
        return [f"{', '.join(absent)} missing; place {'it' if len(absent) == 1 else 'them'} on the film"]
    if len(landmarks.femoral_heads) > 2:
        return [f"femoral_heads has {len(landmarks.femoral_heads)} points; give the centres of two, or of the one seen"]
    return []


def _missing_of_motion(landmarks: Landmarks) -> list[str]:
    if any(landmarks.inferior(above) and landmarks.superior(below) for above, below in SEGMENTS):
        return []
    return ["no segment is complete; place the inferior endplate of a vertebra and the superior one of the next below"]


def _outside(landmarks: Landmarks, columns: int, rows: int) -> Iterator[str]:
    for name, (x, y) in landmarks.points():
        if not (0 <= x <= columns and 0 <= y <= rows):
            yield f"{name} ({x:g}, {y:g}) lies outside the image of {columns} x {rows} pixels; give column and row in pixels"


def _coincident(landmarks: Landmarks) -> Iterator[str]:
    for name, endplate in landmarks.endplates():
        if endplate.anterior == endplate.posterior:
            yield f"{name}: anterior and posterior are the same point; place both corners"


def _wrong_side(landmarks: Landmarks) -> Iterator[str]:
    """All fronts on one side, and the femoral heads in front of the perpendicular to S1, as they are in everybody."""
    ahead = forward(landmarks)
    swapped = [name for name, e in landmarks.endplates() if (e.anterior[0] - e.posterior[0]) * ahead <= 0]
    for name in swapped:
        yield f"{name}: anterior and posterior are swapped against the other endplates; exchange them"
    hips, sacrum = landmarks.hips(), landmarks.s1
    if hips and sacrum and not swapped and not _in_front(hips, sacrum):
        yield "the femoral heads lie behind the sacral endplate; anterior and posterior are swapped throughout, or the heads are misplaced"


def _in_front(hips: Point, sacrum: Endplate) -> bool:
    (mx, my), (ax, ay), (px, py) = sacrum.middle(), sacrum.anterior, sacrum.posterior
    return (hips[0] - mx) * (ax - px) + (hips[1] - my) * (ay - py) > 0


def _wrong_height(landmarks: Landmarks) -> Iterator[str]:
    """From the neck to the hips each must lie below the one before; the image is upright."""
    heights = [(name, point[1]) for name, point in (("C7", landmarks.c7), ("T1", landmarks.t1)) if point]
    heights += [(name, endplate.middle()[1]) for name, endplate in landmarks.endplates()]
    hips = landmarks.hips()
    if hips:
        heights.append(("femoral_heads", hips[1]))
    for (above, y), (below, y2) in pairwise(heights):
        if y2 <= y:
            yield f"{below} lies above {above}; the landmarks are in the wrong order, or the image is upside down"


def _wrong_frontal(landmarks: Landmarks) -> Iterator[str]:
    curve = landmarks.coronal
    if curve is None:
        return
    for name, line in (("upper", curve.upper), ("lower", curve.lower)):
        if line.right[0] <= line.left[0]:
            yield f"coronal.{name}: left and right are swapped; left is the left of the image"
    if sum(p[1] for p in (curve.lower.left, curve.lower.right)) <= sum(
        p[1] for p in (curve.upper.left, curve.upper.right)
    ):
        yield "coronal.lower lies above coronal.upper; exchange them"
