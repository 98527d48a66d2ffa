"""Where the nerve is hurt, as a person reads it: one sentence, and a chart of the results against the roots."""

from __future__ import annotations

import msgspec

from sequela.knowledge.model import Localisation
from sequela.reasoning.localisation import Cell, Located, Place
from sequela.report.percent import percent

_KINDS = {
    "needle": "needle EMG",
    "motor": "motor conduction",
    "sensory": "sensory conduction",
    "late": "late response",
    "power": "power",
    "reflex": "reflex",
    "tension": "stretch test",
    "sensation": "feeling",
    "pain": "pain",
    "stated": "named in the record",
    "imaging": "imaging",
}
_SHOWN = 3
_LEAST = 0.05
"""Places below this share are not named."""


class ChartRow(msgspec.Struct, frozen=True):
    """One result. reach: how surely each root of the chart reaches the structure, 0..1."""

    name: str
    kind: str
    side: str
    abnormal: bool
    reach: tuple[float, ...]


class NerveView(msgspec.Struct, frozen=True):
    """sentence: the answer. remarks: activity, ganglion. separating: names of what would tell the leading places apart."""

    sentence: str
    remarks: tuple[str, ...]
    separating: tuple[str, ...]
    roots: tuple[str, ...]
    rows: tuple[ChartRow, ...]


def nerve_view(located: Located, knowledge: Localisation | None) -> NerveView | None:
    """None where the record holds no sign of a nerve."""
    if knowledge is None or not located.places:
        return None
    names = {site.id: site.name for site in knowledge.sites}
    structures = {structure.id: structure.name for structure in knowledge.structures}
    roots = tuple(site.roots[0] for site in knowledge.sites if site.kind == "root")
    shown = [p for p in located.places if p.probability >= _LEAST][:_SHOWN] or list(located.places[:1])
    told = ", ".join(_place(p, names) for p in shown)
    return NerveView(
        sentence=told if located.certain else f"cannot be localised from what is recorded; likeliest {told}",
        remarks=tuple(_remarks(located)),
        separating=tuple(structures[id_] for id_ in located.separating),
        roots=roots,
        rows=tuple(_row(cell, roots) for cell in located.chart),
    )


def _place(place: Place, names: dict[str, str]) -> str:
    side = {"left": ", left", "right": ", right", "both": ", both sides"}.get(str(place.side), "")
    return f"{names[place.site]}{side} {percent(place.probability)}"


def _remarks(located: Located) -> list[str]:
    remarks = []
    if located.activity:
        remarks.append(
            {"active": "denervation going on", "chronic": "old, no denervation going on"}.get(
                located.activity, "going on in an old lesion"
            )
        )
    if located.ganglion == "preganglionic":
        remarks.append("sensory responses kept: before the ganglion, as in a root")
    elif located.ganglion == "postganglionic":
        remarks.append("sensory responses lost: beyond the ganglion, as in a plexus or nerve")
    return remarks


def _row(cell: Cell, roots: tuple[str, ...]) -> ChartRow:
    return ChartRow(
        cell.name, _KINDS[cell.kind], cell.side or "", cell.abnormal, tuple(cell.reach.get(root, 0.0) for root in roots)
    )
