"""A case with a long history: many steps, many structures of uneven outline, as a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.store import CaseStore
from cryoplan.case.structure import Role, Structure
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from tests.support.cases import case, grid, points_of, scan, structure

STRUCTURE_VOXELS = 100_000


def uneven(where: Grid, centre: np.ndarray, voxels: int, seed: int) -> Volume:
    """Return a lump of about `voxels` voxels whose outline is as uneven as one drawn slice by slice."""
    rng = np.random.default_rng(seed)
    apart = points_of(where) - centre
    radius = (voxels * np.prod(where.spacing_mm) * 3 / (4 * np.pi)) ** (1 / 3)
    direction = apart / np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-9)
    bumps = sum(
        rng.uniform(0.02, 0.06) * np.sin(direction @ rng.normal(0, 6, 3) + rng.uniform(0, 6))
        for _ in range(6)
    )
    by_slice = rng.normal(0, 0.03, (where.shape[0], 1, 1))
    return Volume(grid=where, values=np.linalg.norm(apart, axis=-1) < radius * (1 + bumps + by_slice))


def long_case(structures: int = 15) -> Case:
    """Return a case of that many structures; the first is the target."""
    where = grid(size=(104, 104, 72), spacing=(0.8, 0.8, 1.25))
    rng = np.random.default_rng(1)
    made: list[Structure] = []
    for n in range(structures):
        centre = where.centre_mm() + rng.uniform(-12, 12, 3)
        role = Role.TUMOUR if n == 0 else Role.OTHER
        made.append(structure(f"structure {n}", uneven(where, centre, STRUCTURE_VOXELS, n), role))
    return case(scan(where), *made, target="structure 0")


def plan_text(tips: np.ndarray) -> str:
    """Return a plan with one probe for each tip."""
    probes = [
        {
            "name": str(n),
            "model": "generic-15g",
            "tip_mm": [round(float(x), 3) for x in tip],
            "entry_mm": [round(float(x) + 80.0, 3) for x in tip],
            "intensity": 1.0,
            "start_s": 0.0,
            "stop_s": None,
            "locked": False,
        }
        for n, tip in enumerate(tips, start=1)
    ]
    protocol = [{"phase": "freeze", "duration_s": 600.0, "mode": "passive"}] * 3
    return json.dumps({"schema": 1, "name": "A", "probes": probes, "protocol": protocol, "thermocouples": []})


def write_long_case(path: Path, steps: int, some: Case) -> None:
    """Write a file with `steps` steps: probes moved, undone, done again, structures renamed."""
    rng = np.random.default_rng(2)
    tips = rng.uniform(-50, 50, (6, 3))
    CaseStore.create(path, some, plan_text(tips))
    with CaseStore.open(path, scan=some.scan) as store:
        while len(store.history()) < steps + 1:
            number = len(store.history())
            if number % 40 == 0:
                store.undo()
            elif number % 40 == 1 and store.history().can_redo:
                store.redo()
            elif number % 50 == 7:
                there = store.load_case()
                last = there.structures[-1]
                new = structure(f"renamed {number}", last.mask, last.role, last.tissue)
                store.record(
                    f"{last.name} renamed", case=there.changed(structures=(*there.structures[:-1], new))
                )
            else:
                probe = int(rng.integers(6))
                tips[probe] += rng.normal(0, 3, 3)
                store.record(f"Probe {probe + 1}: tip moved 3.1 mm", plan_text=plan_text(tips))
