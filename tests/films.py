"""Films of known geometry: landmarks laid out in millimetres, written as pixels of a synthetic DICOM image."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 1400, 800
SPACING = 0.5
ORIGIN = (150.0, 620.0)
"""Where the middle between the femoral heads lies, in millimetres from the left and the top."""

S1 = {"anterior": (-14.466, 95.726), "posterior": (-43.956, 116.375)}
HEADS = [(4.0, 3.0), (-4.0, -3.0)]
"""x forward, y up, from the middle between the heads: the numeric check of the evidence review, which expects PI 50.4, PT 15.4, SS 35.0, TPA 18.7
and SVA 89.0."""
NECK = {"C7": (45.0, 560.0), "T1": (30.0, 520.0)}
TILTS = {"L5": 17.0, "L4": 5.0, "L3": -5.0, "L2": -12.0, "L1": -20.0}
"""Of the upper endplates against the horizontal: L1-S1 is 35 + 20, L4-S1 35 - 5 degrees."""


def plate(middle: tuple[float, float], tilt: float, length: float = 36.0) -> dict[str, tuple[float, float]]:
    """Corners in millimetres; tilt: positive where the front is lower."""
    dx, dy = math.cos(math.radians(tilt)) * length / 2, math.sin(math.radians(tilt)) * length / 2
    return {"anterior": (middle[0] + dx, middle[1] - dy), "posterior": (middle[0] - dx, middle[1] + dy)}


def spine() -> dict[str, Any]:
    """The whole set in millimetres."""
    found: dict[str, Any] = {"femoral_heads": HEADS, "S1": S1, **NECK}
    for i, (name, tilt) in enumerate(TILTS.items()):
        found[name] = {"superior": plate((-20.0, 152.0 + 38.0 * i), tilt)}
    return found


def slipped(slip: float, tilt: float, length: float = 36.0) -> dict[str, Any]:
    """L4 slipped forward on L5 by so many millimetres, its lower endplate tilted against the level L5."""
    lower = plate((0.0, 100.0), 0.0, length)
    back = (lower["posterior"][0] + slip, 110.0)
    angle = math.radians(tilt)
    front = (back[0] + length * math.cos(angle), back[1] - length * math.sin(angle))
    return {
        "L5": {"superior": lower},
        "L4": {"superior": plate((slip, 140.0), 0.0), "inferior": {"anterior": front, "posterior": back}},
    }


def pixels(placed: Any, spacing: tuple[float, float] = (SPACING, SPACING), *, looks_left: bool = False) -> Any:
    """Millimetres to (column, row). spacing: down and across."""
    if isinstance(placed, dict):
        return {name: pixels(part, spacing, looks_left=looks_left) for name, part in placed.items()}
    if isinstance(placed, list):
        return [pixels(part, spacing, looks_left=looks_left) for part in placed]
    x = ORIGIN[0] + (-placed[0] if looks_left else placed[0])
    return [x / spacing[1], (ORIGIN[1] - placed[1]) / spacing[0]]


def dicom(**attributes: Any) -> Dataset:
    """A computed radiograph; attributes of None are left out."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = ComputedRadiographyImageStorage
    image.SOPInstanceUID = generate_uid()
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.Modality = "CR"
    image.PatientName = "Fictional^Patient"
    image.Rows, image.Columns = ROWS, COLUMNS
    image.SamplesPerPixel, image.PixelRepresentation = 1, 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PhotometricInterpretation = "MONOCHROME2"
    ramp = numpy.linspace(0, 4095, ROWS, dtype=numpy.uint16)
    image.PixelData = numpy.repeat(ramp[:, None], COLUMNS, axis=1).tobytes()
    for name, value in attributes.items():
        if value is not None:
            setattr(image, name, value)
    return image


CALIBRATED = {"PixelSpacing": [SPACING, SPACING], "ImagerPixelSpacing": [0.6, 0.6]}


def write_dicom(path: Path, **attributes: Any) -> Path:
    dicom(**attributes).save_as(path, enforce_file_format=True)
    return path


def write_landmarks(path: Path, placed: Any, **how: Any) -> Path:
    path.write_text(json.dumps(pixels(placed, **how)), encoding="utf-8")
    return path
