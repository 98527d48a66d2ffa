"""What measures say: derived values, contradictions, findings, grades, targets, scores. Examples are those of the evidence review."""

from __future__ import annotations

import msgspec
import pytest

from sequela.knowledge.alignment import load
from sequela.reasoning.alignment import EnteredGrade, Judged, Reading, UnknownGrade, judge

KNOWN = load()


def said(*readings: Reading, age: float | None = None, **measures: float) -> Judged:
    return judge([*readings, *(Reading(name, value) for name, value in measures.items())], KNOWN, age=age)


def status(judged: Judged, finding: str) -> str | None:
    """present, absent, uncertain; None where nothing is said."""
    found = [o.status for o in judged.findings if o.id == finding]
    assert len(found) <= 1
    return found[0] if found else None


def grades(judged: Judged) -> dict[str, str]:
    return {g.scale: g.grade for g in judged.gradings}


# Derived measures and contradictions


@pytest.mark.parametrize(
    ("given", "third", "value"),
    [
        ({"pelvic_tilt": 15.4, "sacral_slope": 35}, "pelvic_incidence", 50.4),
        ({"pelvic_incidence": 50.4, "sacral_slope": 35}, "pelvic_tilt", 15.4),
        ({"pelvic_incidence": 50.4, "pelvic_tilt": 15.4}, "sacral_slope", 35),
    ],
)
def test_two_of_three_give_the_third(given, third, value):
    found = {r.measure: r for r in said(**given).readings}
    assert found[third].value == pytest.approx(value)
    assert found[third].origin == "derived"


@pytest.mark.parametrize(("slope", "consistent"), [(35.0, True), (38.0, True), (38.5, False), (28.0, False)])
def test_entered_values_may_miss_the_sum_a_little(slope, consistent):
    judged = said(pelvic_incidence=50.0, pelvic_tilt=15.0, sacral_slope=slope, lumbar_lordosis=30.0)
    assert (judged.problems == ()) == consistent
    if not consistent:
        assert "PI 50.0 is not PT 15.0 + SS" in judged.problems[0].line()


def test_landmarks_may_not_miss_the_sum():
    three = [
        Reading(n, v, origin="landmarks")
        for n, v in (("pelvic_incidence", 50), ("pelvic_tilt", 15), ("sacral_slope", 33.5))
    ]
    assert said(*three).problems
    assert not judge([msgspec.structs.replace(r, origin="entered") for r in three], KNOWN).problems


def test_contradicting_values_say_nothing_and_neither_does_what_rests_on_them():
    judged = said(pelvic_incidence=70, pelvic_tilt=30, sacral_slope=20, lumbar_lordosis=20, sagittal_vertical_axis=80)
    assert [o.id for o in judged.findings] == ["xray_sagittal_imbalance"]
    assert grades(judged) == {"schwab_sva": "+"}


def test_a_stated_mismatch_must_be_the_difference():
    judged = said(pelvic_incidence=50, lumbar_lordosis=45, pi_ll_mismatch=20)
    assert "PI-LL 20.0 is not PI 50.0 - LL 45.0" in judged.problems[0].line()
    assert status(judged, "pi_ll_mismatch_over_10") is None


def test_an_impossible_value_is_named_and_is_not_normal():
    judged = said(pelvic_tilt=180, sagittal_vertical_axis=10)
    assert "Pelvic tilt is 180.0 deg, outside of" in judged.problems[0].line()
    assert status(judged, "xray_pelvic_tilt_high") is None
    assert status(judged, "xray_sagittal_imbalance") == "absent"


def test_nothing_given_says_nothing():
    assert said() == Judged()


# Findings


