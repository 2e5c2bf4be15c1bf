"""A proven list of DICOM slices or frames -> their values, held against the headers once they are read."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.image.dicom_header import Header
from cryoplan.image.dicom_kinds import CT_CLASSES
from cryoplan.image.itk import grid_of, hear_itk

Values = npt.NDArray[Any]

_INT16 = np.iinfo(np.int16)
_POSITION_TOLERANCE_MM = 0.05
# Slices may waver by a tenth of a millimetre to either side of their normal, and so may the ends of a part.
_PART_TOLERANCE_MM = 0.25
_VOXELS_AT_ONCE = 8 << 20
_FEWEST_AT_ONCE = 8


def read_slices(headers: Sequence[Header], grid: Grid | None, *, progress: Progress = SILENT) -> Values:
    """Return the rescaled pixels of slices.

    Parameters
    ----------
    headers : sequence of Header
        Slices in the order of the volume; files of one slice each, or frames of enhanced files.
    grid : Grid or None
        Where the headers say that the slices are; None when they are no regular stack and will be repaired.
    progress : Progress
        Asked every few slices whether to go on.

    Returns
    -------
    ndarray, shape (slices, rows, columns)
        int16 where the headers promise whole numbers that fit, and of a CT also where all happen to; else
        float32.

    Raises
    ------
    ImageError
        If they cannot be decoded, or were read to another place or to other values than the headers say.
    Cancelled
        If the caller asked to stop.
    """
    if headers[0].frame is not None:
        return _read_frames(headers)
    values = _read_files(headers, grid, progress)
    if grid is None:
        _check_ends(headers, values)
    else:
        last = grid.index_to_mm((0, 0, len(headers) - 1))
        gap_mm = max(_gap_mm(grid.origin_mm, headers[0]), _gap_mm(last, headers[-1]))
        if gap_mm > 2 * _POSITION_TOLERANCE_MM:
            raise _misplaced(headers[0].path.name, f"{gap_mm:.2f} mm apart")
    return values


def _read_files(headers: Sequence[Header], grid: Grid | None, progress: Progress) -> Values:
    """Read some slices at a time, straight into the volume.

    Measured with 300 x 512 x 512 pixels: one reader for all, and a copy of its image, takes a quarter longer
    and the memory of a second volume. One after the other, although SimpleITK lets other threads run while
    it decodes: GDCM changes one entry of its dictionary in place whenever it meets the creator of a private
    element, whichever thread asks.
    """
    first, fits = headers[0], _fits_int16(headers)
    # Headers of a CT mostly allow more than the pixels use; other images keep the type that they had.
    narrow = fits or first.sop_class in CT_CLASSES
    values: Values = np.empty((len(headers), first.rows, first.columns), np.int16 if narrow else np.float32)
    with hear_itk():
        for start, end in pairwise(_parts_of(headers)):
            check_cancelled(progress)
            part = headers[start:end]
            image = _read_part(part, fits)
            if grid is not None:
                _check_place(part, image, _grid_of(part, grid))
            read = sitk.GetArrayViewFromImage(image)
            if read.shape != values[start:end].shape:
                raise _misplaced(part[0].path.name, "another matrix")
            if fits or not narrow:
                values[start:end] = read
            elif not _became_whole(read, values[start:end]):
                narrow = False
                values = values.astype(np.float32)
                values[start:end] = read
            progress.report(
                ProgressReport(fraction=end / len(headers), text=f"Reading {len(headers)} slices")
            )
    return values


def _read_part(part: Sequence[Header], fits: bool) -> Any:
    reader = _new(sitk.ImageSeriesReader)
    reader.SetFileNames([str(h.path) for h in part])
    reader.SetOutputPixelType(sitk.sitkInt16 if fits else sitk.sitkFloat32)
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise _unreadable(_culprit(part)) from error


def _parts_of(headers: Sequence[Header]) -> list[int]:
    """Return where the parts begin, and the end; none has one slice, which tells no slice distance."""
    at_once = max(_FEWEST_AT_ONCE, _VOXELS_AT_ONCE // max(headers[0].rows * headers[0].columns, 1))
    parts = max(1, round(len(headers) / at_once))
    return [round(n * len(headers) / parts) for n in range(parts + 1)]


def _grid_of(part: Sequence[Header], grid: Grid) -> Grid:
    """Return where the headers of a part say that it lies, which even slices may miss by a little."""
    first_mm, last_mm = (np.array(h.position_mm, float) for h in (part[0], part[-1]))
    step_mm = float((last_mm - first_mm) @ grid.axes[:, 2]) / (len(part) - 1)
    return replace(
        grid,
        size=(*grid.size[:2], len(part)),
        spacing_mm=(*grid.spacing_mm[:2], step_mm),
        origin_mm=(float(first_mm[0]), float(first_mm[1]), float(first_mm[2])),
    )


def _became_whole(read: Values, values: npt.NDArray[np.int16]) -> bool:
    """Copy float32 into int16, slice by slice; False where something would be lost."""
    for here, there in zip(read, values, strict=True):
        if not (_INT16.min <= here.min() and here.max() <= _INT16.max):  # a NaN is in no range
            return False
        np.copyto(there, here, casting="unsafe")
        if not np.array_equal(there, here):
            return False
    return True


def _culprit(headers: Sequence[Header]) -> Path:
    """Return the first of some files that cannot be decoded alone, or the first of them."""
    for header in headers:
        reader = _new(sitk.ImageFileReader)
        reader.SetFileName(str(header.path))
        try:
            reader.Execute()
        except RuntimeError:
            return header.path
    return headers[0].path


def pixel_digest(header: Header) -> bytes:
    """Return the SHA-256 of what the pixels of one slice are made of: equal for equal images.

    Raises
    ------
    ImageError
        If the pixels cannot be read.
    """
    scale = f"{header.slope!r} {header.intercept!r} {header.signed} {header.bits_stored}".encode()
    if header.frame is not None:
        pixels = np.ascontiguousarray(_decode(header.path, header.frame)).tobytes()
        return hashlib.sha256(scale + pixels).digest()
    import pydicom  # slow to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = bytes(pydicom.dcmread(header.path).PixelData)
    except Exception as error:  # a damaged file makes pydicom raise nearly any class
        raise _unreadable(header.path) from error
    return hashlib.sha256(scale + header.syntax.encode() + pixels).digest()


def _execute(reader: Any, path: Path) -> Any:
    try:
        with hear_itk():
            return reader.Execute()
    except RuntimeError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> ImageError:
    return ImageError(
        f"The pixels of {path.name} (in {path.parent.name}) cannot be decoded.",
        "Export the series again, uncompressed or with lossless compression.",
        code="pixels-unreadable",
        place=path.name,
    )


def _check_place(headers: Sequence[Header], image: Any, grid: Grid) -> None:
    place = headers[0].path.name
    difference = grid.difference(grid_of(image, place=place), tolerance_mm=_POSITION_TOLERANCE_MM)
    first_mm = image.TransformIndexToPhysicalPoint((0, 0, 0))
    last_mm = image.TransformIndexToPhysicalPoint((0, 0, len(headers) - 1))
    gap_mm = max(_gap_mm(first_mm, headers[0]), _gap_mm(last_mm, headers[-1]))
    if difference is not None or gap_mm > _PART_TOLERANCE_MM:
        raise _misplaced(place, difference or f"{gap_mm:.2f} mm apart")


def _check_ends(headers: Sequence[Header], values: Values) -> None:
    """Read the first and the last slice alone: they must lie where they say and hold what was stacked."""
    for header, stacked in ((headers[0], values[0]), (headers[-1], values[-1])):
        reader = _new(sitk.ImageFileReader)
        reader.SetFileName(str(header.path))
        reader.SetOutputPixelType(sitk.sitkFloat32)
        image = _execute(reader, header.path)
        gap_mm = _gap_mm(image.GetOrigin(), header)
        if gap_mm > 2 * _POSITION_TOLERANCE_MM:
            raise _misplaced(header.path.name, f"{gap_mm:.2f} mm apart")
        if not np.array_equal(sitk.GetArrayFromImage(image)[0], stacked.astype(np.float32)):
            raise _differs(header)


def _gap_mm(read_mm: npt.ArrayLike, header: Header) -> float:
    return float(np.abs(np.subtract(read_mm, header.position_mm or (np.nan,) * 3)).max())


def _misplaced(place: str, how: str) -> ImageError:
    return ImageError(
        f"The slices at {place} were not read to the places that their headers state ({how}).",
        "Export the series again.",
        code="position-mismatch",
        place=place,
    )


def _differs(header: Header) -> ImageError:
    return ImageError(
        f"Two readers give different pixels for {header.label}.",
        "Export the series again, uncompressed.",
        code="pixels-differ",
        place=header.path.name,
    )


# --- enhanced files ----------------------------------------------------------------------------------------


def _read_frames(headers: Sequence[Header]) -> Values:
    """Decode frames, each with its own scale; a second reader must agree about the first and the last."""
    whole = _fits_int16(headers)
    values = np.empty((len(headers), headers[0].rows, headers[0].columns), np.int16 if whole else np.float32)
    decoded: dict[Path, Values] = {}
    for k, header in enumerate(headers):
        if header.path not in decoded:
            decoded[header.path] = _decode(header.path)
        frames = decoded[header.path]
        frame = frames[header.frame or 0].astype(np.float64) * header.slope + header.intercept
        values[k] = np.rint(frame) if whole else frame
    for header in (headers[0], headers[-1]):
        _second_opinion(header, decoded[header.path][header.frame or 0])
    return values


def _decode(path: Path, frame: int | None = None) -> Values:
    """Return the stored pixels of all frames of a file, or of one: ``(frames, rows, columns)``."""
    from pydicom.pixels.utils import pixel_array

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels: Values = pixel_array(path, raw=True, index=frame)
    except Exception as error:  # no decoder, or damaged: pydicom raises nearly any class
        raise _unreadable(path) from error
    return pixels if pixels.ndim == 3 else pixels[None]


def _second_opinion(header: Header, stored: Values) -> None:
    """Hold one decoded frame against SimpleITK, which scales frames in some classes and in others not."""
    reader = _new(sitk.ImageFileReader)
    reader.SetFileName(str(header.path))
    reader.SetOutputPixelType(sitk.sitkFloat64)
    try:
        with hear_itk():
            read = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        return  # a class that it does not know; pydicom's own decoding then stands alone
    other = read[header.frame or 0]
    scaled = stored * header.slope + header.intercept
    if other.shape == stored.shape and not (np.allclose(other, scaled) or _linear(stored, other)):
        raise _differs(header)


def _linear(stored: Values, other: Values) -> bool:
    """Tell whether `other` is a rescaled `stored`: SimpleITK takes one scale for all frames."""
    low, high = np.argmin(stored), np.argmax(stored)
    span = float(stored.flat[high]) - float(stored.flat[low])
    slope = (other.flat[high] - other.flat[low]) / span if span else 0.0
    fitted = other.flat[low] + (stored.astype(np.float64) - float(stored.flat[low])) * slope
    return bool(np.allclose(fitted, other, atol=1e-3) and (slope > 0 or span == 0))


def _new(kind: Any) -> Any:
    """Make a SimpleITK object; its classes are typed in part only."""
    return kind()


def _fits_int16(headers: Sequence[Header]) -> bool:
    """Tell from the headers whether every rescaled pixel is a whole number within int16."""
    for h in headers:
        if h.slope != round(h.slope) or h.intercept != round(h.intercept):
            return False
        low, high = (
            (-(2 ** (h.bits_stored - 1)), 2 ** (h.bits_stored - 1)) if h.signed else (0, 2**h.bits_stored)
        )
        ends = sorted((low * h.slope + h.intercept, (high - 1) * h.slope + h.intercept))
        if ends[0] < _INT16.min or ends[1] > _INT16.max:
            return False
    return True
