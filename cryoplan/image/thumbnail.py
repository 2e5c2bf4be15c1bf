"""A small grey picture of the middle slice of a series, the way round in which it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.image.dicom_frames import frames_of
from cryoplan.image.dicom_header import Header, read_header
from cryoplan.image.dicom_pixels import read_slices
from cryoplan.image.itk import hear_itk
from cryoplan.image.series import SeriesDescription

LONGEST_SIDE = 128
MOST_VOXELS = 100_000_000
"""A packed file of more voxels would have to be unpacked whole for one slice: no picture then."""

_CT_HU = (-160.0, 240.0)
_SHARE = (1.0, 99.0)

Picture = npt.NDArray[np.uint8]
_Found = tuple[Any, Any, Any, tuple[float, ...]]


def thumbnail(series: SeriesDescription, *, longest_side: int = LONGEST_SIDE) -> Picture | None:
    """Return the middle slice as grey levels, or None where there is no picture to be had.

    An axial slice has the patient's left on the right and the back below; a coronal or sagittal one has the
    head on top.

    Parameters
    ----------
    series : SeriesDescription
        Of `describe`; its files must still be there.
    longest_side : int
        In pixels; the shape is that of the patient, not that of the pixels.

    Returns
    -------
    ndarray of uint8, shape (rows, columns), or None
    """
    if not series.middle:
        return None
    try:
        path = Path(series.middle)
        found = _of_volume(path, series) if series.kind != "dicom-series" else _of_dicom(path, series)
    except (ImageError, RuntimeError, OSError, MemoryError):
        return None
    if found is None:
        return None
    values, across, down, spacing_mm = found
    values, spacing_mm = _upright(values, across, down, spacing_mm)
    return _grey(values, spacing_mm, series.modality, longest_side)


def _of_dicom(path: Path, series: SeriesDescription) -> _Found | None:
    header: Header | None = read_header(path)
    if header is not None and series.middle_frame is not None:
        header = next((h for h in frames_of(header) if h.frame == series.middle_frame), None)
    if header is None or header.pixels_missing or header.samples != 1:
        return None
    if header.frames > 1 or header.rows * header.columns > MOST_VOXELS:
        return None
    values = read_slices([header], None)[0]
    return (
        values,
        header.row or (1.0, 0.0, 0.0),
        header.column or (0.0, 1.0, 0.0),
        header.pixel_spacing_mm or (1.0, 1.0),
    )


def _of_volume(path: Path, series: SeriesDescription) -> _Found | None:
    grid = series.grid
    if grid is None or int(np.prod(grid.size)) > MOST_VOXELS:
        return None
    kind: Any = sitk.ImageFileReader
    reader = kind()
    reader.SetFileName(str(path))
    # Across the axis nearest to head and feet, so that the picture is axial.
    through = int(np.argmax(np.abs(grid.axes[2])))
    index, size = [0, 0, 0], list(grid.size)
    index[through], size[through] = grid.size[through] // 2, 1
    with hear_itk():
        reader.ReadImageInformation()
        if reader.GetDimension() != 3:
            return None
        reader.SetExtractIndex(index)
        reader.SetExtractSize(size)
        values = sitk.GetArrayFromImage(reader.Execute())
    plane = values.take(0, axis=2 - through)
    a, b = (axis for axis in range(3) if axis != through)  # a runs along the columns of `plane`, b its rows
    return plane, grid.axes[:, a], grid.axes[:, b], (grid.spacing_mm[a], grid.spacing_mm[b])


def _upright(
    values: Any, across: Any, down: Any, spacing_mm: tuple[float, ...]
) -> tuple[Any, tuple[float, ...]]:
    """Turn a picture by quarters and flips only, so that every pixel stays what it is."""
    across, down = np.asarray(across, float), np.asarray(down, float)
    # Head and feet belong up and down; in an axial slice front and back do.
    if abs(across[2]) > 0.7 or (abs(across[1]) > 0.7 and abs(down[0]) > 0.7):
        values, across, down, spacing_mm = values.T, down, across, (spacing_mm[1], spacing_mm[0])
    right = across[0] if abs(across[0]) >= abs(across[1]) else across[1]
    below = down[1] if abs(down[1]) >= abs(down[2]) else -down[2]
    if right < 0:
        values = values[:, ::-1]
    return (values[::-1] if below < 0 else values), spacing_mm


def _grey(values: Any, spacing_mm: tuple[float, ...], modality: str, longest_side: int) -> Picture:
    rows, columns = values.shape
    width_mm, height_mm = columns * spacing_mm[0], rows * spacing_mm[1]
    scale = longest_side / max(width_mm, height_mm)
    height, width = max(round(height_mm * scale), 1), max(round(width_mm * scale), 1)
    small = _shrunk(np.asarray(values, np.float32), height, width)
    is_ct = modality == "CT" or (not modality and float(small.min()) <= -500.0)
    low, high = _CT_HU if is_ct else (float(p) for p in np.percentile(small, _SHARE))
    grey = (small - low) / max(high - low, 1e-6)
    return np.asarray(np.clip(np.nan_to_num(grey), 0.0, 1.0) * 255.0, np.uint8)


def _shrunk(values: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    """Return means of blocks where there are more pixels than wanted, else the nearest pixels."""
    for axis, wanted in ((0, height), (1, width)):
        block = max(values.shape[axis] // wanted, 1)
        count = values.shape[axis] // block
        values = np.take(values, range(count * block), axis)
        shape = (count, block, values.shape[1]) if axis == 0 else (values.shape[0], count, block)
        values = values.reshape(shape).mean(axis=axis + 1)
        values = np.take(values, ((np.arange(wanted) + 0.5) * count / wanted).astype(int), axis)
    return values
