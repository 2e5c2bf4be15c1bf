"""Volumes: masks and temperatures as NIfTI or NRRD, each in its place, and all segments as one seg.nrrd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.seg_nrrd import write_segmentation
from cryoplan.image.segment import Segment
from cryoplan.image.write import write_volume
from cryoplan.simulation.result import ThermalResult
from cryoplan.workflow.export.segments import THRESHOLDS_DEGC
from cryoplan.workflow.export.stems import Stems, isotherm_stem
from cryoplan.workflow.folder import write_json

NIFTI, NRRD = "nifti", "nrrd"
ENDINGS = {NIFTI: ".nii.gz", NRRD: ".nrrd"}
MASKS = "masks"
LIST_NAME = "volumes.json"
SEGMENTATION = "segments.seg.nrrd"

Field = tuple[str, Volume, str, str]
"""Stem, volume, unit, and what it is."""


def temperature_fields(result: ThermalResult) -> Iterator[Field]:
    """Yield what was computed, on the solver's grid, under the names that `run` gives it."""
    yield "temperature_min", result.minimum_degc, "degC", "lowest temperature of the whole protocol"
    for frame in result.frames:
        if frame.label.startswith("end_freeze"):
            number = frame.label.removeprefix("end_freeze_")
            what = f"temperature at the end of freeze {number}, {frame.time_s:g} s"
            yield f"temperature_{frame.label}", frame.temperature_degc, "degC", what
    yield "temperature_min_at", result.minimum_at_s, "s", "protocol time of the lowest temperature"
    for threshold, seconds in result.time_below:
        yield f"time_below_{threshold:g}", seconds, "s", f"time below {threshold:g} degC"
    for threshold, freezes in result.freezes_below:
        yield (
            f"freezes_below_{threshold:g}",
            freezes,
            "1",
            f"number of freezes that came below {threshold:g} degC",
        )


def isotherm_masks(
    result: ThermalResult, thresholds_degc: Sequence[float] = THRESHOLDS_DEGC
) -> Iterator[Field]:
    """Yield what became as cold as each threshold, on the solver's grid."""
    for threshold in thresholds_degc:
        inside = Volume(grid=result.grid, values=result.minimum_degc.values <= threshold)
        yield (
            isotherm_stem(threshold),
            inside,
            "1",
            f"1 where the lowest temperature is at most {threshold:g} degC",
        )


def write_volumes(
    segments: Sequence[Segment], result: ThermalResult, kind: str, folder: Path, progress: Progress
) -> None:
    """Write masks on the image's grid and fields on the solver's, and a list that says what each is.

    Masks go into a folder of their own: ``masks``. An NRRD folder has them in one ``segments.seg.nrrd`` too.

    Parameters
    ----------
    kind : str
        `NIFTI` or `NRRD`.

    Raises
    ------
    StoreError
        If something cannot be written.
    Cancelled
        If `progress` says so.
    """
    here = folder / kind
    (here / MASKS).mkdir(parents=True)
    ending = ENDINGS[kind]
    stems = Stems()
    fields = [*temperature_fields(result), *isotherm_masks(result)]
    count = len(segments) + len(fields) + 1
    rows: list[dict[str, object]] = []
    for number, segment in enumerate(segments):
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=number / count, text=f"Mask of {segment.name}"))
        stem = stems.of(
            segment.name if segment.threshold_degc is None else isotherm_stem(segment.threshold_degc)
        )
        name = f"{MASKS}/{stem}{ending}"
        write_volume(segment.mask, here / name)
        # Beside the mask, as this program and others look for its name.
        names = {"labels": {"1": {"name": segment.name}}}
        if segment.threshold_degc is None:
            names["labels"]["1"]["role"] = segment.kind
        write_json(here / MASKS / f"{stem}.json", names)
        rows.append(_mask_row(segment, name))
    for number, (stem, volume, unit, what) in enumerate(fields, start=len(segments)):
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=number / count, text=what.capitalize()))
        write_volume(volume, here / f"{stem}{ending}")
        rows.append({"file": f"{stem}{ending}", "what": what, "unit": unit, "grid": "solver"})
    if kind == NRRD and segments:
        check_cancelled(progress)
        write_segmentation(segments, here / SEGMENTATION, remark=f"cryoplan. {RESEARCH_USE}.")
        rows.append({"file": SEGMENTATION, "what": "all masks in one file", "unit": "1", "grid": "image"})
    grids = {"solver": result.grid}
    if segments:
        grids["image"] = segments[0].mask.grid
    record: dict[str, object] = {
        "research_use": RESEARCH_USE,
        "grids": {name: _grid_record(grid) for name, grid in grids.items()},
        "files": rows,
    }
    write_json(here / LIST_NAME, record)


def _mask_row(segment: Segment, file: str) -> dict[str, object]:
    voxels = int(segment.mask.values.sum())
    return {
        "file": file,
        "what": "mask",
        "unit": "1",
        "grid": "image",
        "name": segment.name,
        "kind": segment.kind,
        "threshold_degc": segment.threshold_degc,
        "colour": list(segment.colour),
        "source": segment.source,
        "is_automatic": segment.is_automatic,
        "code": None
        if segment.code is None
        else {"value": segment.code.value, "scheme": segment.code.scheme, "meaning": segment.code.meaning},
        "voxels": voxels,
        "volume_ml": voxels * segment.mask.grid.voxel_volume_ml,
    }


def _grid_record(grid: Grid) -> dict[str, object]:
    return {
        "axes": "LPS",
        "unit": "mm",
        "size": list(grid.size),
        "spacing_mm": list(grid.spacing_mm),
        "origin_mm": list(grid.origin_mm),
        "direction": list(grid.direction),
    }
