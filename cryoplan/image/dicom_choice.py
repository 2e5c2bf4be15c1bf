"""Which series of a folder is meant: the one asked for, a file's own, or the only one that can be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, Progress
from cryoplan.image.dicom_disc import NAME, missing_from_disc
from cryoplan.image.dicom_header import Header, files_below, read_header, read_headers, unheard
from cryoplan.image.dicom_kinds import DICOMDIR
from cryoplan.image.dicom_stack import Stack, make_stacks
from cryoplan.image.formats import VOLUME_KINDS, kind_of
from cryoplan.image.path_check import shown_name
from cryoplan.image.verdict import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The DICOM series found at a path, and the files that could not be understood."""

    stacks: tuple[Stack, ...]
    findings: tuple[Finding, ...]


def look_at(path: Path, *, progress: Progress = SILENT, each: Callable[[Header], None] = unheard) -> Folder:
    """Read the headers of a DICOM folder, or of the series that one DICOM file belongs to.

    Parameters
    ----------
    each : callable
        Told each header of a folder as soon as it is read.

    Raises
    ------
    ImageError
        If the one file is damaged or the folder cannot be listed.
    """
    if path.is_dir():
        headers, damaged = read_headers(path, progress=progress, each=each)
        return _with_disc(headers, damaged)
    one = read_header(path)
    if one is None:
        raise ImageError(
            f"{path.name} is a damaged DICOM file.",
            "Copy the file again from its source.",
            code="truncated-file",
            place=path.name,
        )
    if one.sop_class == DICOMDIR:
        raise ImageError(
            f"{path.name} is the table of contents of a DICOM disc.",
            "Give it its name DICOMDIR again, or choose the folder that it lies in.",
            code="dicomdir",
            place=path.name,
        )
    if not one.is_slice:
        return Folder(stacks=make_stacks([one]), findings=())
    headers, damaged = read_headers(path.parent, progress=progress, deep=False)
    own = tuple(
        stack
        for stack in make_stacks(headers)
        if (stack.first.study_uid, stack.first.series_uid) == (one.study_uid, one.series_uid)
        and stack.first.is_slice
        and stack.first.frame is None
    )
    if own:
        return Folder(stacks=own, findings=_damage(damaged))
    return Folder(stacks=make_stacks([one]), findings=_damage(damaged))


def _with_disc(headers: list[Header], damaged: list[Path]) -> Folder:
    """Take tables of contents for what they are: they name files that should be there, and are no series."""
    stacks = make_stacks([h for h in headers if h.sop_class != DICOMDIR])
    tables = [h.path for h in headers if h.sop_class == DICOMDIR]
    tables += [path for path in damaged if path.name.upper() == NAME]
    findings = list(_damage([path for path in damaged if path not in tables]))
    for disc in tables:
        lost, rest = missing_from_disc(disc)
        for uid, finding in lost.items():
            of = {id(s) for s in stacks if s.first.series_uid == uid and s.is_image and s.grid is not None}
            rest += () if of else (replace(finding, level=Level.OK),)
            stacks = tuple(replace(s, findings=(*s.findings, finding)) if id(s) in of else s for s in stacks)
        findings.extend(rest)
    return Folder(stacks=stacks, findings=tuple(findings))


def choose_stack(folder: Folder, path: Path, series_uid: str | None) -> Stack:
    """Return the series to load; its findings may still refuse it.

    Raises
    ------
    ImageError
        If the series asked for is not there, there is no image at all, or several could be meant.
    """
    stacks = folder.stacks
    if series_uid is not None:
        named = [s for s in stacks if s.is_image and series_uid in (s.key, s.first.series_uid)]
        exact = [s for s in named if s.key == series_uid]
        if len(exact or named) == 1:
            return (exact or named)[0]
        if named:
            raise _several(path, named)
        raise ImageError(
            f"{path.name} has no image series {series_uid}.",
            f"Choose one of: {_list(stacks)}.",
            code="no-such-series",
            place=path.name,
        )
    images = [s for s in stacks if s.is_image and not s.is_localizer]
    usable = [s for s in images if s.verdict != "refused"]
    if len(usable) == 1:
        return usable[0]
    if len(usable) > 1:
        raise _several(path, usable)
    if len(images) == 1:
        return images[0]
    if len(images) > 1:
        reasons = "; ".join(f"{s.title}: {_reason(s)}" for s in images[:5])
        raise ImageError(
            f"{path.name} holds {len(images)} series and none can be loaded. {reasons}",
            "Choose another folder, or export the series again.",
            code="no-usable-series",
            place=path.name,
        )
    if stacks:
        raise refusal(_not_an_image(stacks[0], path))
    raise _nothing_here(path)


def _several(path: Path, stacks: list[Stack]) -> ImageError:
    return ImageError(
        f"{path.name} holds {len(stacks)} series that could be loaded.",
        f"Choose one of: {_list(stacks)}.",
        code="several-series",
        place=path.name,
    )


def _not_an_image(stack: Stack, path: Path) -> Finding:
    worst = [f for f in stack.findings if f.level is Level.FAIL]
    if worst:
        return worst[0]
    text = stack.findings[0].text if stack.findings else f"{path.name} holds no image."
    return Finding(level=Level.FAIL, code="not-ct-or-mr", text=text, place=path.name)


def _nothing_here(path: Path) -> ImageError:
    if path.is_dir():
        files = [p for p in files_below(path, deep=False) if os.access(p, os.R_OK)]
        volumes = [shown_name(p) for p in files if kind_of(p) in VOLUME_KINDS]
        if volumes:
            return ImageError(
                f"{path.name} holds no DICOM series, but image files.",
                f"Choose one of: {', '.join(volumes[:10])}.",
                code="no-dicom",
                place=path.name,
            )
        if not any(path.iterdir()):
            return ImageError(
                f"The folder {path.name} is empty.",
                "Choose a folder with DICOM images.",
                code="empty-folder",
                place=path.name,
            )
    return ImageError(
        f"{path.name} holds no DICOM image.",
        "Choose a folder with DICOM images, or a NIfTI, NRRD or MetaImage file.",
        code="no-images",
        place=path.name,
    )


def _list(stacks: tuple[Stack, ...] | list[Stack]) -> str:
    return "; ".join(f"{s.key or '(no UID)'} {s.title}" for s in stacks if s.is_image) or "none"


def _reason(stack: Stack) -> str:
    return next((f.text for f in stack.findings if f.level is Level.FAIL), "")


def _damage(damaged: list[Path]) -> tuple[Finding, ...]:
    if not damaged:
        return ()
    names = ", ".join(shown_name(p) for p in damaged[:3]) + (" and more" if len(damaged) > 3 else "")
    count = "1 file that is" if len(damaged) == 1 else f"{len(damaged)} files that are"
    were = "was" if len(damaged) == 1 else "were"
    text = f"{count} damaged or cannot be opened {were} left out ({names}); slices may be missing at an end."
    return (Finding(level=Level.WARN, code="damaged-file", text=text, place=shown_name(damaged[0])),)
