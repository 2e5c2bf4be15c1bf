"""Active chunks: only where something happens is stepped.

Outside, the start field stands. A chunk wakes when a cell within reach of it differs from its start by
0.2 degC; on a real liver plan that leaves a third of the box around the ice (solver notes section 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.arrays import Baths, Chunks, Rim, Seams
from cryoplan.simulation.compiled import compiled
from cryoplan.simulation.lanes import WIDTH

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ACTIVE_DEGC = 0.2
"""Change from the start that wakes the neighbourhood.

On a real liver plan, 10-5-10 min, it makes the ice 0.02 percent smaller at 1 mm and 0.1 percent at 2 mm.
"""

REACH_M = 1.5e-3
"""How far ahead cells wake: heat spreads 2.4 mm in unfrozen tissue within one step of 10 s."""

BLOCK_M = 2e-3
"""Rows wake in bundles of this width, so that the lists need not be made anew at every step."""


@compiled
def _spread(woken: Any, seen: Any, active: Any, shape: Any, reach: Any, bundle: Any) -> Any:
    """Wake what lies within `reach` cells of the set bits of the chunks; return how many bundles woke."""
    nk, nj, nc = shape
    woke = 0
    for chunk in range(woken.shape[0]):
        if not woken[chunk] & ~seen[chunk]:
            continue
        seen[chunk] |= woken[chunk]
        k, j, c = chunk // (nj * nc), chunk // nc % nj, chunk % nc
        first = c - 1 if seen[chunk] & ((1 << min(reach, 16)) - 1) else c
        last = c + 1 if seen[chunk] >> max(16 - reach, 0) else c
        for kk in range(max(k - reach, 0) // bundle, min(k + reach, nk - 1) // bundle + 1):
            for jj in range(max(j - reach, 0) // bundle, min(j + reach, nj - 1) // bundle + 1):
                for cc in range(max(first, 0), min(last, nc - 1) + 1):
                    if not active[kk, jj, cc]:
                        active[kk, jj, cc] = True
                        woke += 1
    return woke


@compiled
def _list(active: Any, row: Any, plane: Any, single: Any, mixed: Any, plain: Any, varied: Any, n: Any) -> Any:
    """List the active chunks, see `Chunks`; `n` is set to where each plane begins, by list."""
    nk, nj, nc = active.shape
    counts = np.zeros(4, np.int64)
    flag_row, flag_plane = nc + 2, (nj + 2) * (nc + 2)
    for listing in (False, True):
        # First how many, then which.
        singles = np.empty((3, counts[0]), np.int64)
        mixeds = np.empty((3, counts[1]), np.int64)
        plains = np.empty((3, counts[2]), np.int64)
        varieds = np.empty((3, counts[3]), np.int64)
        # Element by element: assignments of slices take the compiler a second each.
        for kind in range(4):
            counts[kind] = 0
        for k in range(nk):
            for kind in range(4):
                n[kind, k] = counts[kind]
            for j in range(nj):
                for c in range(nc):
                    if not active[k, j, c]:
                        continue
                    chunk = (k * nj + j) * nc + c
                    base = (k + 1) * plane + (j + 1) * row + c * 16 + 1
                    flag = (k + 1) * flag_plane + (j + 1) * flag_row + c + 1
                    for entry in range(single[chunk], single[chunk + 1]):
                        if listing:
                            at = counts[0]
                            singles[0, at], singles[1, at], singles[2, at] = base, entry, flag
                        counts[0] += 1
                    for entry in range(mixed[chunk], mixed[chunk + 1]):
                        if listing:
                            at = counts[1]
                            mixeds[0, at], mixeds[1, at], mixeds[2, at] = base, entry, flag
                        counts[1] += 1
                    if plain[chunk] >= 0:
                        if listing:
                            at = counts[2]
                            plains[0, at], plains[1, at], plains[2, at] = base, plain[chunk], flag
                        counts[2] += 1
                    else:
                        if listing:
                            at = counts[3]
                            varieds[0, at], varieds[1, at], varieds[2, at] = base, varied[chunk], flag
                        counts[3] += 1
        for kind in range(4):
            n[kind, nk] = counts[kind]
    return singles, mixeds, plains, varieds


@compiled
def _list_rim(active: Any, n_i: Any, row: Any, plane: Any, of_u: Any, of_psi: Any) -> Any:
    """List the conducting faces between active cells and all that is not stepped."""
    nk, nj, nc = active.shape
    steps = ((1, 0, 0, plane, 2), (0, 1, 0, row, 1), (0, 0, 1, 1, 0))
    count = 0
    for listing in (False, True):
        inside, outside = np.empty(count, np.int64), np.empty(count, np.int64)
        u, psi = np.empty(count), np.empty(count)
        count = 0
        for k in range(nk):
            for j in range(nj):
                for c in range(nc):
                    if not active[k, j, c]:
                        continue
                    base = (k + 1) * plane + (j + 1) * row + c * 16 + 1
                    for dk, dj, dc, stride, axis in steps:
                        for sign in (-1, 1):
                            kk, jj, cc = k + sign * dk, j + sign * dj, c + sign * dc
                            if 0 <= kk < nk and 0 <= jj < nj and 0 <= cc < nc and active[kk, jj, cc]:
                                continue
                            low, high = 0, 16
                            if dc:
                                # Along a row only the first or the last cell touches what lies beyond.
                                low = 0 if sign < 0 else min(15, n_i - c * 16 - 1)
                                high = low + 1
                            for lane in range(low, high):
                                cell = base + lane
                                face = cell if sign > 0 else cell - stride
                                if of_u[axis, face] > 0.0 or of_psi[axis, face] > 0.0:
                                    if listing:
                                        inside[count], outside[count] = cell, cell + sign * stride
                                        u[count], psi[count] = of_u[axis, face], of_psi[axis, face]
                                    count += 1
    return inside, outside, u, psi


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Where cells lie: ``shape`` (nk, nj, ni), chunks per row, and the padded lattice."""

    shape: tuple[int, int, int]

    @property
    def n_chunks(self) -> int:
        """Chunks per row."""
        return -(-self.shape[2] // WIDTH)

    @property
    def padded(self) -> tuple[int, int, int]:
        """Rows with halo and filling."""
        return self.shape[0] + 2, self.shape[1] + 2, self.n_chunks * WIDTH + 2

    @property
    def row(self) -> int:
        """Places from a row to the next."""
        return self.padded[2]

    @property
    def plane(self) -> int:
        """Places from a plane to the next."""
        return self.padded[1] * self.padded[2]

    @property
    def size(self) -> int:
        """Places of one array; a spare chunk lets the last row be read whole."""
        return self.padded[0] * self.plane + WIDTH

    @property
    def n_flags(self) -> int:
        """Flags of all chunks, with one more around them on every side."""
        return (self.shape[0] + 2) * (self.shape[1] + 2) * (self.n_chunks + 2)

    def flags_of(self, places: Bools) -> Bools:
        """Return the flags of the chunks, and of the halo, in which any place is true."""
        whole = places[: self.padded[0] * self.plane].reshape(self.padded)
        flags = np.zeros((self.shape[0] + 2, self.shape[1] + 2, self.n_chunks + 2), bool)
        flags[:, :, 0], flags[:, :, -1] = whole[:, :, 0], whole[:, :, -1]
        inner = whole[:, :, 1:-1].reshape(*self.padded[:2], self.n_chunks, WIDTH)
        flags[:, :, 1:-1] = inner.any(axis=3)
        return flags.ravel()

    def places(self, cells: Ints) -> Ints:
        """Return the places of flat indices of ``[k, j, i]``."""
        k, rest = np.divmod(np.asarray(cells, np.int64), self.shape[1] * self.shape[2])
        j, i = np.divmod(rest, self.shape[2])
        return np.asarray((k + 1) * self.plane + (j + 1) * self.row + i + 1, np.int64)

    def chunk_of(self, places: Ints) -> Ints:
        """Return the chunk ``(k nj + j) nc + c`` of places inside the lattice."""
        k, rest = np.divmod(places, self.plane)
        j, i = np.divmod(rest, self.row)
        return np.asarray(((k - 1) * self.shape[1] + j - 1) * self.n_chunks + (i - 1) // WIDTH, np.int64)

    def inner(self, flat: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a flat array as ``[k, j, i]`` (a view)."""
        whole = flat[: self.padded[0] * self.plane].reshape(self.padded)
        return whole[1:-1, 1:-1, 1 : self.shape[2] + 1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChunkTable:
    """All chunks ``(k nj + j) nc + c`` of a lattice.

    Attributes
    ----------
    single, mixed : int64 (chunks + 1,)
        Where the entries of each chunk begin in the two lists below.
    material : int64
        Materials of the chunks with few of them, chunk by chunk.
    way : int64
        Ways to freeze of the chunks with many materials.
    own : float (entries, 112)
        Numbers of the cells of those entries, see `cryoplan.simulation.arrays.Chunks`.
    plain : int64 (chunks,)
        Material where all faces are those of one material; else -1.
    varied : int64 (chunks + 1,)
        Where the row of `conductivity` of each other chunk is.
    conductivity : (varied chunks, 192)
        W/(m K), float16 as uint16 where the processor reads that, else the field's type: of U through the
        faces above and below along i, j, k, then of Psi.
    """

    layout: Layout
    single: Ints
    mixed: Ints
    material: Ints
    way: Ints
    own: npt.NDArray[np.floating]
    plain: Ints
    varied: Ints
    conductivity: npt.NDArray[Any]


class ActiveSet:
    """Which chunks are stepped, and the lists that the kernels walk along."""

    def __init__(self, table: ChunkTable, cell_m: float) -> None:
        layout = table.layout
        self.table, self.layout = table, layout
        nk, nj, _ = layout.shape
        self.shape = (nk, nj, layout.n_chunks)
        self.bundle = max(1, int(BLOCK_M / cell_m + 1e-9))
        self.active = np.zeros((-(-nk // self.bundle), -(-nj // self.bundle), layout.n_chunks), bool)
        self.woken = np.zeros(nk * nj * layout.n_chunks, np.int64)
        self.seen = np.zeros_like(self.woken)
        self.reach = min(math.ceil(REACH_M / cell_m), WIDTH)
        self.cells = 0
        self.listed = self.active.copy()

    @property
    def is_whole(self) -> bool:
        """True when every chunk is active."""
        return bool(self.active.all())

    def wake_all(self) -> None:
        """Step every cell."""
        self.active[:] = True

    def wake_around(self, places: Ints) -> None:
        """Wake what lies within reach of cells."""
        i = (places % self.layout.row - 1) % WIDTH
        np.bitwise_or.at(self.woken, self.layout.chunk_of(places), 1 << i)
        self.spread()

    def spread(self) -> bool:
        """Wake the neighbours of what was noted in `woken`; return whether anything woke."""
        return bool(_spread(self.woken, self.seen, self.active, self.shape, self.reach, self.bundle))

    def has(self, places: Ints) -> Bools:
        """Tell which cells are in the lists made last."""
        k, rest = np.divmod(places, self.layout.plane)
        j, i = np.divmod(rest, self.layout.row)
        return np.asarray(self.listed[(k - 1) // self.bundle, (j - 1) // self.bundle, (i - 1) // WIDTH])

    def chunks(self) -> Chunks:
        """Return the active chunks as the kernels want them."""
        table, layout = self.table, self.layout
        planes = np.zeros((4, layout.shape[0] + 1), np.int64)
        flags = self.flags()
        self.listed = self.active.copy()
        self.cells = WIDTH * int(flags.sum())
        single, mixed, plain, varied = _list(
            flags, layout.row, layout.plane, table.single, table.mixed, table.plain, table.varied, planes
        )
        return Chunks(
            single_base=single[0],
            single_material=table.material[single[1]],
            single_flag=single[2],
            single_planes=planes[0],
            mixed_base=mixed[0],
            mixed_way=table.way[mixed[1]],
            mixed_entry=mixed[1],
            mixed_flag=mixed[2],
            mixed_planes=planes[1],
            plain_base=plain[0],
            plain_material=plain[1],
            plain_flag=plain[2],
            plain_planes=planes[2],
            varied_base=varied[0],
            varied_entry=varied[1],
            varied_flag=varied[2],
            varied_planes=planes[3],
        )

    def flags(self) -> Bools:
        """Return which chunks are active, ``[k, j, c]``."""
        nk, nj, _ = self.shape
        return np.repeat(np.repeat(self.active, self.bundle, axis=0), self.bundle, axis=1)[:nk, :nj].copy()

    def rim(self, of_u: npt.NDArray[np.floating], of_psi: npt.NDArray[np.floating]) -> Rim:
        """Return the conducting faces between active cells and all that is not stepped.

        Parameters
        ----------
        of_u, of_psi : float (3, n)
            Conductances of the faces above each cell along i, j, k.
        """
        layout = self.layout
        return Rim(*_list_rim(self.flags(), layout.shape[2], layout.row, layout.plane, of_u, of_psi))

    def seams(self, seams: Seams) -> Seams:
        """Return the seams with both cells active."""
        here = self.has(seams.cell)
        good = here[seams.low] & here[seams.high]
        place = np.cumsum(here) - 1
        return Seams(
            cell=seams.cell[here],
            material=seams.material[here],
            held_degc=seams.held_degc[here],
            low=place[seams.low[good]],
            high=place[seams.high[good]],
            of_u=seams.of_u[good],
            of_psi=seams.of_psi[good],
        )

    def baths(self, baths: Baths) -> Baths:
        """Return the exchanges of active cells."""
        good = self.has(baths.cell)
        return Baths(
            cell=baths.cell[good],
            material=baths.material[good],
            rate=baths.rate[good],
            degc=baths.degc[good],
            slot=baths.slot[good],
        )
