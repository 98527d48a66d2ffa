"""From a case to an assessment: red flags first, then the differential, the mechanism and what to ask."""

from __future__ import annotations

import msgspec

from sequela.case import Case
from sequela.knowledge.model import Knowledge
from sequela.reasoning.applicability import applicability
from sequela.reasoning.assessment import Assessment, Question, RaisedFlag, RankedCause, Weight
from sequela.reasoning.concordance import concordant
from sequela.reasoning.differential import rank
from sequela.reasoning.facts import facts_of, known
from sequela.reasoning.localisation import Located, locate
from sequela.reasoning.mechanism import mechanisms
from sequela.reasoning.missing import questions
from sequela.reasoning.network import compiled
from sequela.reasoning.red_flags import judge, raised
from sequela.reasoning.workup import Record, plan

__all__ = ["Assessment", "Question", "RaisedFlag", "RankedCause", "Weight", "reason"]


def reason(case: Case, knowledge: Knowledge) -> Assessment:
    """Assess one case. Pure: the same case and knowledge base give the same assessment, in whatever order it was read."""
    weighed = concordant(case, knowledge.localisation) if knowledge.localisation else case
    findings = known(weighed, compiled(knowledge))
    facts = facts_of(case, knowledge)
    judged = judge(knowledge, findings, facts)
    ranked = rank(weighed, knowledge, findings)
    located = locate(case.nerve_signs, knowledge.localisation) if knowledge.localisation else Located()
    flags = raised(judged)
    planned = plan(knowledge, Record(findings, facts, flags, ranked))
    return Assessment(
        knowledge_version=knowledge.version,
        case=msgspec.structs.replace(case, conflicts=weighed.conflicts),
        red_flags=flags,
        causes=ranked.causes,
        none_of_these=ranked.none_of_these,
        mechanisms=mechanisms(knowledge, compiled(knowledge), ranked.posterior, ranked.marginals),
        next_tests=planned.next_tests,
        test_sequence=planned.test_sequence,
        missing=questions(knowledge, findings, facts, judged, ranked.evidence, ranked.posterior),
        applicability=applicability(case),
        any_from=ranked.any_from,
        located=located,
    )
