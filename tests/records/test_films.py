"""What a pixel of a DICOM image measures, and landmarks that cannot be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from tests.films import CALIBRATED, COLUMNS, ROWS, SPACING, dicom, pixels, slipped, spine, write_dicom, write_landmarks

from sequela.case.landmarks import PixelScale
from sequela.records.dicom import NotAnImage, calibrated, read_film
from sequela.records.landmarks import BadLandmarks, read_landmarks

HALF = PixelScale(SPACING, SPACING, millimetres=True)
ENLARGED = PixelScale(SPACING, SPACING, millimetres=True, magnified=True)
SPACED = [SPACING, SPACING]


@pytest.mark.parametrize(
    ("attributes", "expected", "told"),
    [
        (CALIBRATED, HALF, "in the patient"),
        ({"PixelSpacing": SPACED, "ImagerPixelSpacing": SPACED, "PixelSpacingCalibrationType": "FIDUCIAL"}, HALF, "in the patient"),
        ({"PixelSpacing": SPACED, "Modality": "MR"}, HALF, "calibrated"),
        ({"PixelSpacing": SPACED}, ENLARGED, "may be too large"),
        ({"ImagerPixelSpacing": SPACED}, ENLARGED, "unknown magnification"),
        ({"PixelSpacing": SPACED, "ImagerPixelSpacing": SPACED}, ENLARGED, "unknown magnification"),
        ({"ImagerPixelSpacing": [0.6, 0.6], "EstimatedRadiographicMagnificationFactor": 1.2}, HALF, "magnification of 1.2"),
        ({"ImagerPixelSpacing": [0.6, 0.6], "DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1500}, HALF, "magnification of 1.2"),
        ({"NominalScannedPixelSpacing": SPACED}, ENLARGED, "scanned film"),
        ({"PixelSpacing": [0.5, 0.8], "Modality": "CT"}, PixelScale(across=0.8, down=0.5, millimetres=True), "calibrated"),
        ({}, PixelScale(), "no lengths"),
        ({"PixelSpacing": [0, 0]}, PixelScale(), "no lengths"),
        ({"PixelAspectRatio": [2, 1]}, PixelScale(across=1.0, down=2.0), "no lengths"),
    ],
)  # fmt: skip
def test_calibration(attributes, expected, told):
    scale, said = calibrated(dicom(**attributes))
    assert (scale.across, scale.down) == pytest.approx((expected.across, expected.down))
    assert (scale.millimetres, scale.magnified) == (expected.millimetres, expected.magnified)
    assert told in said


def test_the_image_is_stretched_and_inverted_where_the_file_asks(tmp_path):
    film = read_film(write_dicom(tmp_path / "a.dcm", PatientAge="064Y"))
    assert (film.columns, film.rows, film.age) == (COLUMNS, ROWS, 64.0)
    assert (film.pixels[0, 0], film.pixels[-1, 0]) == (0, 255)
    inverted = read_film(write_dicom(tmp_path / "b.dcm", PhotometricInterpretation="MONOCHROME1", PatientAge="011M"))
    assert (inverted.pixels[0, 0], inverted.pixels[-1, 0]) == (255, 0)
    assert inverted.age is None


def test_a_colour_image_is_read(tmp_path):
    colour = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PhotometricInterpretation": "RGB",
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
    }
    data = numpy.full((ROWS, COLUMNS, 3), 90, dtype=numpy.uint8).tobytes()
    assert read_film(write_dicom(tmp_path / "c.dcm", **colour, PixelData=data)).pixels[3, 3] == 90


def broken(path: Path, name: str) -> Path:
    file = path / f"{name}.dcm"
    if name == "text":
        file.write_text("not a film", encoding="utf-8")
    elif name == "several":
        one = dicom().PixelData
        write_dicom(file, NumberOfFrames=2, PixelData=one + one)
    elif name == "no image":
        image = dicom()
        del image.PixelData
        image.save_as(file, enforce_file_format=True)
    elif name == "short":
        write_dicom(file, PixelData=b"\0" * 100)
    return file


@pytest.mark.parametrize(
    ("name", "told"),
    [("text", "not a DICOM file"), ("several", "holds 2 images"), ("no image", "holds no image"), ("short", "cannot be read"), ("gone", "cannot be read")],
)  # fmt: skip
def test_what_is_no_film_is_told_in_one_line(tmp_path, name, told):
    with pytest.raises(NotAnImage, match=told) as error:
        read_film(broken(tmp_path, name))
    assert "\n" not in str(error.value)


# Landmarks ------------------------------------------------------------------------------------------------------------


def refused(folder: Path, placed: Any, **how: Any) -> tuple[str, ...]:
    path = folder / "points.json"
    path.write_text(json.dumps(placed), encoding="utf-8")
    with pytest.raises(BadLandmarks) as error:
        read_landmarks(path, COLUMNS, ROWS, **how)
    assert all(problem.startswith("points.json: ") for problem in error.value.problems)
    return error.value.problems


def swap(placed: dict[str, Any], *names: str) -> None:
    for name in names:
        plates = [placed[name]] if name == "S1" else [placed[name]["superior"]]
        for plate in plates:
            plate["anterior"], plate["posterior"] = plate["posterior"], plate["anterior"]


def test_good_landmarks_are_read(tmp_path):
    for how in ({}, {"looks_left": True}):
        read_landmarks(write_landmarks(tmp_path / "p.json", spine(), **how), COLUMNS, ROWS)


def test_what_is_missing_is_named(tmp_path):
    placed = pixels(spine())
    del placed["S1"], placed["L1"]
    assert "S1, L1 missing" in refused(tmp_path, placed)[0]
    assert "femoral_heads missing" in refused(tmp_path, pixels({**spine(), "femoral_heads": []}))[0]


def test_half_an_endplate_and_an_unknown_name_are_named(tmp_path):
    placed = pixels(spine())
    del placed["L4"]["superior"]["posterior"]
    assert "posterior" in refused(tmp_path, placed)[0]
    assert "L6" in refused(tmp_path, pixels(spine()) | {"L6": 1})[0]


def test_three_femoral_heads_are_refused(tmp_path):
    placed = pixels({**spine(), "femoral_heads": [(0.0, 0.0)] * 3})
    assert "femoral_heads has 3 points" in refused(tmp_path, placed)[0]


def test_points_outside_the_image_are_named(tmp_path):
    placed = pixels(spine())
    placed["C7"] = [COLUMNS + 1, 10]
    placed["L3"]["superior"]["anterior"] = [-1, 500]
    problems = refused(tmp_path, placed)
    assert len(problems) == 2
    assert "L3.superior.anterior (-1, 500) lies outside the image of 800 x 1400 pixels" in problems[0]
    assert "C7" in problems[1]


def test_one_swapped_endplate_is_named(tmp_path):
    placed = pixels(spine())
    swap(placed, "L3")
    assert ["L3.superior: anterior and posterior are swapped" in p for p in refused(tmp_path, placed)] == [True]


def test_all_endplates_swapped_are_noticed_by_the_femoral_heads(tmp_path):
    placed = pixels(spine())
    swap(placed, "S1", "L1", "L2", "L3", "L4", "L5")
    assert "femoral heads lie behind" in refused(tmp_path, placed)[0]


def test_vertebrae_in_the_wrong_order_are_named(tmp_path):
    placed = pixels(spine())
    placed["L2"], placed["L3"] = placed["L3"], placed["L2"]
    assert ["L3.superior lies above L2.superior" in p for p in refused(tmp_path, placed)] == [True]
    upside = pixels(spine())
    upside["femoral_heads"] = [[200, 5], [210, 5]]
    assert refused(tmp_path, upside)


def test_coincident_corners_are_refused(tmp_path):
    placed = pixels(spine())
    placed["S1"]["anterior"] = placed["S1"]["posterior"]
    assert "same point" in refused(tmp_path, placed)[0]


def test_a_dynamic_film_needs_a_segment_and_no_pelvis(tmp_path):
    read_landmarks(write_landmarks(tmp_path / "p.json", slipped(3, 0)), COLUMNS, ROWS, motion=True)
    assert "no segment is complete" in refused(tmp_path, pixels(spine()), motion=True)[0]


def test_a_frontal_film_needs_its_curve_alone_the_right_way_round(tmp_path):
    upper, lower = {"left": [100, 300], "right": [200, 280]}, {"left": [100, 600], "right": [200, 640]}
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"coronal": {"upper": upper, "lower": lower}}), encoding="utf-8")
    read_landmarks(path, COLUMNS, ROWS)
    assert "exchange" in refused(tmp_path, {"coronal": {"upper": lower, "lower": upper}})[0]
    swapped = {"left": upper["right"], "right": upper["left"]}
    assert "left and right are swapped" in refused(tmp_path, {"coronal": {"upper": swapped, "lower": lower}})[0]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"S1": 5}', '{"C7": [1]}', '{"C7": [NaN, 1]}', '{"C7": ["a", 1]}'])
def test_what_is_no_landmarks_file_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "p.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadLandmarks) as error:
        read_landmarks(path, COLUMNS, ROWS)
    assert "\n" not in str(error.value)
    with pytest.raises(BadLandmarks, match="cannot be read"):
        read_landmarks(tmp_path / "gone.json", COLUMNS, ROWS)
