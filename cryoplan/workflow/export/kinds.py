"""Kinds: what can be exported, by the words of ``export --only``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryoplan.core.errors import CryoplanError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One word of ``--only``.

    Attributes
    ----------
    name : str
    title : str
        What the window calls it.
    files : tuple of str
        Files and folders that it may write, as patterns; no two kinds share one.
    is_dicom : bool
        True when it belongs into the study of the scan and so needs the scan's own DICOM files.
    """

    name: str
    title: str
    files: tuple[str, ...]
    is_dicom: bool = False


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name="pdf", title="Plan PDF", files=("plan.pdf",)),
        Kind(name="sheet", title="CT-room sheet (PDF)", files=("room_sheet.pdf",)),
        Kind(name="seg", title="SEG: structures, isotherms", files=("seg.dcm",), is_dicom=True),
        Kind(
            name="rtstruct",
            title="RTSTRUCT: the same, and probes",
            files=("rtstruct.dcm",),
            is_dicom=True,
        ),
        Kind(
            name="sr",
            title="Structured report: measurements",
            files=("measurements.dcm",),
            is_dicom=True,
        ),
        Kind(name="dicompdf", title="Plan PDF and sheet", files=("*_pdf.dcm",), is_dicom=True),
        Kind(name="keyimages", title="Key images", files=("key_*.dcm",), is_dicom=True),
        Kind(name="nifti", title="NIfTI: masks, temperatures", files=("nifti",)),
        Kind(name="nrrd", title="NRRD, seg.nrrd: the same", files=("nrrd",)),
        Kind(name="stl", title="STL: surfaces", files=("stl",)),
        Kind(name="ply", title="PLY: surfaces", files=("ply",)),
        Kind(name="obj", title="OBJ: surfaces", files=("obj",)),
        Kind(name="markups", title="3D Slicer markups: probes", files=("markups",)),
        Kind(name="csv", title="CSV and JSON: every number", files=("numbers",)),
        Kind(name="movie", title="Pictures and film of the ice", files=("movie",)),
    )
}

DICOM_KINDS = tuple(kind.name for kind in KINDS.values() if kind.is_dicom)


def kinds_named(words: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of some words in the order of `KINDS`; all where none is named.

    Raises
    ------
    CryoplanError
        If a word is none of them.
    """
    wanted = [word.strip().lower() for word in words if word.strip()]
    for word in wanted:
        if word not in KINDS:
            raise CryoplanError(
                f"There is no export called {word!r}.",
                f"Choose among {', '.join(KINDS)}.",
                code="export-unknown",
                place="--only",
            )
    return tuple(name for name in KINDS if not wanted or name in wanted)
