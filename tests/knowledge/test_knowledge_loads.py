"""The knowledge base loads, holds what it must, and is typed and immutable."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from sequela.case import Case
from sequela.knowledge import load, sources
from sequela.knowledge.criteria import FACTS
from sequela.knowledge.model import Knowledge
from sequela.reasoning.facts import facts_of


@pytest.fixture
def knowledge() -> Knowledge:
    return load()


def test_it_holds_what_the_issue_asks_for(knowledge: Knowledge) -> None:
    assert len(knowledge.causes) == 31
    assert len(knowledge.manifestations) >= 30
    assert len(knowledge.findings) >= 180
    assert {flag.row for flag in knowledge.red_flags} - {None} == set(range(1, 18))
    assert [test.step for test in knowledge.tests] == list(range(17))
    assert len(sources()) >= 840


def test_every_kind_of_finding_is_there(knowledge: Knowledge) -> None:
    kinds = Counter(finding.kind for finding in knowledge.findings)
    assert set(kinds) == {
        *("history", "symptom", "examination", "questionnaire", "xray", "mri"),
        *("ct", "nuclear", "electrodiagnosis", "laboratory", "block"),
    }


def test_priors_sum_to_one_for_every_operation(knowledge: Knowledge) -> None:
    for column in ("any", "discectomy", "decompression", "fusion"):
        assert math.fsum(cause.prior[column] for cause in knowledge.causes) == pytest.approx(1.0, abs=0.002)


def test_every_finding_can_be_read_by_a_test(knowledge: Knowledge) -> None:
    read = {finding for test in knowledge.tests for finding in test.reads}
    assert {finding.id for finding in knowledge.findings} == read


def test_every_cause_can_be_settled_or_is_known_not_to_be(knowledge: Knowledge) -> None:
    settled = {cause for test in knowledge.tests for cause in test.settles}
    assert {cause.id for cause in knowledge.causes} == settled


def test_there_is_a_likelihood_for_every_finding(knowledge: Knowledge) -> None:
    assert len(knowledge.likelihoods) == len(knowledge.findings)


def test_nothing_can_be_changed(knowledge: Knowledge) -> None:
    with pytest.raises(AttributeError):
        knowledge.causes[0].name = "other"  # type: ignore[misc]


def test_the_version_is_a_hash_of_the_content(knowledge: Knowledge) -> None:
    assert len(knowledge.version) == 32
    int(knowledge.version, 16)


def test_the_facts_of_the_criteria_are_those_that_reasoning_computes(knowledge: Knowledge) -> None:
    assert set(facts_of(Case(), knowledge)) == set(FACTS)
