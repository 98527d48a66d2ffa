"""Typed, immutable objects of the knowledge base, exactly as the YAML files say them.

Every probability is in 0..1, every multiplier acts on odds, every `Basis` names where a number comes from.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Urgency = Literal["emergency", "same_day", "within_72h", "within_2_weeks"]
Kind = Literal[
    "history",
    "symptom",
    "examination",
    "questionnaire",
    "xray",
    "mri",
    "ct",
    "nuclear",
    "electrodiagnosis",
    "laboratory",
    "block",
]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything a clinician writes: an unknown key is an error, not ignored."""


class Basis(Strict, frozen=True):
    """Where a number comes from. grade: S = read in the study, P = shrunk or transferred, E = estimate, B/C/D for priors."""

    sources: tuple[str, ...] = ()
    grade: str | None = None
    expert_estimate: bool = False
    note: str | None = None


class Cause(Strict, frozen=True):
    id: str
    name: str
    plain: str
    definition: str
    mechanism: dict[str, float]
    prior: dict[str, float]
    basis: Basis


class Manifestation(Strict, frozen=True):
    """What a cause brings about. leak: P(present | no modelled cause). caused_by: P(present | this cause alone)."""

    id: str
    name: str
    leak: float
    basis: Basis
    caused_by: dict[str, float]


class Given(Strict, frozen=True):
    """P(finding | manifestation present) and P(finding | manifestation absent)."""

    present: float
    absent: float


class Measured(Strict, frozen=True):
    """P(finding | cause) and P(finding | the other causes of pain after lumbar surgery)."""

    cause: str
    in_cause: float
    in_others: float


class Cap(Strict, frozen=True):
    positive: float
    negative: float
    sources: tuple[str, ...] = ()


class Missed(Strict, frozen=True):
    """How often a report on someone who shows the finding denies it all the same.

    On top of what `given` and `measured` leave out already (the manifestation without the finding), so that
    P(denied | manifestation) = 1 - P(finding | manifestation) * (1 - rate).
    """

    rate: float
    basis: Basis


class Finding(Strict, frozen=True):
    """missed: where the finding says nothing of its own, the one its file gives for findings of its kind, set by the loader.

    presupposes: facts about the operations without which the finding cannot be (a loose screw: instrumented).
    implies, excludes: findings that are present, or absent, by definition when this one is present and the record does not speak of them.
    label: the name in a few words, for one line of a list. question: how to ask or examine for it.
    asked_if: a criterion (see `reasoning.criteria`); where it is not met, the question makes no sense for this patient. An expert estimate where
    it names a time.
    """

    id: str
    name: str
    manifestation: str
    basis: Basis
    given: Given | None = None
    measured: Measured | None = None
    cap: Cap | None = None
    implies: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    presupposes: tuple[str, ...] = ()
    missed: Missed | None = None
    label: str | None = None
    question: str | None = None
    asked_if: Any = None
    kind: Kind = "history"


class FindingFile(Strict, frozen=True):
    """missed: holds for its findings that have none of their own."""

    kind: Kind
    missed: Missed
    findings: tuple[Finding, ...]


class Likelihood(msgspec.Struct, frozen=True):
    """Solved for the kernel: probabilities of each report under manifestation present (a) and absent (b)."""

    present: tuple[float, float]
    absent: tuple[float, float]
    uncertain: tuple[float, float]


class Procedure(Strict, frozen=True):
    id: str
    name: str
    family: Literal["discectomy", "decompression", "fusion", "any"]
    traits: tuple[str, ...] = ()
    named: Literal["exactly", "loosely", "hardly"] = "exactly"
    """How much the name says: "TLIF", "a fusion", "an operation on the back"."""


class Sizes(Strict, frozen=True):
    none: float
    one: float
    two: float
    three: float
    basis: Basis


class CoursePrior(Strict, frozen=True):
    multipliers: dict[str, float]
    basis: Basis


class Timing(Strict, frozen=True, rename={"from_": "from"}):
    """Onset window in days after the latest operation; multiplier on the odds inside and outside of it."""

    cause: str
    from_: float
    to: float
    inside: float
    outside: float
    sources: tuple[str, ...] = ()
    expert_estimate: bool = False


class Risk(Strict, frozen=True):
    """when: a finding that is present, or a fact about the operations."""

    when: str
    cause: str
    multiplier: float
    sources: tuple[str, ...] = ()
    expert_estimate: bool = False


class Number(Strict, frozen=True):
    value: float
    basis: Basis


class Needs(Strict, frozen=True):
    """facts: the fact about the operations that each of these causes cannot be without."""

    facts: dict[str, str]
    basis: Basis


class Priors(Strict, frozen=True):
    """cap: on the product of the risk multipliers of a cause, either way. referral: share of the prior spread evenly.

    unknown_operation: least share of a cause that the operations allow, or may allow.
    """

    sizes: Sizes
    cap: Number
    referral: Number
    unknown_operation: Number
    needs: Needs
    course: dict[str, CoursePrior]
    timing: tuple[Timing, ...]
    risk: tuple[Risk, ...]


