"""The assessment on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from sequela.case import Case
from sequela.reasoning.assessment import Assessment
from sequela.reasoning.what_if import WhatIf
from sequela.report.percent import percent, span
from sequela.report.view import REASONS, CauseView, FlagGroup, Notice, Reason, View, view

_COLOUR = {
    "emergency": "bold white on red",
    "same_day": "bold red",
    "within_72h": "bold yellow",
    "within_2_weeks": "yellow",
}
_BAR = 20
_NAME = 31
_INDENT = 3
_QUOTES = 3
_MOVES = 6
_SMALL_SHARE = 0.05
_DOUBT = 0.15
"""A cause between this and its complement is still open."""


def show(assessment: Assessment, console: Console | None = None) -> None:
    """Print: red flags, causes with bars, the strongest reasons for and against, what is missing."""
    (console or Console()).print(render(view(assessment)))


def render(seen: View) -> Group:
    """Everything as one rich renderable."""
    blocks: list[RenderableType] = [_head(seen)]
    if seen.notice.text:
        blocks.append(_notice(seen.notice))
    blocks += [_flags(group) for group in seen.red_flags]
    if not seen.notice.withheld:
        blocks += _causes(seen)
    blocks.append(_foot(seen))
    return Group(*blocks)


def _head(seen: View) -> Text:
    text = Text()
    text.append(seen.patient + "\n", style="bold")
    for operation in seen.operations or ("no operation found in the record",):
        text.append(f"  {operation}\n")
    text.append(f"  Complaint: {seen.course}", style="dim")
    return text


def _notice(notice: Notice) -> Text:
    text = Text(notice.text, style="bold yellow")
    if notice.quotes:
        text.append(" " + _quoted(notice.quotes), style="not bold dim")
    return text


def _flags(group: FlagGroup) -> Panel:
    """One box for all flags of an urgency: what, what to do and until when, and the words behind it."""
    body = Text()
    for i, flag in enumerate(group.flags):
        body.append("\n" if i else "").append(flag.name, style="bold").append(f": {flag.action} ")
        body.append(f"Time limit: {flag.time_limit}.", style="bold")
        if flag.quotes:
            body.append(" " + _quoted([q.text for q in flag.quotes]), style="dim")
    return Panel(
        body,
        title=Text(f" {group.when} ", style=_COLOUR.get(group.urgency, "bold")),
        title_align="left",
        border_style="red",
        padding=(0, 1),
    )


def _causes(seen: View) -> list[RenderableType]:
    """Per cause a line with name and bar, then the strongest reasons for and against, wrapped and set in."""
    blocks: list[RenderableType] = []
    for cause in seen.causes:
        head = Text(f"{_short(cause.name, _NAME):{_NAME}} ", style="bold", no_wrap=True)
        blocks.append(head.append(_bar(cause)))
        for reasons, sign in ((cause.reasons_for, "+"), (cause.reasons_against, "-")):
            if reasons:
                blocks.append(Padding(_reasons(reasons, sign), (0, 0, 0, _INDENT)))
    rest = f"{seen.others}. None of the causes known here: {seen.none_of_these}."
    return [*blocks, Text(rest, style="dim")]


def _bar(cause: CauseView) -> Text:
    full = round(cause.probability * _BAR)
    text = Text("█" * full, style="cyan")
    text.append("·" * (_BAR - full), style="dim")
    text.append(f" {percent(cause.probability):>4}", style="bold")
    text.append(f"  {span(cause.low, cause.high)}", style="dim")
    return text


def _reasons(reasons: tuple[Reason, ...], sign: str) -> Text:
    colour = "green" if sign == "+" else "red"
    text = Text()
    for i, reason in enumerate(reasons[:REASONS]):
        text.append("; " if i else "", style="dim")
        text.append(("+" if sign == "+" else "−") * reason.strength + " ", style=colour)
        text.append(f"{reason.status}: {reason.label}" if reason.status else reason.label)
    return text


def _foot(seen: View) -> Text:
    text = Text()
    for line in seen.conflicts:
        text.append("Contradiction  ", style="bold yellow").append(line + "\n")
    if not seen.notice.withheld:
        _next(text, seen)
    text.append(f"{seen.caveat} Knowledge {seen.knowledge_version[:12]}.", style="dim")
    return text


def _next(text: Text, seen: View) -> None:
    """How the leading causes hurt, and what would tell more."""
    mechanism = ", ".join(f"{name} {percent(share)}" for name, share in seen.mechanisms if share >= _SMALL_SHARE)
    text.append("How the leading causes hurt  ", style="bold").append(mechanism + "\n")
    if seen.nerve:
        text.append("Nerve  ", style="bold").append("; ".join([seen.nerve.sentence, *seen.nerve.remarks]) + "\n")
    open_ = [c for c in seen.causes[:3] if _DOUBT < c.probability < 1 - _DOUBT]
    settle = list(dict.fromkeys(t for c in open_ for t in c.would_settle))[:2]
    if settle:
        text.append("Would settle it  ", style="bold").append("; ".join(settle) + "\n")
    _tests(text, seen)
    if seen.missing:
        text.append("Missing\n", style="bold").append("".join(f"   {question}\n" for question in seen.missing[:3]))


def _tests(text: Text, seen: View) -> None:
    """The next tests, best first, and what follows from the first."""
    if not seen.next_tests:
        return
    clear = not any(test.recommended for test in seen.next_tests)
    text.append("Next tests" + (" (the leading cause is clear without them)" if clear else "") + "\n", style="bold")
    for number, test in enumerate(seen.next_tests, 1):
        text.append(f"   {number}. {_short(test.name)}", style="bold red" if test.urgent else "")
        text.append(f"  {'now: red flag' if test.urgent else test.bits}, burden {test.burden}\n", style="dim")
        for bar in test.bars:
            text.append(f"      ! {bar}\n", style="yellow")
        if test.ask and test.recommended:
            text.append(f"      ask first: {' '.join(test.ask)}\n", style="dim")
    for branch in seen.branches:
        text.append(f"      {branch}\n", style="dim")


def show_what_if(assumed: WhatIf, console: Console | None = None) -> None:
    """How the ranking moves: the leading causes after, with their probability before."""
    said = ", ".join(
        o.id + (f" {o.value:g}: {o.status}" if o.value is not None else f": {o.status}") for o in assumed.changed
    )
    text = Text(f"\nWhat if {said}\n", style="bold")
    for move in assumed.moves[:_MOVES]:
        text.append(
            f"   {_short(move.name, _NAME):{_NAME}} {percent(move.before):>4} → {percent(move.after):>4}\n",
            style="not bold",
        )
    raised = {flag.id for flag in assumed.before.red_flags}
    for flag in assumed.after.red_flags:
        if flag.id not in raised:
            text.append(f"   Red flag: {flag.name}. {flag.action}\n", style="bold red")
    names = [test.name for test in view(assumed.after).next_tests]
    text.append(f"   Next tests: {'; '.join(map(_short, names)) or 'none'}", style="not bold")
    (console or Console()).print(text)


def _quoted(texts: Sequence[str]) -> str:
    return "; ".join(f"“{_short(text, 40)}”" for text in texts[:_QUOTES])


def _short(text: str, most: int = 70) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def show_unread(case: Case, console: Console | None = None) -> None:
    """Sentences that name something known although no finding used them: how the lexicon grows."""
    out = console or Console()
    out.print(f"\n[bold]Unread[/bold]: {len(case.unread)} clauses near a known structure")
    for item in case.unread:
        out.print(Text(f"  {item.source.document}:{item.source.start}  ", style="dim") + Text(_short(item.text, 160)))
