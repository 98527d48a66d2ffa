"""Measured alignment for a reader: the film with its landmarks, lines and values drawn in (PNG), lines for the terminal, a document for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequela.case.landmarks import Endplate, Landmarks, Point
from sequela.knowledge.alignment_model import Alignment

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from sequela.case import Observation
    from sequela.reasoning.alignment import Judged, Reading

SCHEMA = "sequela.alignment/1"
_SIDE = 1200
"""Pixels of the longer side of the drawing, so that text is readable whatever the film's size."""
_BONE, _LINE, _TEXT = (80, 220, 255), (255, 200, 60), (255, 255, 255)
_SIGNS = {"present": "!", "uncertain": "?", "absent": " "}


def write_png(film: Any, landmarks: Landmarks, judged: Judged, known: Alignment, target: Path) -> None:
    """Draw the landmarks and values over the film (`pixels`, rows x columns). Raises OSError where the file cannot be written."""
    from PIL import Image, ImageDraw

    drawing = _enlarged(Image.fromarray(film.pixels).convert("RGB"))
    factor = drawing.width / film.columns, drawing.height / film.rows
    pen = Pen(ImageDraw.Draw(drawing), factor)
    _draw(pen, landmarks)
    pen.caption([_caption(reading, known) for reading in judged.readings if not reading.level])
    drawing.save(target, format="PNG")


def _enlarged(image: Image.Image) -> Image.Image:
    factor = _SIDE / max(image.size)
    return image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))))


class Pen:
    """Draws in the pixels of the film onto the resized drawing."""

    def __init__(self, draw: ImageDraw.ImageDraw, factor: tuple[float, float]) -> None:
        from PIL import ImageFont

        self._draw = draw
        self._factor = factor
        self._font = ImageFont.load_default(size=22)

    def _at(self, point: Point) -> Point:
        return point[0] * self._factor[0], point[1] * self._factor[1]

    def line(self, start: Point, end: Point, colour: tuple[int, int, int] = _LINE) -> None:
        self._draw.line([self._at(start), self._at(end)], fill=colour, width=3)

    def dot(self, point: Point, radius: int = 6) -> None:
        x, y = self._at(point)
        self._draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=_BONE, width=3)

    def label(self, point: Point, text: str) -> None:
        x, y = self._at(point)
        self._write((x + 10, y - 26), text)

    def caption(self, lines: list[str]) -> None:
        for i, line in enumerate(lines):
            self._write((12, 12 + 28 * i), line)

    def _write(self, at: Point, text: str) -> None:
        self._draw.text(at, text, font=self._font, fill=_TEXT, stroke_width=2, stroke_fill=(0, 0, 0))


def _draw(pen: Pen, landmarks: Landmarks) -> None:
    for _, endplate in landmarks.endplates():
        _endplate(pen, endplate)
    for name, centre in (("T1", landmarks.t1), ("C7", landmarks.c7)):
        if centre:
            pen.dot(centre)
            pen.label(centre, name)
    _lines(pen, landmarks)
    for name, endplate in landmarks.endplates():  # last, so that no line crosses them
        if name.endswith("superior") or name == "S1":
            pen.label(endplate.anterior, name.partition(".")[0])


def _lines(pen: Pen, landmarks: Landmarks) -> None:
    """Femoral heads to S1, to the vertical and to T1; the C7 plumb line and its distance from the back of S1; the coronal curve."""
    for head in landmarks.femoral_heads:
        pen.dot(head, radius=22)
    hips = landmarks.hips()
    if hips and landmarks.s1:
        middle = landmarks.s1.middle()
        pen.line(hips, middle)
        pen.line(hips, (hips[0], min(middle[1], hips[1])))
        if landmarks.t1:
            pen.line(hips, landmarks.t1)
    if landmarks.c7 and landmarks.s1:
        foot = (landmarks.c7[0], landmarks.s1.posterior[1])
        pen.line(landmarks.c7, foot)
        pen.line(foot, landmarks.s1.posterior)
    if landmarks.coronal:
        for line in (landmarks.coronal.upper, landmarks.coronal.lower):
            pen.line(line.left, line.right, _BONE)


def _endplate(pen: Pen, endplate: Endplate) -> None:
    pen.line(endplate.anterior, endplate.posterior, _BONE)
    for corner in (endplate.anterior, endplate.posterior):
        pen.dot(corner, radius=4)


