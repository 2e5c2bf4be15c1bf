"""Grey windows: the usual ones of each modality, and how a window turns values into grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Grey window: `width` values around `level` go from black to white."""

    name: str
    width: float
    level: float


WINDOW_PRESETS = (
    Window(name="soft tissue", width=400.0, level=40.0),
    Window(name="liver", width=150.0, level=90.0),
    Window(name="lung", width=1500.0, level=-600.0),
    Window(name="bone", width=1800.0, level=400.0),
    Window(name="brain", width=80.0, level=40.0),
)
"""Usual CT windows in HU, in the order of the number keys. Source: common radiology practice."""


def auto_window(volume: Volume) -> Window:
    """Return a window from the 1st to the 99.5th percentile of the voxels that differ from the lowest value.

    For MR, whose values have no unit; the lowest value is left out because it is padding in most files.
    At most some 200,000 voxels, evenly spread, are looked at.
    """
    values = volume.values
    step = max(1, round((values.size / 200_000) ** (1 / 3)))
    sample = np.asarray(values[::step, ::step, ::step], np.float64)
    sample = sample[np.isfinite(sample)]
    signal = sample[sample > sample.min()] if sample.size else sample
    low, high = np.percentile(signal, (1.0, 99.5)) if signal.size else (0.0, 1.0)
    width = max(float(high - low), 1e-6)
    return Window(name="auto", width=width, level=float(low + high) / 2.0)


def default_window(scan: Scan) -> Window:
    """Return the window a scan opens with: soft tissue for CT, automatic for everything else."""
    return WINDOW_PRESETS[0] if scan.facts.has_hounsfield else auto_window(scan.volume)


def window_to_gray(values: npt.NDArray[Any], window: float, level: float) -> npt.NDArray[np.uint8]:
    """Map voxel values to grey, 0 black to 255 white, in an array of its own.

    DICOM PS3.3 C.11.2.1.3.2 (LINEAR_EXACT): ``255 ((x - level) / window + 0.5)``, clipped.

    Raises
    ------
    ValueError
        If `window` is not positive.
    """
    if not window > 0:
        raise ValueError(f"a grey window needs a positive width, not {window}")
    gray = np.asarray(values, np.float32) * np.float32(255.0 / window)
    gray += np.float32(255.0 * (0.5 - level / window) + 0.5)
    np.clip(gray, 0.0, 255.0, out=gray)
    # NaN, where a field has no value, is black.
    if values.dtype.kind == "f":
        np.nan_to_num(gray, copy=False)
    return gray.astype(np.uint8)
