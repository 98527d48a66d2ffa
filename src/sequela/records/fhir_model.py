"""FHIR R4 resources, only the fields that are read. Everything is optional: real records leave out what the standard requires."""

from __future__ import annotations

import msgspec


class Partial(msgspec.Struct, frozen=True, gc=False):
    """Base of all: unknown fields are skipped while decoding, which is what keeps large bundles small."""


class Meta(Partial, frozen=True, gc=False):
    lastUpdated: str | None = None


class Head(Partial, frozen=True, gc=False):
    """The first look at a resource."""

    resourceType: str | None = None
    id: str | None = None
    meta: Meta | None = None


class Entry(Partial, frozen=True, gc=False):
    fullUrl: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class Bundle(Partial, frozen=True, gc=False):
    entry: tuple[Entry | None, ...] | None = None


class Coding(Partial, frozen=True, gc=False):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Partial, frozen=True, gc=False):
    coding: tuple[Coding, ...] | None = None
    text: str | None = None


class Identifier(Partial, frozen=True, gc=False):
    value: str | None = None


class Reference(Partial, frozen=True, gc=False):
    reference: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class Period(Partial, frozen=True, gc=False):
    start: str | None = None
    end: str | None = None


class Quantity(Partial, frozen=True, gc=False):
    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Range(Partial, frozen=True, gc=False):
    low: Quantity | None = None
    high: Quantity | None = None


class Annotation(Partial, frozen=True, gc=False):
    text: str | None = None


class Narrative(Partial, frozen=True, gc=False):
    div: str | None = None


class Attachment(Partial, frozen=True, gc=False):
    contentType: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None
    creation: str | None = None


class HumanName(Partial, frozen=True, gc=False):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] | None = None


class Resource(Partial, frozen=True, gc=False):
    id: str | None = None
    status: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None


class Patient(Resource, frozen=True, gc=False):
    identifier: tuple[Identifier, ...] | None = None
    name: tuple[HumanName, ...] | None = None
    gender: str | None = None
    birthDate: str | None = None


class Condition(Resource, frozen=True, gc=False):
    clinicalStatus: Concept | str | None = None
    verificationStatus: Concept | str | None = None
    code: Concept | None = None
    bodySite: tuple[Concept, ...] | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementBoolean: bool | None = None
    recordedDate: str | None = None
    note: tuple[Annotation, ...] | None = None


class FocalDevice(Partial, frozen=True, gc=False):
    manipulated: Reference | None = None


class Procedure(Resource, frozen=True, gc=False):
    code: Concept | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    performedString: str | None = None
    bodySite: tuple[Concept, ...] | None = None
    complication: tuple[Concept, ...] | None = None
    usedCode: tuple[Concept, ...] | None = None
    focalDevice: tuple[FocalDevice, ...] | None = None
    note: tuple[Annotation, ...] | None = None


class Component(Partial, frozen=True, gc=False):
    code: Concept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: Concept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueRange: Range | None = None
    valueDateTime: str | None = None
    interpretation: tuple[Concept, ...] | Concept | None = None


class Observation(Resource, frozen=True, gc=False):
    category: tuple[Concept, ...] | None = None
    code: Concept | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    bodySite: Concept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: Concept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueRange: Range | None = None
    valueDateTime: str | None = None
    interpretation: tuple[Concept, ...] | Concept | None = None
    component: tuple[Component, ...] | None = None
    note: tuple[Annotation, ...] | None = None


class DiagnosticReport(Resource, frozen=True, gc=False):
    category: tuple[Concept, ...] | None = None
    code: Concept | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    conclusion: str | None = None
    conclusionCode: tuple[Concept, ...] | None = None
    presentedForm: tuple[Attachment, ...] | None = None
    text: Narrative | None = None


class Content(Partial, frozen=True, gc=False):
    attachment: Attachment | None = None


class RelatesTo(Partial, frozen=True, gc=False):
    code: str | None = None
    target: Reference | None = None


class DocumentReference(Resource, frozen=True, gc=False):
    docStatus: str | None = None
    type: Concept | None = None
    category: tuple[Concept, ...] | None = None
    date: str | None = None
    description: str | None = None
    content: tuple[Content, ...] | None = None
    relatesTo: tuple[RelatesTo, ...] | None = None


class Binary(Partial, frozen=True, gc=False):
    id: str | None = None
    contentType: str | None = None
    data: str | None = None


class Section(Partial, frozen=True):
    title: str | None = None
    code: Concept | None = None
    text: Narrative | None = None
    section: tuple[Section, ...] | None = None


class Composition(Resource, frozen=True):
    type: Concept | None = None
    title: str | None = None
    date: str | None = None
    section: tuple[Section, ...] | None = None


class Medication(Partial, frozen=True, gc=False):
    id: str | None = None
    code: Concept | None = None


class Repeat(Partial, frozen=True, gc=False):
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None


class Timing(Partial, frozen=True, gc=False):
    repeat: Repeat | None = None


class Dosage(Partial, frozen=True, gc=False):
    text: str | None = None
    timing: Timing | None = None
    route: Concept | None = None


class Dispense(Partial, frozen=True, gc=False):
    validityPeriod: Period | None = None
    numberOfRepeatsAllowed: int | None = None
    expectedSupplyDuration: Quantity | None = None


class MedicationUse(Resource, frozen=True, gc=False):
    """MedicationRequest, -Statement, -Administration and -Dispense, whose fields do not contradict each other."""

    intent: str | None = None
    doNotPerform: bool | None = None
    contained: tuple[msgspec.Raw, ...] | None = None
    medicationCodeableConcept: Concept | None = None
    medicationReference: Reference | None = None
    authoredOn: str | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    whenHandedOver: str | None = None
    daysSupply: Quantity | None = None
    dosageInstruction: tuple[Dosage, ...] | None = None
    dosage: tuple[Dosage, ...] | Dosage | None = None
    dispenseRequest: Dispense | None = None
    note: tuple[Annotation, ...] | None = None


class Answer(Partial, frozen=True):
    valueBoolean: bool | None = None
    valueDecimal: float | None = None
    valueInteger: int | None = None
    valueDate: str | None = None
    valueDateTime: str | None = None
    valueString: str | None = None
    valueCoding: Coding | None = None
    valueQuantity: Quantity | None = None
    item: tuple[Item, ...] | None = None


class Item(Partial, frozen=True):
    linkId: str | None = None
    text: str | None = None
    answer: tuple[Answer, ...] | None = None
    item: tuple[Item, ...] | None = None


class QuestionnaireResponse(Resource, frozen=True):
    questionnaire: str | None = None
    authored: str | None = None
    item: tuple[Item, ...] | None = None


class Series(Partial, frozen=True, gc=False):
    modality: Coding | None = None
    description: str | None = None
    bodySite: Coding | None = None


class ImagingStudy(Resource, frozen=True, gc=False):
    started: str | None = None
    description: str | None = None
    modality: tuple[Coding, ...] | None = None
    procedureCode: tuple[Concept, ...] | None = None
    series: tuple[Series, ...] | None = None
    note: tuple[Annotation, ...] | None = None


class DeviceName(Partial, frozen=True, gc=False):
    name: str | None = None


class Device(Resource, frozen=True, gc=False):
    type: Concept | None = None
    deviceName: tuple[DeviceName, ...] | None = None
    modelNumber: str | None = None
    manufacturer: str | None = None
    note: tuple[Annotation, ...] | None = None