def _caption(reading: Reading, known: Alignment) -> str:
    measure = known.measure(reading.measure)
    return f"{measure.short} {_number(reading.value)} {measure.unit}"


def _number(value: float) -> str:
    """One decimal, and never "-0.0"."""
    return f"{round(value, 1) + 0.0:.1f}"


# Terminal -------------------------------------------------------------------------------------------------------------


def lines(judged: Judged, known: Alignment, names: Mapping[str, str], calibration: str | None) -> Iterator[str]:
    """The terminal page. names: of the findings."""
    if calibration:
        yield f"Film: {calibration}"
    yield from _block("Measures", (_measured(reading, known) for reading in judged.readings))
    yield from (f"Problem: {problem.line()}" for problem in judged.problems)
    yield from _block("Findings (! present, ? uncertain)", (_finding(o, names) for o in judged.findings))
    yield from _block("Grades", _grades(judged, known))
    yield from _block("Aimed at" if judged.age is None else f"Aimed at, age {judged.age:g}", _aims(judged, known))
    yield "Supports a clinician's reading of the film; not validated prospectively."


def _measured(reading: Reading, known: Alignment) -> str:
    measure = known.measure(reading.measure)
    named = measure.name + (f", {reading.level}" if reading.level else "")
    note = {"derived": " (derived)", "entered": " (entered)"}.get(reading.origin, "")
    return f"{named:<48} {_number(reading.value):>7} {measure.unit}{note}{' (magnified)' if reading.magnified else ''}"


def _finding(observation: Observation, names: Mapping[str, str]) -> str:
    value = "" if observation.value is None else f" ({_number(observation.value)} {observation.unit})"
    where = f" at {observation.level}" if observation.level else ""
    denied = "no: " if observation.status == "absent" else ""
    return f"{_SIGNS[observation.status]} {denied}{names[observation.id]}{where}{value}"


def _grades(judged: Judged, known: Alignment) -> Iterator[str]:
    scales = {scale.id: scale.name for scale in known.scales}
    for grading in judged.gradings:
        where = f" at {grading.level}" if grading.level else ""
        yield f"{scales[grading.scale]}{where}: {grading.grade}" + (f" ({grading.means})" if grading.means else "")
    for total in judged.totals:
        score = next(s for s in known.scores if s.id == total.score)
        note = f" {score.basis.note}" if score.basis.note else ""
        yield f"{score.name}: {total.points}, {total.grade}.{note}"


def _aims(judged: Judged, known: Alignment) -> Iterator[str]:
    targets = {target.id: target for target in known.targets}
    for aim in judged.aims:
        measure = known.measure(aim.measure)
        estimate = ", formula from memory" if aim.estimate else ""
        yield f"{measure.short} {_number(aim.value)} {measure.unit} {targets[aim.target].name}{estimate}; this patient {aim.difference:+.1f}"


def _block(title: str, rows: Iterator[str]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield title
        yield from (f"  {row}" for row in found)


def document(judged: Judged, known: Alignment, calibration: str | None, version: str) -> dict[str, Any]:
    """The same for machines: identifiers as in the knowledge base, values unrounded."""
    return {
        "schema": SCHEMA,
        "knowledge_version": version,
        "calibration": calibration,
        "age": judged.age,
        "measures": [
            {
                "id": r.measure,
                "value": r.value,
                "unit": known.measure(r.measure).unit,
                "level": r.level,
                "origin": r.origin,
                "magnified": r.magnified,
            }
            for r in judged.readings
        ],
        "findings": [
            {"id": o.id, "status": o.status, "value": o.value, "unit": o.unit, "level": o.level}
            for o in judged.findings
        ],
        "grades": [{"scale": g.scale, "grade": g.grade, "means": g.means, "level": g.level} for g in judged.gradings],
        "targets": [
            {
                "id": a.target,
                "measure": a.measure,
                "value": a.value,
                "difference": a.difference,
                "expert_estimate": a.estimate,
            }
            for a in judged.aims
        ],
        "scores": [{"id": t.score, "points": t.points, "grade": t.grade} for t in judged.totals],
        "problems": [{"message": p.line(), "measures": p.measures} for p in judged.problems],
    }