class Restraint(Strict, frozen=True):
    """What to hold back while acting on a flag. unless: flags that forbid holding it back ("antibiotics without delay")."""

    text: str
    unless: tuple[str, ...]


class RedFlag(Strict, frozen=True):
    """criteria: the three-valued criteria language (see `reasoning.criteria`). row: of the evidence review's flag table."""

    id: str
    name: str
    plain: str
    urgency: Urgency
    suspects: tuple[str, ...]
    action: str
    time_limit: str
    criteria: Any
    basis: Basis
    accuracy: str | None = None
    row: int | None = None
    restraint: Restraint | None = None


class Syndrome(Strict, frozen=True):
    """What a flag may suspect besides a cause: an acute disease that ends the search for the cause of the pain."""

    name: str
    definition: str
    plain: str


class RedFlagFile(Strict, frozen=True):
    """syndromes: by identifier. groups: criteria that flags share, by YAML anchor."""

    syndromes: dict[str, Syndrome]
    flags: tuple[RedFlag, ...]
    groups: dict[str, Any] = {}


class Test(Strict, frozen=True):
    """A diagnostic test. burden: none, minor, moderate, invasive. cost_index: plain lumbar MRI = 1."""

    id: str
    name: str
    plain: str
    step: int
    settles: tuple[str, ...]
    reads: tuple[str, ...]
    burden: Literal["none", "minor", "moderate", "invasive"]
    radiation_msv: tuple[float, float]
    contrast: str
    cost_index: float
    contraindications: tuple[str, ...]
    basis: Basis
    delay: str | None = None
    caveats: tuple[str, ...] = ()


class SourceRow(msgspec.Struct, frozen=True):
    """One published claim. verified: the number was read in the cited page."""

    id: str
    kind: str
    citation: dict[str, Any]
    verified: bool
    statement: str = ""
    cause: str | None = None
    finding: str | None = None
    treatment: str | None = None
    value: Any = None
    population: str | None = None
    note: str | None = None


class Concept(Strict, frozen=True):
    """A thing clinicians name, with the forms they name it by. `is`: broader concepts.

    space: the chapter it belongs to (file `X_terms.yaml` -> X; empty = shared by all), set by the loader.
    """

    id: str
    forms: tuple[str, ...]
    kind: str = ""
    is_: tuple[str, ...] = msgspec.field(default=(), name="is")
    space: str = ""


class Rule(Strict, frozen=True):
    """One way a finding shows in text; see `docs/reading.md`.

    all: each entry is a concept or alternatives "a|b"; all must stand in one clause, in any order, within `within` tokens.
    then: a story over two clauses: `all` is met after the operation, and these are met in a later clause that speaks of now.
    elapsed_below: not when the operation is known to be this many days ago or more.
    unless: findings; the rule gives way where the document states one of them.
    outside: what a number beyond `above` or `below` says; "nothing" where a normal value of it is no denial.
    onset_below: only when the complaint is known to have begun less than this many days after the operation.
    """

    all: tuple[str, ...]
    none: tuple[str, ...] = ()
    within: int = 10
    ordered: bool = False
    setting: tuple[str, ...] = ()
    not_setting: tuple[str, ...] = ()
    relation: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    says: Literal["present", "absent", "uncertain"] = "present"
    value: str | None = None
    above: float | None = None
    below: float | None = None
    unit: str | None = None
    outside: Literal["absent", "nothing"] = "absent"
    tense: Literal["current", "any", "past"] = "current"
    negatable: bool = True
    then: tuple[str, ...] = ()
    onset_below: float | None = None
    elapsed_below: float | None = None
    unless: tuple[str, ...] = ()
    space: str = ""


class Derived(Strict, frozen=True):
    """A finding that follows from the age in years, from an operation of a trait whose levels reach a vertebra, from other findings, or
    from when after the operation a value was measured.

    present, absent: findings that one text must state so; the derived one points at the words of the first of them.
    value_of, value_above: a finding and the value it must exceed. days_after: first and last day after the operation that count.
    """

    finding: str
    age_above: float | None = None
    trait: str | None = None
    reaches: str | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    value_of: str | None = None
    value_above: float = 0.0
    days_after: tuple[float, float] = (0.0, 0.0)


class Lexicon(msgspec.Struct, frozen=True):
    concepts: tuple[Concept, ...]
    rules: dict[str, tuple[Rule, ...]]
    triggers: dict[str, tuple[str, ...]]


SignKind = Literal[
    "needle", "motor", "sensory", "late", "power", "reflex", "tension", "sensation", "pain", "stated", "imaging"
]
"""How a sign of a nerve was found: needle EMG, conduction (motor, sensory, H reflex and F wave), examination, history, named in words, imaging."""


