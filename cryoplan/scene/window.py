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
    Window(name="mediastinum", width=350.0, level=50.0),
    Window(name="vessels", width=600.0, level=200.0),
    Window(name="needles", width=4000.0, level=1000.0),
)
"""Usual CT windows in HU, in the order of the number keys. Source: common radiology practice; the one for
needles is assumed (metal saturates a 12-bit CT at 3071 HU, and a shaft must stand out from bone)."""

_SHARES = (
    ("automatic", 1.0, 99.5),
    ("soft contrast", 0.0, 100.0),
    ("strong contrast", 10.0, 95.0),
    ("dark tissue", 1.0, 80.0),
    ("bright tissue", 40.0, 99.9),
)
"""Windows of images without a unit: from one percentile of the signal to another. Assumed."""


def presets_of(scan: Scan) -> tuple[Window, ...]:
    """Return the windows of the number keys for a scan, the one it opens with first.

    A CT has fixed ones in HU. The values of every other modality have no unit, so that its windows follow
    the percentiles of its own signal.
    """
    if scan.facts.has_hounsfield:
        return WINDOW_PRESETS
    signal = _signal(scan.volume)
    return tuple(_between(name, signal, low, high) for name, low, high in _SHARES)


def default_window(scan: Scan) -> Window:
    """Return the window a scan opens with: soft tissue for CT, automatic for everything else."""
    return WINDOW_PRESETS[0] if scan.facts.has_hounsfield else auto_window(scan.volume)


def auto_window(volume: Volume) -> Window:
    """Return a window from the 1st to the 99.5th percentile of the voxels that differ from the lowest value.

    For MR, whose values have no unit; the lowest value is left out because it is padding in most files.
    At most some 200,000 voxels, evenly spread, are looked at.
    """
    return _between("automatic", _signal(volume), 1.0, 99.5)


def _signal(volume: Volume) -> npt.NDArray[np.float64]:
    values = volume.values
    step = max(1, round((values.size / 200_000) ** (1 / 3)))
    sample = np.asarray(values[::step, ::step, ::step], np.float64)
    sample = sample[np.isfinite(sample)]
    return np.asarray(sample[sample > sample.min()] if sample.size else sample)


def _between(name: str, signal: npt.NDArray[np.float64], low: float, high: float) -> Window:
    dark, bright = np.percentile(signal, (low, high)) if signal.size else (0.0, 1.0)
    width = max(float(bright - dark), 1e-6)
    return Window(name=name, width=width, level=float(dark + bright) / 2.0)


def show_window(width: float, level: float) -> str:
    """Return width and level as the views show them: ``W 400  L 40``, with decimals where they count."""
    digits = 0 if width >= 20.0 else 2 if width >= 0.2 else 5
    return f"W {width:.{digits}f}  L {level:.{digits}f}".replace("-", "\N{MINUS SIGN}")


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
