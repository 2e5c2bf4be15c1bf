"""Anatomy: body, lung, gas, bone, fat and vessels found by themselves in a CT of usual size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cryoplan.case.build import build_case
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.image.resample import volume_to_grid
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.subjects import AIR_HU, Patient
from cryoplan.workflow.benchmark.timing import Quiet, median_time
from cryoplan.workflow.proposing import propose_structures


def finding(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure proposing every structure that can be found in the patient, at the size of a usual CT."""
    sizes, scan = patient.sizes, patient.case.scan
    size = (sizes.anatomy_pixels, sizes.anatomy_pixels, sizes.anatomy_slices)
    image = volume_to_grid(scan.volume, _cut_otherwise(scan.volume.grid, size), outside=AIR_HU)
    case = build_case(replace(scan, volume=image), ())
    check_cancelled(progress)
    timed = median_time(
        lambda: propose_structures(case, progress=Quiet(progress)), progress, min(sizes.repeats, 3)
    )
    found = ", ".join(p.name for p in propose_structures(case, progress=Quiet(progress)) if p.volume_ml)
    note = f"{size[0]} x {size[1]} x {size[2]} voxels; found: {found or 'nothing'}"
    yield row("auto-structures", timed.seconds, timed.repeats, note)


def _cut_otherwise(grid: Grid, size: tuple[int, int, int]) -> Grid:
    """Return the room of a grid in another number of voxels."""
    spacing = [s * old / new for s, old, new in zip(grid.spacing_mm, grid.size, size, strict=True)]
    first = grid.index_to_mm([0.5 * (old / new - 1.0) for old, new in zip(grid.size, size, strict=True)])
    return Grid(
        size=size,
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        origin_mm=(float(first[0]), float(first[1]), float(first[2])),
        direction=grid.direction,
    )
