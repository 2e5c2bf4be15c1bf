"""Protect: a pocket inflated beside the plan's needles, and the skin that a warm bag lies on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import binary_erosion

from cryoplan.case.case import Case
from cryoplan.case.outlined import free_name, with_structure
from cryoplan.case.pocket import Fill, Needle, inflate
from cryoplan.case.skin import body_mask
from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import StructureError
from cryoplan.core.geometry import Point
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan


def inflate_pocket(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    centre_mm: Point,
    volume_ml: float,
    *,
    between: Sequence[str] = (),
    fill: Fill = Fill.SALINE,
) -> Case:
    """Return the case with a pocket more; it keeps clear of the probes and tools of the plan.

    Raises
    ------
    StructureError
        See `cryoplan.case.pocket.inflate`; nothing is changed.
    """
    needles = [
        Needle(
            tip_mm=p.tip_mm,
            back_mm=p.point_behind_tip_mm(max(p.depth_mm, probes.model(p.model).shaft_length.value)),
            radius_mm=0.5 * probes.model(p.model).outer_diameter.value,
        )
        for p in plan.probes
    ]
    needles += [
        Needle(tip_mm=t.tip_mm, back_mm=t.entry_mm, radius_mm=0.5 * t.diameter_mm)
        for t in plan.tools
        # A pocket is filled through the needle that lies in it.
        if t.kind.value != "hydrodissection"
    ]
    name = free_name(case, "pocket")
    structure, finding = inflate(
        case, centre_mm, volume_ml, between=between, needles=needles, fill=fill, name=name
    )
    made = with_structure(case, structure)
    return made.changed(findings=(*made.findings, finding))


BAG_REACH_MM = 120.0
"""Skin is looked for this far from a point."""


def nearest_skin(case: Case, point_mm: Point) -> Point:
    """Return the voxel of the body's surface that is nearest to a point, LPS.

    Raises
    ------
    StructureError
        If nothing tells where the skin is, or none is near.
    """
    body = body_mask(case)
    box = None if body is None else VoxelBox.around(body.grid, np.asarray(point_mm)[None], BAG_REACH_MM)
    if body is not None and box is not None:
        inside = body.values[box.place]
        # Where the image ends the body goes on: that is no skin.
        rim = inside & ~binary_erosion(np.pad(inside, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
        found = np.argwhere(rim)[:, ::-1] + np.asarray(box.first_ijk)
        if len(found):
            points = body.grid.index_to_mm(found.astype(float))
            x, y, z = points[int(np.argmin(np.sum((points - np.asarray(point_mm)) ** 2, axis=-1)))]
            return float(x), float(y), float(z)
    raise StructureError(
        f"No skin is found within {BAG_REACH_MM:g} mm of the crosshair.",
        "Put the crosshair onto the skin, or outline the body first.",
        code="bag-without-skin",
        place="crosshair",
    )
