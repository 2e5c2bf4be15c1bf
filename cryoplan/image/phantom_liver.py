"""The liver of the synthetic abdomen, its vessels, the gallbladder, and the tumour that the plan is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import as_point, unit
from cryoplan.image import phantom_anatomy as anatomy
from cryoplan.image.phantom_canvas import Canvas, Part
from cryoplan.image.phantom_shapes import Patch, ellipsoid, tube, tube_box

_SOFT = (Part.VISCERAL_FAT,)


def paint_liver(c: Canvas) -> None:
    """Paint liver, great vessels, vessel trees, and last what is exactly known."""
    region, distance = _liver(c)
    _great_vessels(c)
    _liver_vessels(c, region, distance)
    _target(c)


def _liver(c: Canvas) -> tuple[Patch, npt.NDArray[np.floating[Any]]]:
    """Paint the parenchyma; return the signed distance to its outline, for the vessels to grow in."""
    p = c.box((-150, -110, 0), (105, 110, 190))
    ripple, dome = c.ripple[p.where], c.dome[p.where]
    right = ellipsoid(p, (-74.0, 4.0, 98.0), (70.0, 88.0, 92.0), 8.0)
    left = ellipsoid(p, (0.0, -46.0, 126.0), (60.0, 36.0, 48.0), 14.0)
    blend = np.float32(14.0)  # soft union of both lobes
    mix = np.clip(0.5 + 0.5 * (left - right) / blend, 0.0, 1.0)
    liver = left + mix * (right - left) - blend * mix * (1 - mix)
    liver = liver + 2.2 * ripple
    # Lower edge: rises from the right flank to the midline and from front to back.
    edge = 36.0 + 0.42 * np.clip(p.x + 125.0, 0.0, None) + 0.24 * np.clip(p.y, -90.0, 60.0)
    edge = edge + 4.0 * np.sin(p.y / 15.0) + 3.0 * np.sin(p.x / 11.0 + 1.0) + 2.5 * ripple
    liver = np.maximum(liver, (edge - p.z) * 0.8)
    liver = np.maximum(liver, c.wall_mm[p.where] + 1.2 - c.depth[p.where])
    liver = np.maximum(liver, p.z - dome + 0.4)
    spine = ellipsoid(p, (2.0, 62.0, 90.0), (45.0, 40.0, 900.0))
    liver = np.maximum(liver, -spine)
    kidney = ellipsoid(p, (-70.0, 46.0, 46.0), (33.0, 30.0, 60.0), -30.0)
    liver = np.maximum(liver, -kidney)
    fissure = np.sqrt((p.x + 6.0) ** 2 + (p.y + 70.0) ** 2) - 5.0  # round ligament
    fissure = np.maximum(fissure, p.z - 126.0)
    liver = np.maximum(liver, -fissure)
    hilum = tube(p, (-24.0, -6.0, 60.0), (-34.0, -4.0, 88.0), 17.0, 8.0)
    liver = np.maximum(liver, -hilum)
    bladder = _gallbladder_distance(p)
    liver = np.maximum(liver, 1.1 * np.clip((p.x + 80.0) / 12.0, -0.5, 1.0) - bladder)
    free = (
        *_SOFT,
        Part.SPLEEN,
        Part.STOMACH_WALL,
        Part.STOMACH_FLUID,
        Part.STOMACH_GAS,
        Part.PANCREAS,
        Part.BOWEL_WALL,
        Part.BOWEL_CONTENT,
        Part.COLON_WALL,
        Part.STOOL,
        Part.COLON_GAS,
    )
    c.fill(p, liver <= 0, Part.LIVER, free)
    return p, liver


def _gallbladder_distance(p: Patch) -> npt.NDArray[np.floating[Any]]:
    shape = np.broadcast_shapes(p.x.shape, p.y.shape, p.z.shape)
    near = np.full(shape, 50.0, np.float32)
    cone = anatomy.gallbladder()
    lower, upper = tube_box(cone.a_mm, cone.b_mm, 24.0)
    x, y, z = p.x.ravel(), p.y.ravel(), p.z.ravel()
    ranges = [
        np.flatnonzero((c >= lo) & (c <= hi)) for c, lo, hi in zip((x, y, z), lower, upper, strict=True)
    ]
    if all(len(r) for r in ranges):
        i, j, k = ranges
        points = np.stack(np.meshgrid(z[k], y[j], x[i], indexing="ij")[::-1], axis=-1)
        near[k[0] : k[-1] + 1, j[0] : j[-1] + 1, i[0] : i[-1] + 1] = cone.distance_mm(points)
    return near


def _great_vessels(c: Canvas) -> None:
    soft = (
        *_SOFT,
        Part.PANCREAS,
        Part.LIVER,
        Part.DIAPHRAGM,
        Part.BOWEL_WALL,
        Part.BOWEL_CONTENT,
        Part.STOMACH_WALL,
        Part.STOMACH_FLUID,
        Part.MUSCLE,
    )
    lungs = (*soft, Part.LUNG, Part.LUNG_VESSEL)
    aorta = anatomy.path_segments(
        [(8.0, 19.0, -10.0), (9.0, 18.0, 80.0), (13.0, 24.0, 200.0)], [10, 10.5, 11.5]
    )
    c.tubes(aorta, Part.AORTA, over=lungs)
    branches = [
        *anatomy.path_segments(
            [(8.0, 14.0, 92.0), (8.0, -4.0, 94.0), (-12.0, -12.0, 92.0)], [3.6, 3.4, 2.6], 4
        ),
        *anatomy.path_segments(
            [(8.0, 12.0, 78.0), (10.0, -6.0, 70.0), (10.0, -16.0, 20.0)], [4.0, 3.8, 3.4], 4
        ),
    ]
    c.tubes(branches, Part.AORTA, over=soft)
    cava = anatomy.path_segments(
        [
            (-22.0, 22.0, -10.0),
            (-22.0, 20.0, 60.0),
            (-24.0, 26.0, 120.0),
            (-20.0, 20.0, 160.0),
            (-12.0, 4.0, 195.0),
        ],
        [11.0, 11.5, 12.5, 13.0, 13.0],
    )
    c.tubes(cava, Part.CAVA, over=lungs)


def _liver_vessels(c: Canvas, p: Patch, distance: npt.NDArray[np.floating[Any]]) -> None:
    rng = c.rng
    tumour = anatomy.TUMOUR
    centre, keep = np.array(tumour.centre_mm), tumour.radius_mm * 1.11 + 5.0
    first = c.grid.index_to_mm([s.start for s in p.where[::-1]])
    spacing = np.array(c.grid.spacing_mm)

    def allowed(point: npt.NDArray[np.float64], radius: float) -> bool:
        i, j, k = np.rint((point - first) / spacing).astype(int)
        inside = all(0 <= n < size for n, size in zip((k, j, i), distance.shape, strict=True))
        if not inside or distance[k, j, i] > -(radius + 3.0):
            return False
        return bool(np.linalg.norm(point - centre) > keep + radius)

    start, end, radius, _ = anatomy.tumour_vein()
    hilum = (-40.0, -2.0, 92.0)
    liver = (Part.LIVER,)
    outside = (*_SOFT, Part.LIVER, Part.PANCREAS, Part.BOWEL_WALL, Part.BOWEL_CONTENT)
    trunk = anatomy.path_segments([(4.0, 2.0, 70.0), (-20.0, -4.0, 84.0), hilum], [7.0, 7.0, 6.2])
    splenic = anatomy.path_segments(
        [(4.0, 2.0, 70.0), (36.0, 14.0, 92.0), (82.0, 34.0, 114.0)], [5.0, 4.6, 4.0]
    )
    mesenteric = anatomy.path_segments(
        [(4.0, 2.0, 70.0), (-2.0, -10.0, 30.0), (0.0, -14.0, -5.0)], [5.5, 5.2, 5.0]
    )
    c.tubes([*trunk, *splenic, *mesenteric], Part.PORTAL_VEIN, over=outside)

    hepatic = anatomy.Tree(length_mm=24.0, shrink=0.84, thinnest_mm=1.0, spread=0.55)
    confluence = (-20.0, 16.0, 158.0)
    for heading, width in (
        ((-1.0, 0.35, -0.55), 4.6),
        ((-0.75, -0.75, -0.45), 4.4),
        ((0.35, -1.0, -0.25), 4.0),
        ((-0.9, 0.1, -0.9), 2.6),
    ):
        foot = np.array(confluence) + 6.0 * unit(heading)
        stem = [((confluence[0], confluence[1], confluence[2]), as_point(foot), width + 0.6, width)]
        c.tubes(stem, Part.HEPATIC_VEIN, over=liver)
        c.tubes(anatomy.grow(foot, heading, width, hepatic, allowed, rng), Part.HEPATIC_VEIN, over=liver)

    portal = anatomy.Tree(length_mm=20.0, shrink=0.83, thinnest_mm=0.95, spread=0.7)
    fork = (-56.0, 4.0, 104.0)
    stems = anatomy.path_segments([hilum, fork], [5.6, 4.8])
    stems += anatomy.path_segments([fork, (-66.0, 0.0, 96.0), start], [4.2, 3.4, radius])
    stems += anatomy.path_segments([hilum, (-24.0, -30.0, 112.0), (2.0, -46.0, 122.0)], [4.8, 4.2, 3.8])
    c.tubes(stems, Part.PORTAL_VEIN, over=(*outside, Part.HEPATIC_VEIN))
    for base, way, width in (
        (fork, (-0.7, 0.3, 0.8), 4.2),
        (fork, (-0.6, -0.8, 0.3), 3.8),
        (fork, (-0.7, 0.8, 0.1), 3.6),
        ((2.0, -46.0, 122.0), (1.0, 0.1, 0.2), 3.4),
        ((2.0, -46.0, 122.0), (0.3, -0.6, -0.6), 2.8),
        (end, as_point(np.subtract(end, start)), 2.2),
        (hilum, (-0.3, -1.0, 0.7), 3.0),
    ):
        tree = anatomy.grow(base, way, width, portal, allowed, rng)
        c.tubes(tree, Part.PORTAL_VEIN, over=liver)


def _target(c: Canvas) -> None:
    """Paint what is exactly known last: vein, gallbladder and tumour."""
    segment = anatomy.tumour_vein()
    c.tubes([segment], Part.PORTAL_VEIN)
    cone = anatomy.gallbladder()
    p = c.box(*tube_box(cone.a_mm, cone.b_mm, 18.0))
    distance = _gallbladder_distance(p)
    # The wall enhances; the organ reaches to its outer face.
    c.fill(p, distance <= 0, Part.GALLBLADDER)
    tumour = anatomy.TUMOUR
    reach = 1.2 * tumour.radius_mm
    p = c.box(np.subtract(tumour.centre_mm, reach), np.add(tumour.centre_mm, reach))
    points = np.stack(np.broadcast_arrays(p.x, p.y, p.z), axis=-1).astype(float)
    c.fill(p, tumour.inside(points), Part.TUMOUR_RIM)
    inner = (points - np.array(tumour.centre_mm)) * 1.28 + np.array(tumour.centre_mm)
    c.fill(p, tumour.inside(inner), Part.TUMOUR)
