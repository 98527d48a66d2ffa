"""The patient's story as a picture: operations, onset and documents on one line (SVG)."""

from __future__ import annotations

from datetime import date
from html import escape

from sequela.case import Case, Event
from sequela.case.spans import DAYS_PER_MONTH
from sequela.report.spans import in_words

_WIDTH, _MARGIN, _ROW = 720, 24, 30
_COLOUR = {"operation": "#0b5cad", "onset": "#b3261e", "document": "#6b7280"}


def timeline_svg(case: Case) -> str:
    """An SVG of everything that has a place in time; empty when fewer than two things have one."""
    today = _today(case)
    placed = [(e, _place(e, today)) for e in _events(case, today)]
    known = [(e, p) for e, p in placed if p is not None]
    if len(known) < 2:
        return ""
    first, last = min(p for _, p in known), max(p for _, p in known)
    reach = max(last - first, 1.0)
    known.sort(key=lambda item: item[1])
    height = _MARGIN * 2 + _ROW * len(known)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Time line" xmlns="http://www.w3.org/2000/svg">'
    ]
    parts.append(f'<line x1="{_MARGIN}" y1="14" x2="{_WIDTH - _MARGIN}" y2="14" stroke="#9ca3af" stroke-width="2"/>')
    for row, (event, place) in enumerate(known):
        parts.append(
            _mark(
                event,
                _MARGIN + (place - first) / reach * (_WIDTH - 2 * _MARGIN),
                14,
                _MARGIN + 22 + row * _ROW,
                place,
                today,
            )
        )
    return "".join(parts) + "</svg>"


def _events(case: Case, today: float | None) -> list[Event]:
    events = list(case.timeline)
    if case.course.interval_days is not None and case.operations:
        last = [p for e in events if e.kind == "operation" and (p := _place(e, today)) is not None]
        if last:
            onset = date.fromordinal(round(max(last) + case.course.interval_days)) if today else None
            if onset:
                events.append(Event("onset", "Present complaint begins", onset.isoformat()))
    return events


def _today(case: Case) -> float | None:
    """The day the record speaks from: its latest date; without any date, an arbitrary day that "months ago" counts from."""
    days = [d for e in case.timeline if (d := _ordinal(e.date)) is not None]
    if days:
        return max(days)
    return float(date(2000, 1, 1).toordinal()) if any(e.months_ago is not None for e in case.timeline) else None


def _ordinal(text: str | None) -> float | None:
    """Day number of an ISO date or the middle of a year or month."""
    if not text:
        return None
    try:
        if len(text) == 4:
            return float(date(int(text), 7, 1).toordinal())
        if len(text) == 7:
            return float(date(int(text[:4]), int(text[5:]), 15).toordinal())
        return float(date.fromisoformat(text[:10]).toordinal())
    except ValueError:
        return None


def _place(event: Event, today: float | None) -> float | None:
    day = _ordinal(event.date)
    if day is not None:
        return day
    return today - event.months_ago * DAYS_PER_MONTH if today is not None and event.months_ago is not None else None


def _mark(event: Event, x: float, y: float, row: float, place: float, today: float | None) -> str:
    colour = _COLOUR.get(event.kind, "#374151")
    anchor = "start" if x < _WIDTH * 0.55 else "end"
    offset = 6 if anchor == "start" else -6
    when = event.date or (f"{in_words(today - place)} before" if today is not None else "")
    return (
        f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{row:.1f}" stroke="{colour}" stroke-width="1"/>'
        f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/>'
        f'<text x="{x + offset:.1f}" y="{row + 4:.1f}" text-anchor="{anchor}" font-size="13" fill="#111827">'
        f'<tspan fill="{colour}" font-weight="600">{escape(when)}</tspan> {escape(event.label)}</text>'
    )
