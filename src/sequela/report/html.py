"""One self-contained HTML file, readable on a phone and printed; and the same as PDF."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from sequela.reasoning.assessment import Assessment
from sequela.report.chart import timeline_svg
from sequela.report.percent import percent, span
from sequela.report.view import view


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sequela.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.globals["span"] = span
    return environment


def html(assessment: Assessment, *, paper: bool = False) -> str:
    """The report. paper: everything unfolded, for print and PDF."""
    seen = view(assessment)
    return (
        _environment()
        .get_template("report.html")
        .render(seen=seen, timeline=timeline_svg(assessment.case), paper=paper)
    )


def write_html(assessment: Assessment, path: Path) -> None:
    path.write_text(html(assessment), encoding="utf-8")


def write_pdf(assessment: Assessment, path: Path) -> None:
    """The same report on paper; needs Pango (installed by `make setup`)."""
    import logging

    from weasyprint import HTML

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    HTML(string=html(assessment, paper=True), url_fetcher=_nothing).write_pdf(str(path))


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    """The report never fetches anything."""
    raise ValueError(f"the report fetches nothing, asked for {url[:60]}")
