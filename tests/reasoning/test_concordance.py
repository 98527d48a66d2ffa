"""Images against the signs of the patient: the wrong side or root is doubted and told, the right one is not."""

from __future__ import annotations

import pytest

from sequela.case import Case, NerveSign, Observation
from sequela.knowledge import load
from sequela.reasoning import reason
from sequela.reasoning.concordance import concordant

LEFT_L5 = (
    NerveSign("power", "toe_extension", "left", "present"),
    NerveSign("power", "hip_abduction", "left", "present"),
    NerveSign("sensation", "dorsum", "left", "present"),
    NerveSign("needle", "peroneus_longus", "left", "present"),
    NerveSign("needle", "tibialis_posterior", "left", "present"),
)


@pytest.fixture(scope="module")
def known():
    return load().localisation


def disc(side, level="L4-L5"):
    return Observation("mri_recurrent_disc", "present", level=level, side=side)


def test_a_disc_on_the_other_side_is_doubted_and_told(known):
    found = concordant(Case(observations=(disc("right"),), nerve_signs=LEFT_L5), known)
    assert [o.status for o in found.observations] == ["uncertain"]
    (conflict,) = found.conflicts
    assert "L5 root, left" in conflict.message


def test_a_disc_at_the_root_that_is_hurt_stands(known):
    case = Case(observations=(disc("left"),), nerve_signs=LEFT_L5)
    assert concordant(case, known) == case


def test_the_root_decides_not_only_the_side(known):
    found = concordant(Case(observations=(disc("left", "L2-L3"),), nerve_signs=LEFT_L5), known)
    assert found.observations[0].status == "uncertain"


@pytest.mark.parametrize("signs", [(), LEFT_L5[:1]])
def test_too_few_signs_contradict_nothing(known, signs):
    case = Case(observations=(disc("right"),), nerve_signs=signs)
    assert concordant(case, known) == case


def test_the_record_keeps_what_the_image_says():
    assessment = reason(Case(observations=(disc("right"),), nerve_signs=LEFT_L5), load())
    assert [o.status for o in assessment.case.observations] == ["present"]
    assert assessment.case.conflicts
