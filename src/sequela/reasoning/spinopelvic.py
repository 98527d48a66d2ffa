"""From landmarks on a film to measures: geometry alone, no thresholds.

Everything is computed in a frame with x forward and y up, in millimetres or, without calibration, in units of the image; angles and
percentages are the same in both. Angles in degrees; lordosis, a pelvis tilted back and a trunk or slip to the front are positive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from sequela.case.landmarks import SEGMENTS, Curve, Endplate, Landmarks, PixelScale, Point, forward
from sequela.reasoning.alignment import Reading


class At(NamedTuple):
    """A point of the frame."""

    x: float
    y: float

    def __sub__(self, other: At) -> At:
        return At(self.x - other.x, self.y - other.y)

    def dot(self, other: At) -> float:
        return self.x * other.x + self.y * other.y


class Plate(NamedTuple):
    """An endplate in the frame."""

    front: At
    back: At

    def slope(self) -> float:
        """To the horizontal, positive where the front is lower."""
        return math.degrees(math.atan2(self.back.y - self.front.y, self.front.x - self.back.x))

    def middle(self) -> At:
        return At((self.front.x + self.back.x) / 2, (self.front.y + self.back.y) / 2)

    def length(self) -> float:
        return math.dist(self.front, self.back)

    def along(self) -> At:
        """Unit vector from back to front."""
        span = self.front - self.back
        return At(span.x / self.length(), span.y / self.length())


class Segment(NamedTuple):
    """Two neighbours at one disc. slip: how far the upper one stands forward; angle: lordosis between them; length: of the endplate below."""

    slip: float
    angle: float
    length: float


class Frame:
    """The landmarks of one film, turned so that the patient looks along x and stands along y."""

    def __init__(self, landmarks: Landmarks, scale: PixelScale) -> None:
        self.landmarks = landmarks
        self.scale = scale
        self._forward = forward(landmarks)

    def at(self, point: Point) -> At:
        return At(self._forward * point[0] * self.scale.across, -point[1] * self.scale.down)

    def plate(self, endplate: Endplate | None) -> Plate | None:
        return Plate(self.at(endplate.anterior), self.at(endplate.posterior)) if endplate else None

    def superior(self, vertebra: str) -> Plate | None:
        return self.plate(self.landmarks.superior(vertebra))

    def segments(self) -> dict[str, Segment]:
        """Those whose two endplates are placed, by name: "L4-L5"."""
        found = {}
        for above, below in SEGMENTS:
            upper, lower = self.plate(self.landmarks.inferior(above)), self.superior(below)
            if upper and lower:
                slip = (upper.back - lower.back).dot(lower.along())
                found[f"{above}-{below}"] = Segment(slip, lower.slope() - upper.slope(), lower.length())
        return found


def measured(landmarks: Landmarks, scale: PixelScale) -> tuple[Reading, ...]:
    """Every measure that the landmarks of a film allow. Lengths only where the image is calibrated."""
    frame = Frame(landmarks, scale)
    readings = [*_pelvis(frame), *_trunk(frame), *_slips(frame)]
    if landmarks.coronal:
        readings.append(Reading("coronal_cobb", cobb(landmarks.coronal, scale), origin="landmarks"))
    return tuple(r for r in readings if scale.millimetres or r.measure not in LENGTHS)


LENGTHS = frozenset({"sagittal_vertical_axis", "slip_mm", "dynamic_translation"})
"""Measures in millimetres, which need calibration."""


def _pelvis(frame: Frame) -> Iterator[Reading]:
    sacrum, hips = frame.superior("S1"), frame.landmarks.hips()
    if sacrum is None:
        return
    yield _computed("sacral_slope", sacrum.slope())
    for name, vertebra in (("lumbar_lordosis", "L1"), ("lower_lordosis", "L4")):
        upper = frame.superior(vertebra)
        if upper:
            yield _computed(name, sacrum.slope() - upper.slope())
    if hips:
        yield _computed("pelvic_tilt", tilt(sacrum, frame.at(hips)))
        yield _computed("pelvic_incidence", incidence(sacrum, frame.at(hips)))


def incidence(sacrum: Plate, hips: At) -> float:
    """Between the perpendicular to the S1 endplate and the line from its middle to the femoral heads; by vectors, not as tilt plus slope."""
    along = sacrum.along()
    into = At(along.y, -along.x)
    line = hips - sacrum.middle()
    return math.degrees(math.atan2(line.dot(along), line.dot(into)))


def tilt(sacrum: Plate, hips: At) -> float:
    """Between the vertical and the line from the femoral heads to the middle of S1, positive where the heads lie in front."""
    return -_lean(hips, sacrum.middle())


def _lean(base: At, top: At) -> float:
    """Of the line from base to top against the vertical, positive where it leans forward."""
    return math.degrees(math.atan2(top.x - base.x, top.y - base.y))


def _trunk(frame: Frame) -> Iterator[Reading]:
    sacrum, hips = frame.superior("S1"), frame.landmarks.hips()
    neck, thorax = frame.landmarks.c7, frame.landmarks.t1
    if sacrum is None:
        return
    if neck:
        drop = frame.at(neck).x - sacrum.back.x
        yield _computed("sagittal_vertical_axis", drop, magnified=frame.scale.magnified)
    if hips and neck:
        yield _computed("global_tilt", tilt(sacrum, frame.at(hips)) + _lean(sacrum.middle(), frame.at(neck)))
    if hips and thorax:
        yield _computed("t1_pelvic_angle", tilt(sacrum, frame.at(hips)) + _lean(frame.at(hips), frame.at(thorax)))


def _slips(frame: Frame) -> Iterator[Reading]:
    for level, segment in frame.segments().items():
        yield _computed("slip_mm", segment.slip, level, magnified=frame.scale.magnified)
        yield _computed("slip_percent", 100 * segment.slip / segment.length, level)


def moved(flexion: Frame, extension: Frame) -> tuple[Reading, ...]:
    """Translation and angulation of every segment placed on both films, flexion less extension.

    A translation in millimetres needs both films calibrated; in per cent of the endplate, neither.
    """
    bent, straight = flexion.segments(), extension.segments()
    magnified = flexion.scale.magnified or extension.scale.magnified
    readings = []
    for level in bent.keys() & straight.keys():
        one, other = bent[level], straight[level]
        if flexion.scale.millimetres and extension.scale.millimetres:
            readings.append(_computed("dynamic_translation", one.slip - other.slip, level, magnified=magnified))
        share = 100 * (one.slip / one.length - other.slip / other.length)
        readings.append(_computed("dynamic_translation_percent", share, level))
        readings.append(_computed("dynamic_rotation", one.angle - other.angle, level))
    return tuple(sorted(readings, key=lambda r: r.level or ""))


def cobb(curve: Curve, scale: PixelScale) -> float:
    """Between the two end vertebrae on a frontal film, positive where the lower endplate falls more to the right of the image."""

    def falls(line: tuple[Point, Point]) -> float:
        (x, y), (x2, y2) = line
        return math.degrees(math.atan2((y2 - y) * scale.down, (x2 - x) * scale.across))

    return falls((curve.lower.left, curve.lower.right)) - falls((curve.upper.left, curve.upper.right))


def _computed(measure: str, value: float, level: str | None = None, *, magnified: bool = False) -> Reading:
    return Reading(measure, value, level, origin="landmarks", magnified=magnified)
