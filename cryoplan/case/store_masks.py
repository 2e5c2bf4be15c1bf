"""Stored masks: each mask of a case file once, by digest, and a stroke as the voxels that it changed.

A row without a base holds all voxels of its box. A row with a base holds the voxels of its box that are other
ones than in the base: put upon one of the two they give the other, so undo and redo need the same few bytes.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.voxel_bytes import (
    box_from_json,
    box_to_json,
    grid_from_json,
    grid_to_json,
    pack_bits,
    pack_mask,
    unpack_bits,
    unpack_mask,
)
from cryoplan.core.box import VoxelBox
from cryoplan.core.volume import Volume

LONGEST_CHAIN = 50
"""So many changes stand upon one whole mask at most: all of them are read to show the last one."""

LARGEST_SHARE = 0.5
"""A change whose box has more than this of the voxels of the mask's own box is not worth a chain."""


class StoredMasks:
    """The masks of an open case file; those that somebody still has are not read again.

    Attributes
    ----------
    bases : dict
        Digest of each mask to that of its base, None for a whole one.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._alive: WeakValueDictionary[str, Volume] = WeakValueDictionary()
        self.bases: dict[str, str | None] = {}
        self._drawn_on: dict[str, list[str]] = {}

    def read(self) -> None:
        """Read which there are."""
        self._take(dict(self._connection.execute("SELECT sha256, base FROM mask").fetchall()), replaces=True)

    def __contains__(self, digest: str) -> bool:
        return digest in self.bases

    def insert(self, case: Case, before: Case | None) -> dict[str, str | None]:
        """Write the masks of a case that are new; who calls owns the transaction and tells `written`."""
        return insert_masks(self._connection, case, self.bases, before)

    def written(self, case: Case, new: dict[str, str | None]) -> None:
        """Note that what `insert` wrote is on the disk."""
        self._take(new)
        self._alive.update({s.mask.digest(): s.mask for s in case.structures})

    def mask(self, digest: str) -> Volume:
        """Return the mask of that digest.

        Raises
        ------
        ValueError, KeyError, TypeError, zlib.error
            If there is none or it does not fit together.
        """
        mask = self._alive.get(digest)
        if mask is None:
            mask = self._alive[digest] = self._behind(digest) or select_mask(
                self._connection, digest, self._alive
            )
        return mask

    def _behind(self, digest: str) -> Volume | None:
        """Return a mask by taking a stroke back from one in memory that was drawn on it; None without one."""
        for child in self._drawn_on.get(digest, ()):
            there = self._alive.get(child)
            if there is not None:
                (_, box, voxels, _) = _row(self._connection, child)
                return _checked(_turned(there, [(box, voxels)]), digest)
        return None

    def _take(self, bases: dict[str, str | None], *, replaces: bool = False) -> None:
        self.bases = bases if replaces else self.bases | bases
        drawn_on = defaultdict(list, {} if replaces else self._drawn_on)
        for digest, base in bases.items():
            if base is not None:
                drawn_on[base].append(digest)
        self._drawn_on = dict(drawn_on)


def insert_masks(
    connection: sqlite3.Connection, case: Case, known: dict[str, str | None], before: Case | None = None
) -> dict[str, str | None]:
    """Write the masks of `case` that are not among the `known` digests, and return theirs with their bases.

    Parameters
    ----------
    known : dict
        See `StoredMasks.bases`.
    before : Case, optional
        A case whose masks are in the file: a structure that was drawn on is kept as what is different.
    """
    there = {} if before is None else {s.name: s.mask for s in before.structures}
    new: dict[str, str | None] = {}
    for structure in case.structures:
        mask, digest = structure.mask, structure.mask.digest()
        if digest in known or digest in new:
            continue
        base = there.get(structure.name)
        change, stands_on = None, None
        if base is not None and base.digest() in known and _chain(base.digest(), known) < LONGEST_CHAIN:
            change, stands_on = _change(base, mask), base.digest()
        if change is None:
            box, stands_on = VoxelBox(*voxel_box_ijk(mask)), None
            grid, packed = grid_to_json(mask.grid), pack_mask(mask, box)
        else:
            box, grid, packed = change[0], "", pack_bits(change[1])
        connection.execute(
            "INSERT INTO mask (sha256, grid, box, voxels, base) VALUES (?, ?, ?, ?, ?)",
            (digest, grid, box_to_json(box), packed, stands_on),
        )
        new[digest] = stands_on
    return new


def select_mask(
    connection: sqlite3.Connection, digest: str, alive: WeakValueDictionary[str, Volume] | None = None
) -> Volume:
    """Return the mask of that digest.

    Parameters
    ----------
    alive : mapping, optional
        Masks that are in memory: a base among them is not read.

    Raises
    ------
    ValueError, KeyError, TypeError, zlib.error
        If there is none or it does not fit together.
    """
    changes: list[tuple[str, bytes]] = []
    mask: Volume | None = None
    at = digest
    while mask is None:
        grid, box, voxels, base = _row(connection, at)
        if base is None:
            mask = unpack_mask(grid_from_json(grid), box_from_json(box), voxels)
            break
        changes.append((box, voxels))
        if len(changes) > LONGEST_CHAIN:
            raise ValueError("a mask stands upon too many others")
        mask = None if alive is None else alive.get(base)
        at = base
    return _checked(_turned(mask, changes[::-1]) if changes else mask, digest)


def _row(connection: sqlite3.Connection, digest: str) -> tuple[str, str, bytes, str | None]:
    row: tuple[str, str, bytes, str | None] | None = connection.execute(
        "SELECT grid, box, voxels, base FROM mask WHERE sha256 = ?", (digest,)
    ).fetchone()
    if row is None:
        raise ValueError("a mask is missing")
    return row


def _checked(mask: Volume, digest: str) -> Volume:
    if mask.digest() != digest:
        raise ValueError("the voxels of a mask are not those that were saved")
    return mask


def _turned(mask: Volume, changes: list[tuple[str, bytes]]) -> Volume:
    """Return a mask with the voxels of some changes turned over."""
    values = mask.values.copy()
    for text, voxels in changes:
        box = box_from_json(text)
        turned = unpack_bits(mask.grid, box, voxels)
        values[box.place] ^= turned
    return Volume(grid=mask.grid, values=values)


def _change(base: Volume, mask: Volume) -> tuple[VoxelBox, npt.NDArray[np.bool_]] | None:
    """Return where two masks differ and in which voxels; None where the whole mask is as well kept."""
    if base.grid != mask.grid:
        return None
    own = VoxelBox(*voxel_box_ijk(mask))
    both = VoxelBox(*voxel_box_ijk(base)).with_box(own)
    turned = base.values[both.place] ^ mask.values[both.place]
    part = VoxelBox.drawn(turned)
    if part is None or math.prod(part.shape) > LARGEST_SHARE * math.prod(own.shape):
        return None
    return part.moved(both.first_ijk), turned[part.place]


def _chain(digest: str, bases: dict[str, str | None]) -> int:
    """Return how many changes a mask stands upon."""
    length = 0
    base = bases.get(digest)
    while base is not None and length < LONGEST_CHAIN:
        length += 1
        base = bases.get(base)
    return length
