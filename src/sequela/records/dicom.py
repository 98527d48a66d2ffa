"""One image from a DICOM file: its pixels for drawing, and what a pixel measures.

What counts as calibrated follows PS3.3 C.7.6.1.1.5 and 10.7: `PixelSpacing` that differs from `ImagerPixelSpacing`, or says how it was calibrated, is
in the patient; equal to it, or alone of the two `ImagerPixelSpacing`, is at the detector, where everything looks larger. Without any, no lengths.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sequela.case.landmarks import PixelScale

if TYPE_CHECKING:
    import numpy
    from pydicom import Dataset

    Pixels = numpy.ndarray[Any, numpy.dtype[numpy.uint8]]

_PROJECTIONS = frozenset({"CR", "DX", "RF", "XA", "RG"})
"""Modalities that cast a shadow on a detector, so that size depends on distance."""
_SAME = 1e-3
"""Relative difference below which two spacings are one."""


class NotAnImage(ValueError):
    """The file holds no image that can be measured; the text says why and what to do."""


class Film(msgspec.Struct, frozen=True):
    """pixels: rows x columns, 0 black to 255 white. calibration: one line on where lengths come from, or why there are none. age: in years."""

    pixels: Any
    scale: PixelScale
    calibration: str
    age: float | None = None

    @property
    def columns(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def rows(self) -> int:
        return int(self.pixels.shape[0])


def read_film(path: Path) -> Film:
    """The image of a file. Raises NotAnImage."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        dataset = dcmread(path)
        pixels = _pixels(dataset)
        scale, calibration = calibrated(dataset)
    except InvalidDicomError:
        raise NotAnImage(f"{path}: is not a DICOM file; export the film as DICOM") from None
    except OSError as error:
        raise NotAnImage(f"{path}: cannot be read ({error.strerror or 'damaged'}); name a DICOM image") from None
    except NotAnImage as error:
        raise NotAnImage(f"{path}: {error}") from None
    except (AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:160]
        raise NotAnImage(f"{path}: its image cannot be read ({said}); export it uncompressed") from None
    return Film(pixels, scale, calibration, _age(dataset))


def _pixels(dataset: Dataset) -> Pixels:
    """Stretched to 0..255 as the file wants it shown."""
    import numpy
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    if "PixelData" not in dataset:
        raise NotAnImage("holds no image; name the file of the film itself")
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        raise NotAnImage(f"holds {dataset.NumberOfFrames} images; export the one film")
    raw = dataset.pixel_array
    if raw.ndim == 3:
        return numpy.asarray(raw.mean(axis=2), dtype=numpy.uint8)
    shown = numpy.asarray(apply_voi_lut(apply_modality_lut(raw, dataset), dataset), dtype=float)
    low, high = float(shown.min()), float(shown.max())
    grey = (shown - low) * (255.0 / (high - low) if high > low else 0.0)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255.0 - grey
    return numpy.asarray(grey.round(), dtype=numpy.uint8)


def calibrated(dataset: Dataset) -> tuple[PixelScale, str]:
    """What a pixel measures, and one line that says where it comes from."""
    spacing, detector = _spacing(dataset, "PixelSpacing"), _spacing(dataset, "ImagerPixelSpacing")
    scanned = _spacing(dataset, "NominalScannedPixelSpacing")
    if spacing and (dataset.get("PixelSpacingCalibrationType") or (detector and not _alike(spacing, detector))):
        return _scale(spacing), "calibrated: PixelSpacing is in the patient"
    if spacing and not detector:
        if dataset.get("Modality") not in _PROJECTIONS:
            return _scale(spacing), "calibrated: PixelSpacing"
        note = "PixelSpacing does not say whether it allows for magnification; lengths may be too large"
        return _scale(spacing, magnified=True), note
    if plane := spacing or detector:
        return _at_the_detector(plane, _magnification(dataset))
    if scanned:
        note = "the spacing is of the scanned film; lengths are too large by an unknown magnification"
        return _scale(scanned, magnified=True), note
    return _proportions(dataset), "not calibrated (no PixelSpacing): no lengths, angles and percentages only"


def _at_the_detector(spacing: tuple[float, float], magnification: float | None) -> tuple[PixelScale, str]:
    if magnification:
        down, across = spacing[0] / magnification, spacing[1] / magnification
        return _scale((down, across)), f"calibrated: ImagerPixelSpacing over a magnification of {magnification:g}"
    note = "the spacing is at the detector (ImagerPixelSpacing); lengths are too large by an unknown magnification"
    return _scale(spacing, magnified=True), note


def _magnification(dataset: Dataset) -> float | None:
    """The stated factor, else that of the distances of detector and patient from the source."""
    stated = _positive(dataset.get("EstimatedRadiographicMagnificationFactor"))
    if stated:
        return stated
    detector, patient = (_positive(dataset.get(f"DistanceSourceTo{what}")) for what in ("Detector", "Patient"))
    return detector / patient if detector and patient and detector >= patient else None


def _spacing(dataset: Dataset, name: str) -> tuple[float, float] | None:
    """Down and across in millimetres; None where it is absent or no spacing."""
    found = dataset.get(name)
    if found is None or isinstance(found, str) or not hasattr(found, "__len__") or len(found) != 2:
        return None
    down, across = (_positive(part) for part in found)
    return (down, across) if down and across else None


def _positive(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(math.isclose(a, b, rel_tol=_SAME) for a, b in zip(one, other, strict=True))


def _scale(spacing: tuple[float, float], *, magnified: bool = False) -> PixelScale:
    return PixelScale(across=spacing[1], down=spacing[0], millimetres=True, magnified=magnified)


def _proportions(dataset: Dataset) -> PixelScale:
    """Even without millimetres angles need to know whether pixels are square (PixelAspectRatio: height to width)."""
    ratio = _spacing(dataset, "PixelAspectRatio") or (1.0, 1.0)
    return PixelScale(across=ratio[1], down=ratio[0])


def _age(dataset: Dataset) -> float | None:
    """PatientAge "064Y"; in months, weeks or days it is no patient of ours."""
    written = str(dataset.get("PatientAge") or "")
    return float(written[:-1]) if written.endswith("Y") and written[:-1].isdigit() else None
