"""`sequela explain ID` and `sequela check`."""

from __future__ import annotations

import pytest
from tests.knowledge.conftest import Copy

from sequela.knowledge import KnowledgeError, load, sources
from sequela.knowledge.check import bases, check, misfits
from sequela.knowledge.explain import Explainer, UnknownId, explain


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(load(), sources())


def test_everything_has_a_page(explainer: Explainer) -> None:
    k = explainer.knowledge
    groups = (k.causes, k.manifestations, k.findings, k.tests, k.red_flags, k.procedures, explainer.rows.values())
    for group in groups:
        for entry in group:
            assert f"`{entry.id}`" in explainer.lines(entry.id)[1]
    for name in (*k.syndromes, *explainer.treatments):
        assert len(explainer.lines(name)) > 3


def test_a_cause_shows_each_number_with_its_source() -> None:
    page = explain("epidural_hematoma")
    assert page.startswith("# Epidural haematoma\n")
    assert "decompression: 0.3%" in page
    assert "onset 0-14 days after the operation: odds x 15, otherwise x 0.02 (amiri2013-seh-timing" in page
    assert (
        "severe_pain_within_7_days: 0.63 in it, 0.15 in the other causes (seh-delayed; grade P; expert estimate)"
        in page
    )
    assert "postoperative_haematoma_suspected (emergency)" in page


def test_conflicting_sources_stand_side_by_side_with_population_and_trust() -> None:
    page = explain("mri_extensive_peridural_scar")
    assert page.index("**ross-extensive-scar** (used)") < page.index("**scar-no-difference** (used)")
    assert page.count("- population: ") == page.count("(used)") == 4
    assert "verified: the number was read in the cited page" in page
    assert "NOT verified: from memory" in explain("mscc-nice-memory")


def test_rows_that_were_not_chosen_are_shown_too() -> None:
    assert "(not used)" in explain("surgical_site_infection")


def test_a_flag_is_shown_as_a_rule_a_clinician_can_read() -> None:
    page = explain("motor_loss_progressing_same_day")
    assert "- all of:\n  - progressive_motor_deficit\n  - any of:\n    - foot_drop" in page
    assert "myotomal_weakness below 4" in page
    assert "denied or measured as absent:\n    - pvr_over_200ml" in explain("low_residual_with_symptoms")


def test_a_finding_says_what_was_compiled_of_it() -> None:
    page = explain("crossed_slr_positive")
    assert "Measured: 0.28 in recurrent_disc_herniation, 0.1 in the other causes (LR+ 2.8)." in page
    assert "Capped at LR+ 4 and LR- 0.4 (chronic-radiculopathy-single)." in page
    assert "Compiled: present 0." in page


def test_a_finding_says_how_often_reports_miss_it_and_how_that_is_known() -> None:
    page = explain("mri_sacral_fracture")
    assert "Reports deny it in 24% of those who show it (sif-missed)." in page
    assert "Radiologists overlooked 24 %" in page
    assert "**epiduroscopy-fibrosis** (used)" in explain("mri_scar_around_root")
    scope = "(taken for every finding of kind nuclear; expert estimate)"
    assert f"Reports deny it in 15% of those who show it {scope}." in explain("sij_uptake_nuclear")


def test_the_numbers_of_the_priors_are_among_the_estimates_counted() -> None:
    knowledge, counted = load(), list(bases(load()))
    priors = knowledge.priors
    for entry in (priors.cap, priors.referral, priors.unknown_operation, priors.needs, priors.sizes):
        assert entry.basis in counted
        assert entry.basis.expert_estimate
    assert all(row.expert_estimate for row in priors.timing), "how much an onset changes the odds stands in no source"
    own = [f.missed.basis for f in knowledge.findings if f.missed and f.missed != knowledge.missed[f.kind]]
    assert len(own) > 20
    assert all(basis in counted for basis in (*own, *(missed.basis for missed in knowledge.missed.values())))
    moving = {m.id for m in knowledge.manifestations if m.caused_by}  # what no cause brings about moves no number
    shown = [f for f in knowledge.findings if f.manifestation in moving]
    entries = (knowledge.causes, moving, shown, knowledge.red_flags, knowledge.tests)
    rows = (priors.timing, priors.risk, priors.course, knowledge.missed, own)
    assert len(counted) == sum(map(len, (*entries, *rows))) + 5


def test_a_treatment_and_its_sources_have_pages() -> None:
    assert "**process-6m**" in explain("spinal_cord_stimulation")
    assert "responder rate 0.48" in explain("process-6m")


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(UnknownId) as raised:
        explain("epidural_haematoma")
    assert "epidural_hematoma" in raised.value.matches
    assert "did you mean" in str(raised.value)
    with pytest.raises(UnknownId, match="sequela check"):
        explain("zzzzzz")


def test_check_counts_what_there_is() -> None:
    report = "\n".join(check())
    assert "causes          31\n" in report
    assert "red flags       35 on 17 rows" in report
    assert "48 mri" in report
    assert "expert estimates: " in report
    assert "sources from memory, not verified: 37" in report


def test_check_raises_what_is_wrong(copy: Copy) -> None:
    copy.edit("manifestations.yaml", "  leak: 0.02\n", "  leak: 1.04\n")
    with pytest.raises(KnowledgeError, match=r"manifestations\.yaml:\d+: disc_fragment\.leak: 1\.04"):
        check(copy.root)


def test_what_the_knowledge_base_owes_may_only_fall() -> None:
    """A ratchet: lower the numbers when a debt is paid, never raise them."""
    knowledge = load()
    assert len([m for m in misfits(knowledge) if not 0.5 <= m.compiled / m.published <= 2.0]) <= 22
    assert sum(basis.expert_estimate and not basis.sources for basis in bases(knowledge)) <= 275
    assert sum(not row.verified for row in sources().values()) <= 37
