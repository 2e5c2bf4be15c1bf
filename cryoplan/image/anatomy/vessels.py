"""Vessels: blood with contrast, brighter than what is around it and as bright as the aorta.

Three questions, in this order. What is brighter than its surroundings - than the same organ inside of organs,
than muscle outside? How bright is blood here - that of the aorta, the long even column before the spine? And
what of it is no vessel - organs, bowel with contrast, cartilage - by width, value and place? Hessian tube
filters were tried and left: at 5 mm slices they answer to bowel walls and renal cortex as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.bone import noise_of, spread
from cryoplan.image.anatomy.diameter import local_diameter
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.shapes import closed, dilated, eroded, kept, opened, pieces

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]

SMALLEST_MM = 3.0
"""Vessels from this diameter on carry enough heat to blunt the ice (physics, heat sinks)."""

BRIGHT_HU = 95.0
"""Blood without contrast has 30 to 60 HU, clotted up to 80: what is brighter holds contrast."""

STEP_HU = 25.0
"""Least step from an organ to its vessels: in the portal phase the liver's stand out by 30 to 70 HU."""

NOISES = 1.5
"""The step is at least this many times the noise."""

AORTA_MM = 32.0
"""The aorta is looked for outside of what holds a ball of this diameter; an aneurysm may hold one."""

WIDEST_MM = 26.0
"""What is no aorta and holds a ball of this diameter is an organ; the widest vein is narrower."""

COARSE_MM = 2.5
"""From this size of blocks on an aorta is only a few of them wide."""

BLOOD_MM2 = (60.0, 1000.0)
"""Section of the aorta: 9 to 36 mm wide."""

ABOVE_BLOOD_HU = 60.0
"""Veins are at most this much brighter than the aorta (portal phase); bowel with contrast is far brighter."""

MUSCLE_HU = 75.0
"""Background outside of organs is taken to be at least this, the upper end of enhanced muscle."""

SKIN_MM = 20.0
"""Costal cartilage and the veins of the skin lie this near under it, large vessels do not."""

SMALLEST_ML = 0.3
"""Smaller pieces are noise."""

TREE_ML = 5.0
"""Where no aorta says how bright blood is, a smaller piece is no vessel (8 mm wide and 10 cm long has this):
calcified walls, stones and cartilage of a scan without contrast are smaller."""

LONG = 2.0
"""A vessel is at least this many times as long as it is wide."""


def vessel_blocks(
    blocks: Blocks, body: BoolArray, air: BoolArray, bone: BoolArray
) -> tuple[BoolArray, Float32Array, float | None]:
    """Return vessels ``[z, y, x]``, their local diameter (mm, 0 outside) and the blood's value (HU).

    The value is None where no aorta was found; then what is as bright as contrast in bowel is not told apart.
    """
    spacing = blocks.spacing_mm
    smooth = ndimage.gaussian_filter(blocks.values, [0.8 / s if s < 3.0 else 0.0 for s in spacing])
    soft = body & ~dilated(bone, 1.5, spacing) & ~dilated(air, 3.0, spacing)
    nothing: Float32Array = np.zeros(body.shape, np.float32)
    bright = soft & (smooth > BRIGHT_HU)
    if not bright.any():
        return bright, nothing, None
    local = spread(blocks.values)
    noise = noise_of(blocks, body, local)
    step = max(STEP_HU, NOISES * noise)
    around = _mean_of(smooth, soft & (smooth > 0.0) & (smooth < 110.0), blocks)
    above = soft & (smooth > np.maximum(around, MUSCLE_HU) + step)
    solid = closed(bright, 4.0, spacing)
    narrow = above & ~dilated(opened(solid, 0.5 * AORTA_MM, spacing), 5.0, spacing)
    aorta, blood = _aorta(blocks, narrow & (local < 3.0 * noise), smooth)
    wide = opened(solid & ~dilated(aorta, 3.0, spacing), 0.5 * WIDEST_MM, spacing)
    organ = dilated(wide, 5.0, spacing) & soft & (smooth > 60.0) & ~aorta
    within = _mean_of(smooth, organ, blocks)
    vessel = np.where(organ, soft & (smooth > within + step), above)
    top = blood + max(ABOVE_BLOOD_HU, 2.0 * noise) if blood is not None else 500.0
    # The blurred edge of contrast in bowel has any value in between: it goes with its core.
    vessel &= ~dilated(opened(soft & (smooth > top), 1.5, spacing), 5.0, spacing)
    vessel &= eroded(body, SKIN_MM, spacing)
    labels, sizes = pieces(vessel)
    vessel = kept(labels, sizes * blocks.block_ml >= SMALLEST_ML)
    width = local_diameter(vessel, spacing)
    vessel &= width >= SMALLEST_MM
    vessel = _long(blocks, vessel, width)
    if blood is None:
        labels, sizes = pieces(vessel)
        vessel = kept(labels, sizes * blocks.block_ml >= TREE_ML)
    return vessel, np.where(vessel, width, np.float32(0.0)), blood


