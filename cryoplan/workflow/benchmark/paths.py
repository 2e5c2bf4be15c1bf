"""Paths: all that is said of the way in of six probes among thirty structures, while one is dragged."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import planning_grid
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.plan.edits import nudge
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.paths_out import describe_paths
from cryoplan.workflow.solving import catalogue

STRUCTURES, PROBES = 30, 6
STEPS = 40
STEP_MM: Point = (0.0, 0.5, 0.3)
"""By how much the probe moves between two looks."""

_ROLES = (
    Role.ORGAN,
    Role.BOWEL,
    Role.VESSEL,
    Role.KIDNEY,
    Role.GALLBLADDER,
    Role.BONE,
    Role.LUNG,
    Role.STOMACH,
    Role.NERVE,
)


def paths(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure paths, clearances, rules and pairs after each step of a dragged probe."""
    case, plan = among_structures(sizes.drawn_size)
    models = catalogue()
    started = time.perf_counter()
    describe_paths(case, plan, models)
    first_ms = 1000.0 * (time.perf_counter() - started)
    seconds = []
    for _ in range(max(STEPS if sizes.repeats > 1 else 2, sizes.repeats)):
        check_cancelled(progress)
        plan = nudge(plan, "1", STEP_MM)
        started = time.perf_counter()
        describe_paths(case, plan, models)
        seconds.append(time.perf_counter() - started)
    found = [1000.0 * s for s in seconds]
    note = (
        f"{PROBES} probes, {STRUCTURES} structures, {' x '.join(map(str, sizes.drawn_size))} voxels: paths, "
        f"clearances, rules, pairs, angles; median, worst {max(found):.0f} ms; first look {first_ms:.0f} ms"
    )
    yield row("paths", statistics.median(found), len(found), note)
    yield row("paths-95", float(np.percentile(found, 95)), len(found), "95th percentile of the same")


def among_structures(size: tuple[int, int, int]) -> tuple[Case, Plan]:
    """Return a body 384 mm wide with a tumour in a liver and other structures, and parallel probes in it."""
    spacing = (384.0 / size[0], 384.0 / size[1], 300.0 / size[2])
    grid = Grid(size=size, spacing_mm=spacing, origin_mm=(-192.0, -192.0, -150.0))
    random = np.random.default_rng(7)
    body = _ellipsoid(grid, (0.0, 0.0, 0.0), (185.0, 130.0, 900.0))
    hu = np.where(body.values, 40, -1000).astype(np.int16)
    facts = ScanFacts(path="made", kind="phantom", code="BENCH", modality="CT", patient_position="HFS")
    tumour = _structure("tumour", Role.TUMOUR, _ellipsoid(grid, (-60.0, 10.0, 0.0), (15.0, 14.0, 13.0)))
    liver = _structure("liver", Role.ORGAN, _ellipsoid(grid, (-70.0, 0.0, 0.0), (80.0, 90.0, 80.0)))
    made = [_structure("body", Role.BODY, body), tumour, liver]
    while len(made) <= STRUCTURES:
        centre = as_point(random.uniform((-130.0, -90.0, -120.0), (130.0, 90.0, 120.0)))
        radii = as_point(random.uniform(8.0, 45.0, 3))
        role = _ROLES[len(made) % len(_ROLES)]
        made.append(_structure(f"structure {len(made)}", role, _ellipsoid(grid, centre, radii)))
    scan = Scan(volume=Volume(grid=grid, values=hu), facts=facts)
    case = Case(
        code="BENCH",
        scan=scan,
        structures=tuple(made),
        target_name="tumour",
        planning_grid=planning_grid(scan, tumour),
    )
    probes = tuple(
        Probe(
            name=str(n + 1),
            model="generic-15g",
            tip_mm=(-40.0, 10.0 + 12.0 * (n // 3), -12.0 + 12.0 * (n % 3)),
            entry_mm=(-168.0, 20.0 + 12.0 * (n // 3), -12.0 + 12.0 * (n % 3)),
        )
        for n in range(PROBES)
    )
    return case, Plan(probes=probes)


def _structure(name: str, role: Role, mask: Volume) -> Structure:
    return Structure(name=name, role=role, tissue="soft-tissue", mask=mask, source="made")


def _ellipsoid(grid: Grid, centre: Point, radii: Point) -> Volume:
    x, y, z = (_squares(grid, axis, centre[axis], radii[axis]) for axis in range(3))
    return Volume(grid=grid, values=x[None, None, :] + y[None, :, None] + z[:, None, None] <= 1.0)


def _squares(grid: Grid, axis: int, centre: float, radius: float) -> FloatArray:
    at = grid.origin_mm[axis] + grid.spacing_mm[axis] * np.arange(grid.size[axis])
    return np.asarray(((at - centre) / radius) ** 2)
