"""`sequela assess`, `explain`, `alignment`, `check`. Exit codes: 0 done, 1 nothing could be read, 2 wrong usage. Problems go to standard error, one line each.

Everything heavy is imported inside the command that needs it: a note must be assessed in well under a second.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sequela.cli.alignment import alignment
from sequela.cli.fail import fail

if TYPE_CHECKING:
    from sequela.reasoning.assessment import Assessment
    from sequela.reasoning.what_if import WhatIf

app = typer.Typer(
    name="sequela",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...", help="Files or folders (FHIR, C-CDA, text, PDF, CSV); - reads text from standard input."
    ),
]


@app.command()
def assess(
    paths: Paths,
    json: Annotated[bool, typer.Option("--json", help="Print the assessment document and nothing else.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the report as PDF.")] = None,
    fhir: Annotated[Path | None, typer.Option(help="Write the result as a FHIR R4 bundle.")] = None,
    patient: Annotated[
        str | None, typer.Option(help="Which patient, when the records hold several: id, record number or name.")
    ] = None,
    unread: Annotated[
        bool, typer.Option("--unread", help="List sentences near a known structure that no finding used.")
    ] = False,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="FINDING=ANSWER",
            help="How the ranking would move: crp=85, or a finding with present, absent or uncertain. May be repeated.",
        ),
    ] = None,
) -> None:
    """Read a patient's records and work out why the surgery failed."""
    from sequela.api import NothingToRead, read
    from sequela.knowledge import load
    from sequela.reasoning import reason

    text = sys.stdin.buffer.read().decode("utf-8", errors="replace") if "-" in paths else None
    try:
        with _progress(paths, quiet=json):
            case = read(*[p for p in paths if p != "-"], text=text, patient=patient)
            assessment = reason(case, load())
    except NothingToRead as nothing:
        fail(*(nothing.problems or ("nothing to read; name a file or folder",)), code=1)
    for problem in case.problems:
        print(f"sequela: {problem.line()}", file=sys.stderr)
    assumed = _assumed(assessment, what_if or [])
    _write(assessment, html, pdf, fhir)
    if json:
        import msgspec

        document = assessment.document() | ({"what_if": assumed.document()} if assumed else {})
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
        return
    from sequela.report.terminal import show, show_unread, show_what_if

    show(assessment)
    if assumed:
        show_what_if(assumed)
    if unread:
        show_unread(case)


def _assumed(assessment: Assessment, changes: list[str]) -> WhatIf | None:
    """The assessment with the findings changed; a change that is not understood is one clear line."""
    if not changes:
        return None
    from sequela.knowledge import load
    from sequela.reasoning.what_if import NotUnderstood, parse, what_if

    try:
        return what_if(assessment, parse(changes), load())
    except NotUnderstood as problem:
        fail(f"--what-if: {problem}", code=2)


def _progress(paths: list[str], *, quiet: bool) -> AbstractContextManager[object]:
    """A spinner on standard error while a large record is read; nothing when nobody watches."""
    from contextlib import nullcontext

    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(f"Reading {', '.join(paths)} …")


def _write(assessment: Assessment, html: Path | None, pdf: Path | None, fhir: Path | None) -> None:
    """Write the asked-for files; a place that cannot be written is one clear line."""
    if not (html or pdf or fhir):
        return
    from sequela.report import write_fhir, write_html, write_pdf

    for target, write in ((html, write_html), (pdf, write_pdf), (fhir, write_fhir)):
        if target is None:
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write(assessment, target)
        except OSError as error:
            fail(f"{target}: cannot be written ({error.strerror}); choose another place", code=2)


@app.command()
def explain(
    id: Annotated[str, typer.Argument(metavar="ID", help="A cause, finding, manifestation, test, red flag or source.")],
) -> None:
    """What the knowledge base holds on ID, with every number and its source."""
    from sequela.knowledge.explain import UnknownId
    from sequela.knowledge.explain import explain as tell

    try:
        print(tell(id))
    except UnknownId as unknown:
        fail(str(unknown), code=2)


app.command()(alignment)


@app.command()
def check() -> None:
    """Check the knowledge base: every number sourced, every identifier known."""
    from sequela.knowledge.check import check as run

    for line in run():
        print(line)


@app.command()
def version() -> None:
    """Versions of the program and of the knowledge base."""
    print(_versions())


def _versions() -> str:
    from sequela import __version__
    from sequela.knowledge import load

    return f"sequela {__version__}, knowledge {load().version}"


def _tell_version(asked: bool) -> None:
    if asked:
        print(_versions())
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_tell_version,
            is_eager=True,
            help="Show the versions of the program and of the knowledge base.",
        ),
    ] = False,
) -> None:
    """Finds out why back surgery failed, and what to do next. Supports clinicians; does not replace them."""


def main() -> None:
    """Entry point of the `sequela` command. A knowledge base that does not load is told line by line, not as a traceback."""
    import gc
    import os

    gc.set_threshold(
        100_000
    )  # the knowledge base is a few large, long-lived trees: collecting while they load costs a tenth of a second
    code = _run()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # taking the same trees apart object by object at the end costs as much again


def _run() -> int:
    from sequela.knowledge import KnowledgeError

    try:
        app()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KnowledgeError as error:
        for line in error.problems:
            print(f"sequela: {line}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
    return 0
