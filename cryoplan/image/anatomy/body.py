"""Body: where the patient ends - without table, lines, arms that lie apart, and the air around."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_ml
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.shapes import closed, dilated, eroded, filled_in_planes, kept, pieces

BoolArray = npt.NDArray[np.bool_]

BODY_HU = -300.0
"""Between air and skin: fat is about -100 HU, so half-filled skin voxels fall on the right side."""

TABLE_MM = 5.0
"""Shells of tables, lines and covers are thinner than twice this; foam between shells is below `BODY_HU`."""

GAP_MM = 8.0
"""A chest wall of a thin patient, or a wound, may be cut open this far on both sides and is still a wall."""

OF_THE_LARGEST = 0.3
"""Pieces of at least this share of the largest belong to the body: two legs do, an arm beside a trunk does
not (an arm has about a twentieth of the trunk's mass, Dempster 1955)."""

LUNG_FROM_HU = -950.0
"""Lung is brighter than this except in emphysema, whose definition it is (Gevenois 1996)."""

SMALLEST_CUT_ML = 20.0
"""Lung that a cropped image cuts open is at least this much; less is a fold of the skin."""

TOLD_ML = 20.0
"""Pieces left out are spoken of from here on."""


def body_blocks(blocks: Blocks, above: float = BODY_HU) -> tuple[BoolArray, float]:
    """Return the body ``[z, y, x]``, holes filled, and the volume of pieces that were left out, ml.

    Parameters
    ----------
    blocks : Blocks
    above : float
        What is brighter is body.
    """
    spacing = blocks.spacing_mm
    tissue = blocks.values > above
    core = eroded(tissue, TABLE_MM, spacing)
    labels, sizes = pieces(core)
    if not sizes.any():
        return core, 0.0
    large = sizes >= OF_THE_LARGEST * sizes.max()
    mine = dilated(kept(labels, large), TABLE_MM, spacing) & tissue
    other = dilated(kept(labels, ~large), TABLE_MM, spacing) & tissue & ~mine
    body = filled_in_planes(mine)
    # Gaps in a thin wall: what a closed wall would hold belongs to the body, the closing itself does not.
    flat = (10.0 * GAP_MM, spacing[1], spacing[2])
    wall = closed(body, GAP_MM, flat)
    inner = filled_in_planes(wall)
    body |= (inner & ~wall) | (inner & tissue & ~other)
    body = filled_in_planes(body | _cut_lung(blocks, body))
    return body, float(np.count_nonzero(other)) * blocks.block_ml


def _cut_lung(blocks: Blocks, body: BoolArray) -> BoolArray:
    """Return what lies open to the sides of a cropped image, walled off from the air around, as lung is.

    Told from air by its value alone; the room's air, in one piece with foam and blankets, is far darker in
    its median than lung.
    """
    labels, sizes = pieces(~body)
    keep = np.zeros(len(sizes), bool)
    for number in np.flatnonzero(sizes * blocks.block_ml > SMALLEST_CUT_ML):
        keep[number] = LUNG_FROM_HU < np.median(blocks.values[labels == number]) < BODY_HU
    return kept(labels, keep)


def find_body(blocks: Blocks, body: BoolArray, left_out_ml: float) -> Found:
    """Return the body on the scan's voxels, from `body_blocks`, and what is unsure about it."""
    mask = blocks.outlined(body, BODY_HU, np.inf)
    notes = []
    if not mask.any():
        notes.append(
            Finding(
                level=Level.WARN,
                code="auto-nothing",
                text=f"Nothing that is thicker than {2 * TABLE_MM:.0f} mm is brighter than {BODY_HU:.0f} HU.",
                place="body",
            )
        )
    if left_out_ml >= TOLD_ML:
        notes.append(
            Finding(
                level=Level.WARN,
                code="auto-left-out",
                text=f"{show_ml(left_out_ml)} that lie apart from the trunk (arms, thick parts of the table) "
                "were left out. An arm that lies against the skin belongs to the body.",
                place="body",
            )
        )
    if any(bool(plane.any()) for plane in (body[:, :, 0], body[:, :, -1], body[:, 0], body[:, -1])):
        notes.append(
            Finding(
                level=Level.WARN,
                code="auto-cut-off",
                text="The image cuts the body off at a side; there the outline is the edge of the image, "
                "not skin.",
                place="body",
            )
        )
    return Found(part=Part.BODY, mask=Volume(grid=blocks.image.grid, values=mask), notes=tuple(notes))


def find_body_of_signal(blocks: Blocks) -> Found:
    """Return the body in an image without Hounsfield units: what is brighter than Otsu's threshold.

    The threshold (Otsu 1979, doi 10.1109/TSMC.1979.4310076) is taken of the square root of the signal, which
    keeps bright fat from being all that counts; half of it parts noise from tissue more safely than itself,
    since air is darker than any tissue while cortical bone and lung, dark too, are filled in.
    """
    root = np.sqrt(np.maximum(blocks.values - float(np.percentile(blocks.values, 0.5)), 0.0))
    image = SimpleITK.GetImageFromArray(root)
    chooser: Any = SimpleITK.OtsuThresholdImageFilter()  # type: ignore[no-untyped-call]
    chooser.Execute(image)
    level = 0.75 * float(chooser.GetThreshold())
    body, _ = body_blocks(replace(blocks, values=root), level)
    mask = blocks.on_scan(body)
    note = Finding(
        level=Level.WARN,
        code="auto-body-of-mr",
        text="An MR has no value that means air: the outline follows the signal, which fades towards the "
        "coil's ends and is missing in lung and bone near the skin. Compare it with the image.",
        place="body",
    )
    return Found(part=Part.BODY, mask=Volume(grid=blocks.image.grid, values=mask), notes=(note,))
