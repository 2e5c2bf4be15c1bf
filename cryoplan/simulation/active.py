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

from cryoplan.simulation.arrays import Baths, Chunks, Faces, Rim, Seams, conductivity
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


def _entries(pointers: Ints, chunks: Ints) -> tuple[Ints, Ints]:
    """Return which of `chunks` each of their entries belongs to, and the entries."""
    counts = pointers[chunks + 1] - pointers[chunks]
    of = np.repeat(np.arange(len(chunks)), counts)
    first = np.cumsum(counts) - counts
    return of, pointers[chunks][of] + np.arange(len(of)) - first[of]


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
        return self.shape[0] + 2, self.shape[1] + 2, -(-(self.shape[2] + 2) // WIDTH) * WIDTH

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
        inner = whole[:, :, : self.n_chunks * WIDTH].reshape(*self.padded[:2], self.n_chunks, WIDTH)
        flags[:, :, 1:-1] = inner.any(axis=3)
        # The place before a row is the last of the row before it; that behind it is in its last chunk or the
        # next.
        flags[:, 1:, 0] = whole[:, :-1, -1]
        flags[:, :, -1] = whole[:, :, self.n_chunks * WIDTH :].any(axis=2)
        return flags.ravel()

    def places(self, cells: Ints) -> Ints:
        """Return the places of flat indices of ``[k, j, i]``."""
        k, rest = np.divmod(np.asarray(cells, np.int64), self.shape[1] * self.shape[2])
        j, i = np.divmod(rest, self.shape[2])
        return np.asarray((k + 1) * self.plane + (j + 1) * self.row + i, np.int64)

    def chunk_of(self, places: Ints) -> Ints:
        """Return the chunk ``(k nj + j) nc + c`` of places inside the lattice."""
        k, rest = np.divmod(places, self.plane)
        j, i = np.divmod(rest, self.row)
        return np.asarray(((k - 1) * self.shape[1] + j - 1) * self.n_chunks + i // WIDTH, np.int64)

    def inner(self, flat: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a flat array as ``[k, j, i]`` (a view)."""
        whole = flat[: self.padded[0] * self.plane].reshape(self.padded)
        return whole[1:-1, 1:-1, : self.shape[2]]


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
    """

    layout: Layout
    single: Ints
    mixed: Ints
    material: Ints
    way: Ints
    own: npt.NDArray[np.floating]
    plain: Ints


class ActiveSet:
    """Which chunks are stepped, and the lists that the kernels walk along."""

    def __init__(self, table: ChunkTable, cell_m: float) -> None:
        layout = table.layout
        self.table, self.layout, self.cell_m = table, layout, cell_m
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
        np.bitwise_or.at(self.woken, self.layout.chunk_of(places), 1 << places % WIDTH)
        self.spread()

    def spread(self) -> bool:
        """Wake the neighbours of what was noted in `woken`; return whether anything woke."""
        return bool(_spread(self.woken, self.seen, self.active, self.shape, self.reach, self.bundle))

    def has(self, places: Ints) -> Bools:
        """Tell which cells are in the lists made last."""
        k, rest = np.divmod(places, self.layout.plane)
        j, i = np.divmod(rest, self.layout.row)
        return np.asarray(self.listed[(k - 1) // self.bundle, (j - 1) // self.bundle, i // WIDTH])

    def chunks(self) -> Chunks:
        """Return the active chunks as the kernels want them."""
        table, layout = self.table, self.layout
        flags = self.flags()
        self.listed = self.active.copy()
        chunks = np.flatnonzero(flags)
        self.cells = WIDTH * len(chunks)
        k, j, c = np.unravel_index(chunks, flags.shape)
        base = ((k + 1) * layout.plane + (j + 1) * layout.row + c * WIDTH).astype(np.int32)
        flag = ((k + 1) * (self.shape[1] + 2) + j + 1) * (self.shape[2] + 2) + c + 1
        flag = flag.astype(np.int32)
        single, entry = _entries(table.single, chunks)
        mixed, mixed_entry = _entries(table.mixed, chunks)
        is_plain = table.plain[chunks] >= 0
        plain, varied = np.flatnonzero(is_plain), np.flatnonzero(~is_plain)

        def planes(of: Ints) -> Ints:
            return np.searchsorted(k[of], np.arange(layout.shape[0] + 1)).astype(np.int64)

        return Chunks(
            single_base=base[single],
            single_material=table.material[entry].astype(np.int32),
            single_flag=flag[single],
            single_planes=planes(single),
            mixed_base=base[mixed],
            mixed_way=table.way[mixed_entry].astype(np.int32),
            mixed_entry=mixed_entry.astype(np.int32),
            mixed_flag=flag[mixed],
            mixed_planes=planes(mixed),
            plain_base=base[plain],
            plain_material=table.plain[chunks[plain]].astype(np.int32),
            plain_flag=flag[plain],
            plain_planes=planes(plain),
            varied_base=base[varied],
            varied_flag=flag[varied],
            varied_planes=planes(varied),
        )

    def flags(self) -> Bools:
        """Return which chunks are active, ``[k, j, c]``."""
        nk, nj, _ = self.shape
        return np.repeat(np.repeat(self.active, self.bundle, axis=0), self.bundle, axis=1)[:nk, :nj].copy()

    def rim(self, faces: Faces) -> Rim:
        """Return the conducting faces between active cells and all that is not stepped."""
        layout = self.layout
        active = np.zeros(tuple(n + 2 for n in self.shape), bool)
        active[1:-1, 1:-1, 1:-1] = self.flags()
        inner = (slice(1, -1),) * 3
        steps = ((0, layout.plane, 2), (1, layout.row, 1), (2, 1, 0))
        insides, outsides, faces_at = [], [], []
        for along, stride, axis in steps:
            for sign in (1, -1):
                k, j, c = np.nonzero(active[inner] & ~np.roll(active, -sign, axis=along)[inner])
                base = (k + 1) * layout.plane + (j + 1) * layout.row + c * WIDTH
                if along < 2:
                    cell = (base[:, None] + np.arange(WIDTH)).ravel()
                else:  # along a row only the first or the last cell touches what lies beyond
                    cell = base + (np.minimum(WIDTH, layout.shape[2] - c * WIDTH) - 1 if sign > 0 else 0)
                at = axis * layout.size + (cell if sign > 0 else cell - stride)
                open_ = (faces.of_u.ravel()[at] > 0) | (faces.of_psi.ravel()[at] > 0)
                insides.append(cell[open_])
                outsides.append(cell[open_] + sign * stride)
                faces_at.append(at[open_])
        inside, outside, at = (np.concatenate(of) for of in (insides, outsides, faces_at))
        # In the numbers that the kernels use, or the ledger would not hold what flows.
        of_u, of_psi = (
            conductivity(kept.ravel()[at]).astype(float) / self.cell_m**2
            for kept in (faces.of_u, faces.of_psi)
        )
        return Rim(inside=inside, outside=outside, of_u=of_u, of_psi=of_psi)

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
