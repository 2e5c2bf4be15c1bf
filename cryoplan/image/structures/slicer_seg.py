"""3D Slicer's ``.seg.nrrd``: named segments in layers of labels, which may overlap.

The format is NRRD with ``SegmentN_Name``, ``SegmentN_LabelValue`` and ``SegmentN_Layer`` as key/value pairs;
layers are a first axis of the kind ``list``. Older files have no layers and one list entry for each segment.
Positions are those of the file's own header: the extents and the offset into a reference image only say which
part of that image was stored. Of the tags the coded type is read; colours are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import ImageError, StructureError
from cryoplan.core.finding import Finding
from cryoplan.core.volume import Volume
from cryoplan.image.formats import NRRD
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.nrrd_header import nrrd_voxel_findings, read_nrrd
from cryoplan.image.read import read_volume_file
from cryoplan.image.scan import Scan
from cryoplan.image.structures.found import StructureFile, empty, nothing_left
from cryoplan.image.structures.other_grid import onto_scan
from cryoplan.image.verdict import settle

_KEY = re.compile(r"Segment(\d+)_(ID|Name|LabelValue|Layer|Tags):=(.*)")
_MOST_SEGMENTS = 1000
_AGAIN = "Save the segmentation again from the program that drew it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment as the header lists it."""

    number: int
    name: str
    label: int
    layer: int
    code: str = ""


def is_segmentation(path: Path) -> bool:
    """Tell whether an NRRD file lists segments as Slicer does."""
    return bool(_pairs(path))


def read_slicer(path: Path, scan: Scan | None) -> StructureFile:
    """Read every segment of a Slicer segmentation.

    Raises
    ------
    StructureError
        If the file is damaged, its segments make no sense, or none is left.
    """
    file = path.name
    segments = _segments(path)
    layers, grid = _layers(path)
    masks: list[NamedMask] = []
    findings: list[Finding] = []
    for segment in segments:
        if not 0 <= segment.layer < len(layers):
            raise _bad(file, segment.name, f"lies in layer {segment.layer} of {len(layers)}")
        mask = Volume(grid=grid, values=np.ascontiguousarray(layers[segment.layer] == segment.label))
        if not mask.values.any():
            findings.append(empty(segment.name, file))
            continue
        if scan is not None:
            placed, finding = onto_scan(mask, scan.volume.grid, segment.name, file)
            findings.extend([finding] if finding is not None else [])
            if placed is None:
                continue
            mask = placed
        source = f"{file}, segment {segment.number + 1}"
        masks.append(NamedMask(name=segment.name, mask=mask, source=source, code=segment.code))
    if not masks:
        raise nothing_left(file, findings)
    return StructureFile(masks=tuple(masks), findings=tuple(findings))


def _pairs(path: Path) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    with path.open("rb") as stream:
        while (line := stream.readline(1 << 20).strip()) and stream.tell() < 1 << 24:
            match = _KEY.match(line.decode("utf-8", "replace"))
            if match:
                found.setdefault(int(match[1][:9]), {})[match[2]] = match[3].strip()
    return found


def _segments(path: Path) -> list[Segment]:
    pairs = _pairs(path)
    if len(pairs) > _MOST_SEGMENTS:
        raise StructureError(
            f"{path.name} lists {len(pairs)} segments.", _AGAIN, code="bad-segments", place=path.name
        )
    layered = any("Layer" in pair for pair in pairs.values())
    segments = []
    for place, (number, pair) in enumerate(sorted(pairs.items())):
        name = pair.get("Name", "") or pair.get("ID", "") or f"segment {number + 1}"
        try:
            # Files before 2020: one entry of the list for each segment, each of it 0 and 1.
            label = int(pair.get("LabelValue", "1"))
            layer = int(pair.get("Layer", "0")) if layered or "LabelValue" in pair else place
        except ValueError as error:
            raise _bad(path.name, name, "has a label or layer that is no number") from error
        if label <= 0:
            raise _bad(path.name, name, f"has the label {label}, which stands for nothing")
        code = _code(pair.get("Tags", ""))
        segments.append(Segment(number=number, name=name, label=label, layer=layer, code=code))
    taken: dict[tuple[int, int], str] = {}
    for segment in segments:
        other = taken.setdefault((segment.layer, segment.label), segment.name)
        if other is not segment.name:
            raise _bad(path.name, segment.name, f"has the same layer and label as {other}")
    return segments


def _code(tags: str) -> str:
    """Return the coded type of a segment as ``SCT 10200004``, empty where its tags state none.

    Tags are ``name:value`` with bars between; the terminology is ``list~category~type~...`` and each of these
    ``scheme^value^meaning``, with the type in the third place.
    """
    for tag in tags.split("|"):
        name, _, entry = tag.partition(":")
        parts = entry.split("~")
        if name.strip().endswith("TerminologyEntry") and len(parts) > 2:
            words = parts[2].split("^")
            if len(words) > 1 and words[0].strip() and words[1].strip():
                return f"{words[0].strip()} {words[1].strip()}"
    return ""


def _bad(file: str, name: str, what: str) -> StructureError:
    return StructureError(
        f"The segment {name} of {file} {what}.", _AGAIN, code="bad-segments", place=f"{file}: {name}"
    )


def _layers(path: Path) -> tuple[list[npt.NDArray[Any]], Any]:
    """Return the layers ``[k, j, i]`` of labels and their grid."""
    import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

    from cryoplan.image.itk import hear_itk

    try:
        header = read_nrrd(path, layered=True)
    except (KeyError, ValueError, IndexError) as error:
        raise StructureError(
            f"{path.name} has a header that cannot be understood.", _AGAIN, code="bad-header", place=path.name
        ) from error
    try:
        if header.layers == 0:
            volume, _ = read_volume_file(path, NRRD)
            return [_whole(volume.values, path)], volume.grid
        settle(header.findings, ())
        settle(nrrd_voxel_findings(path), ())
    except ImageError as error:
        raise StructureError(error.what, error.remedy, code=error.code, place=error.place) from error
    assert header.grid is not None  # findings that fail have been raised
    try:
        with hear_itk():
            image = sitk.ReadImage(str(path))
        values = sitk.GetArrayFromImage(image)
    except RuntimeError as error:
        raise StructureError(
            f"{path.name} is damaged or of a kind that cannot be read.",
            _AGAIN,
            code="not-readable",
            place=path.name,
        ) from error
    if values.shape == (*header.grid.shape, header.layers):
        values = np.moveaxis(values, -1, 0)
    elif values.shape == header.grid.shape and header.layers == 1:
        values = values[None]
    else:
        raise StructureError(
            f"The layers of {path.name} are stored in a way that is not read here.",
            _AGAIN,
            code="bad-header",
            place=path.name,
        )
    return [_whole(layer, path) for layer in values], header.grid


def _whole(values: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        raise StructureError(
            f"{path.name} has voxels that are not whole numbers.",
            _AGAIN,
            code="not-a-label-map",
            place=path.name,
        )
    return values
