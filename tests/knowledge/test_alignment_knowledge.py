"""The measures of alignment: every way their file can be wrong is told, and every number can be looked up."""

from __future__ import annotations

import pytest
from tests.knowledge.conftest import Copy

from sequela.knowledge import KnowledgeError, load
from sequela.knowledge.alignment import load as load_alignment
from sequela.knowledge.alignment import read
from sequela.knowledge.check import check
from sequela.knowledge.explain import explain
from sequela.knowledge.loader import HERE

FILE = "alignment.yaml"

BREAKS = {
    "an unknown finding": ("{finding: pi_ll_mismatch_over_10,", "{finding: pi_ll_mismatch_over_11,", "did you mean pi_ll_mismatch_over_10"),
    "an unknown source": ("sources: [srs-schwab, bmcsurg2023-pill", "sources: [srs-schwabe, bmcsurg2023-pill", 'unknown source "srs-schwabe"'),
    "a number without a source": ("basis: {sources: [screw-angle-change]}}", "basis: {}}", "a number without a source"),
    "a number from memory alone": ("basis: {sources: [clinicalgate-flatback-def]}}", "basis: {sources: [lafage2016-age-targets]}}", "only on sources from memory"),
    "no limit": ("{finding: xray_pelvic_tilt_high, above: 20,", "{finding: xray_pelvic_tilt_high,", "needs one of above, at_least and below"),
    "two limits": ("{finding: xray_pelvic_tilt_high, above: 20,", "{finding: xray_pelvic_tilt_high, above: 20, below: 3,", "needs one of above, at_least and below"),
    "a cut that cannot be met": ("xray_pelvic_tilt_high, above: 20", "xray_pelvic_tilt_high, above: 200", "outside of what is plausible"),
    "a range the wrong way round": ("plausible: [20, 105]", "plausible: [105, 20]", "105 is not below 20"),
    "an unknown measure": ("of: pi_ll_mismatch\n", "of: pi_ll\n", 'unknown measure "pi_ll"'),
    "bands that do not rise": ("at_least: 10}, {grade: \"++\", means: marked, above: 20}", "at_least: 30}, {grade: \"++\", means: marked, above: 20}", "do not rise"),
    "no lowest band": ("{grade: below 60, points: 0}", "{grade: below 60, at_least: 1, points: 0}", "has no lowest band"),
    "an unknown part of a score": ("parts: [gap_pelvic_version,", "parts: [gap_version,", 'unknown scale "gap_version"'),
    "an unknown variable": ("terms: [{of: pelvic_incidence, times: 0.59}]", "terms: [{of: incidence, times: 0.59}]", 'unknown measure "incidence"'),
    "two of one name": ("short: PT\n", "short: PI\n", '"pi" names two'),
    "an unknown key": ("    short: PT\n", "    short: PT\n    colour: red\n", "unknown field `colour`"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_wrong_is_told_with_its_line(copy: Copy, name: str) -> None:
    old, new, told = BREAKS[name]
    line = copy.edit(FILE, old, new)
    problems = copy.problems()
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{FILE}:")
    assert told in problems[0]
    if "{" not in name and name not in ("two of one name", "bands that do not rise"):
        assert abs(int(problems[0].split(":")[1]) - line) <= 2


def test_a_broken_file_does_not_load_alone_either(copy: Copy) -> None:
    copy.edit(FILE, "unit: deg", "unit: grad")
    with pytest.raises(KnowledgeError, match="unit"):
        read(copy.root / FILE)


def test_a_warm_start_reads_the_same(own_cache) -> None:
    first = read(HERE / FILE)
    assert read(HERE / FILE) == first
    assert list(own_cache.glob("alignment-*"))


def test_every_measure_and_scale_is_explained_with_its_sources() -> None:
    page = explain("pelvic_tilt")
    assert "xray_pelvic_tilt_high present: above 20 deg (srs-schwab, schwab-disability-threshold)" in page
    assert "lafage2016-age-targets" in page
    assert "NOT verified: from memory" in page
    assert "- II, above 25: 26 to 50 %" in explain("meyerding")
    known = load_alignment()
    for entry in (*known.measures, *known.scales):
        assert explain(entry.id).splitlines()[1].split(" · ")[1].startswith(("measure", "scale"))


def test_what_it_owes_is_counted() -> None:
    line = next(line for line in check() if line.startswith("of alignment"))
    marked, known = (int(n) for n in line.split() if n.isdigit())
    assert 0 < marked < known


def test_no_measure_takes_the_name_of_anything_else() -> None:
    known, knowledge = load_alignment(), load()
    others = {
        e.id
        for group in (
            knowledge.causes,
            knowledge.findings,
            knowledge.manifestations,
            knowledge.tests,
            knowledge.red_flags,
        )
        for e in group
    }
    assert not others & {e.id for e in (*known.measures, *known.scales)}