@pytest.mark.parametrize(
    ("measure", "value", "finding", "expected"),
    [
        ("pi_ll_mismatch", 25, "pi_ll_mismatch_over_10", "present"),
        ("pi_ll_mismatch", 10, "pi_ll_mismatch_over_10", "absent"),
        ("pelvic_tilt", 28, "xray_pelvic_tilt_high", "present"),
        ("pelvic_tilt", 15, "xray_pelvic_tilt_high", "absent"),
        ("sagittal_vertical_axis", 60, "xray_sagittal_imbalance", "present"),
        ("sagittal_vertical_axis", 45, "xray_sagittal_imbalance", "uncertain"),
        ("sagittal_vertical_axis", 20, "xray_sagittal_imbalance", "absent"),
        ("relative_lumbar_lordosis", -14.1, "xray_loss_of_lordosis", "present"),
        ("relative_lumbar_lordosis", -14, "xray_loss_of_lordosis", "absent"),
        ("t1_pelvic_angle", 25, "xray_sagittal_imbalance", "present"),
        ("screw_angle_change", -2, "xray_screw_angle_change_2deg", "present"),
        ("screw_angle_change", 1.5, "xray_screw_angle_change_2deg", "absent"),
        ("screw_breach", 2, "ct_screw_cortical_breach", "present"),
        ("screw_breach", 1, "ct_screw_cortical_breach", "uncertain"),
        ("screw_breach", 0, "ct_screw_cortical_breach", "absent"),
        ("screw_lucency_ct", 1, "ct_haloing_screw", "present"),
        ("screw_lucency_xray", 0, "xray_haloing_screw", "absent"),
        ("slip_mm", -5, "xray_spondylolisthesis", "present"),
        ("slip_percent", 2, "xray_spondylolisthesis", "absent"),
        ("coronal_cobb", -12, "scoliosis_or_lateral_listhesis", "present"),
        ("coronal_cobb", 5, "scoliosis_or_lateral_listhesis", None),
        ("dynamic_translation", 5, "flexext_translation_over_4_5mm", "present"),
        ("dynamic_translation", 4, "flexext_translation_over_4_5mm", "uncertain"),
        ("dynamic_translation", 2, "flexext_translation_over_4_5mm", "absent"),
        ("dynamic_translation_percent", 16, "flexext_translation_over_4_5mm", "present"),
    ],
)
def test_a_value_says_its_finding(measure, value, finding, expected):
    judged = said(**{measure: value})
    assert status(judged, finding) == expected
    assert all(o.value == value for o in judged.findings if o.id == finding)


@pytest.mark.parametrize(
    ("level", "degrees", "expected"),
    [("L3-L4", 16, "present"), ("L4-L5", 16, "uncertain"), ("L4-L5", 21, "present"), ("L5-S1", 21, "uncertain"), ("L5-S1", 26, "present"),
     (None, 21, "uncertain"), ("L3-L4", 8, None)],
)  # fmt: skip
def test_how_much_a_segment_may_turn_depends_on_the_segment(level, degrees, expected):
    judged = said(Reading("dynamic_rotation", degrees, level))
    assert status(judged, "flexext_translation_over_4_5mm") == expected


@pytest.mark.parametrize(
    ("fused", "finding"),
    [
        (True, "flexext_motion_at_fusion"),
        (False, "flexext_translation_over_4_5mm"),
        (None, "flexext_translation_over_4_5mm"),
    ],
)
def test_motion_at_a_fused_segment_is_motion_at_a_fusion(fused, finding):
    judged = said(Reading("dynamic_translation", 6.0, "L4-L5", fused))
    assert [(o.id, o.status) for o in judged.findings] == [(finding, "present")]


def test_a_magnified_length_can_deny_but_not_prove():
    assert [o.status for o in said(Reading("sagittal_vertical_axis", 60, magnified=True)).findings] == ["uncertain"]
    assert [o.status for o in said(Reading("sagittal_vertical_axis", 20, magnified=True)).findings] == ["absent"]


# Grades


@pytest.mark.parametrize(
    ("pi", "ll", "sva", "pt", "expected"),
    [(55, 30, 60, 28, "++ + +"), (50, 45, 20, 15, "0 0 0"), (60, 50, 95, 30, "+ + +")],
)
def test_schwab_modifiers(pi, ll, sva, pt, expected):
    found = grades(said(pelvic_incidence=pi, lumbar_lordosis=ll, sagittal_vertical_axis=sva, pelvic_tilt=pt))
    assert " ".join(found[f"schwab_{name}"] for name in ("pi_ll", "sva", "pt")) == expected


@pytest.mark.parametrize(
    ("percent", "grade"),
    [(0.4, "0"), (1, "I"), (25, "I"), (26, "II"), (51, "III"), (-51, "III"), (76, "IV"), (100, "IV"), (101, "V")],
)
def test_meyerding(percent, grade):
    assert grades(said(slip_percent=percent))["meyerding"] == grade


@pytest.mark.parametrize(("slope", "kind"), [(34.9, "1 or 2"), (35, "3"), (44.9, "3"), (45, "4")])
def test_roussouly(slope, kind):
    assert grades(said(sacral_slope=slope))["roussouly"] == kind


