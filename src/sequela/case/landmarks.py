"""Points that somebody placed on a film, in pixels: (column, row) from the top left corner of the image."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

Point = tuple[float, float]
Struct = msgspec.Struct

SEGMENTS = (("L1", "L2"), ("L2", "L3"), ("L3", "L4"), ("L4", "L5"), ("L5", "S1"))
"""Neighbours from above; a segment is called "L4-L5"."""


class Endplate(Struct, frozen=True, forbid_unknown_fields=True):
    """The front and the back corner of an endplate on a lateral film."""

    anterior: Point
    posterior: Point

    def middle(self) -> Point:
        return _between(self.anterior, self.posterior)


class Vertebra(Struct, frozen=True, forbid_unknown_fields=True):
    """The upper endplate, and the lower one where slips are to be measured."""

    superior: Endplate
    inferior: Endplate | None = None


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """An endplate on a frontal film."""

    left: Point
    right: Point


class Curve(Struct, frozen=True, forbid_unknown_fields=True):
    """The upper endplate of the upper end vertebra and the lower one of the lower, on a frontal film, as they lie in the image."""

    upper: Line
    lower: Line


class Landmarks(Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """What is placed on one film. femoral_heads: the centre of each, or of the one seen. c7, t1: centres of the vertebral bodies."""

    femoral_heads: tuple[Point, ...] = msgspec.field(default=(), name="femoral_heads")
    s1: Endplate | None = None
    l5: Vertebra | None = None
    l4: Vertebra | None = None
    l3: Vertebra | None = None
    l2: Vertebra | None = None
    l1: Vertebra | None = None
    t1: Point | None = None
    c7: Point | None = None
    coronal: Curve | None = msgspec.field(default=None, name="coronal")

    def hips(self) -> Point | None:
        """The middle between the femoral heads."""
        return _between(self.femoral_heads[0], self.femoral_heads[-1]) if self.femoral_heads else None

    def superior(self, vertebra: str) -> Endplate | None:
        """The upper endplate of L1 to S1."""
        if vertebra == "S1":
            return self.s1
        found = self._lumbar(vertebra)
        return found.superior if found else None

    def inferior(self, vertebra: str) -> Endplate | None:
        """The lower endplate of L1 to L5."""
        found = self._lumbar(vertebra)
        return found.inferior if found else None

    def _lumbar(self, vertebra: str) -> Vertebra | None:
        found: Vertebra | None = getattr(self, vertebra.lower())
        return found

    def endplates(self) -> Iterator[tuple[str, Endplate]]:
        """Every endplate from above, by a name a reader knows: "L4.superior", "S1"."""
        for vertebra in ("L1", "L2", "L3", "L4", "L5"):
            for side, endplate in (("superior", self.superior(vertebra)), ("inferior", self.inferior(vertebra))):
                if endplate:
                    yield f"{vertebra}.{side}", endplate
        if self.s1:
            yield "S1", self.s1

    def points(self) -> Iterator[tuple[str, Point]]:
        """Every point, by a name a reader knows: "femoral_heads[0]", "L4.superior.anterior"."""
        for name, endplate in self.endplates():
            yield f"{name}.anterior", endplate.anterior
            yield f"{name}.posterior", endplate.posterior
        for name, point in (("T1", self.t1), ("C7", self.c7)):
            if point:
                yield name, point
        for i, point in enumerate(self.femoral_heads):
            yield f"femoral_heads[{i}]", point
        if self.coronal:
            for name, line in (("upper", self.coronal.upper), ("lower", self.coronal.lower)):
                yield f"coronal.{name}.left", line.left
                yield f"coronal.{name}.right", line.right


class PixelScale(Struct, frozen=True):
    """How far apart the centres of pixels lie, across and down. millimetres: False where only their proportion is known.

    magnified: in the plane of the detector or film, so that what lies before it looks larger by an unknown factor.
    """

    across: float = 1.0
    down: float = 1.0
    millimetres: bool = False
    magnified: bool = False


def forward(landmarks: Landmarks) -> float:
    """1.0 where the patient looks to the right of the image, -1.0 to the left, by most of the endplates."""
    return math.copysign(1.0, sum(math.copysign(1.0, e.anterior[0] - e.posterior[0]) for _, e in landmarks.endplates()))


def _between(one: Point, other: Point) -> Point:
    return ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
