"""What clauses do to a finding: who says it, when, and what a pronoun means. Sentences are general; the sets in tests/letters measure."""

import pytest

from sequela.case import Document
from sequela.knowledge import load
from sequela.records.text.reader import TextReader


@pytest.fixture(scope="module")
def status():
    reader = TextReader(load())

    def of(text, finding):
        found = [o.status for o in reader.read(Document("letter", text)).observations if o.id == finding]
        return max(found, key=["absent", "uncertain", "present"].index, default=None)

    return of


def test_a_pronoun_stands_for_the_complaint_of_the_sentence_before(status):
    assert status("She has low back pain. It runs down the right leg to the foot.", "unilateral_leg_pain") == "present"
    assert status("Coughing sets it off.", "unilateral_leg_pain") is None


def test_what_is_as_it_was_before_surgery_is_now(status):
    text = "He had a discectomy in May. The leg pain is the same as before the operation."
    assert status(text, "no_pain_free_interval") == "present"


def test_examination_ends_when_the_patient_tells_again(status):
    text = "The operation went smoothly: neurology was intact on examination. Today she has lost sensation in the saddle area."
    assert status(text, "saddle_anaesthesia") == "present"


def test_a_denial_runs_through_a_long_list(status):
    text = "She denies fever, chills, vision changes, chest pain, cough, palpitations, rash, joint swelling or bladder trouble."
    assert status(text, "bladder_or_bowel_dysfunction") in ("absent", None)
    assert status(text, "fever") == "absent"


def test_not_before_a_list_denies_all_of_it(status):
    assert status("The wound is not red, swollen or tender.", "wound_erythema") == "absent"


def test_findings_that_several_sentences_state_together(status):
    text = "Power is full in both legs. Sensation is normal. The ankle jerks are normal."
    assert status(text, "normal_neurology") == "present"


def test_early_means_early_in_its_own_sentence(status):
    base = "She had a laminectomy. {} she developed sudden severe leg pain."
    assert status(base.format("Two days after the operation"), "severe_pain_within_7_days") == "present"
    assert status(base.format("Two months after the operation"), "severe_pain_within_7_days") is None


def test_an_operation_note_does_not_tell_how_the_patient_is(status):
    assert status("OPERATIVE FINDINGS: the canal was severely stenotic.", "mri_or_ct_central_stenosis") is None
    assert status("XR: slip of L4 on L5, 5 mm before the operation. CT: both S1 screws are loose.", "ct_haloing_screw")


def test_earlier_diseases_are_not_present_complaints(status):
    assert (
        status("Past medical history: splenic artery aneurysm repaired 1968.", "ct_pseudoaneurysm_or_fistula") is None
    )


def test_a_finding_is_not_denied_by_the_word_that_states_it():
    found = TextReader(load()).read(Document("letter", "The right ankle jerk is absent.")).observations
    assert [o.status for o in found if o.id == "ankle_jerk_reduced"] == ["present"]


def test_what_is_quoted_holds_the_number_and_its_unit():
    found = {
        o.id: o
        for o in TextReader(load()).read(Document("letter", "CRP 212 mg/L, power 4/5 at the ankle.")).observations
    }
    assert (found["crp_raised"].source.text, found["crp_raised"].unit) == ("CRP 212", "mg/L")
    assert found["myotomal_weakness"].unit == "/5"


def test_a_pronoun_is_quoted_with_its_clause():
    text = "He has low back pain. It runs down the right leg."
    found = TextReader(load()).read(Document("letter", text)).observations
    assert {o.source.text for o in found} & {"It runs down the right leg."}
    assert "It" not in {o.source.text for o in found}


def test_reading_takes_as_many_steps_as_the_text_is_long():
    """Counted in calls, not in time: twice the text, about twice the calls, whatever is listed in it."""
    import cProfile

    reader = TextReader(load())

    def steps(copies):
        sentences = [
            f"In {1960 + n % 60} L{n % 4 + 1}-{n % 4 + 2} discectomy; {n} months later leg pain returned, CRP {n}."
            for n in range(copies)
        ]
        profile = cProfile.Profile()
        profile.runcall(reader.read, Document("letter", " ".join(sentences)))
        return sum(entry.callcount for entry in profile.getstats())

    assert steps(1600) < 2.6 * steps(800)