@pytest.mark.parametrize(
    ("scale", "grade", "finding", "expected"),
    [
        ("bridwell", "IV", "ct_nonunion", "present"),
        ("bridwell", "ii", "solid_fusion_on_imaging", "present"),
        ("ct_interbody", "III", "ct_nonunion", "uncertain"),
        ("pfirrmann", "V", "mri_disc_degeneration_black_disc", "present"),
        ("modic", "1", "mri_modic_type1", "present"),
        ("modic", "2", "mri_modic_type1", None),
        ("schizas", "C", "mri_or_ct_central_stenosis", "present"),
        ("lee_foraminal", "3", "mri_foraminal_stenosis", "present"),
        ("lee_central", "0", "mri_or_ct_central_stenosis", "absent"),
        ("gertzbein_robbins", "C", "ct_screw_cortical_breach", "present"),
    ],
)
def test_an_entered_grade_says_its_finding(scale, grade, finding, expected):
    judged = judge([], KNOWN, grades=[EnteredGrade(scale, grade, "L4-L5")])
    assert status(judged, finding) == expected
    assert {o.level for o in judged.findings} == {"L4-L5"}


def test_a_grade_that_does_not_exist_is_told():
    with pytest.raises(UnknownGrade, match="Pfirrmann has no grade VI; write one of I, II, III, IV, V"):
        judge([], KNOWN, grades=[EnteredGrade("pfirrmann", "VI")])


# Targets and scores


def test_targets_follow_the_age_and_the_incidence():
    judged = said(age=60, pelvic_incidence=50, pelvic_tilt=25, lumbar_lordosis=30, sagittal_vertical_axis=60)
    aims = {aim.target: (aim.value, aim.difference) for aim in judged.aims}
    assert aims["hasegawa_lordosis"] == pytest.approx((49.1, -19.1))
    assert aims["lafage_pelvic_tilt"] == pytest.approx((20 + 5 / 3, 25 - 20 - 5 / 3))
    assert aims["lafage_pi_ll"] == pytest.approx((5.5, 14.5))
    assert aims["lafage_sva"] == pytest.approx((35, 25))
    assert {aim.target for aim in judged.aims if not aim.estimate} == {"hasegawa_lordosis"}


def test_no_target_without_an_age():
    assert said(pelvic_incidence=50, pelvic_tilt=25).aims == ()


@pytest.mark.parametrize(
    ("pi", "ss", "ll", "l4", "gt", "age", "points", "category"),
    [
        (50.4, 35, 46.3, 18.3, 14.8, 58, 2, "proportioned"),
        (50, 39, 60, 39, 8, 45, 0, "proportioned"),
        (55, 32, 50, 22, 5, 58, 3, "moderately disproportioned"),
        (60, 22, 35, 12, 25, 70, 10, "severely disproportioned"),
    ],
)
def test_gap_as_published(pi, ss, ll, l4, gt, age, points, category):
    judged = said(age=age, pelvic_incidence=pi, sacral_slope=ss, lumbar_lordosis=ll, lower_lordosis=l4, global_tilt=gt)
    assert [(t.points, t.grade) for t in judged.totals] == [(points, category)]


def test_no_gap_where_a_part_of_it_is_unknown():
    assert said(pelvic_incidence=50, sacral_slope=39, lumbar_lordosis=60, lower_lordosis=39, global_tilt=8).totals == ()
    assert said(age=45, pelvic_incidence=50, sacral_slope=39, lumbar_lordosis=60, lower_lordosis=39).totals == ()


@pytest.mark.parametrize(
    ("scale", "points"),
    [
        ("gap_pelvic_version", {-15.1: 3, -15: 2, -7.1: 2, -7: 0, 5: 0, 5.1: 1}),
        ("gap_lordosis", {-25.1: 3, -25: 2, -14.1: 2, -14: 0, 11: 0, 11.1: 3}),
        ("gap_distribution", {39.9: 2, 40: 1, 49.9: 1, 50: 0, 80: 0, 80.1: 3}),
        ("gap_global_tilt", {18.1: 3, 18: 1, 10.1: 1, 10: 0, -7: 0, -7.1: 1}),
        ("gap_age", {59: 0, 60: 1}),
    ],
)
def test_gap_at_its_boundaries(scale, points):
    found = next(s for s in KNOWN.scales if s.id == scale)
    assert {value: found.band(value).points for value in points} == points
