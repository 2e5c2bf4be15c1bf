"""An image file or a DICOM folder -> `Scan`, in the right place or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.archive_scan import inside, scan_of_archive
from cryoplan.image.deidentify import nameless
from cryoplan.image.dicom_choice import choose_stack, look_at
from cryoplan.image.dicom_disc import folder_of
from cryoplan.image.dicom_header import files_below, pseudonym
from cryoplan.image.dicom_kinds import CT_CLASSES
from cryoplan.image.dicom_left_out import left_out
from cryoplan.image.dicom_pixels import read_slices
from cryoplan.image.dicom_repair import as_done, repair
from cryoplan.image.formats import DICOM, IN_WORDS, ZIP, kind_of, not_an_image
from cryoplan.image.itk import from_sitk, hear_itk
from cryoplan.image.label_names import stem_of
from cryoplan.image.memory import check_memory
from cryoplan.image.path_check import check_path
from cryoplan.image.scan import LOWEST_HU, Scan, ScanFacts
from cryoplan.image.shown_slices import shown_slices
from cryoplan.image.verdict import settle
from cryoplan.image.volume_header import check_voxels_whole, proven_grid, read_raw_header

_INT16 = np.iinfo(np.int16)


def read_scan(
    path: Path,
    *,
    series_uid: str | None = None,
    accept: Collection[str] = (),
    progress: Progress = SILENT,
) -> Scan:
    """Read one image volume.

    Parameters
    ----------
    path : Path
        A NIfTI, NRRD or MetaImage file, a folder with DICOM images, one file of a DICOM series, the DICOMDIR
        of a disc (its folder is meant), or a zip of such files.
    series_uid : str, optional
        Which series of the folder, or in a zip the name of an image file with its folders. Without it the
        only one that can be used is taken.
    accept : collection of str
        Codes of warnings that the user agreed to.
    progress : Progress
        Asked between files and stages whether to go on.

    Returns
    -------
    Scan
        int16 voxels where the file's numbers are whole and fit, else float32; CT in HU and not below
        -1024; no name of a patient.

    Raises
    ------
    ImageError
        If it cannot be read, is not one regular orthogonal volume, or has a warning not accepted.
    Cancelled
        If the caller asked to stop.
    """
    path = Path(path)
    check_path(path)
    path = folder_of(path)
    kind = DICOM if path.is_dir() else kind_of(path)
    if kind == ZIP:
        with inside(path, progress) as content:
            member = _member(content, series_uid)
            scan = (
                read_scan(content, series_uid=series_uid, accept=accept, progress=progress)
                if member is None
                else read_scan(member, accept=accept, progress=progress)
            )
        return scan_of_archive(scan, path)
    if kind == DICOM:
        return _read_dicom(path, series_uid, accept, progress)
    if not kind:
        raise not_an_image(path)
    return _read_file(path, kind, accept, progress)


# --- DICOM -------------------------------------------------------------------------------------------------


def _read_dicom(path: Path, series_uid: str | None, accept: Collection[str], progress: Progress) -> Scan:
    progress.report(ProgressReport(fraction=0.0, text="Reading headers"))
    folder = look_at(path, progress=progress)
    stack = choose_stack(folder, path, series_uid)
    findings = stack.findings + folder.findings + left_out(folder.stacks, stack)
    settle(findings, accept)
    assert stack.grid is not None  # a stack without a grid has a finding that fails
    settle(check_memory(stack.grid.size, 4 if stack.is_repair else 2, stack.first.path.name), ())
    check_cancelled(progress)
    reading = PartProgress(progress, 0.2, 0.7)
    values = read_slices(stack.headers, None if stack.is_repair else stack.grid, progress=reading)
    check_cancelled(progress)
    first = stack.first
    modality = "CT" if first.sop_class in CT_CLASSES else "MR"
    values, noted = _as_voxels(values, modality, path.name)
    if stack.is_repair:
        outside = float(LOWEST_HU) if modality == "CT" else min(0.0, float(values.min()))
        values = repair(values, stack.headers, stack.grid, outside=outside)
        findings = tuple(as_done(f) for f in findings)
    facts = ScanFacts(
        path=str(path),
        kind="dicom-series",
        code=first.patient_code,
        number_code=first.number_code,
        modality=modality,
        series_uid=first.series_uid,
        series_part=stack.part,
        study_uid=first.study_uid,
        frame_of_reference_uid=first.frame_of_reference_uid,
        description=first.description,
        patient_position=first.patient_position,
        gantry_tilt_deg=first.gantry_tilt_deg,
        acquired_on=first.acquired_on,
        slice_thickness_mm=first.slice_thickness_mm,
        findings=nameless(findings + noted, _names_of(path)),
        **shown_slices(stack.headers, is_resampled=stack.is_repair),
    )
    progress.report(ProgressReport(fraction=1.0, text="Image read"))
    return Scan(volume=Volume(grid=stack.grid, values=values), facts=facts)


def _member(content: Path, name: str | None) -> Path | None:
    """Return the image file of an unpacked zip that is meant; None for a series."""
    if not name or not content.is_dir():
        return None
    member = content / name
    inside_it = member.resolve().is_relative_to(content.resolve())
    return member if inside_it and member.is_file() else None


def _names_of(path: Path) -> set[str]:
    """Return all names of files and folders that a finding about this image may hold."""
    files = list(files_below(path)) if path.is_dir() else [f for f in path.parent.iterdir() if f.is_file()]
    folders = {file.parent.name for file in files} | {path.absolute().parent.name}
    return folders | {file.name for file in files} | {str(path), path.name, stem_of(path)}


def _new(kind: Any) -> Any:
    """Make a SimpleITK object; its classes are typed in part only."""
    return kind()


# --- one file ----------------------------------------------------------------------------------------------


def _read_file(path: Path, kind: str, accept: Collection[str], progress: Progress) -> Scan:
    progress.report(ProgressReport(fraction=0.0, text="Reading the image"))
    volume, findings = read_volume_file(path, kind, accept=accept, progress=progress)
    _check_finite(volume.values, path.name)
    modality, guess = _guess_modality(volume.values, path.name)
    values, noted = _as_voxels(volume.values, modality, path.name)
    facts = ScanFacts(
        path=str(path),
        kind=kind,
        code=pseudonym(_file_digest(path)),
        modality=modality,
        description=f"{IN_WORDS[kind]} file",
        findings=nameless((*findings, guess, *noted), _names_of(path)),
    )
    progress.report(ProgressReport(fraction=1.0, text="Image read"))
    return Scan(volume=Volume(grid=volume.grid, values=values), facts=facts)


def read_volume_file(
    path: Path, kind: str, *, accept: Collection[str] = (), progress: Progress = SILENT
) -> tuple[Volume, tuple[Finding, ...]]:
    """Read the voxels of a NIfTI, NRRD or MetaImage file as they are, with the findings of its header.

    Raises
    ------
    ImageError
        If the header promises what cannot be, the voxels are not all there, or a warning is not accepted.
    """
    header = read_raw_header(path, kind)
    settle(header.findings, accept)
    whole = check_voxels_whole(path, kind)
    settle(whole, accept)
    check_cancelled(progress)
    reader = _new(sitk.ImageFileReader)
    reader.SetFileName(str(path))
    try:
        with hear_itk() as heard:
            image = reader.Execute()
    except RuntimeError as error:
        raise ImageError(
            f"{path.name} is damaged or of a kind that cannot be read.",
            "Save the file again in the program that made it.",
            code="not-readable",
            place=path.name,
        ) from error
    volume = from_sitk(image, place=path.name)
    volume = Volume(grid=proven_grid(header, volume.grid, path.name), values=volume.values)
    findings = (
        header.findings
        + whole
        + tuple(Finding(level=Level.OK, code="reader-remark", text=text, place=path.name) for text in heard)
    )
    return volume, findings


def _guess_modality(values: npt.NDArray[Any], place: str) -> tuple[str, Finding]:
    """Tell CT from other images by their numbers: air at -500 HU or less, and nothing beyond int16."""
    low, high = float(values.min()), float(values.max())
    is_ct = _INT16.min <= low <= -500 and 0 < high <= _INT16.max
    words = "a CT in HU" if is_ct else "an image without HU (MR or other)"
    text = f"The file does not state its modality; values {low:g} to {high:g} were taken for {words}."
    return ("CT" if is_ct else ""), Finding(level=Level.OK, code="modality-guessed", text=text, place=place)


def _check_finite(values: npt.NDArray[Any], place: str) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        missing = int(values.size - np.isfinite(values).sum())
        raise ImageError(
            f"{place} has {missing} voxels without a number (NaN or infinite).",
            "Replace them, for example by -1024 outside a CT, and save the image again.",
            code="nan-voxels",
            place=place,
        )


def _as_voxels(
    values: npt.NDArray[Any], modality: str, place: str
) -> tuple[npt.NDArray[Any], tuple[Finding, ...]]:
    """Return voxels as int16 where nothing is lost, else float32; for CT with the padding cut off."""
    findings: tuple[Finding, ...] = ()
    low, high = values.min(), values.max()
    if modality == "CT" and low < LOWEST_HU:
        count = int((values < LOWEST_HU).sum())
        text = f"{count} voxels below {LOWEST_HU} HU (down to {float(low):g}) are padding and were set to it."
        findings = (Finding(level=Level.OK, code="padding-clipped", text=text, place=place),)
        own = values if values.flags.writeable else None
        values = np.maximum(values, np.array(LOWEST_HU, values.dtype), out=own)
        low = values.dtype.type(LOWEST_HU)
    if values.dtype.kind in "iub" and low >= _INT16.min and high <= _INT16.max:
        return values.astype(np.int16, copy=False), findings
    if modality == "CT" and values.dtype.kind == "f" and high <= _INT16.max:
        # A CT read as float because its headers could have exceeded int16, or saved as float by a program.
        whole = np.empty(values.shape, np.int16)
        # Slice by slice: one stays in the processor's cache, the volume would pass through memory thrice.
        for there, here in zip(whole, values, strict=True):
            np.copyto(there, here, casting="unsafe")
            if not np.array_equal(there, here):
                break
        else:
            return whole, findings
    return values.astype(np.float32, copy=False), findings


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
