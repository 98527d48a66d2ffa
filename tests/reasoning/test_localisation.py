"""The localiser against patterns every electrodiagnostic text gives; whole tables are in tests/localisation."""

from __future__ import annotations

import pytest

from sequela.case import NerveSign
from sequela.knowledge import load
from sequela.reasoning.localisation import hypotheses, locate, reach


@pytest.fixture(scope="module")
def known():
    found = load().localisation
    assert found is not None
    return found


def needle(status, *muscles, side="left"):
    return [NerveSign("needle", m, side, status) for m in muscles]


def sensory(status, *nerves, side="left"):
    return [NerveSign("sensory", n, side, status) for n in nerves]


ROOT_L5 = [
    *needle("present", "tibialis_anterior", "peroneus_longus", "tibialis_posterior", "gluteus_medius"),
    *needle("absent", "biceps_femoris_short", "vastus_lateralis", "gastrocnemius_medial"),
    *sensory("absent", "superficial_peroneal", "sural"),
]
PERONEAL = [
    *needle("present", "tibialis_anterior", "extensor_hallucis_longus", "peroneus_longus"),
    *needle("absent", "tibialis_posterior", "gluteus_medius", "biceps_femoris_short"),
    *sensory("present", "superficial_peroneal"),
    NerveSign("motor", "peroneal_fibular_head", "left", "present"),
]


def first(signs, known):
    place = locate(signs, known).places[0]
    return place.site, place.side


def test_no_sign_is_no_answer(known):
    assert locate([], known).places == ()
    assert locate([NerveSign("needle", "deltoid", "left", "present")], known).places == ()


def test_the_prior_sums_to_one(known):
    assert sum(one.prior for one in hypotheses(known)) == pytest.approx(1.0, abs=0.006)


def test_a_foot_drop_is_told_apart_by_inversion_and_sensation(known):
    assert first(ROOT_L5, known) == ("root_L5", "left")
    assert first(PERONEAL, known) == ("common_peroneal", "left")


def test_the_other_side_is_the_other_side(known):
    mirrored = [NerveSign(s.kind, s.structure, "right", s.status) for s in ROOT_L5]
    assert first(mirrored, known) == ("root_L5", "right")


def test_lost_sensory_responses_lie_beyond_the_ganglion(known):
    assert locate(ROOT_L5, known).ganglion == "preganglionic"
    assert locate(PERONEAL, known).ganglion == "postganglionic"


def test_symmetric_distal_loss_is_polyneuropathy(known):
    signs = [s for side in ("left", "right") for s in sensory("present", "sural", "superficial_peroneal", side=side)]
    assert first([*signs, *needle("absent", "vastus_lateralis")], known)[0] == "polyneuropathy"


def test_one_bedside_sign_does_not_localise(known):
    found = locate([NerveSign("tension", "straight_leg_raise", "left", "present")], known)
    assert not found.certain
    assert found.places[0].probability < 0.5


def test_a_normal_study_shows_no_lesion(known):
    muscles = ("tibialis_anterior", "peroneus_longus", "gastrocnemius_medial", "vastus_lateralis", "gluteus_medius")
    signs = [*needle("absent", *muscles), *needle("absent", *muscles, side="right"), *sensory("absent", "sural")]
    assert first(signs, known)[0] == "none"


def test_what_would_separate_two_places_is_untested_and_telling(known):
    signs = needle("present", "tibialis_anterior", "peroneus_longus", "extensor_hallucis_longus")
    found = locate(signs, known)
    sites = {site.id: site for site in known.sites}
    structures = {s.id: s for s in known.structures}
    leading = list(dict.fromkeys(p.site for p in found.places))[:2]
    assert found.separating
    for id_ in found.separating:
        assert id_ not in {s.structure for s in signs}
        reached = [reach(structures[id_], sites[site], structures, known) for site in leading]
        assert abs(reached[0] - reached[1]) >= 0.3


def test_a_suspicion_weighs_less_than_a_statement(known):
    stated = locate([NerveSign("stated", "", "left", "present", roots=(("L4", 1.0),))], known)
    suspected = locate([NerveSign("stated", "", "left", "uncertain", roots=(("L4", 1.0),))], known)
    assert stated.roots[0].root == "L4"
    p = {r.root: r.probability for r in suspected.roots}["L4"]
    assert p < stated.roots[0].probability


def test_denial_lowers_a_root(known):
    base = [NerveSign("stated", "", "left", "present", roots=(("L5", 1.0),))]
    denied = [*base, NerveSign("reflex", "achilles", "left", "absent")]
    s1 = [{r.root: r.probability for r in locate(signs, known).roots}["S1"] for signs in (base, denied)]
    assert s1[1] < s1[0]
