"""StructureFile: what a file of structures held, and what was noticed while it was read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureFile:
    """The structures of one file.

    Attributes
    ----------
    masks : tuple of NamedMask
        Those that have a voxel, in the order of the file; never empty.
    findings : tuple of Finding
        What was left out, filled in or resampled.
    """

    masks: tuple[NamedMask, ...]
    findings: tuple[Finding, ...] = ()


def note(level: Level, code: str, text: str, place: str) -> Finding:
    """Return a finding about a structure."""
    return Finding(level=level, code=code, text=text, place=place)


def empty(name: str, file: str, why: str = "has no voxel") -> Finding:
    """Return the finding of a structure without any voxel."""
    return note(Level.WARN, "structure-empty", f"{name} of {file} {why} and was left out.", name)


def refusal(file: str, name: str, what: str, remedy: str, code: str) -> StructureError:
    """Return the error of a structure that cannot be read; it names file and structure."""
    return StructureError(f"{name} of {file} {what}.", remedy, code=code, place=f"{file}: {name}")


def nothing_left(file: str, findings: list[Finding]) -> StructureError:
    """Return the error of a file of whose structures none is left, with the reason if there is one."""
    if findings:
        first = findings[0]
        return StructureError(
            f"{file} has no structure that can be used: {first.text}",
            "Choose another file, or export the structures again.",
            code=first.code if first.code != "structure-empty" else "no-labels",
            place=file,
        )
    return StructureError(
        f"{file} has no structure with a voxel in it.", "Choose another file.", code="no-labels", place=file
    )


def leaves(points_ijk: np.ndarray, grid: Grid, *, slack: float = 0.5) -> bool:
    """Tell whether index points ``(n, 3)`` leave the voxels of a grid by more than `slack` voxels."""
    if len(points_ijk) == 0:
        return False
    low, high = points_ijk.min(axis=0), points_ijk.max(axis=0)
    return bool(np.any(low < -0.5 - slack) or np.any(high > np.asarray(grid.size) - 0.5 + slack))


def outside(points_ijk: np.ndarray, grid: Grid) -> bool:
    """Tell whether the box of index points ``(n, 3)`` does not meet the voxels of a grid at all."""
    low, high = points_ijk.min(axis=0), points_ijk.max(axis=0)
    return bool(np.any(high < -0.5) or np.any(low > np.asarray(grid.size) - 0.5))


def left_out(file: str, name: str, points_ijk: np.ndarray, grid: Grid) -> Finding | None:
    """Return the finding of a structure that leaves the image, None for one that lies within it."""
    if not leaves(points_ijk, grid):
        return None
    if outside(points_ijk, grid):
        return note(Level.WARN, "mask-outside", f"{name} of {file} lies outside the image.", name)
    over = np.maximum(-0.5 - points_ijk.min(axis=0), points_ijk.max(axis=0) - np.asarray(grid.size) + 0.5)
    far = float(np.max(over * np.asarray(grid.spacing_mm)))
    text = f"{name} of {file} leaves the image by {far:.0f} mm and was left out."
    return note(Level.WARN, "mask-leaves-image", text, name)


def unique_names(masks: list[NamedMask]) -> tuple[NamedMask, ...]:
    """Return the masks, each with a name that is not empty."""
    return tuple(m if m.name.strip() else replace(m, name=f"structure {n + 1}") for n, m in enumerate(masks))


def drawn_corners_ijk(mask: Volume) -> np.ndarray:
    """Return the corners ``(8, 3)`` of the box around the set voxels of a mask; none when it is empty."""
    box = VoxelBox.drawn(mask.values)
    if box is None:
        return np.zeros((0, 3))
    pair = np.array([box.first_ijk, box.last_ijk], float)
    return np.array([[pair[a, 0], pair[b, 1], pair[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
