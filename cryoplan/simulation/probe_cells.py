"""Probe cells: all probes on one lattice - who owns a cell, which faces change, where the walls are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.active import Layout
from cryoplan.simulation.arrays import NOTHING, Walls
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.sources import ProbeFaces, probe_faces

Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeCells:
    """All probes on one lattice; places are those of the padded arrays.

    Attributes
    ----------
    places, owner : int64 (n,)
        Cells that hold probes, in memory order, and whose they are.
    face_axis, face_place : int64 (m,)
        Corrected tissue faces: 0, 1, 2 for k, j, i, and the cell on the lower side.
    face_factor : float64 (m,)
    """

    layout: Layout
    places: Ints
    owner: Ints
    face_axis: Ints
    face_place: Ints
    face_factor: Float64s
    every: tuple[ProbeFaces, ...]

    def walls(self, label: npt.NDArray[np.uint8], start_degc: float) -> Walls:
        """Return the wall links towards cells that are tissue."""
        parts = [self._links(index, label) for index in range(len(self.every))]
        cell, core, probe = (
            np.concatenate([np.zeros(0, np.int64), *(p[n] for p in parts)]) for n in range(3)
        )
        log, contact, share, depth = (
            np.concatenate([np.zeros(0), *(p[n] for p in parts)]) for n in range(3, 7)
        )
        return Walls(
            cell=cell,
            core=core,
            probe=probe,
            material=label[cell].astype(np.int64),
            log=log,
            contact=contact,
            share=share,
            depth=depth,
            degc=np.full(len(cell), float(start_degc)),
        )

    def _links(self, index: int, label: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[Any], ...]:
        faces = self.every[index]
        cell = self.layout.places(faces.link_cell)
        core = np.searchsorted(self.places, self.layout.places(faces.link_core))
        good = (label[cell] != NOTHING) & (self.owner[core] == index)
        probe = np.full(len(cell), index, np.int64)
        every = (
            cell, core, probe, faces.log_resistance, faces.contact_area, faces.wall_share, faces.depth,
        )  # fmt: skip
        return tuple(array[good] for array in every)


def gather_probes(problem: Problem, layout: Layout) -> ProbeCells:
    """Return cells and faces of all probes.

    Where probes meet, a cell belongs to the first and a face keeps the factor of the nearer axis.
    """
    origin_m = np.asarray(problem.grid.origin_mm) / 1000.0
    every = tuple(probe_faces(s, layout.shape, origin_m, problem.cell_m) for s in problem.probes)
    cells = np.concatenate([f.cells for f in every] or [np.zeros(0, np.int64)]).astype(np.int64)
    owner = np.repeat(np.arange(len(every)), [len(f.cells) for f in every])
    cells, first = np.unique(cells, return_index=True)

    axis = np.concatenate([f.face_axis for f in every] or [np.zeros(0, np.int64)]).astype(np.int64)
    cell = np.concatenate([f.face_cell for f in every] or [np.zeros(0, np.int64)]).astype(np.int64)
    factor = np.concatenate([f.face_factor for f in every] or [np.zeros(0)])
    radius = np.concatenate([f.face_radius for f in every] or [np.zeros(0)])
    order = np.lexsort((radius, cell, axis))
    axis, cell, factor = axis[order], cell[order], factor[order]
    nearest = np.ones(len(cell), bool)
    nearest[1:] = (cell[1:] != cell[:-1]) | (axis[1:] != axis[:-1])
    return ProbeCells(
        layout=layout,
        places=layout.places(cells),
        owner=owner[first].astype(np.int64),
        face_axis=axis[nearest],
        face_place=layout.places(cell[nearest]),
        face_factor=factor[nearest],
        every=every,
    )
