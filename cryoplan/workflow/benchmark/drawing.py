"""Drawing: growing from a click, marks that decide, the brush, and what a stroke leaves behind."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.outlined import with_structure
from cryoplan.case.planning import planning_grid
from cryoplan.case.store import CaseStore
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.packed_mask import PackedMask
from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.contest import contest
from cryoplan.image.outlining.growing import Seed
from cryoplan.image.outlining.strokes import Patch, brush, painted
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.workflow.benchmark.apart import run_apart
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.timing import Quiet, median_time

BRUSH_MM = 15.0
"""Radius of the brush."""

REGION_MM = 100.0
"""Edge of the region that is grown in."""

SPACING_MM = (0.7, 0.7, 1.0)
NOISE_HU, LESION_HU, AROUND_HU = 15.0, 20.0, 90.0
LESION_MM, ORGAN_MM = 30.0, 75.0
TOLERANCE_HU = 30.0

StrokeTimes = Callable[[Sizes], list[float]]
"""Milliseconds from each event of the mouse to its picture; needs a window, so it comes from outside."""


def drawn_on(sizes: Sizes) -> Case:
    """Return a large noisy scan with a lesion in an organ, both outlined, the organ first."""
    nx, ny, nz = sizes.drawn_size
    size_mm = np.asarray(sizes.drawn_size) * SPACING_MM
    first = -0.5 * (size_mm - SPACING_MM)
    grid = Grid(size=(nx, ny, nz), spacing_mm=SPACING_MM, origin_mm=(first[0], first[1], first[2]))
    x, y, z = (grid.coordinates_mm(axis) for axis in range(3))
    square = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2
    scale = _scale(grid)
    organ, lesion = square < (scale * ORGAN_MM) ** 2, square < (scale * LESION_MM) ** 2
    rng = np.random.default_rng(1)
    values = rng.integers(-2 * int(NOISE_HU), 2 * int(NOISE_HU), size=grid.shape, dtype=np.int16)
    values += np.where(lesion, LESION_HU, np.where(organ, AROUND_HU, -100.0)).astype(np.int16)
    scan = Scan(
        volume=Volume(grid=grid, values=values),
        facts=ScanFacts(path="", kind="phantom", code="BENCH", modality="CT", patient_position="HFS"),
    )
    parts = (("organ", Role.ORGAN, "liver", organ), ("lesion", Role.TUMOUR, "tumour", lesion))
    structures = tuple(
        Structure(name=n, role=r, tissue=t, mask=Volume(grid=grid, values=m), source="benchmark")
        for n, r, t, m in parts
    )
    return Case(
        code="BENCH",
        scan=scan,
        structures=structures,
        target_name="lesion",
        planning_grid=planning_grid(scan, structures[1]),
    )


def drawing(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure growing, marks, and what strokes add to the file and to memory."""
    case = drawn_on(sizes)
    image, what = case.scan.volume, "{} x {} x {} voxels".format(*sizes.drawn_size)
    middle = tuple(float(v) for v in image.grid.centre_mm())
    x, y, z = middle
    seeds: list[Seed] = []

    def grow() -> None:
        seeds[:] = [Seed(image, (x, y, z), reach_mm=0.5 * REGION_MM)]
        seeds[0].grow(TOLERANCE_HU)

    timed = median_time(grow, progress, sizes.repeats)
    again = median_time(lambda: seeds[0].grow(0.9 * TOLERANCE_HU), progress, sizes.repeats)
    cells = " x ".join(str(n) for n in seeds[0].box.shape[::-1])
    yield row(
        "grow",
        timed.seconds,
        timed.repeats,
        f"a click in a region of {REGION_MM:g} mm, {cells} voxels; another tolerance {again.seconds:.2g} s",
    )
    inside, outside = _marks(image.grid, middle)
    timed = median_time(
        lambda: contest(image, [inside], outside, progress=Quiet(progress)), progress, sizes.repeats
    )
    yield row("grow-marks", timed.seconds, timed.repeats, f"marks inside and outside, {REGION_MM:g} mm apart")
    yield from _left_behind(case, what, sizes, progress)


def strokes(sizes: Sizes, progress: Progress, stroke_times: StrokeTimes | None) -> Iterator[Row]:
    """Measure the brush in a process with a view of its own."""
    if stroke_times is None:
        for case in ("brush", "brush-95"):
            yield row(case, None, 0, "needs the window; measured by the command line")
        return
    found, _ = run_apart(stroke_times, sizes, progress)
    note = (
        f"from the event of the mouse to the drawn view, {sizes.drawn_size[0]} x {sizes.drawn_size[1]} x "
        f"{sizes.drawn_size[2]} voxels, ball of {2 * BRUSH_MM:g} mm on an organ, three views"
    )
    yield row("brush", statistics.median(found), len(found), f"{note}; median, worst {max(found):.0f} ms")
    yield row("brush-95", float(np.percentile(found, 95)), len(found), "95th percentile of the same")


def _scale(grid: Grid) -> float:
    """Return how much smaller than usual everything is in a scan; the tests have a tiny one."""
    return min(1.0, min(n * s for n, s in zip(grid.size, grid.spacing_mm, strict=True)) / 300.0)


def _marks(grid: Grid, middle: tuple[float, ...]) -> tuple[Patch, list[Patch]]:
    scale = _scale(grid)
    along = np.array([8.0 * scale, 0.0, 0.0])
    inner = brush(grid, [middle - along, middle + along], 3.0 * scale)
    assert inner is not None
    # With the margin around all marks the region has the usual size.
    off = scale * (0.5 * REGION_MM - 13.0)
    found = (
        brush(grid, [np.asarray(middle) + side * np.eye(3)[axis]], 3.0 * scale)
        for axis in range(3)
        for side in (-off, off)
    )
    return inner, [patch for patch in found if patch is not None]


def _left_behind(case: Case, what: str, sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Draw on the organ into a case file; tell what a stroke adds to it, and packed to memory."""
    organ = case.structures[0]
    rng = np.random.default_rng(2)
    reach = 0.5 * float(np.ptp(organ.mask.grid.coordinates_mm(0)[organ.mask.values.any(axis=(0, 1))]))
    packed, times = 0, []
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        path = Path(folder) / "drawn.cryoplan"
        CaseStore.create(path, case)
        before = path.stat().st_size
        with CaseStore.open(path, scan=case.scan) as store:
            store.load_case()
            for number in range(sizes.strokes):
                check_cancelled(progress)
                way = rng.normal(size=3)
                values = case.structures[0].mask.values.copy()
                patch = brush(organ.mask.grid, [reach * way / np.linalg.norm(way)], BRUSH_MM)
                if patch is None or not painted(values, patch, erase=number % 3 == 2):
                    continue
                mask = Volume(grid=organ.mask.grid, values=values)
                case = with_structure(case, replace(case.structures[0], mask=mask))
                packed = max(packed, PackedMask(mask).packed_bytes)
                began = time.perf_counter()
                store.record("organ: brush", case=case)
                times.append(time.perf_counter() - began)
        grown = path.stat().st_size - before
    count = max(len(times), 1)
    note = (
        f"ball of {2 * BRUSH_MM:g} mm on an organ of {organ.volume_ml:.0f} ml, {what}; "
        f"{1000 * statistics.median(times):.1f} ms to the disk each"
    )
    yield row("stroke-file", grown / count / 1000.0, count, note)
    note = "the largest of the same masks as a step that waits for a slow disk; those not packed share 256 MB"
    yield row("stroke-memory", packed / 1e6, count, note)
