"""Random small networks and reports on them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sequela.knowledge.model import Knowledge

from .builders import cause, finding, knowledge, manifestation

probability = st.floats(0.02, 0.98)
STATUS = st.sampled_from(["present", "absent", "uncertain"])
MARK = {"present": "", "absent": "-", "uncertain": "?"}


@st.composite
def networks(draw: Any, most_causes: int = 5) -> Knowledge:
    names = [f"c{i}" for i in range(draw(st.integers(1, most_causes)))]
    causes = [cause(name, draw(st.floats(0.01, 0.5)), grade=draw(st.sampled_from("BCD"))) for name in names]
    shown = [
        manifestation(f"g{i}", draw(probability), **draw(st.dictionaries(st.sampled_from(names), probability)))
        for i in range(draw(st.integers(1, 4)))
    ]
    findings = [
        finding(f"f{i}", draw(st.sampled_from(shown)).id, draw(probability), draw(probability))
        for i in range(draw(st.integers(1, 6)))
    ]
    return knowledge(causes, shown, findings)


@st.composite
def records(draw: Any, most_causes: int = 5) -> tuple[Knowledge, dict[str, str]]:
    """A network, and the status of some of its findings."""
    network = draw(networks(most_causes))
    ids = [one.id for one in network.findings]
    return network, draw(st.dictionaries(st.sampled_from(ids), STATUS))


def words(reports: dict[str, str]) -> list[str]:
    return [MARK[status] + id_ for id_, status in reports.items()]
