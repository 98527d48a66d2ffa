"""The next best test: information by the model, the rules that overrule it, and what would move the ranking."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest
from benchmarks import workup as simulation
from typer.testing import CliRunner

import sequela
from sequela.case import Case, Operation, Patient
from sequela.cli.app import app
from sequela.knowledge.model import Basis
from sequela.knowledge.model import Test as DiagnosticTest
from sequela.reasoning import reason
from sequela.reasoning.information import belief, bits, chances, sample
from sequela.reasoning.network import compiled
from sequela.reasoning.prior import over_hypotheses
from sequela.reasoning.what_if import NotUnderstood, assumed, parse, what_if
from sequela.report.fhir import bundle
from sequela.report.html import html
from sequela.report.view import proposed, view

from .builders import SIZES, case, cause, finding, full, knowledge, manifestation

OPERATED = (Operation("microdiscectomy", levels=("L4-L5",)),)


def check(id_: str, reads: tuple[str, ...], step: int) -> DiagnosticTest:
    return DiagnosticTest(id_, id_, "", step, (), reads, "minor", (0.0, 0.0), "no", 0.0, (), Basis())


def small() -> Any:
    """Three causes, three manifestations; one test reads two signs of one manifestation, one the third, one nothing that tells."""
    return knowledge(
        [cause("c", 0.3), cause("d", 0.2), cause("e", 0.1)],
        [manifestation("g", 0.05, c=0.8, d=0.3), manifestation("h", 0.1, d=0.9), manifestation("i", 0.2)],
        [
            finding("f1", "g", 0.8, 0.1),
            finding("f2", "g", 0.7, 0.2),
            finding("f3", "h", 0.9, 0.1),
            finding("f4", "i", 0.9, 0.1),
        ],
        tests=[check("twice", ("f1", "f2"), 0), check("both", ("f1", "f3"), 1), check("idle", ("f4",), 2)],
    )


def exact(base: Any, prior: Any, reads: tuple[str, ...]) -> float:
    """The mutual information by enumeration of every outcome."""
    network = compiled(base)
    a, b = chances(network)
    at = [network.findings[id_] for id_ in reads]
    groups = {int(network.shown_by[f]) for f in at}
    total = -sum(p * np.log2(p) for p in prior if p > 0.0)
    for answers in product((True, False), repeat=len(at)):
        joint = prior.copy()
        for g in groups:
            mine = [(f, yes) for f, yes in zip(at, answers, strict=True) if network.shown_by[f] == g]
            there = np.prod([a[f] if yes else 1 - a[f] for f, yes in mine])
            not_there = np.prod([b[f] if yes else 1 - b[f] for f, yes in mine])
            joint *= network.present[:, g] * there + (1 - network.present[:, g]) * not_there
        share = joint.sum()
        after = joint / share
        total -= share * -sum(p * np.log2(p) for p in after if p > 0.0)
    return float(total)


@pytest.mark.parametrize("reads", [("f1", "f2"), ("f1", "f3"), ("f4",)])
def test_information_is_that_of_enumeration(reads: tuple[str, ...]) -> None:
    base = small()
    network = compiled(base)
    prior = over_hypotheses(network, np.array([0.5, 0.3, 0.2]), SIZES)
    now = belief(network, (), prior)
    outcomes = sample(network, now, np.ones(4), 4096)
    test = next(t for t in base.tests if t.reads == reads)
    assert bits(base, now, outcomes, [test])[test.id] == pytest.approx(exact(base, prior, reads), abs=0.03)


def test_signs_of_one_manifestation_do_not_count_twice() -> None:
    base = small()
    network = compiled(base)
    prior = over_hypotheses(network, np.array([0.5, 0.3, 0.2]), SIZES)
    assert exact(base, prior, ("f1", "f2")) < exact(base, prior, ("f1",)) + exact(base, prior, ("f2",))
    now = belief(network, (), prior)
    told = bits(base, now, sample(network, now, np.array([0.0, 0.0, 1.0, 1.0])), base.tests)
    assert told["twice"] == 0.0  # both answers are known


def planned(*said: str, **more: Any) -> dict[str, dict[str, Any]]:
    one = case(*said)
    one = Case(operations=more.pop("operations", OPERATED), observations=one.observations, **more)
    return {test["id"]: test for test in reason(one, full()).next_tests}


def order(*said: str, **more: Any) -> list[str]:
    return list(planned(*said, **more))


def test_records_first_then_bedside_then_machines_and_needles_last() -> None:
    found = order()
    assert found[0] == "operation_note_review"
    assert max(map(found.index, ("history_and_red_flags", "clinical_examination"))) < found.index("mri")
    assert found.index("mri") < found.index("ct")  # ACR: MRI usually, CT may be appropriate
    useful = [id_ for id_, test in planned().items() if test["recommended"]]
    phases = {id_: i for i, phase in enumerate(full().workup.phases) for id_ in phase.tests}
    assert [phases[id_] for id_ in useful] == sorted(phases[id_] for id_ in useful)
    assert len({phases[id_] for id_ in useful}) > 2


def test_ct_does_not_wait_where_there_are_implants() -> None:
    """The rule that holds CT back is lifted: what is left is its worth."""
    fused = planned("-fever", operations=(Operation("tlif", levels=("L4-L5",)),))
    worth = {id_: test["information_bits"] / test["effort"] for id_, test in fused.items()}
    machines = [id_ for id_ in fused if id_ in ("mri", "ct", "standing_xray")]
    assert machines == sorted(machines, key=lambda id_: -worth[id_])


def test_a_red_flag_orders_its_test_before_everything_else() -> None:
    tests = planned("saddle_anaesthesia", "urinary_retention")
    first = next(iter(tests.values()))
    assert (first["id"], first["ordered_by"]) == ("mri", "cauda_equina_suspected")
    assert "Red flag" in first["why"]


def test_a_result_that_raised_the_flag_is_not_ordered_again() -> None:
    tests = planned("saddle_anaesthesia", "imaging_cauda_equina_compression", "mri_recurrent_disc")
    assert "mri" not in tests


def test_a_normal_result_does_not_hold_back_what_a_flag_orders() -> None:
    assert planned("saddle_anaesthesia", "urinary_retention", "-mri_recurrent_disc")["mri"]["ordered_by"]


def test_what_the_record_holds_is_not_proposed_again() -> None:
    assert "mri" in order()
    assert "mri" not in order("-mri_recurrent_disc")
    assert "blood_tests" not in order("-crp_raised")
    assert "questionnaires" not in order("-dn4_4plus")


def blocks(*said: str, test: str, **more: Any) -> list[tuple[str, str]]:
    return [(bar["id"], bar["blocks"]) for bar in planned(*said, **more)[test]["blocked_by"]]


def test_contraindications() -> None:
    assert blocks("egfr_below_30", test="mri") == [("egfr_below_30", "contrast")]
    assert blocks("mri_unsafe_implant", test="mri") == [("mri_unsafe_implant", "test")]
    assert blocks("pregnancy", test="ct") == [("pregnancy", "test")]
    assert blocks("anticoagulant_use", test="diagnostic_blocks") == [("anticoagulant_use", "test")]
    assert ("iodine_contrast_reaction", "test") in blocks("iodine_contrast_reaction", test="ct_myelography")
    assert order("mri_unsafe_implant").index("mri") > order().index("mri")
    assert planned("anticoagulant_use")["emg_ncs"]["cautions"]


def test_what_is_unknown_is_asked_and_bars_nothing() -> None:
    mri = planned()["mri"]
    assert mri["blocked_by"] == []
    assert {"egfr_below_30", "mri_unsafe_implant", "pregnancy"} <= {one["id"] for one in mri["ask_first"]}
    assert "egfr_below_30" not in {one["id"] for one in planned("-egfr_below_30")["mri"]["ask_first"]}
    for patient in (Patient(sex="male"), Patient(sex="female", age=70)):
        assert "pregnancy" not in {one["id"] for one in planned(patient=patient)["mri"]["ask_first"]}


def test_circumstances_move_no_cause() -> None:
    told = ("pregnancy", "mri_unsafe_implant", "gadolinium_reaction", "iodine_contrast_reaction", "egfr_below_30")
    before = reason(Case(operations=OPERATED), full()).causes
    after = reason(Case(operations=OPERATED, observations=case(*told).observations), full()).causes
    assert [c.probability for c in after] == pytest.approx([c.probability for c in before])


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("She is pregnant.", ("pregnancy", "present")),
        ("She is not pregnant.", ("pregnancy", "absent")),
        ("eGFR 22 mL/min/1.73m2.", ("egfr_below_30", "present")),
        ("eGFR 75.", ("egfr_below_30", "absent")),
        ("Her stimulator is not MR conditional.", ("mri_unsafe_implant", "present")),
        ("He has a pacemaker.", ("mri_unsafe_implant", "uncertain")),
        ("Allergic to gadolinium.", ("gadolinium_reaction", "present")),
        ("No allergy to contrast media.", ("iodine_contrast_reaction", "absent")),
    ],
)
def test_circumstances_are_read(said: str, found: tuple[str, str]) -> None:
    read = sequela.assess_text(f"L4-5 discectomy in 2020. Leg pain returned after six months. {said}").case
    assert found in {(o.id, o.status) for o in read.observations}


def test_the_first_step_branches_by_what_it_points_to() -> None:
    (step,) = reason(Case(operations=OPERATED), full()).test_sequence
    chance = [branch["chance"] for branch in step["branches"]]
    assert 0 < sum(chance) <= 1.0
    assert chance == sorted(chance, reverse=True)
    assert all(step["test"] not in branch["next"] and len(branch["next"]) <= 2 for branch in step["branches"])


def test_the_same_record_gives_the_same_plan() -> None:
    one = Case(operations=OPERATED, observations=case("radicular_leg_pain", "-fever").observations)
    assert reason(one, full()).next_tests == reason(one, full()).next_tests


# What if -------------------------------------------------------------------------------------------------------------


def test_a_number_says_every_finding_that_rests_on_it() -> None:
    said = {o.id: (o.status, o.value) for o in assumed("esr", 40, full())}
    assert said == {"esr_raised": ("present", 40.0), "esr_over_45": ("absent", 40.0)}
    assert [(o.id, o.status) for o in assumed("crp", "85", full())] == [("crp_raised", "present")]
    assert [(o.id, o.status) for o in assumed("Fever", "absent", full())] == [("fever", "absent")]


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("crpp", "85", "did you mean crp"),
        ("crp", "high", "neither a status"),
        ("fever", "39", "no number"),
        ("crp", "-5", "below 0"),
    ],
)
def test_what_is_not_understood_is_told(name: str, said: str, told: str) -> None:
    with pytest.raises(NotUnderstood, match=told):
        assumed(name, said, full())


def test_what_if_moves_as_the_record_would() -> None:
    """The same findings, assumed or stated, give the same ranking; a stated one is replaced."""
    start = reason(Case(operations=OPERATED, observations=case("-fever").observations), full())
    moved = what_if(start, {"fever": "present", "crp": 85}, full())
    stated = reason(Case(operations=OPERATED, observations=case("fever", "crp_raised").observations), full())
    assert {m.id: m.after for m in moved.moves} == pytest.approx({c.id: c.probability for c in stated.causes})
    infection = next(m for m in moved.moves if m.id == "surgical_site_infection")
    assert infection.after > 2 * infection.before


def test_a_change_without_an_answer_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="is no change"):
        parse(["crp"])


def test_command_line(tmp_path: Any) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("L4-5 microdiscectomy in 2021. Back pain returned after one year. No fever.")
    run = CliRunner().invoke(
        app, ["assess", str(letter), "--json", "--what-if", "crp=85", "--what-if", "fever=present"]
    )
    document = json.loads(run.stdout)
    assert [one["id"] for one in document["what_if"]["changed"]] == ["crp_raised", "fever"]
    assert document["next_tests"]
    assert document["test_sequence"]
    wrong = CliRunner().invoke(app, ["assess", str(letter), "--what-if", "crpp=85"])
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
    assert "did you mean crp" in wrong.stderr


def test_python_does_the_same_without_reading() -> None:
    assessment = sequela.assess_text("L4-5 microdiscectomy in 2021. Back pain returned after one year.")
    one, other = assessment.what_if({"crp": 85}), sequela.what_if(assessment.case, {"crp": 85})
    assert one.moves == other.moves


# Reports -------------------------------------------------------------------------------------------------------------


def test_reports_show_the_first_three() -> None:
    assessment = reason(Case(operations=OPERATED, observations=case("mri_unsafe_implant").observations), full())
    ids = [test["id"] for test in proposed(assessment)]
    assert len(ids) == 3
    assert "mri" not in ids
    names = [test.name for test in view(assessment).next_tests]
    page = html(assessment)
    assert all(name.replace("&", "&amp;") in page for name in names)
    requests = [e["resource"] for e in bundle(assessment)["entry"] if e["resource"]["resourceType"] == "ServiceRequest"]
    assert [r["code"]["coding"][0]["code"] for r in requests] == ids
    assert {(r["status"], r["intent"]) for r in requests} == {("draft", "proposal")}


def test_an_ordered_test_is_urgent_in_fhir() -> None:
    assessment = reason(
        Case(operations=OPERATED, observations=case("saddle_anaesthesia", "urinary_retention").observations), full()
    )
    requests = [e["resource"] for e in bundle(assessment)["entry"] if e["resource"]["resourceType"] == "ServiceRequest"]
    assert requests[0]["priority"] == "stat"


# Simulation ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_planner_asks_less_than_the_protocol_for_the_same_accuracy() -> None:
    """The short form of benchmarks/workup.py; the bounds allow for the noise of 240 patients."""
    result = simulation.measure(240)
    goal = result.protocol[simulation.NEVER]
    plan = simulation.matching(result, goal)
    assert plan.accuracy >= goal.accuracy
    assert plan.effort <= 0.7 * goal.effort
    assert plan.cost <= 0.7 * goal.cost
    assert result.error_plausible <= 0.03
    assert result.error_leading <= 0.1
