"""Emergencies as short sentences of a letter: suspected, over, plain, and what is none."""

from __future__ import annotations

import pytest

from sequela.api import assess_text


def flags(text: str) -> dict[str, str]:
    return {flag.id: flag.urgency for flag in assess_text(text).red_flags}


@pytest.mark.parametrize(
    ("text", "flag", "urgency"),
    [
        ("Cauda equina syndrome suspected.", "cauda_equina_suspected", "emergency"),
        ("?CES", "cauda_equina_suspected", "emergency"),
        ("Cauda equina syndrome cannot be excluded.", "cauda_equina_suspected", "emergency"),
        ("Query cauda equina - needs urgent MRI.", "cauda_equina_suspected", "emergency"),
        ("MRI to exclude cauda equina syndrome.", "cauda_equina_suspected", "emergency"),
        ("Possible epidural abscess on MRI.", "epidural_abscess_on_imaging", "same_day"),
        ("Epidural abscess cannot be ruled out.", "epidural_abscess_on_imaging", "same_day"),
        ("Suspected pulmonary embolism.", "pulmonary_embolism_suspected", "emergency"),
        ("Suspected meningitis.", "meningitis_suspected", "emergency"),
        ("?DVT left leg", "deep_vein_thrombosis_suspected", "same_day"),
    ],
)
def test_a_suspected_emergency_is_flagged(text: str, flag: str, urgency: str) -> None:
    assert flags(text)[flag] == urgency


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("Epidural abscess at L4-5 on MRI.", "epidural_abscess_on_imaging"),
        ("Large central disc extrusion with severe cauda equina compression.", "cauda_equina_compressed_severely"),
        ("Massive disc prolapse compressing the cauda equina at L5/S1.", "cauda_equina_compressed_severely"),
        ("Both S1 screws backed out and the cage has migrated into the canal.", "implant_failure_same_day"),
        (
            "Laminectomy L4-5 5 days ago. MRI: Large epidural haematoma compressing the thecal sac.",
            "compressive_haematoma_on_imaging",
        ),
        ("Loss of bladder control since last week and numb buttocks.", "cauda_equina_suspected"),
        ("New urinary incontinence and new numbness of both buttocks.", "cauda_equina_suspected"),
        ("Chest pain and short of breath since this morning.", "pulmonary_embolism_suspected"),
        ("Sudden chest pain, breathless, saturation 86 %.", "pulmonary_embolism_suspected"),
        ("Fusion L4-5 in 2021. Fever and chills, Temp 101.5 F.", "spinal_infection_same_day"),
        (
            "Laminectomy L4-5 3 days ago. Not only weak legs but also incontinent of urine.",
            "cauda_equina_suspected",
        ),
    ],
)
def test_a_plain_emergency_is_urgent(text: str, flag: str) -> None:
    assert flags(text)[flag] in ("emergency", "same_day")


@pytest.mark.parametrize(
    "text",
    [
        "Previous cauda equina syndrome in 2018 with full recovery of bladder function.",
        "Left leg DVT in 2018.",
        "DVT after the first operation in 2015, treated with warfarin.",
        "She has been suicidal in the past, not now.",
        "Suicidal thoughts last year, none now.",
    ],
)
def test_an_emergency_of_the_past_is_none(text: str) -> None:
    assert flags(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Discectomy in 2018, now cauda equina syndrome.",
        "Previous discectomy. Cauda equina syndrome since yesterday.",
        "CES 20 days after surgery.",
        "Three-day history of urinary retention.",
        "Previous DVT. Now the left calf is swollen and tender.",
    ],
)
def test_a_past_beside_it_does_not_hide_an_emergency(text: str) -> None:
    assert flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "Cauda equina syndrome was ruled out.",
        "No suspicion of cauda equina syndrome.",
        "?CES. MRI: No compression of the cauda equina.",
        "Severe stenosis with compression of the cauda equina at L4-5 and neurogenic claudication.",
        "Numbness in the left buttock and thigh.",
        "The cage sits well, the canal is wide.",
        "Chest pain on exertion for years.",
        "L5-S1 fusion solid, screws intact. Slip at L3-4 above the fusion, with back pain since March.",
    ],
)
def test_what_is_denied_old_or_everyday_raises_nothing(text: str) -> None:
    assert flags(text) == {}


@pytest.mark.parametrize(
    ("text", "derived"),
    [
        ("Laminectomy L4-5 10 days ago. CRP 200.", True),
        ("Laminectomy L4/5 on 1 March 2024. CRP 200 mg/L on 11 March 2024.", True),
        ("Laminectomy L4/5 on 1 March 2024. CRP 60 mg/L on 11 March 2024.", False),
        ("Laminectomy L4/5 on 1 March 2024. CRP 200 mg/L on 3 March 2024.", False),
        ("Laminectomy L4-5 2 years ago. CRP 200.", False),
    ],
)
def test_a_high_value_late_after_the_operation_is_a_finding_of_its_own(text: str, derived: bool) -> None:
    case = assess_text(text).case
    found = [o for o in case.observations if o.id == "crp_day7_over_79"]
    assert [o.value for o in found] == ([200.0] if derived else [])
    assert ("infection_within_72h" in flags(text)) == derived
