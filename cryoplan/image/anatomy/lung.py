"""Lung and gas: aerated lung, and all other air within the body - bowel, windpipe, free air."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_ml
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.shapes import closed, dilated, eroded, kept, opened, pieces

BoolArray = npt.NDArray[np.bool_]

LUNG_HU = -400.0
"""Halfway between lung (-850 HU) and soft tissue (40 HU)."""

GAS_HU = -480.0
"""Halfway between air (-1000 HU) and soft tissue (40 HU)."""

PURE_AIR_HU = -950.0
"""Darker than any lung but an emphysematous one (Gevenois 1996, -950 HU)."""

ALONE_ML = 300.0
"""Lung that ends below the top of the image is at least this much (one lung of an adult holds 1-3 l); stool
and gas, whose mixture can have the value of lung, hold less."""

SMALLEST_LUNG_ML = 2.0
"""A recess that the top of the image cuts off may be this small."""

VESSEL_MM = 5.0
"""Vessels and bronchial walls of up to twice this within lung belong to it."""

WINDPIPE_MM = 4.0
"""Pure air that is wider than twice this within lung is windpipe, main bronchus, bulla or free air."""

EMPHYSEMA = 0.1
"""From this share of pure air on, lung is emphysematous and its air is left in it."""

SMALLEST_GAS_ML = 0.1
"""Smaller bubbles are left out: three blocks of noise are one."""

DARKEST_HU = -850.0
"""Gas is darker than the mean of lung somewhere; what is not is the blur of the border of lung."""

SKIN_MM = 4.0
"""Air this near under the outline is a fold of the skin."""


def lung_and_gas_blocks(blocks: Blocks, body: BoolArray) -> tuple[BoolArray, BoolArray, float]:
    """Return lung and other gas ``[z, y, x]``, and the share of pure air in all that was taken for lung."""
    spacing = blocks.spacing_mm
    # Grown over the ends of the image, which are no skin.
    deep = eroded(body, SKIN_MM, spacing)
    dark = (blocks.values < LUNG_HU) & deep
    lung = _lung_pieces(blocks, dark)
    share = 0.0
    air: BoolArray = np.zeros_like(lung)
    if lung.any():
        pure = lung & (blocks.values < PURE_AIR_HU)
        share = float(np.count_nonzero(pure) / np.count_nonzero(lung))
        if share < EMPHYSEMA:
            air = opened(pure, WINDPIPE_MM, spacing)
            # Back to the walls: the borders of air are brighter than air.
            air = dilated(air, 3.0, spacing) & lung
        lung = closed(lung & ~air, VESSEL_MM, spacing) & deep & ~air & (blocks.values < 250.0)
        lung = ndimage.binary_fill_holes(lung | air) & ~air
    gas = (blocks.values < GAS_HU) & deep & ~lung
    # What is left along lung, without any air in it, is the blur of its border.
    labels, sizes = pieces(gas)
    darkest = ndimage.minimum(blocks.values, labels, np.arange(len(sizes))) if labels.any() else sizes
    keep = (sizes * blocks.block_ml >= SMALLEST_GAS_ML) & (np.asarray(darkest) < DARKEST_HU)
    return lung, kept(labels, keep), share


def _lung_pieces(blocks: Blocks, dark: BoolArray) -> BoolArray:
    """Return the pieces of dark blocks that are lung.

    Lung is a foam: its inside lies between -950 and -500 HU, that of gas in bowel at -1000. It is large, or
    the top of the image cuts it off, as in a scan of the abdomen: no bowel is as large, and little of it
    reaches as high.
    """
    spacing = blocks.spacing_mm
    labels, sizes = pieces(opened(dark, 2.0, spacing))
    inner = eroded(labels > 0, 2.0, spacing)
    keep = np.zeros(len(sizes), bool)
    top = np.zeros(len(sizes), bool)
    top[np.unique(labels[-1])] = True
    for number in np.flatnonzero(sizes * blocks.block_ml >= SMALLEST_LUNG_ML):
        if not top[number] and sizes[number] * blocks.block_ml < ALONE_ML:
            continue
        here = labels == number
        inside = here & inner
        level = float(np.median(blocks.values[inside if inside.any() else here]))
        keep[number] = PURE_AIR_HU < level < -500.0
        # Emphysema: most of a chest's content is lung even where it is as dark as air.
        keep[number] |= sizes[number] * blocks.block_ml > 3.0 * ALONE_ML
    core = kept(labels, keep)
    if not core.any():
        return core
    lung = dilated(core, 4.0, spacing) & dark
    # Thin edges of lung beside the diaphragm, which opening has cut off: they touch lung and hold no air.
    rest, sizes = pieces(dark & ~lung)
    touches = np.zeros(len(sizes), bool)
    touches[np.unique(rest[dilated(lung, 2.0, spacing)])] = True
    touches[0] = False
    for number in np.flatnonzero(touches):
        if np.percentile(blocks.values[rest == number], 5) > PURE_AIR_HU:
            lung |= rest == number
    return lung


def find_lung(blocks: Blocks, lung: BoolArray, share: float) -> Found:
    """Return lung on the scan's voxels."""
    mask = blocks.outlined(lung, -np.inf, LUNG_HU)
    notes = []
    if not mask.any():
        notes.append(_note(Part.LUNG, "auto-nothing", "There is no lung in the image.", Level.OK))
    elif share >= EMPHYSEMA:
        notes.append(
            _note(
                Part.LUNG,
                "auto-emphysema",
                f"{100.0 * share:.0f} % of it is as dark as air (below {PURE_AIR_HU:.0f} HU): emphysema, or "
                "free air, which cannot be told apart. Windpipe and bronchi were left in.",
            )
        )
    if mask.any():
        notes.append(
            _note(
                Part.LUNG,
                "auto-lung-dense",
                "Lung that is brighter than "
                f"{LUNG_HU:.0f} HU at its border (collapsed, flooded, a nodule against the pleura) is not "
                "in it.",
                Level.OK,
            )
        )
    return Found(part=Part.LUNG, mask=Volume(grid=blocks.image.grid, values=mask), notes=tuple(notes))


def find_gas(blocks: Blocks, gas: BoolArray) -> Found:
    """Return gas outside of lung on the scan's voxels."""
    mask = blocks.outlined(gas, -np.inf, GAS_HU) if gas.any() else blocks.on_scan(gas)
    if not mask.any():
        note = _note(Part.GAS, "auto-nothing", "There is no gas outside of lung.", Level.OK)
    else:
        ml = float(np.count_nonzero(mask)) * blocks.image.grid.voxel_volume_ml
        note = _note(
            Part.GAS,
            "auto-gas",
            f"{show_ml(ml)} of gas: in bowel, stomach or windpipe, or free. Values cannot tell these apart; "
            "look whether any lies outside of the bowel.",
        )
    return Found(part=Part.GAS, mask=Volume(grid=blocks.image.grid, values=mask), notes=(note,))


def _note(part: Part, code: str, text: str, level: Level = Level.WARN) -> Finding:
    return Finding(level=level, code=code, text=text, place=part.value)
