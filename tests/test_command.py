"""The command as a user meets it: exit codes, one clear line per problem, nothing lost, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEQUELA = Path(sys.executable).parent / "sequela"
EXAMPLES = ROOT / "examples"
EXPECTED = {
    "recurrent-disc": "recurrent_disc_herniation",
    "epidural-haematoma": "epidural_hematoma",
    "nonunion": "pseudarthrosis",
    "adjacent-segment": "adjacent_segment_degeneration",
    "sacroiliac-joint": "sacroiliac_joint_pain",
    "nerve-injury": "nerve_injury",
}
LETTER = "She had an L4-5 discectomy two years ago and did well. Six weeks ago the left leg pain came back."


def run(*arguments: object, text: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run([SEQUELA, *map(str, arguments)], input=data, capture_output=True, check=False, timeout=120)
    out = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in out.stderr
    return out


@pytest.mark.parametrize("folder", EXPECTED)
def test_each_example_is_understood(folder):
    done = run("assess", EXAMPLES / folder, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["causes"][0]["id"] == EXPECTED[folder]
    urgent = [f for f in document["red_flags"] if f["urgency"] in ("emergency", "same_day")]
    assert bool(urgent) == (folder == "epidural-haematoma")


def test_the_document_keeps_the_contract():
    document = json.loads(run("assess", "-", "--json", text=LETTER).stdout)
    assert document["schema"] == "sequela.assessment/1"
    assert {
        "knowledge_version",
        "case",
        "red_flags",
        "causes",
        "mechanisms",
        "roots",
        "next_tests",
        "plan",
        "missing",
    } <= set(document)
    assert len(document["causes"]) == 31
    assert [c["probability"] for c in document["causes"]] == sorted(
        (c["probability"] for c in document["causes"]), reverse=True
    )
    assert sum(document["mechanisms"].values()) == pytest.approx(1)
    for cause in document["causes"]:
        assert cause["interval"][0] <= cause["probability"] <= cause["interval"][1]
    for finding in document["case"]["findings"]:
        if finding["source"]:
            assert LETTER[finding["source"]["start"] : finding["source"]["end"]] == finding["source"]["text"]


def test_every_written_report_is_real(tmp_path):
    done = run(
        "assess",
        EXAMPLES / "nonunion",
        "--html",
        tmp_path / "r.html",
        "--pdf",
        tmp_path / "r.pdf",
        "--fhir",
        tmp_path / "r.json",
    )
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Pseudarthrosis" in html
    assert "<script" not in html
    assert 'src="http' not in html
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    bundle = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert bundle["resourceType"] == "Bundle"


def test_the_fhir_bundle_is_valid_r4(tmp_path):
    from fhir.resources.R4B.bundle import Bundle

    run("assess", EXAMPLES / "epidural-haematoma", "--fhir", tmp_path / "r.json")
    bundle = Bundle.model_validate_json((tmp_path / "r.json").read_bytes())
    kinds = {e.resource.get_resource_type() for e in bundle.entry}
    assert {"Patient", "Observation", "Flag", "RiskAssessment"} <= kinds


def test_every_reason_in_the_html_links_to_its_words(tmp_path):
    import re

    run("assess", EXAMPLES / "recurrent-disc", "--html", tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    wanted = set(re.findall(r'href="#(d\d+-\d+)"', html))
    assert wanted
    assert wanted <= set(re.findall(r'<mark id="(d\d+-\d+)"', html))


BAD = {
    "nothing.txt": b"",
    "truncated.json": b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Pat',
    "broken.pdf": b"%PDF-1.4 nonsense",
    "picture.txt": b"\x00\x01\x02\xff\xfe" * 50,
    "table.csv": b"a,b\n1,2\n",
}


@pytest.mark.parametrize("name", BAD)
def test_an_unreadable_file_is_named_and_the_rest_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name])
    (tmp_path / "letter.txt").write_text(LETTER, encoding="utf-8")
    done = run("assess", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert name in done.stderr
    assert json.loads(done.stdout)["case"]["operations"]


@pytest.mark.parametrize("name", BAD)
def test_nothing_readable_is_exit_1_with_one_line_each(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name])
    done = run("assess", tmp_path / name, "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_missing_file_empty_folder_and_empty_input(tmp_path):
    assert run("assess", tmp_path / "gone.txt").returncode == 1
    (tmp_path / "empty").mkdir()
    done = run("assess", tmp_path / "empty")
    assert done.returncode == 1
    assert "empty" in done.stderr
    assert run("assess", "-", text="").returncode == 1


def test_two_patients_ask_which_one(tmp_path):
    people = [{"resource": {"resourceType": "Patient", "id": i, "birthDate": "1970-01-01"}} for i in ("one", "two")]
    facts = [
        {
            "resource": {
                "resourceType": "Condition",
                "id": f"c{i}",
                "subject": {"reference": f"Patient/{i}"},
                "code": {"text": f"low back pain of {i}"},
            }
        }
        for i in ("one", "two")
    ]
    (tmp_path / "b.json").write_text(
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": people + facts}), encoding="utf-8"
    )
    done = run("assess", tmp_path / "b.json", "--json")
    assert done.returncode == 1
    assert "--patient" in done.stderr
    assert "one" in done.stderr
    assert "two" in done.stderr
    assert run("assess", tmp_path / "b.json", "--patient", "one", "--json").returncode == 0


def test_left_against_right_is_shown_not_guessed(tmp_path):
    (tmp_path / "a.txt").write_text(
        "Status post L4-5 discectomy 2020. Straight leg raise is positive on the left.", encoding="utf-8"
    )
    (tmp_path / "b.txt").write_text(
        "Status post L4-5 discectomy 2020. Straight leg raise is positive on the right.", encoding="utf-8"
    )
    document = json.loads(run("assess", tmp_path, "--json").stdout)
    assert any("left" in c["message"] and "right" in c["message"] for c in document["case"]["conflicts"])


LETTERS = {
    "a.txt": "John Smith DOB 01/01/1960. Left L4-5 discectomy in 2020, recurrent left leg pain.",
    "b.txt": "Re: Mary Jones, DOB 02/02/1975. L5-S1 fusion 2021. Screw loosening on CT.",
}


def test_letters_of_two_people_ask_which_one(tmp_path):
    for name, text in LETTERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run("assess", tmp_path, "--json")
    assert done.returncode == 1
    assert "records of 2 patients" in done.stderr
    chosen = run("assess", tmp_path, "--patient", "jones", "--json")
    assert [o["procedure"] for o in json.loads(chosen.stdout)["case"]["operations"]] == ["fusion"]


def test_a_patient_nobody_is_called_by():
    done = run("assess", "-", "--patient", "99", text=LETTER)
    assert done.returncode == 1
    assert "name no patient, so leave --patient out" in done.stderr


def test_the_version_and_the_module():
    told = run("--version")
    assert told.returncode == 0
    assert told.stdout.startswith("sequela 0.")
    module = subprocess.run([sys.executable, "-m", "sequela", "version"], capture_output=True, text=True, check=False)
    assert module.stdout == told.stdout


def test_an_assessed_text_shows_its_report():
    import sequela

    assert sequela.assess_text(LETTER)._repr_html_().startswith("<iframe srcdoc=")


def test_a_field_of_the_wrong_kind_is_named(tmp_path):
    entry = {"resourceType": "Observation", "id": 5, "code": {"text": "Fever"}, "valueBoolean": True}
    (tmp_path / "b.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": entry}]}), "utf-8")
    done = run("assess", tmp_path / "b.json")
    assert "$.id" in done.stderr
    assert "no resourceType" not in done.stderr


def test_wrong_usage_is_exit_2():
    assert run("assess").returncode == 2
    assert run("explain", "no_such_thing").returncode == 2
    assert run("assess", "-", "--nonsense").returncode == 2


def test_a_report_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = run("assess", "-", "--html", tmp_path / "file" / "r.html", text=LETTER)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_explain_and_check_speak():
    assert "epidural_fibrosis" in run("explain", "epidural_fibrosis").stdout
    done = run("check")
    assert done.returncode == 0
    assert "31" in done.stdout


def test_unread_lists_clauses_no_finding_used():
    text = "Status post L4-5 fusion. The L5 nerve root looks peculiar beside the screw head."
    assert "peculiar" in run("assess", "-", "--unread", text=text).stdout


def test_a_notebook_shows_the_report():
    import sequela

    shown = sequela.assess(EXAMPLES / "nonunion")._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "Pseudarthrosis" in shown
