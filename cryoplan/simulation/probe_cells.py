"""Probe cells: all probes of a problem on one lattice - who owns a cell, which faces change, where walls are."""

from __future__ import annotations

from dataclasses import dataclass

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
        links: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in Walls._fields}
        for index, faces in enumerate(self.every):
            cell = self.layout.places(faces.link_cell)
            core = self.layout.places(faces.link_core)
            place = np.searchsorted(self.places, core)
            good = (label[cell] != NOTHING) & (self.owner[place] == index)
            links["cell"].append(cell[good])
            links["core"].append(place[good])
            links["probe"].append(np.full(int(good.sum()), index, np.int64))
            links["material"].append(label[cell[good]].astype(np.int64))
            links["log"].append(faces.log_resistance[good])
            links["contact"].append(faces.contact_area[good])
            links["share"].append(faces.wall_share[good])
            links["degc"].append(np.full(int(good.sum()), float(start_degc)))
        whole = ("cell", "core", "probe", "material")
        return Walls(
            **{
                name: np.concatenate([*parts, np.zeros(0, np.int64 if name in whole else np.float64)]).astype(
                    np.int64 if name in whole else np.float64
                )
                for name, parts in links.items()
            }
        )


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
