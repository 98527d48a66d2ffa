"""Signs of nerves as letters and EMG reports state them."""

import pytest

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader


@pytest.fixture(scope="module")
def told():
    reader = TextReader(load())
    return lambda text: {
        (s.kind, s.structure or s.roots[0][0], s.side, s.status)
        for s in reader.read(Document("note", text)).nerve_signs
    }


def test_an_emg_report_in_prose(told):
    found = told(
        "EMG: fibrillation potentials and positive sharp waves in the left tibialis anterior and peroneus longus; "
        "left medial gastrocnemius normal; sural response preserved."
    )
    assert found == {
        ("needle", "tibialis_anterior", "left", "present"),
        ("needle", "peroneus_longus", "left", "present"),
        ("needle", "gastrocnemius_medial", "left", "absent"),
        ("sensory", "sural", "left", "absent"),
    }


def test_examination_of_a_letter(told):
    found = told(
        "Great toe extension is 3/5 on the left. The left ankle jerk is absent. "
        "There is numbness over the dorsum of the left foot. Straight leg raising is negative."
    )
    assert ("power", "toe_extension", "left", "present") in found
    assert ("reflex", "achilles", "left", "present") in found
    assert ("sensation", "dorsum", "left", "present") in found
    assert ("tension", "straight_leg_raise", None, "absent") in found


def test_a_root_that_the_text_names(told):
    assert ("stated", "S1", "right", "present") in told("Pain in a right S1 distribution.")
    assert ("stated", "L5", "left", "uncertain") in told("Possible left L5 radiculopathy.")
    assert not any(s[0] == "stated" for s in told("A disc bulge at L4-5."))


def test_what_is_only_feared_is_no_sign(told):
    assert told("He was warned of foot drop.") == set()
