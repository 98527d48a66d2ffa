"""Measures from landmarks against values computed by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.films import SPACING, pixels, plate, slipped, spine

from sequela.case.landmarks import Landmarks, PixelScale
from sequela.reasoning.alignment import Reading
from sequela.reasoning.spinopelvic import Frame, measured, moved

MILLIMETRES = PixelScale(SPACING, SPACING, millimetres=True)
EXACT = 0.1
"""Degrees and millimetres by which a measure may miss."""

BY_HAND = {
    "pelvic_incidence": 50.4,
    "pelvic_tilt": 15.4,
    "sacral_slope": 35.0,
    "lumbar_lordosis": 55.0,
    "lower_lordosis": 30.0,
    "t1_pelvic_angle": 18.7,
    "sagittal_vertical_axis": 88.96,
    "global_tilt": 15.4 + math.degrees(math.atan2(45.0 + 29.211, 560.0 - 106.05)),
}


def placed(points: Any, **how: Any) -> Landmarks:
    return msgspec.json.decode(json.dumps(pixels(points, **how)), type=Landmarks)


def values(readings: tuple[Reading, ...]) -> dict[str, float]:
    return {r.measure: r.value for r in readings}


def test_the_spinopelvic_set_is_what_the_hand_computes():
    assert values(measured(placed(spine()), MILLIMETRES)) == pytest.approx(BY_HAND, abs=EXACT)


def test_a_patient_who_looks_left_measures_the_same():
    assert values(measured(placed(spine(), looks_left=True), MILLIMETRES)) == pytest.approx(BY_HAND, abs=EXACT)


def test_pixels_that_are_not_square_are_allowed_for():
    scale = PixelScale(across=0.8, down=0.5, millimetres=True)
    assert values(measured(placed(spine(), spacing=(0.5, 0.8)), scale)) == pytest.approx(BY_HAND, abs=EXACT)


def test_without_calibration_there_are_all_angles_and_no_lengths():
    found = values(measured(placed(spine()), PixelScale()))
    assert found == pytest.approx({k: v for k, v in BY_HAND.items() if k != "sagittal_vertical_axis"}, abs=EXACT)


@given(slope=st.floats(-10, 80), tilt=st.floats(-20, 45), distance=st.floats(60, 140), width=st.floats(25, 50))
def test_incidence_is_tilt_plus_slope_wherever_the_landmarks_lie(slope, tilt, distance, width):
    angle = math.radians(tilt)
    middle = (-distance * math.sin(angle), distance * math.cos(angle))
    film = {"femoral_heads": [(0.0, 0.0)], "S1": plate(middle, slope, width)}
    found = values(measured(placed(film), MILLIMETRES))
    assert found["pelvic_tilt"] == pytest.approx(tilt, abs=EXACT)
    assert found["sacral_slope"] == pytest.approx(slope, abs=EXACT)
    assert found["pelvic_incidence"] == pytest.approx(tilt + slope, abs=EXACT)


@pytest.mark.parametrize(("scale", "in_mm"), [(MILLIMETRES, True), (PixelScale(), False)])
def test_a_slip_is_a_share_of_the_endplate_below_even_without_calibration(scale, in_mm):
    found = values(measured(placed(slipped(9.0, 5.0)), scale))
    assert found["slip_percent"] == pytest.approx(25.0, abs=EXACT)
    assert ("slip_mm" in found) == in_mm
    if in_mm:
        assert found["slip_mm"] == pytest.approx(9.0, abs=EXACT)


def test_a_slip_is_measured_along_a_tilted_endplate():
    tilt = math.radians(30.0)

    def turned(points: Any) -> Any:
        if isinstance(points, dict):
            return {name: turned(part) for name, part in points.items()}
        x, y = points
        return (x * math.cos(tilt) + y * math.sin(tilt), y * math.cos(tilt) - x * math.sin(tilt))

    found = values(measured(placed(turned(slipped(9.0, 5.0))), MILLIMETRES))
    assert found["slip_mm"] == pytest.approx(9.0, abs=EXACT)


def test_motion_is_flexion_less_extension():
    flexion = Frame(placed(slipped(8.0, 12.0)), MILLIMETRES)
    extension = Frame(placed(slipped(2.0, -6.0)), MILLIMETRES)
    found = moved(flexion, extension)
    assert {r.level for r in found} == {"L4-L5"}
    assert values(found) == pytest.approx(
        {"dynamic_translation": 6.0, "dynamic_translation_percent": 100 * 6 / 36, "dynamic_rotation": -18.0}, abs=EXACT
    )
    uncalibrated = moved(flexion, Frame(placed(slipped(2.0, -6.0)), PixelScale()))
    assert "dynamic_translation" not in values(uncalibrated)


def test_the_coronal_curve_is_the_angle_between_the_end_vertebrae():
    down = math.tan(math.radians(14.0)) * 100
    curve = {
        "coronal": {
            "upper": {"left": [100, 300], "right": [200, 300 - down]},
            "lower": {"left": [100, 600], "right": [200, 600 + down]},
        }
    }
    film = msgspec.json.decode(json.dumps(curve), type=Landmarks)
    assert values(measured(film, PixelScale())) == pytest.approx({"coronal_cobb": 28.0}, abs=EXACT)
