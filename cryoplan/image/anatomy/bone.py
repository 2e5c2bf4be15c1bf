"""Bone: cortex by its value, marrow by what encloses it, bright contrast left out by its evenness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.shapes import closed, dilated, kept, opened, pieces

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]

BONE_HU = 130.0
"""Least value of trabecular bone with the blur of its surroundings; healthy trabecular bone has 150 HU and
more, osteoporotic bone below 110 (Pickhardt 2013) is found by its cortex and what that encloses."""

CORTEX_HU = 300.0
"""Cortex is brighter than this; blood with contrast is so only in the arterial phase."""

CORTEX_SHARE = 0.1
"""A piece of bone has at least this share of cortex. Measured: bones 0.2 to 0.7, kidneys, bowel with oral
contrast and vessels of the portal phase 0 to 0.05."""

SMALLEST_ML = 0.3
"""Smaller pieces are calcified walls and stones."""

WALL_MM = 3.0
"""Cortex may have gaps of up to twice this: where it is thin, blocks average it away."""

SECTION_MM2 = 2500.0
"""No section of a bone encloses more marrow than this (a vertebral body or a femoral head of 50 mm)."""

MARROW_HU = 70.0
"""Marrow between trabeculae is brighter than cord, blood and muscle (20 to 60 HU) ..."""

CORD_HU = 90.0
"""The contents of the spinal canal have 0 to 50 HU, some more by the blur of the bone around."""

FATTY_HU = -30.0
"""... or fat, darker than this; the contents of the spinal canal are neither."""

AIR_HU = -150.0
"""Nothing in a bone is darker: even fat is not."""

EVEN = 1.5
"""Contrast is as even as soft tissue is: its local spread is within this times the noise. Bone is mottled."""


IN_BONE = 0.5
"""Share of what lies 3 to 6 mm around that is bright: more is bone around marrow, less is soft tissue around
contrast (an aorta that lies on a vertebra has about a quarter)."""


def spread(values: Float32Array) -> Float32Array:
    """Return the standard deviation of each block and its 26 neighbours."""
    mean = ndimage.uniform_filter(values, 3)
    square = ndimage.uniform_filter(np.square(values), 3)
    return np.asarray(np.sqrt(np.maximum(square - np.square(mean), 0.0)))


def noise_of(blocks: Blocks, body: BoolArray, local: Float32Array) -> float:
    """Return the usual local spread of soft tissue, HU, which noise and texture make."""
    soft = body & (blocks.values > 0.0) & (blocks.values < BONE_HU)
    return float(np.median(local[soft])) if soft.any() else 0.0


def bone_blocks(blocks: Blocks, body: BoolArray) -> BoolArray:
    """Return bone with its marrow ``[z, y, x]``; the spinal canal is not bone."""
    values, spacing = blocks.values, blocks.spacing_mm
    bright = (values > BONE_HU) & body
    if not bright.any():
        return bright
    even = _contrast(blocks, bright, spread(values))
    labels, sizes = pieces(bright & ~even)
    cortex = np.bincount(labels[values > CORTEX_HU], minlength=len(sizes))
    bone = kept(
        labels, (sizes * blocks.block_ml >= SMALLEST_ML) & (cortex >= CORTEX_SHARE * np.maximum(sizes, 1))
    )
    smooth = ndimage.gaussian_filter(values, [1.5 / s for s in spacing])
    # Smoothed against noise, and by itself: the blur of cortex reaches into the canal.
    marrow = ((smooth > MARROW_HU) & (values > MARROW_HU)) | ((smooth < FATTY_HU) & (smooth > -200.0))
    inside = values > AIR_HU
    whole, canal = bone.copy(), np.zeros_like(bone)
    for wall in (bone, closed(bone, WALL_MM, spacing)):
        # Two planes enclose a marrow space; the spinal canal is enclosed in axial planes alone, and told from
        # marrow that the end of the image cuts open by its value.
        planes = _enclosed(wall, spacing)
        held = ((planes >= 2) & inside) | ((planes >= 1) & marrow)
        whole |= held
        canal |= (planes >= 1) & ~held
    # Of what stays open only the width of a cord: narrow gaps and marrow of like value are closed.
    cord = opened(canal & (values > 0.0) & (values < CORD_HU), WALL_MM, spacing)
    canal &= dilated(cord, WALL_MM, spacing)
    return (whole | (closed(whole, WALL_MM, spacing) & inside & body & ~canal)) & ~even


def _contrast(blocks: Blocks, bright: BoolArray, local: Float32Array) -> BoolArray:
    """Return aorta, kidney, bowel that hold contrast and may touch a bone: as even as soft tissue is.

    The marrow of a vertebra may be as even; it lies in bone, contrast in soft tissue and fat.
    """
    spacing = blocks.spacing_mm
    noise = noise_of(blocks, bright | (blocks.values > 0.0), local)
    labels, sizes = pieces(opened(bright & (local < EVEN * noise), WALL_MM, spacing))
    result: BoolArray = np.zeros_like(bright)
    reach = [int(np.ceil(6.0 / s)) for s in spacing]
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None or sizes[number] * blocks.block_ml < SMALLEST_ML:
            continue
        around = tuple(slice(max(p.start - r, 0), p.stop + r) for p, r in zip(place, reach, strict=True))
        core = labels[around] == number
        near = dilated(core, 3.0, spacing)
        shell = dilated(core, 6.0, spacing) & ~near
        if shell.any() and float(np.mean(bright[around][shell])) < IN_BONE:
            result[around] |= dilated(core, 4.0, spacing) & (blocks.values[around] < CORTEX_HU)
            result[around] |= core
    return result & bright


def _enclosed(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> npt.NDArray[np.uint8]:
    """Return in how many of the three planes through it each block is enclosed by `mask`, in a small hole."""
    planes: npt.NDArray[np.uint8] = np.zeros(mask.shape, np.uint8)
    for axis in range(3):
        area = float(np.prod([s for a, s in enumerate(spacing_mm) if a != axis]))
        for plane, count in zip(np.moveaxis(mask, axis, 0), np.moveaxis(planes, axis, 0), strict=True):
            if not plane.any():
                continue
            holes = ndimage.binary_fill_holes(plane) & ~plane
            if holes.any():
                labels, _ = ndimage.label(holes)
                small = np.bincount(labels.ravel()) * area <= SECTION_MM2
                small[0] = False
                count += small[labels]
    return planes


def find_bone(blocks: Blocks, bone: BoolArray) -> Found:
    """Return bone on the scan's voxels."""
    mask = blocks.on_scan(bone)
    if bone.any():
        # Only outwards: what the shape has enclosed is bone whatever its value.
        rim = blocks.on_scan(dilated(bone, max(blocks.spacing_mm[1:]), blocks.spacing_mm) & ~bone)
        mask |= rim & (blocks.image.values > BONE_HU + 20.0)
        notes = [
            Finding(
                level=Level.WARN,
                code="auto-bone",
                text="Stones, calcified walls, metal, and contrast as bright and mottled as bone are in it; "
                "cartilage is not. Discs between eroded plates may be filled.",
                place="bone",
            )
        ]
    else:
        notes = [
            Finding(level=Level.OK, code="auto-nothing", text="There is no bone in the image.", place="bone")
        ]
    return Found(part=Part.BONE, mask=Volume(grid=blocks.image.grid, values=mask), notes=tuple(notes))