def _mean_of(values: Float32Array, mask: BoolArray, blocks: Blocks) -> Float32Array:
    """Return the mean of the values in `mask` around each block, weighted by a bell of 8 mm."""
    sigmas = [8.0 / s for s in blocks.spacing_mm]
    total = ndimage.gaussian_filter(np.where(mask, values, np.float32(0.0)), sigmas, truncate=2.5)
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigmas, truncate=2.5)
    return np.asarray(np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), 0.0), np.float32)


def _aorta(blocks: Blocks, even: BoolArray, smooth: Float32Array) -> tuple[BoolArray, float | None]:
    """Return the aorta and its value: the piece that runs furthest with the section of an aorta."""
    spacing = blocks.spacing_mm
    # What is even lies a block within its border already; of coarse blocks that is all there is.
    labels, sizes = pieces(opened(even, 4.0, spacing) if spacing[1] < COARSE_MM else even)
    best, longest = 0, 0.0
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None or sizes[number] * blocks.block_ml < 2.0:
            continue
        length = (place[0].stop - place[0].start) * spacing[0]
        section = sizes[number] * blocks.block_ml * 1000.0 / length
        whole = length >= 0.7 * even.shape[0] * spacing[0]
        if BLOOD_MM2[0] <= section <= BLOOD_MM2[1] and (length >= 60.0 or whole) and length > longest:
            best, longest = number, length
    if best == 0:
        return np.zeros_like(even), None
    aorta = np.asarray(labels == best)
    return aorta, float(np.median(smooth[aorta]))


def _long(blocks: Blocks, vessel: BoolArray, width: Float32Array) -> BoolArray:
    """Return the pieces that are long for their width, as vessels and their trees are."""
    labels, sizes = pieces(vessel)
    keep = np.zeros(len(sizes), bool)
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None or sizes[number] * blocks.block_ml < SMALLEST_ML:
            continue
        extent = [(p.stop - p.start) * s for p, s in zip(place, blocks.spacing_mm, strict=True)]
        widest = float(width[place][labels[place] == number].max())
        keep[number] = float(np.linalg.norm(extent)) >= LONG * widest
    return kept(labels, keep)


def find_vessels(blocks: Blocks, body: BoolArray, air: BoolArray, bone: BoolArray) -> Found:
    """Return vessels of 3 mm and more on the scan's voxels, with their local diameter."""
    mask, width, blood = vessel_blocks(blocks, body, air, bone)
    grid = blocks.image.grid
    notes = []
    if not mask.any():
        notes.append(_note("auto-nothing", f"No vessel of {SMALLEST_MM:.0f} mm or more holds contrast."))
    else:
        low, middle, high = np.percentile(width[mask], [2, 50, 98])
        notes.append(
            _note(
                "auto-vessel",
                f"Heat sinks: local diameter {low:.0f} to {high:.0f} mm, median {middle:.0f} mm, in "
                f"blocks of {max(blocks.spacing_mm[1:]):.1f} x {blocks.spacing_mm[0]:.1f} mm. Missing are "
                "vessels without contrast, and those thinner than a slice that run along it.",
            )
        )
        if blood is None:
            notes.append(
                _note(
                    "auto-no-aorta",
                    "No aorta was found, so that contrast in bowel, kidney or ureter may have been taken for "
                    "vessels.",
                    Level.WARN,
                )
            )
        else:
            notes.append(
                _note(
                    "auto-blood",
                    f"Blood has {blood:.0f} HU (aorta). Renal cortex and pelvis, bowel wall, cartilage "
                    "and bright tumours can be as bright: erase them.",
                    Level.WARN,
                )
            )
    return Found(
        part=Part.VESSEL,
        mask=Volume(grid=grid, values=blocks.on_scan(mask)),
        notes=tuple(notes),
        diameter_mm=Volume(grid=grid, values=blocks.on_scan(width)),
    )


def _note(code: str, text: str, level: Level = Level.OK) -> Finding:
    return Finding(level=level, code=code, text=text, place="vessel")
