"""Fat: by its value, away from the blurred borders of air."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.shapes import dilated, eroded, kept, pieces

BoolArray = npt.NDArray[np.bool_]

FAT_HU = (-190.0, -30.0)
"""Adipose tissue (Kvist 1988, Yoshizumi 1999): the range in use for body composition."""

SKIN_MM = 2.0
"""Skin is about this thick, and the blur between air and skin has the value of fat."""

SMALLEST_ML = 0.5
"""Smaller islands are noise and partial volume."""


def fat_blocks(blocks: Blocks, body: BoolArray, air: BoolArray, bone: BoolArray) -> BoolArray:
    """Return fat ``[z, y, x]``.

    Parameters
    ----------
    blocks : Blocks
    body, air, bone : bool ``[z, y, x]``
        `air` is lung and gas together. Fatty marrow counts as bone.
    """
    spacing = blocks.spacing_mm
    low, high = FAT_HU
    fat = (blocks.values >= low) & (blocks.values <= high) & eroded(body, SKIN_MM, spacing)
    fat &= ~dilated(air, max(spacing[1:]), spacing) & ~bone
    labels, sizes = pieces(fat)
    return kept(labels, sizes * blocks.block_ml >= SMALLEST_ML)


def find_fat(blocks: Blocks, fat: BoolArray) -> Found:
    """Return fat on the scan's voxels."""
    low, high = FAT_HU
    values = blocks.image.values
    outer = blocks.on_scan(fat)
    # Noise makes holes of single voxels: those that the mean of their block calls fat are.
    mask = outer & (values >= low - 60.0) & (values <= high + 60.0) if fat.any() else outer
    if mask.any():
        note = Finding(
            level=Level.OK,
            code="auto-fat",
            text=f"All that has {low:.0f} to {high:.0f} HU: under the skin, around organs, between muscles.",
            place="fat",
        )
    else:
        note = Finding(level=Level.OK, code="auto-nothing", text="There is no fat in the image.", place="fat")
    return Found(part=Part.FAT, mask=Volume(grid=blocks.image.grid, values=mask), notes=(note,))
