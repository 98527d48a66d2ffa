"""The assessment on one screen of a terminal."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sequela.case import Case
from sequela.reasoning.assessment import Assessment
from sequela.report.view import REASONS, CauseView, FlagGroup, Reason, View, view

_COLOUR = {
    "emergency": "bold white on red",
    "same_day": "bold red",
    "within_72h": "bold yellow",
    "within_2_weeks": "yellow",
}
_BAR = 20
_NAME = 31
_DOUBT = 0.15
"""A cause between this and its complement is still open."""


def show(assessment: Assessment, console: Console | None = None) -> None:
    """Print: red flags, causes with bars, the strongest reasons for and against, what is missing."""
    (console or Console()).print(render(view(assessment)))


def render(seen: View) -> Group:
    """Everything as one rich renderable."""
    blocks: list[RenderableType] = [_head(seen)]
    blocks += [_flags(group) for group in seen.red_flags]
    blocks.append(_causes(seen))
    blocks.append(_foot(seen))
    return Group(*blocks)


def _head(seen: View) -> Text:
    text = Text()
    text.append(seen.patient + "\n", style="bold")
    for operation in seen.operations or ("no operation found in the record",):
        text.append(f"  {operation}\n")
    text.append(f"  Complaint: {seen.course}", style="dim")
    return text


def _flags(group: FlagGroup) -> Panel:
    """One box for all flags of an urgency: what, what to do, and the words behind it."""
    body = Text()
    for i, flag in enumerate(group.flags):
        body.append("\n" if i else "").append(flag.name, style="bold").append(f": {flag.action}")
        if flag.quotes:
            body.append(" " + "; ".join(f"“{_short(q.text, 40)}”" for q in flag.quotes[:3]), style="dim")
    return Panel(
        body,
        title=Text(f" {group.when} ", style=_COLOUR.get(group.urgency, "bold")),
        title_align="left",
        border_style="red",
        padding=(0, 1),
    )


def _causes(seen: View) -> Table:
    """Per cause a line with name and bar, then one line of the strongest reasons for and one against."""
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for cause in seen.causes:
        head = Text(f"{_short(cause.name, _NAME):{_NAME}} ", style="bold")
        table.add_row(head.append(_bar(cause)))
        for reasons, sign in ((cause.reasons_for, "+"), (cause.reasons_against, "-")):
            if reasons:
                table.add_row(_reasons(reasons, sign))
    rest = sum(c.probability for c in seen.folded)
    table.add_row(
        Text(
            f"{len(seen.folded)} other causes: {rest:.2f} expected among them; none of these {seen.none_of_these:.0%}",
            style="dim",
        )
    )
    return table


def _bar(cause: CauseView) -> Text:
    full = round(cause.probability * _BAR)
    text = Text("█" * full, style="cyan")
    text.append("·" * (_BAR - full), style="dim")
    text.append(f" {cause.probability:4.0%}", style="bold")
    text.append(f"  {cause.low:.0%} to {cause.high:.0%}", style="dim")
    return text


def _reasons(reasons: tuple[Reason, ...], sign: str) -> Text:
    colour = "green" if sign == "+" else "red"
    text = Text("   ")
    for i, reason in enumerate(reasons[:REASONS]):
        text.append("; " if i else "", style="dim")
        text.append(("+" if sign == "+" else "−") * reason.strength + " ", style=colour)
        text.append(f"{reason.status}: {reason.label}" if reason.status else reason.label)
    return text


def _foot(seen: View) -> Text:
    text = Text()
    mechanism = ", ".join(f"{name} {share:.0%}" for name, share in seen.mechanisms if share >= 0.05)
    text.append("Mechanism  ", style="bold").append(mechanism + "\n")
    open_ = [c for c in seen.causes[:3] if _DOUBT < c.probability < 1 - _DOUBT]
    settle = list(dict.fromkeys(t for c in open_ for t in c.would_settle))[:2]
    if settle:
        text.append("Would settle it  ", style="bold").append("; ".join(settle) + "\n")
    if seen.missing:
        text.append("Missing  ", style="bold").append("  ".join(seen.missing[:3]) + "\n")
    for line in seen.conflicts:
        text.append("Contradiction  ", style="bold yellow").append(line + "\n")
    text.append(f"{seen.caveat} Knowledge {seen.knowledge_version[:12]}.", style="dim")
    return text


def _short(text: str, most: int = 70) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def show_unread(case: Case, console: Console | None = None) -> None:
    """Sentences that name something known although no finding used them: how the lexicon grows."""
    out = console or Console()
    out.print(f"\n[bold]Unread[/bold]: {len(case.unread)} clauses near a known structure")
    for item in case.unread:
        out.print(Text(f"  {item.source.document}:{item.source.start}  ", style="dim") + Text(_short(item.text, 160)))
