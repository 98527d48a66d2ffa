"""`sequela alignment`: measures of a film from landmarks, and measures entered by hand. The image libraries load only here, when asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sequela.cli.fail import fail

if TYPE_CHECKING:
    from sequela.case.landmarks import Landmarks
    from sequela.knowledge.alignment_model import Alignment
    from sequela.reasoning.alignment import EnteredGrade, Judged, Reading
    from sequela.records.dicom import Film

Films = Annotated[Path | None, typer.Argument(metavar="[IMAGE.dcm]", help="The film, or the flexion film of a pair.")]
LandmarksFile = Annotated[Path | None, typer.Option(help="Points placed on the film (JSON; --schema prints the form).")]
Extension = Annotated[
    Path | None, typer.Option(help="The extension film: measures the motion between the two, nothing else.")
]
ExtensionLandmarks = Annotated[Path | None, typer.Option(help="Points placed on the extension film.")]
Entered = Annotated[
    list[str] | None,
    typer.Option("--measure", help="A measure or grade read elsewhere, NAME=VALUE or NAME@LEVEL=VALUE. Repeatable."),
]
Output = Annotated[Path | None, typer.Option(help="Where to draw the annotated film (PNG).")]
Age = Annotated[float | None, typer.Option(min=0, max=130, help="Age in years; else that of the film, if it says.")]
Fused = Annotated[list[str] | None, typer.Option(help="A fused segment, L4-L5. Repeatable.")]


class Placed(NamedTuple):
    film: Film
    landmarks: Landmarks


def alignment(
    image: Films = None,
    landmarks: LandmarksFile = None,
    extension: Extension = None,
    extension_landmarks: ExtensionLandmarks = None,
    measure: Entered = None,
    fused: Fused = None,
    age: Age = None,
    output: Output = None,
    json: Annotated[bool, typer.Option("--json", help="Print the measures as JSON and nothing else.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a landmarks file.")] = False,
) -> None:
    """Measure the alignment on a film from landmarks, or judge measures read elsewhere (PI, PT, LL, SVA, slip, screw breach, grades)."""
    from sequela.knowledge.alignment import load

    if schema:
        _print_schema()
        return
    _usable(image, landmarks, extension, extension_landmarks, measure, output)
    known = load()
    entered, grades = _entered(measure or [], known)
    placed = _placed(image, landmarks, motion=extension is not None)
    other = _placed(extension, extension_landmarks, motion=True)
    judged = _judged(placed, other, (entered, grades), fused or [], age, known)
    if placed and image and (output or not json):
        _draw(placed, judged, known, output or Path(f"{image.stem}.alignment.png"), image)
    _show(judged, known, placed.film.calibration if placed else None, json=json)


def _print_schema() -> None:
    import msgspec

    from sequela.records.landmarks import schema

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(schema())) + b"\n")


def _usable(
    image: Path | None,
    landmarks: Path | None,
    extension: Path | None,
    extension_landmarks: Path | None,
    measure: list[str] | None,
    output: Path | None,
) -> None:
    """Options that belong together are given together."""
    if image is None and not measure:
        fail("nothing to measure; name an image with --landmarks, or give --measure NAME=VALUE", code=2)
    if (image is None) != (landmarks is None):
        fail("an image and its --landmarks belong together; give both", code=2)
    if (extension is None) != (extension_landmarks is None):
        fail("--extension and --extension-landmarks belong together; give both", code=2)
    if extension and image is None:
        fail("--extension needs the flexion film; name it with its --landmarks", code=2)
    if output and image is None:
        fail("--output needs an image to draw on; name it with its --landmarks", code=2)


def _entered(given: list[str], known: Alignment) -> tuple[list[Reading], list[EnteredGrade]]:
    """The measures and the grades of --measure; a wrong one is named."""
    from sequela.knowledge.alignment_model import Measure
    from sequela.reasoning.alignment import EnteredGrade, Reading

    readings: list[Reading] = []
    grades: list[EnteredGrade] = []
    for written in given:
        name, equals, value = written.partition("=")
        name, _, level = name.partition("@")
        entry = known.named(name)
        if not equals or entry is None:
            fail(f"--measure {written}: {_which(name, known)}", code=2)
        if isinstance(entry, Measure):
            reading = Reading(entry.id, _number(written, value), level.strip().upper() or None)
            if any((r.measure, r.level) == (reading.measure, reading.level) for r in readings):
                fail(f"--measure {written}: {entry.name} is given twice; keep one", code=2)
            readings.append(reading)
        else:
            grades.append(EnteredGrade(entry.id, value, level.strip().upper() or None))
    return readings, grades


def _number(written: str, value: str) -> float:
    import math

    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        fail(f"--measure {written}: {value or 'nothing'} is not a number; write one, as in PT=24", code=2)
    return number


def _which(name: str, known: Alignment) -> str:
    from difflib import get_close_matches

    names = [m.short for m in known.measures] + [m.id for m in known.measures] + [s.id for s in known.scales]
    near = get_close_matches(name, [n for n in names if known.named(n)], n=3)
    return f"did you mean {' or '.join(near)}?" if near else "write NAME=VALUE, as in PT=24 (names: docs/alignment.md)"


def _placed(image: Path | None, landmarks: Path | None, *, motion: bool) -> Placed | None:
    """The film and the points on it; what is wrong with either ends the command."""
    if image is None or landmarks is None:
        return None
    from sequela.records.dicom import NotAnImage, read_film
    from sequela.records.landmarks import BadLandmarks, read_landmarks

    try:
        film = read_film(image)
        return Placed(film, read_landmarks(landmarks, film.columns, film.rows, motion=motion))
    except NotAnImage as error:
        fail(str(error), code=1)
    except BadLandmarks as error:
        fail(*error.problems, code=1)


def _judged(
    placed: Placed | None,
    other: Placed | None,
    entered: tuple[list[Reading], list[EnteredGrade]],
    fused: list[str],
    age: float | None,
    known: Alignment,
) -> Judged:
    import msgspec

    from sequela.reasoning.alignment import UnknownGrade, judge

    readings, grades = entered
    seen = _measured(placed, other)
    again = {(r.measure, r.level) for r in seen} & {(r.measure, r.level) for r in readings}
    if again:
        named = ", ".join(sorted(known.measure(name).short for name, _ in again))
        fail(f"--measure {named}: the landmarks give it; leave it out", code=2)
    solid = {level.strip().upper() for level in fused}
    judged_on = [
        msgspec.structs.replace(r, fused=r.level in solid) if solid and r.level else r for r in (*seen, *readings)
    ]
    try:
        return judge(
            judged_on,
            known,
            age=age if age is not None or placed is None else placed.film.age,
            grades=grades,
        )
    except UnknownGrade as error:
        fail(f"--measure: {error}", code=2)


def _measured(placed: Placed | None, other: Placed | None) -> tuple[Reading, ...]:
    from sequela.reasoning.spinopelvic import Frame, measured, moved

    if placed is None:
        return ()
    if other is None:
        return measured(placed.landmarks, placed.film.scale)
    films = [Frame(one.landmarks, one.film.scale) for one in (placed, other)]
    return moved(films[0], films[1])


def _draw(placed: Placed, judged: Judged, known: Alignment, target: Path, image: Path) -> None:
    from sequela.report.alignment import write_png

    if target.resolve() == image.resolve():
        fail(f"{target}: is the film itself; choose another name", code=2)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_png(placed.film, placed.landmarks, judged, known, target)
    except OSError as error:
        fail(f"{target}: cannot be written ({error.strerror}); choose another place", code=2)
    print(f"sequela: drawn in {target}", file=sys.stderr)


def _show(judged: Judged, known: Alignment, calibration: str | None, *, json: bool) -> None:
    from sequela.knowledge import load
    from sequela.report.alignment import document, lines

    knowledge = load()
    for problem in judged.problems if json else ():
        print(f"sequela: {problem.line()}", file=sys.stderr)
    if json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.encode(document(judged, known, calibration, knowledge.version)) + b"\n")
        return
    for line in lines(judged, known, {finding.id: finding.name for finding in knowledge.findings}, calibration):
        print(line)
