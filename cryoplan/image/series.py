"""What an image file or a folder is: series, geometry, findings.

Reads headers, and pixels only of DICOM slices that lie at one place: whether they are copies shows nowhere
else. The first two that differ end that look.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.archive_scan import description_of_archive, inside
from cryoplan.image.dicom_choice import look_at
from cryoplan.image.dicom_disc import folder_of
from cryoplan.image.dicom_header import Header, files_below, unheard
from cryoplan.image.dicom_kinds import LABELMAP_SEG, RTSTRUCT, SEG, kind_in_words
from cryoplan.image.dicom_left_out import left_out
from cryoplan.image.dicom_stack import Stack
from cryoplan.image.formats import DICOM, VOLUME_KINDS, ZIP, kind_of, not_an_image
from cryoplan.image.itk import grid_of, hear_itk
from cryoplan.image.label_names import stem_of
from cryoplan.image.path_check import UNREADABLE_NAME, check_path, name_trouble, shown_name
from cryoplan.image.verdict import REFUSED, refusal, verdict
from cryoplan.image.volume_header import proven_grid, read_raw_header

_NO_IMAGES = ("dicom-seg", "rtstruct", "dicom-other")
_LABELS = re.compile(r"(^|[_\W])(labels?|masks?|seg|segmentations?)([_\W]|$)", re.I)

_DICOM_KINDS = {SEG: "dicom-seg", LABELMAP_SEG: "dicom-seg", RTSTRUCT: "rtstruct"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDescription:
    """One series or image file.

    Attributes
    ----------
    kind : str
        ``dicom-series``, ``dicom-seg``, ``rtstruct``, ``dicom-other``, ``nifti``, ``nrrd`` or ``metaimage``.
    path : str
        File, or folder of the first slice.
    uid, modality, description, patient_position : str
        As in the header, empty when it says nothing.
    images : int
        Number of files.
    grid : Grid or None
        Where the voxels are; None when that could not be settled.
    gantry_tilt_deg : float or None
        As stated in the header.
    findings : tuple of Finding
        What the check found.
    patient_code, study_uid, study_description, studied_on : str
        Pseudonym of the patient, and the examination; empty for files that are not DICOM.
    series_number, part : str
        Number in the examination, and which of several volumes of one series this is.
    acquired_on : str
        ISO date, empty when unknown.
    thickness_mm : float or None
        As in the header; may differ from the slice distance.
    has_contrast : bool
        True when the header names a contrast agent.
    what : str
        For what is not made for planning: what it is, in words with an article; else empty.
    folder : str
        The lowest folder that holds all files of a DICOM series; empty for other files.
    middle, middle_frame : str, int or None
        File (and frame) of the middle slice, for a small picture; empty where there is none.
    """

    kind: str
    path: str
    uid: str = ""
    modality: str = ""
    description: str = ""
    patient_position: str = ""
    images: int = 1
    grid: Grid | None = None
    gantry_tilt_deg: float | None = None
    findings: tuple[Finding, ...] = field(default=())
    patient_code: str = ""
    study_uid: str = ""
    study_description: str = ""
    studied_on: str = ""
    series_number: str = ""
    part: str = ""
    acquired_on: str = ""
    thickness_mm: float | None = None
    has_contrast: bool = False
    what: str = ""
    folder: str = ""
    middle: str = ""
    middle_frame: int | None = None

    @property
    def is_usable(self) -> bool:
        """True when it can be opened as an image, if need be after a yes."""
        return self.verdict != REFUSED and self.kind not in _NO_IMAGES

    @property
    def verdict(self) -> str:
        """``ok``, ``warn`` or ``refused``."""
        return verdict(self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's object; geometry is null where it could not be settled."""
        grid = self.grid
        return {
            "uid": self.uid,
            "kind": self.kind,
            "path": self.path,
            "modality": self.modality,
            "description": self.description,
            "patient_position": self.patient_position,
            "images": self.images,
            "size": list(grid.size) if grid else None,
            "spacing_mm": list(grid.spacing_mm) if grid else None,
            "origin_mm": list(grid.origin_mm) if grid else None,
            "direction": list(grid.direction) if grid else None,
            "gantry_tilt_deg": self.gantry_tilt_deg,
            "findings": [f.to_json() for f in self.findings],
            "verdict": self.verdict,
        }

    def to_text(self) -> str:
        """Return a few lines for a person."""
        title = self.description or self.uid or "no description"
        lines = [f"{self.modality or self.kind}: {title} [{self.verdict}]"]
        if self.uid:
            lines.append(f"  series    {self.uid}")
        if self.images > 1:
            lines.append(f"  files     {self.images} in {self.path}")
        if self.grid is not None:
            size = " x ".join(str(n) for n in self.grid.size)
            spacing = " x ".join(f"{s:.4g}" for s in self.grid.spacing_mm)
            origin = ", ".join(f"{x:.1f}" for x in self.grid.origin_mm)
            lines.append(f"  voxels    {size}, {spacing} mm, first at ({origin}) mm LPS")
            lines.append(f"  axes      {_axes_in_words(self.grid)}")
        if self.patient_position:
            lines.append(f"  position  {self.patient_position}")
        if self.gantry_tilt_deg:
            lines.append(f"  tilt      {self.gantry_tilt_deg:g} degrees")
        lines.extend(f"  {f.level.value:<9} {f.text} [{f.code}]" for f in self.findings)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDescription:
    """What a path is.

    Attributes
    ----------
    path : str
        As given.
    kind : str
        The kind of its series when all are of one kind, ``folder`` when they differ.
    series : tuple of SeriesDescription
        In the order of their first files.
    findings : tuple of Finding
        About the path as a whole.
    """

    path: str
    kind: str
    series: tuple[SeriesDescription, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return the object of ``info --json``."""
        return {
            "path": self.path,
            "kind": self.kind,
            "series": [s.to_json() for s in self.series],
            "findings": [f.to_json() for f in self.findings],
        }

    def to_text(self) -> str:
        """Return the lines of ``info`` for a person."""
        lines = [f"{self.path}: {self.kind}, {len(self.series)} series"]
        lines.extend(series.to_text() for series in self.series)
        lines.extend(f"{f.level.value}: {f.text} [{f.code}]" for f in self.findings)
        return "\n".join(lines)


def describe(
    path: Path, *, progress: Progress = SILENT, each: Callable[[Header], None] = unheard
) -> PathDescription:
    """Say what a file or folder is, from headers alone (but for slices at one place).

    Parameters
    ----------
    path : Path
        Image file, folder, DICOMDIR of a disc (its folder is meant) or zip.
    each : callable
        Told each DICOM header of a folder as soon as it is read.

    Raises
    ------
    ImageError
        If the path is not there, is no image, or its folder holds none.
    """
    path = Path(path)
    check_path(path)
    path = folder_of(path)
    if path.is_dir():
        return _describe_folder(path, progress, each)
    kind = kind_of(path)
    if kind == ZIP:
        with inside(path, progress) as content:
            return description_of_archive(describe(content, progress=progress, each=each), content, path)
    if kind == DICOM:
        folder = look_at(path, progress=progress)
        series = tuple(_describe_stack(stack, folder.stacks) for stack in folder.stacks)
        return PathDescription(path=str(path), kind=_common(series), series=series, findings=folder.findings)
    if kind:
        one = _describe_file(path, kind)
        return PathDescription(path=str(path), kind=kind, series=(one,))
    raise not_an_image(path)


def _describe_folder(path: Path, progress: Progress, each: Callable[[Header], None]) -> PathDescription:
    folder = look_at(path, progress=progress, each=each)
    series = [_describe_stack(stack, folder.stacks) for stack in folder.stacks]
    for file in files_below(path):
        try:
            kind = kind_of(file)
        except ImageError:  # it cannot be opened: the look at the folder has named it
            continue
        if kind in VOLUME_KINDS:
            series.append(_describe_file(file, kind))
    if not series:
        if folder.findings:
            raise refusal(folder.findings[0])
        raise ImageError(
            f"The folder {path.name} is empty."
            if not any(path.iterdir())
            else f"The folder {path.name} holds no image.",
            "Choose a folder with DICOM images, or a NIfTI, NRRD or MetaImage file.",
            code="no-images",
            place=path.name,
        )
    return PathDescription(
        path=str(path), kind=_common(tuple(series)), series=tuple(series), findings=folder.findings
    )


def _common(series: tuple[SeriesDescription, ...]) -> str:
    kinds = {s.kind for s in series}
    return kinds.pop() if len(kinds) == 1 else "folder"


def _describe_stack(stack: Stack, beside: Sequence[Stack]) -> SeriesDescription:
    first, middle = stack.first, stack.headers[len(stack.headers) // 2]
    is_volume = stack.is_image and first.samples == 1 and first.rows > 0
    one_file = len({h.path for h in stack.headers}) == 1
    return SeriesDescription(
        kind="dicom-series" if stack.is_image else _DICOM_KINDS.get(first.sop_class, "dicom-other"),
        path=str(first.path if one_file else first.path.parent),
        uid=stack.key,
        modality=first.modality,
        description=first.description,
        patient_position=first.patient_position,
        images=len(stack.headers),
        grid=stack.grid,
        gantry_tilt_deg=first.gantry_tilt_deg,
        findings=stack.findings + left_out(beside, stack),
        patient_code=first.patient_code,
        study_uid=first.study_uid,
        study_description=first.study_description,
        studied_on=first.studied_on or first.acquired_on,
        series_number=first.series_number,
        part=stack.part,
        acquired_on=first.acquired_on,
        thickness_mm=first.slice_thickness_mm,
        has_contrast=first.has_contrast,
        what=_what(stack),
        folder=_folder(beside, first.study_uid, first.series_uid),
        middle=str(middle.path) if is_volume else "",
        middle_frame=middle.frame,
    )


def _folder(stacks: Sequence[Stack], study_uid: str, series_uid: str) -> str:
    own = (s for s in stacks if (s.first.study_uid, s.first.series_uid) == (study_uid, series_uid))
    return os.path.commonpath({str(h.path.parent) for s in own for h in s.headers})


def _what(stack: Stack) -> str:
    first = stack.first
    if not stack.is_image:
        return kind_in_words(first.sop_class, first.modality)
    if stack.is_localizer:
        return "a localizer (scout)"
    return "a colour image" if all(h.samples != 1 for h in stack.headers) else ""


def _describe_file(path: Path, kind: str) -> SeriesDescription:
    if trouble := name_trouble(path):
        named = shown_name(path)
        finding = Finding(level=Level.FAIL, code=UNREADABLE_NAME, text=trouble, place=named)
        return SeriesDescription(kind=kind, path=str(path), description=named, findings=(finding,))
    header = read_raw_header(path, kind)
    findings, grid = header.findings, None
    if not any(f.level is Level.FAIL for f in findings):
        try:
            with hear_itk():
                reader = _reader(path)
                reader.ReadImageInformation()
            grid = proven_grid(header, grid_of(reader, place=path.name), path.name)
        except (RuntimeError, ImageError):
            text = f"The header of {path.name} is damaged."
            findings += (Finding(level=Level.FAIL, code="bad-header", text=text, place=path.name),)
    return SeriesDescription(
        kind=kind,
        path=str(path),
        description=path.name,
        grid=grid,
        findings=findings,
        what="a label map (structures)" if _LABELS.search(stem_of(path)) else "",
        middle=str(path) if grid is not None else "",
    )


def _reader(path: Path) -> Any:
    kind: Any = sitk.ImageFileReader
    reader = kind()
    reader.SetFileName(str(path))
    return reader


def _axes_in_words(grid: Grid) -> str:
    """Return where the axes point, such as ``L-P-S``, each by its nearest patient axis."""
    letters = (("L", "R"), ("P", "A"), ("S", "I"))
    axes = grid.axes
    words = []
    for axis in range(3):
        nearest = int(abs(axes[:, axis]).argmax())
        words.append(letters[nearest][0 if axes[nearest, axis] > 0 else 1])
    return "-".join(words) + ("" if abs(axes).max(axis=0).min() > 0.9999 else " (oblique)")
