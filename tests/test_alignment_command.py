"""`sequela alignment` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.films import CALIBRATED, SPACING, slipped, spine, write_dicom, write_landmarks

SEQUELA = Path(sys.executable).parent / "sequela"


def run(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [SEQUELA, "alignment", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def points(tmp_path: Path) -> Path:
    return write_landmarks(tmp_path / "points.json", spine())


def measures(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    assert done.returncode == 0, done.stderr
    return {m["id"]: m["value"] for m in json.loads(done.stdout)["measures"]}


def test_a_calibrated_film_is_measured_and_drawn(tmp_path, points):
    film = write_dicom(tmp_path / "film.dcm", **CALIBRATED, PatientAge="060Y")
    done = run(film, "--landmarks", points, "--output", tmp_path / "new" / "drawn.png", "--json")
    found = measures(done)
    assert found["pelvic_incidence"] == pytest.approx(50.4, abs=0.1)
    assert found["pi_ll_mismatch"] == pytest.approx(-4.6, abs=0.1)
    assert found["sagittal_vertical_axis"] == pytest.approx(88.96, abs=0.1)
    document = json.loads(done.stdout)
    assert document["schema"] == "sequela.alignment/1"
    assert document["age"] == 60
    assert {
        "id": "xray_sagittal_imbalance",
        "status": "present",
        "value": 89.0,
        "unit": "mm",
        "level": None,
    } in document["findings"]
    assert document["scores"][0]["id"] == "gap"
    with Image.open(tmp_path / "new" / "drawn.png") as drawn:
        assert max(drawn.size) == 1200
        colours = {colour for _, colour in drawn.getcolors(drawn.width * drawn.height)}
    assert any(r != g for r, g, _ in colours)  # the film itself is grey


def test_without_calibration_there_are_angles_and_no_lengths(tmp_path, points):
    film = write_dicom(tmp_path / "film.dcm")
    done = run(film, "--landmarks", points, folder=tmp_path)
    assert done.returncode == 0
    assert "no lengths" in done.stdout
    assert "Pelvic tilt                                         15.4 deg" in done.stdout
    assert "Sagittal vertical axis" not in done.stdout
    assert (tmp_path / "film.alignment.png").exists()


def test_a_film_measured_at_the_detector_proves_no_length(tmp_path, points):
    film = write_dicom(tmp_path / "film.dcm", ImagerPixelSpacing=[SPACING, SPACING])
    document = json.loads(run(film, "--landmarks", points, "--json", folder=tmp_path).stdout)
    by_length = [f["status"] for f in document["findings"] if f["unit"] == "mm"]
    assert by_length == ["uncertain"]
    assert "magnification" in document["calibration"]
    assert not list(tmp_path.glob("*.png"))


def test_motion_between_two_films(tmp_path):
    bent = write_dicom(tmp_path / "flexion.dcm", **CALIBRATED)
    straight = write_dicom(tmp_path / "extension.dcm", **CALIBRATED)
    flexion = write_landmarks(tmp_path / "f.json", slipped(8.0, 12.0))
    extension = write_landmarks(tmp_path / "e.json", slipped(2.0, -6.0))
    films = (bent, "--landmarks", flexion, "--extension", straight, "--extension-landmarks", extension, "--json")
    done = run(*films)
    assert measures(done)["dynamic_translation"] == pytest.approx(6.0, abs=0.1)
    assert {f["id"] for f in json.loads(done.stdout)["findings"]} == {"flexext_translation_over_4_5mm"}
    fused = json.loads(run(*films, "--fused", "l4-l5").stdout)
    assert {f["id"] for f in fused["findings"]} == {"flexext_motion_at_fusion"}


def test_entered_measures_and_grades():
    done = run(
        "--measure",
        "PI=55",
        "--measure",
        "pt=28",
        "--measure",
        "breach@l5=2.5",
        "--measure",
        "schizas@L3-L4=d",
        "--json",
    )
    document = json.loads(done.stdout)
    said = {(f["id"], f["status"], f["level"]) for f in document["findings"]}
    assert ("xray_pelvic_tilt_high", "present", None) in said
    assert ("ct_screw_cortical_breach", "present", "L5") in said
    assert ("mri_or_ct_central_stenosis", "present", "L3-L4") in said


def test_a_contradiction_is_told():
    done = run("--measure", "PI=70", "--measure", "PT=30", "--measure", "SS=20")
    assert done.returncode == 0
    assert "Problem: PI 70.0 is not PT 30.0 + SS 20.0" in done.stdout
    assert "Raised pelvic tilt" not in done.stdout


WRONG_USE = {
    "nothing to measure": (),
    "belong together": ("film.dcm",),
    "did you mean PT": ("--measure", "PTX=3"),
    "is not a number": ("--measure", "PT=steep"),
    "given twice": ("--measure", "PT=3", "--measure", "pelvic_tilt=4"),
    "has no grade": ("--measure", "modic=7"),
    "needs an image": ("--measure", "PT=3", "--output", "x.png"),
}


@pytest.mark.parametrize("told", WRONG_USE)
def test_wrong_use_is_one_line(told):
    done = run(*WRONG_USE[told])
    assert done.returncode == 2
    assert done.stdout == ""
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_cannot_be_read_is_exit_1(tmp_path, points):
    film = write_dicom(tmp_path / "film.dcm")
    (tmp_path / "text.dcm").write_text("no film", encoding="utf-8")
    bad = write_landmarks(tmp_path / "bad.json", {**spine(), "C7": (5000.0, 560.0)})
    for image, landmarks, told in (
        (tmp_path / "text.dcm", points, "not a DICOM"),
        (film, bad, "outside the image"),
        (tmp_path / "gone.dcm", points, "gone.dcm"),
    ):
        done = run(image, "--landmarks", landmarks)
        assert done.returncode == 1
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_what_the_landmarks_give_is_not_entered_as_well_and_the_film_is_not_overwritten(tmp_path, points):
    film = write_dicom(tmp_path / "film.dcm")
    twice = run(film, "--landmarks", points, "--measure", "PT=3")
    assert (twice.returncode, "leave it out" in twice.stderr) == (2, True)
    before = film.read_bytes()
    assert run(film, "--landmarks", points, "--output", film).returncode == 2
    assert film.read_bytes() == before


def test_the_schema_of_the_landmarks_is_printed():
    schema = json.loads(run("--schema").stdout)
    assert {"femoral_heads", "S1", "L1", "C7", "T1", "coronal"} <= set(schema["$defs"]["Landmarks"]["properties"])


def test_assessing_does_not_load_the_image_libraries():
    code = "import sys, sequela.cli, sequela.api; print([m for m in ('pydicom', 'PIL', 'sequela.records.dicom', 'sequela.knowledge.alignment') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