class Site(Strict, frozen=True):
    """A place where a nerve can be hurt. share: of the prior, both sides together. roots: of a root or several roots."""

    id: str
    name: str
    kind: Literal["root", "roots", "nerve", "diffuse", "none"]
    share: float
    roots: tuple[str, ...] = ()


class Structure(Strict, frozen=True):
    """What is examined: a muscle (needle), a conduction, a movement, a reflex, a stretch test, a patch of skin.

    roots: weight of each root, 0..1. nerves: sites that reach it. proven: abnormal and examined in proven lesions of one root.
    root: P(abnormal) of a conduction when a root that feeds it is affected. muscles: of a movement. reach: how far down it lies.
    focal: slows or blocks only in a lesion of its own nerve.
    """

    id: str
    kind: Literal["needle", "motor", "sensory", "late", "power", "reflex", "tension", "area"]
    name: str
    forms: tuple[str, ...]
    basis: Basis
    roots: dict[str, float] = {}
    nerves: tuple[str, ...] = ()
    proven: dict[str, tuple[int, int]] = {}
    root: float | None = None
    muscles: tuple[str, ...] = ()
    reach: Literal["foot", "leg", "thigh"] = "thigh"
    focal: bool = False


class Examination(Strict, frozen=True):
    """P(abnormal) where the lesion reaches and where it does not; trust: weight of one result."""

    abnormal: float
    otherwise: float
    trust: float


class RootLevels(Strict, frozen=True):
    """Segment -> root -> P(that root is the one pressed), in the canal and in the foramen, and the findings that lie there."""

    canal: dict[str, dict[str, float]]
    foramen: dict[str, dict[str, float]]
    in_canal: tuple[str, ...]
    in_foramen: tuple[str, ...]
    misplaced: tuple[str, ...]


class Localisation(Strict, frozen=True):
    """Everything the localiser of nerve lesions knows; see knowledge/localisation.yaml."""

    sites: tuple[Site, ...]
    both_sides: float
    certain: float
    discordant: float
    unstudied: float
    limits: dict[str, float]
    shrink: float
    gain: float
    full: float
    basis: Basis
    examinations: dict[SignKind, Examination]
    length_dependent: dict[str, float]
    structures: tuple[Structure, ...]
    levels: RootLevels


class Effort(Strict, frozen=True):
    """What a test asks of patient and purse, in one unit. per_*: per mSv, per cost index, per day of waiting; contrast, days: by test."""

    start: float
    burden: dict[str, float]
    per_msv: float
    per_cost: float
    per_day: float
    contrast: dict[str, float]
    days: dict[str, float]
    basis: Basis


class Phase(Strict, frozen=True):
    """Tests that come before those of every later phase."""

    id: str
    tests: tuple[str, ...]
    why: str
    basis: Basis


class After(Strict, frozen=True):
    """A test that waits until `first` are done, barred or not worth doing. unless: a criterion that lifts the rule."""

    test: str
    first: tuple[str, ...]
    why: str
    basis: Basis
    unless: Any = None


class Order(Strict, frozen=True):
    """Tests that a raised red flag orders now; when: a further criterion."""

    flag: str
    tests: tuple[str, ...]
    when: Any = None


class Holding(Strict, frozen=True):
    """How a record shows that a test was done: `least` stated findings of these kinds, or of these identifiers."""

    kinds: tuple[Kind, ...] = ()
    findings: tuple[str, ...] = ()
    least: int = 1


class Contraindication(Strict, frozen=True):
    """What bars tests, or their contrast, or asks for caution, where the criterion `when` is met."""

    id: str
    tests: tuple[str, ...]
    when: Any
    blocks: Literal["test", "contrast", "caution"]
    why: str
    basis: Basis


class Workup(Strict, frozen=True):
    """The rules of the next best test; see knowledge/workup.yaml."""

    effort: Effort
    least_bits: Number
    least_worth: Number
    enough: Number
    phases: tuple[Phase, ...]
    after: tuple[After, ...]
    orders: tuple[Order, ...]
    held: dict[str, Holding]
    contraindications: tuple[Contraindication, ...]


class Knowledge(msgspec.Struct, frozen=True):
    """The whole knowledge base, checked. version is the content hash of its YAML files."""

    version: str
    causes: tuple[Cause, ...]
    manifestations: tuple[Manifestation, ...]
    findings: tuple[Finding, ...]
    likelihoods: tuple[Likelihood, ...]
    priors: Priors
    procedures: tuple[Procedure, ...]
    red_flags: tuple[RedFlag, ...]
    tests: tuple[Test, ...]
    lexicon: Lexicon
    derived: tuple[Derived, ...]
    localisation: Localisation | None = None
    workup: Workup | None = None
    syndromes: dict[str, Syndrome] = {}
    missed: dict[str, Missed] = {}
    """By kind of finding: what holds for those that have none of their own."""
