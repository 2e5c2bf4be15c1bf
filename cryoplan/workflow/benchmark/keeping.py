"""Keeping: a case file with many structures and a long history - opening it, one more edit, its size."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cryoplan.case.build import build_case
from cryoplan.case.case import Case
from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from cryoplan.plan.edit_words import describe_change
from cryoplan.plan.edits import nudge
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.subjects import Patient, body_scan
from cryoplan.workflow.benchmark.timing import median_time
from cryoplan.workflow.casefile import CaseFile
from cryoplan.workflow.saving import save_case

STRUCTURES = 15
RADIUS = 0.11
"""Of the image's edge: 95,000 voxels in an image of 256^3."""


def keeping(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure a case file of `STRUCTURES` structures after ``sizes.history_steps`` edits of a plan."""
    sizes = patient.sizes
    case = many_structures(sizes)
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        path, empty = Path(folder) / "long.cryoplan", Path(folder) / "image.cryoplan"
        save_case(path, case, patient.plan)
        save_case(empty, case.changed(structures=(), target_name=""), patient.plan)
        with CaseFile.open(path, scan=case.scan) as file:
            seconds = []
            for number in range(sizes.history_steps):
                check_cancelled(progress)
                seconds.append(_edit(file, number))

        def reopen() -> None:
            with CaseFile.open(path) as file:
                assert len(file.history) == sizes.history_steps + 1

        timed = median_time(reopen, progress, sizes.repeats)
        grown = path.stat().st_size - empty.stat().st_size
    what = f"{STRUCTURES} structures, {sizes.history_steps} steps, image of {sizes.image_voxels}^3 embedded"
    yield row("case-open", timed.seconds, timed.repeats, f"{what}; history checked, voxels and masks read")
    edit_ms = 1000.0 * statistics.median(seconds)
    slowest = 1000.0 * max(seconds)
    note = f"one transaction with fsync each, median of all; slowest {slowest:.1f} ms"
    yield row("case-edit", edit_ms, len(seconds), note)
    note = f"{what}: {grown / 1000:.0f} kB without the image, to the structures' boxes at one bit a voxel"
    yield row("case-size", grown / packed_bytes(case), 1, note)


def many_structures(sizes: Sizes) -> Case:
    """Return a case of lumps whose outlines are uneven from slice to slice, as drawn ones are."""
    scan, _ = body_scan(sizes.image_voxels)
    grid = scan.volume.grid
    edge = grid.spacing_mm[0] * sizes.image_voxels
    rng = np.random.default_rng(1)
    x, y, z = (grid.coordinates_mm(axis) for axis in range(3))
    masks = []
    for number in range(STRUCTURES):
        a, b, c = rng.uniform(-0.15, 0.15, 3) * edge
        radius = RADIUS * edge * (1.0 + rng.normal(0.0, 0.03, len(z)))
        apart = (z[:, None, None] - c) ** 2 + (y[:, None] - b) ** 2 + (x - a) ** 2
        mask = Volume(grid=grid, values=apart < radius[:, None, None] ** 2)
        masks.append(NamedMask(name=f"lump {number + 1}", mask=mask, source="benchmark"))
    return build_case(scan, masks)


def packed_bytes(case: Case) -> int:
    """Return the size of all structures as one bit for each voxel of their boxes."""
    total = 0
    for structure in case.structures:
        inside = np.nonzero(structure.mask.values)
        total += int(np.prod([int(np.ptp(along)) + 1 for along in inside])) // 8
    return total


def _edit(file: CaseFile, number: int) -> float:
    """Move a probe by some tenths of a millimetre; return how long it took to be on the disk."""
    probes = file.plan.probes
    name = probes[number % len(probes)].name
    step = (0.1 * (number % 7 - 3), 0.1, -0.1 if number % 2 else 0.1)
    plan = nudge(file.plan, name, step)
    began = time.perf_counter()
    file.record(describe_change(file.plan, plan), plan=plan)
    return time.perf_counter() - began
