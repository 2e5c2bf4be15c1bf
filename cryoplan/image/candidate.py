"""Candidate: which series of a description is most likely meant for planning."""

from __future__ import annotations

import re

import numpy as np

from cryoplan.image.series import PathDescription, SeriesDescription

# The phase in which a liver lesion and its vessels are seen best comes first; names as scanners write them.
_PHASES = (
    re.compile(r"\b(portal|pv|venous|ven|venös)\b", re.I),
    re.compile(r"\b(late|delayed|nephro\w*|arterial|art)\b", re.I),
)
_NATIVE = re.compile(r"\b(native|nativ|unenhanced|non[- ]?contrast|without contrast|nc|w/?o)\b", re.I)
_FEW_SLICES = 15
_THICK_MM = 5.0


def best_candidate(found: PathDescription) -> int | None:
    """Return the number of the series that a dialog proposes, None when none can be opened."""
    usable = [n for n, s in enumerate(found.series) if s.is_usable]
    return max(usable, key=lambda n: (_merit(found.series[n]), -n), default=None)


def opens_without_question(found: PathDescription) -> bool:
    """Tell whether just one image can be meant, and nothing was found that needs a look.

    Localizers, reports, segmentations and the like beside it are no reason to ask; another CT or MR series
    is, also one that is refused: it may be the one that was meant.
    """
    images = [s for s in found.series if s.kind not in ("dicom-seg", "rtstruct", "dicom-other")]
    images = [s for s in images if not s.what]
    return len(images) == 1 and images[0].verdict == "ok" and not any(f.level.rank for f in found.findings)


def _merit(series: SeriesDescription) -> tuple[float, ...]:
    """Compare by what spoils a plan most: what it is, then a repair, phase, direction and thickness."""
    grid = series.grid
    axial = bool(grid is not None and abs(grid.axes[2, 2]) > 0.9)
    step_mm = float(np.max(grid.spacing_mm)) if grid is not None else 99.0
    slices = grid.size[2] if grid is not None else 0
    return (
        float(not series.what),
        float(slices >= _FEW_SLICES),
        float(series.verdict == "ok"),
        float(series.modality == "CT"),
        _phase(series),
        float(axial),
        -max(step_mm, _THICK_MM),
        -step_mm,
        float(slices),
    )


def _phase(series: SeriesDescription) -> float:
    words = f"{series.description} {series.part}".replace("_", " ")
    if _NATIVE.search(words):
        return 0.0
    for merit, pattern in zip((3.0, 2.0), _PHASES, strict=True):
        if pattern.search(words):
            return merit
    return 1.5 if series.has_contrast else 1.0
