"""Every way the knowledge base can be wrong is told with file, line, key and mend."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from tests.knowledge.conftest import Copy

from sequela.knowledge import KnowledgeError, load


class Break(NamedTuple):
    """In `file`, `old` becomes `new`; then the line where `at` stands (counted from the start of `new`) is named."""

    file: str
    old: str
    new: str
    key: str
    what: str
    mend: str = ""
    at: str = ""


FEVER = '  - id: fever\n    name: "Fever, pyrexia or spiking temperature"\n'

BREAKS = {
    "unknown cause in a link": Break(
        "manifestations.yaml",
        "    recurrent_disc_herniation: 0.95",
        "    recurrent_disk_herniation: 0.95",
        "disc_fragment.caused_by.recurrent_disk_herniation",
        'unknown cause "recurrent_disk_herniation"',
        "did you mean recurrent_disc_herniation",
    ),
    "unknown manifestation": Break(
        "findings/history.yaml",
        "manifestation: wound_trouble",
        "manifestation: wound_troubles",
        "wound_drainage.manifestation",
        'unknown manifestation "wound_troubles"',
        "did you mean wound_trouble",
    ),
    "unknown finding implied": Break(
        "findings/symptoms.yaml",
        "implies: [headache]",
        "implies: [head_ache]",
        "postural_headache.implies[0]",
        'unknown finding "head_ache"',
        "did you mean headache",
    ),
    "unknown cause measured": Break(
        "findings/symptoms.yaml",
        "measured: {cause: pseudomeningocele,",
        "measured: {cause: pseudomeningocoele,",
        "postural_headache.measured.cause",
        'unknown cause "pseudomeningocoele"',
    ),
    "unknown source": Break(
        "findings/symptoms.yaml",
        "sources: [infection-fever,",
        "sources: [infection-feber,",
        "fever.basis.sources[0]",
        'unknown source "infection-feber"',
        "did you mean infection-fever",
    ),
    "unknown finding in a flag": Break(
        "red_flags.yaml",
        "      - any: [*new_deficit, *sphincter, new_deficit_on_waking_from_surgery",
        "      - any: [*new_deficit, *sphincter, new_deficit_on_walking",
        "cauda_equina_compressed_on_imaging.criteria.all[1].any[2]",
        'unknown finding "new_deficit_on_walking"',
    ),
    "unknown suspect": Break(
        "red_flags.yaml",
        "suspects: [meningitis, pseudomeningocele]",
        "suspects: [meningites, pseudomeningocele]",
        "meningitis_suspected.suspects[0]",
        'unknown suspect "meningites"',
        "did you mean meningitis",
    ),
    "unknown fact": Break(
        "red_flags.yaml",
        "{fact: days_since_operation, below: 30}",
        "{fact: days_after_operation, below: 30}",
        "motor_loss_progressing_same_day.criteria.all[1].any[4].fact",
        'unknown fact "days_after_operation"',
    ),
    "an urgency laxer than the time limit": Break(
        "red_flags.yaml",
        '  time_limit: "1 week"\n  criteria:\n    any:\n      - all: [history_of_cancer',
        '  time_limit: "2 h"\n  criteria:\n    any:\n      - all: [history_of_cancer',
        "metastasis_within_1_week.time_limit",
        "is 2 h, but within_72h allows 72 h",
        "write emergency",
    ),
    "a time limit without a time": Break(
        "red_flags.yaml",
        '  time_limit: "2 weeks"',
        '  time_limit: "soon"',
        "myelopathy_within_2_weeks.time_limit",
        "names no time",
    ),
    "an unknown red flag": Break(
        "red_flags.yaml",
        'are taken.", unless: [sepsis_suspected,',
        'are taken.", unless: [sepsis,',
        "wound_infection_same_day.restraint.unless[0]",
        'unknown red flag "sepsis"',
    ),
    "a row of the table without a flag": Break(
        "red_flags.yaml", "  row: 9\n", "  row: 8\n", "flags", "no entry covers row 9", "row: 9", at="TOP"
    ),
    "unknown finding in a test": Break(
        "tests.yaml",
        "  reads: [epiduroscopy_adhesions]",
        "  reads: [epiduroscopy_scar]",
        "epiduroscopy.reads[0]",
        "unknown finding",
    ),
    "unknown cause in a test": Break(
        "tests.yaml",
        "  settles: [epidural_fibrosis]",
        "  settles: [epidural_scar]",
        "epiduroscopy.settles[0]",
        "unknown cause",
    ),
    "two tests at one step": Break(
        "tests.yaml", "  step: 16", "  step: 15", "epiduroscopy.step", "2 tests have step 15"
    ),
    "radiation upside down": Break(
        "tests.yaml",
        "  radiation_msv: [0.6, 1.5]",
        "  radiation_msv: [1.6, 1.5]",
        "standing_xray.radiation_msv",
        "no range",
    ),
    "a text no patient can read": Break(
        "tests.yaml",
        "A sugar tracer shows infection when metal spoils other scans.",
        "Radiolabelled fluorodeoxyglucose accumulation demonstrates inflammatory aetiology notwithstanding instrumentation artefacts.",
        "fdg_pet_ct.plain",
        "reading grade",
        "shorter words",
    ),
    "probability above one": Break(
        "manifestations.yaml",
        "  leak: 0.02\n",
        "  leak: 1.04\n",
        "disc_fragment.leak",
        "1.04 is not a probability",
        "0 to 1",
    ),
    "link that is no probability": Break(
        "manifestations.yaml",
        "    epidural_fibrosis: 0.97",
        "    epidural_fibrosis: .nan",
        "peridural_scar.caused_by.epidural_fibrosis",
        "nan is not a probability",
    ),
    "prior column": Break(
        "causes.yaml",
        "prior: {any: 0.128, discectomy: 0.265",
        "prior: {any: 0.128, discectomy: 0.365",
        "recurrent_disc_herniation.prior.discectomy",
        "column discectomy sums to 1.1",
        "sum to 1",
    ),
    "missing prior column": Break(
        "causes.yaml", "prior: {any: 0.128, ", "prior: {", "recurrent_disc_herniation.prior", "has no column any"
    ),
    "mechanism shares": Break(
        "causes.yaml",
        "mechanism: {mechanical: 0.85, neurologic: 0.15}",
        "mechanism: {mechanical: 0.85, neurologic: 0.25}",
        "recurrent_disc_herniation.mechanism",
        "shares sum to 1.1",
    ),
    "unknown mechanism": Break(
        "causes.yaml",
        "mechanism: {mechanical: 0.85, neurologic: 0.15}",
        "mechanism: {mechanical: 0.85, neurological: 0.15}",
        "recurrent_disc_herniation.mechanism.neurological",
        "unknown mechanism",
        "did you mean neurologic",
    ),
    "duplicate identifier": Break(
        "findings/xray.yaml",
        "  - id: xray_implant_breakage",
        "  - id: fever",
        "fever.id",
        '"fever" stands already at findings/symptoms.yaml',
    ),
    "duplicate source": Break(
        "sources/treatments.yaml",
        "- {id: process-6m,",
        "- {id: fever,",
        "fever.id",
        "stands already at findings/symptoms.yaml",
    ),
    "key written twice": Break(
        "manifestations.yaml",
        "    recurrent_disc_herniation: 0.95\n",
        "    recurrent_disc_herniation: 0.95\n    recurrent_disc_herniation: 0.90\n",
        "recurrent_disc_herniation",
        "stands twice",
        "keep one",
        at="0.90",
    ),
    "number without a source": Break(
        "findings/symptoms.yaml",
        "basis: {grade: S, sources: [lss-seated]}",
        "basis: {grade: S}",
        "no_pain_when_seated.basis",
        "a number without a source",
        "expert_estimate: true",
    ),
    "number from memory alone": Break(
        "findings/symptoms.yaml",
        "basis: {grade: S, sources: [lss-seated]}",
        "basis: {grade: S, sources: [mscc-nice-memory]}",
        "no_pain_when_seated.basis",
        "rests only on sources from memory",
    ),
    "risk without a source": Break(
        "priors.yaml",
        "multiplier: 2.0, sources: [rldh-ma2016-smoking]",
        "multiplier: 2.0, sources: []",
        "risk[1].basis",
        "a number without a source",
    ),
    "cap without a source": Break(
        "findings/examination.yaml",
        "basis: {grade: S, sources: [xslr-cochrane, xslr-deville]}\n    cap: {positive: 4.0, negative: 0.4, sources: [chronic-radiculopathy-single]}",
        "basis: {grade: S, sources: [xslr-cochrane, xslr-deville]}\n    cap: {positive: 4.0, negative: 0.4}",
        "crossed_slr_positive.cap",
        "a number without a source",
        at="cap:",
    ),
    "cap below one": Break(
        "findings/examination.yaml",
        "cap: {positive: 4.0,",
        "cap: {positive: 0.4,",
        "femoral_stretch_positive_l2_l4.cap.positive",
        "below 1",
    ),
    "study numbers alike": Break(
        "findings/symptoms.yaml",
        "in_cause: 0.50, in_others: 0.03}",
        "in_cause: 0.50, in_others: 0.50}",
        "postural_headache.measured",
        "are the same",
    ),
    "study numbers against the links": Break(
        "findings/symptoms.yaml",
        "in_cause: 0.50, in_others: 0.03}",
        "in_cause: 0.03, in_others: 0.50}",
        "postural_headache.measured",
        "differs by +0.94 between pseudomeningocele and the others, the finding by -0.47",
    ),
    "measured on a cause without a link": Break(
        "findings/symptoms.yaml",
        "measured: {cause: pseudomeningocele,",
        "measured: {cause: tumour,",
        "postural_headache.measured.cause",
        "tumour does not bring about csf_leak",
        "add the link",
    ),
    "neither given nor measured": Break(
        "findings/symptoms.yaml",
        "    measured: {cause: pseudomeningocele, in_cause: 0.50, in_others: 0.03}\n",
        "",
        "postural_headache",
        "needs `given:` or `measured:`",
        at="ENTRY",
    ),
    "circle of implications": Break(
        "findings/symptoms.yaml",
        FEVER,
        FEVER + "    implies: [fever]\n",
        "fever.implies",
        "implies itself",
        at="implies",
    ),
    "cause that nothing shows": Break(
        "manifestations.yaml",
        "    synovial_cyst: 0.97",
        "    synovial_cyst: 1.97",
        "facet_cyst.caused_by.synovial_cyst",
        "not a probability",
    ),
    "risk of an unknown finding": Break(
        "priors.yaml",
        "{when: smoking_current, cause: pseudarthrosis",
        "{when: smoker, cause: pseudarthrosis",
        "risk[0].when",
        "unknown finding or fact",
    ),
    "empty window": Break(
        "priors.yaml",
        "{cause: epidural_hematoma, from: 0, to: 14",
        "{cause: epidural_hematoma, from: 20, to: 14",
        "timing[0]",
        "20-14 days is empty",
    ),
    "two windows": Break(
        "priors.yaml",
        "{cause: epidural_hematoma, from: 0",
        "{cause: vascular_cause, from: 0",
        "timing[0]",
        "vascular_cause has 2 windows",
    ),
    "unknown course": Break("priors.yaml", "  returned:\n", "  relapsed:\n", "course.relapsed", "unknown course"),
    "multiplier of nothing": Break(
        "priors.yaml",
        "multipliers: {incomplete_decompression: 2.5",
        "multipliers: {incomplete_decompression: 0",
        "course.never_relieved.multipliers.incomplete_decompression",
        "0 is not a multiplier",
    ),
    "sizes": Break("priors.yaml", "  one: 0.62", "  one: 0.52", "sizes", "shares sum to 0.9", at="SIZES"),
    "priors without a source": Break(
        "priors.yaml",
        "  basis: {expert_estimate: true, sources: [bmc2023-predictors, norspine-gpe-predictors],",
        "  basis: {",
        "cap.basis",
        "a number without a source",
    ),
    "cap of the priors below one": Break("priors.yaml", "  value: 8.0", "  value: 0.8", "cap.value", "below 1"),
    "referral of more than all": Break(
        "priors.yaml", "  value: 0.6", "  value: 1.6", "referral.value", "not a probability"
    ),
    "window without a source": Break(
        "priors.yaml",
        "outside: 0.3, expert_estimate: true, sources: []",
        "outside: 0.3, sources: []",
        "timing[16].basis",
        "a number without a source",
    ),
    "misses without a source": Break(
        "findings/mri.yaml",
        "      basis: {sources: [sif-missed], note",
        "      basis: {note",
        "mri_sacral_fracture.missed.basis",
        "a number without a source",
    ),
    "misses beyond all": Break(
        "findings/mri.yaml",
        "      rate: 0.24",
        "      rate: 24",
        "mri_sacral_fracture.missed.rate",
        "not a probability",
    ),
    "misses of a kind without a source": Break(
        "findings/nuclear.yaml",
        "  basis: {expert_estimate: true, note",
        "  basis: {note",
        "missed.basis",
        "a number without a source",
    ),
    "no misses of a kind": Break(
        "findings/nuclear.yaml",
        "missed:     # where a finding says nothing of its own\n  rate: 0.15\n"
        '  basis: {expert_estimate: true, note: "No study of routine reports found."}\n',
        "",
        "findings/nuclear.yaml",
        "missing required field `missed`",
        "add `missed:`",
        at="TOP1",
    ),
    "two files of one kind": Break(
        "findings/nuclear.yaml", "kind: nuclear", "kind: ct", "kind", "findings/ct.yaml holds the findings of kind ct"
    ),
    "unknown fact presupposed": Break(
        "findings/ct.yaml",
        "    presupposes: [instrumented]",
        "    presupposes: [screwed]",
        "ct_haloing_screw.presupposes[0]",
        'unknown fact "screwed"',
    ),
    "unknown need": Break(
        "priors.yaml",
        "    pseudarthrosis: fusion",
        "    pseudarthrosis: fused",
        "needs.facts.pseudarthrosis",
        'unknown need "fused"',
        "use one from instrumented, fusion",
    ),
    "unknown field": Break(
        "findings/symptoms.yaml",
        FEVER,
        FEVER + "    sensitivity: 0.5\n",
        "fever.sensitivity",
        "unknown field `sensitivity`",
        "Finding has id, name, manifestation",
        at="sensitivity",
    ),
    "missing field": Break(
        "causes.yaml",
        '  name: "Recurrent disc herniation"\n',
        "",
        "recurrent_disc_herniation",
        "missing required field `name`",
        "add `name:`",
        at="ENTRY",
    ),
    "wrong kind of value": Break(
        "manifestations.yaml",
        "    epidural_fibrosis: 0.97",
        "    epidural_fibrosis: high",
        "peridural_scar.caused_by.epidural_fibrosis",
        "Expected `float`, got `str`",
    ),
    "wrong urgency": Break(
        "red_flags.yaml",
        "  urgency: same_day",
        "  urgency: today",
        "low_residual_with_symptoms.urgency",
        "Invalid enum value 'today'",
    ),
    "yes read as a truth value": Break(
        "tests.yaml",
        '  contrast: "no"',
        "  contrast: no",
        "operation_note_review.contrast",
        "Expected `str`, got `bool`; put the word in quotes",
    ),
    "wrong kind of finding": Break("findings/ct.yaml", "kind: ct\n", "kind: cat\n", "kind", "Invalid enum value 'cat'"),
    "findings without a list": Break(
        "findings/ct.yaml", "findings:\n", "finding:\n", "findings/ct.yaml", "has no list `findings:`", at="TOP1"
    ),
    "not YAML": Break(
        "causes.yaml",
        "  basis: {grade: B, sources: [sport",
        "  basis: {grade: B, sources: sport",
        "causes.yaml",
        "did not find expected",
        at="ANY",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_problem_names_file_line_key_and_mend(name: str, copy: Copy) -> None:
    broken = BREAKS[name]
    line = _line(broken, copy, copy.edit(broken.file, broken.old, broken.new))
    found = [p for p in copy.problems() if f": {broken.key}: " in p and broken.what in p]
    assert found, copy.problems()
    assert re.match(r"[\w/.]+:\d+: \S+: .+; .+", found[0])
    assert broken.mend in found[0]
    assert found[0].startswith(f"{broken.file}:{line}:" if line else broken.file), found


def _line(broken: Break, copy: Copy, edited: int) -> int:
    """The line the problem should name. TOP, ENTRY, SIZES: the key that heads the edited text; ANY: wherever."""
    text = (copy.root / broken.file).read_text(encoding="utf-8").splitlines()
    if broken.at == "ANY":
        return 0
    if broken.at == "TOP1":
        return 1
    heads = {"TOP": "flags:", "SIZES": "sizes:", "ENTRY": "- id:"}
    if broken.at in heads:
        return max(n for n, words in enumerate(text[:edited], 1) if words.lstrip().startswith(heads[broken.at]))
    return edited + broken.new[: broken.new.index(broken.at)].count("\n")


CRITERIA = {
    "[suicidal_intent]": ("criteria", "is not a criterion"),
    "{all: []}": ("criteria.all", "is not a list with a criterion in it"),
    "{all: suicidal_intent}": ("criteria.all", "is not a list with a criterion in it"),
    "{all: [fever], any: [fever]}": ("criteria", "needs exactly one of"),
    "{some: [fever]}": ("criteria", "needs exactly one of"),
    "{all: [fever], note: x}": ("criteria", "`all` stands beside note"),
    "{not: [fever]}": ("criteria.not", "is not a criterion"),
    "{at_least: {count: 3, of: [fever, headache]}}": ("criteria.at_least.count", "3 of these is never decided"),
    "{at_least: [fever]}": ("criteria.at_least", "needs count and of"),
    "{finding: fever}": ("criteria", "compares with nothing known"),
    "{finding: fever, over: 38}": ("criteria", "compares with nothing known"),
    "{finding: fever, above: high}": ("criteria.above", "high is not a number"),
    "{finding: [fever], above: 38}": ("criteria.finding", "unknown finding"),
    "{finding: fever, suspected: false}": ("criteria", "is no suspicion"),
    "{finding: fever, suspected: true, above: 38}": ("criteria", "is no suspicion"),
    "{finding: fever, suspected: true, cleared_by: [feever]}": ("criteria.cleared_by[0]", "unknown finding"),
}


@pytest.mark.parametrize("criteria", CRITERIA)
def test_criteria_are_well_formed(criteria: str, copy: Copy) -> None:
    key, what = CRITERIA[criteria]
    line = copy.edit("red_flags.yaml", "criteria: {finding: suicidal_intent, suspected: true}", f"criteria: {criteria}")
    (problem,) = copy.problems()
    assert problem.startswith(f"red_flags.yaml:{line}: suicidal_intent_now.{key}: {what}")


def test_good_criteria_pass(copy: Copy) -> None:
    good = "{at_least: {count: 2, of: [fever, {not: headache}, {fact: fusion}, {finding: crp_raised, above: 30, below: 99}]}}"
    copy.edit("red_flags.yaml", "criteria: {finding: suicidal_intent, suspected: true}", f"criteria: {good}")
    assert copy.problems() == ()


def test_an_unreachable_cause_is_told(copy: Copy) -> None:
    """Without its findings a manifestation shows nothing, and the only cause of it cannot be found."""
    text = (copy.root / "findings/mri.yaml").read_text(encoding="utf-8")
    start = text.index("  - id: mri_facet_cyst")
    (copy.root / "findings/mri.yaml").write_text(
        text[:start] + text[text.index("  - id:", start + 5) :], encoding="utf-8"
    )
    for manifestation in (
        "rim_enhancing_lesion",
        "radicular_pattern",
        "root_tension",
        "root_deficit",
        "root_compression_imaging",
        "claudication",
        "course_relapse",
    ):
        _without_link(copy, manifestation, "synovial_cyst")
    problems = copy.problems()
    assert any("synovial_cyst: brings about no manifestation" in p and p.startswith("causes.yaml:") for p in problems)
    assert any("facet_cyst: no finding shows this manifestation" in p for p in problems)


def _without_link(copy: Copy, manifestation: str, cause: str) -> None:
    path = copy.root / "manifestations.yaml"
    head, _, rest = path.read_text(encoding="utf-8").partition(f"- id: {manifestation}\n")
    entry, mark, tail = rest.partition("\n- id:")
    entry = re.sub(rf"\n    {cause}: [\d.]+", "", entry)
    path.write_text(f"{head}- id: {manifestation}\n{entry}{mark}{tail}", encoding="utf-8")


def test_missing_files_are_told(copy: Copy) -> None:
    (copy.root / "causes.yaml").unlink()
    for path in (copy.root / "sources").iterdir():
        path.unlink()
    problems = copy.problems()
    assert "causes.yaml:1: causes.yaml: No such file or directory; put the file there, readable" in problems
    assert any(p.startswith("sources/*.yaml:1:") for p in problems)


def test_a_file_in_another_encoding_is_told(copy: Copy) -> None:
    path = copy.root / "causes.yaml"
    path.write_bytes(path.read_text(encoding="utf-8").replace("Herniation", "").encode("utf-8") + b"\n# \xe4\n")
    assert any(p.startswith("causes.yaml:1:") and "UTF-8" in p for p in copy.problems())


def test_all_problems_are_told_at_once_and_load_raises_them(copy: Copy) -> None:
    copy.edit("manifestations.yaml", "  leak: 0.02\n", "  leak: 1.04\n")
    copy.edit("causes.yaml", "mechanism: {mechanical: 0.85,", "mechanism: {mechanical: 0.95,")
    with pytest.raises(KnowledgeError) as raised:
        load(copy.root)
    assert len(raised.value.problems) == 2
    assert str(raised.value).count("\n") == 1


# What a reader needs to know of words: absent is fine, wrong is told.


def _words(copy: Copy, concepts: str, rules: str) -> tuple[str, ...]:
    (copy.root / "lexicon").mkdir()
    (copy.root / "reading").mkdir()
    (copy.root / "lexicon/a.yaml").write_text(concepts)
    (copy.root / "reading/a.yaml").write_text(rules)
    (copy.root / "triggers.yaml").write_text("negation: ['no', denies]\n")
    return copy.problems()


def test_words_may_be_absent(copy: Copy) -> None:
    lexicon = load(copy.root).lexicon
    own = [c for c in lexicon.concepts if c.space != "localisation"]  # those follow from localisation.yaml
    assert (own, lexicon.rules, lexicon.triggers) == ([], {}, {})


def test_rules_as_plain_lists_are_short_for_all(copy: Copy) -> None:
    assert (
        _words(copy, "- {id: hot, forms: [hot]}\n", "fever:\n  - [hot]\n  - {all: [hot], none: ['!negation']}\n") == ()
    )
    first, second = load(copy.root).lexicon.rules["fever"]
    assert first.all == second.all == ("hot",)
    assert second.none == ("!negation",)


@pytest.mark.parametrize(
    ("concepts", "rules", "problem"),
    [
        (
            "- {id: hot, forms: [hot]}\n",
            "fever:\n  - [hot|warm]\n",
            'reading/a.yaml:2: fever[0]: unknown concept "warm"',
        ),
        (
            "- {id: hot, forms: [hot]}\n",
            "fevers:\n  - [hot]\n",
            'reading/a.yaml:2: fevers[0]: unknown finding "fevers"',
        ),
        ("- {id: hot, forms: [hot]}\n", "fever:\n  - [hot]\n  - {al: [hot]}\n", "reading/a.yaml:3: fever[1]"),
        ("- {id: hot, forms: [hot]}\n", "fever: [hot]\n", "reading/a.yaml:1: fever[0]: Expected"),
        ("- {id: hot, is: [warm], forms: [hot]}\n", "", 'lexicon/a.yaml:1: hot.is[0]: unknown concept "warm"'),
        ("- {id: hot, forms: []}\n- {id: hot, forms: []}\n", "", 'lexicon/a.yaml:2: hot.id: "hot" stands already'),
        ("hot: [hot]\n", "", "lexicon/a.yaml:1: lexicon/a.yaml: is not a list of entries"),
    ],
)
def test_words_must_fit_together(copy: Copy, concepts: str, rules: str, problem: str) -> None:
    found = _words(copy, concepts, rules)
    assert any(p.startswith(problem) for p in found), found
