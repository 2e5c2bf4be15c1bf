"""The organs of the synthetic abdomen: bowel, stomach, spleen, pancreas, kidneys and great vessels."""

from __future__ import annotations

import numpy as np

from cryoplan.core.geometry import Point
from cryoplan.image import phantom_anatomy as anatomy
from cryoplan.image.phantom_canvas import Canvas, Part
from cryoplan.image.phantom_shapes import Patch, ellipsoid, tube, tube_box

_SOFT = (Part.VISCERAL_FAT,)


def paint_organs(c: Canvas) -> None:
    """Paint the organs around the liver; the liver comes after them and takes its place."""
    _hollow_organs(c)
    _solid_organs(c)


def _hollow_organs(c: Canvas) -> None:
    _small_bowel(c)
    stomach = [
        (66.0, 4.0, 134.0),
        (72.0, -26.0, 116.0),
        (52.0, -58.0, 96.0),
        (14.0, -62.0, 82.0),
        (-16.0, -48.0, 78.0),
    ]
    course = anatomy.path_segments(stomach, [26.0, 31.0, 26.0, 18.0, 12.0], 8)
    c.tubes(course, Part.STOMACH_WALL, over=(*_SOFT, Part.BOWEL_WALL, Part.BOWEL_CONTENT))
    c.tubes(course, Part.STOMACH_FLUID, grow=-4.5, over=(Part.STOMACH_WALL,))
    p = c.all
    c.fill(p, (p.y + 0 * p.x + 0 * p.z < -52.0) & (c.parts == Part.STOMACH_FLUID), Part.STOMACH_GAS)
    frame = [
        (-98.0, 26.0, -16.0),
        (-101.0, 12.0, 4.0),
        (-95.0, -14.0, 17.0),
        (-78.0, -46.0, 12.0),
        (-45.0, -68.0, 8.0),
        (0.0, -72.0, 22.0),
        (50.0, -70.0, 48.0),
        (92.0, -40.0, 78.0),
        (112.0, 4.0, 90.0),
        (112.0, 30.0, 62.0),
        (106.0, 40.0, 20.0),
        (104.0, 42.0, -10.0),
    ]
    colon = anatomy.path_segments(frame, [22, 23, 22, 19, 18, 18, 17, 17, 16, 14, 13, 13], 10)
    pouched = [
        (a, b, ra * (1 + 0.13 * np.cos(1.15 * n)), rb * (1 + 0.13 * np.cos(1.15 * (n + 1))))
        for n, (a, b, ra, rb) in enumerate(colon)
    ]  # haustra
    c.tubes(pouched, Part.COLON_WALL, over=(*_SOFT, Part.BOWEL_WALL, Part.BOWEL_CONTENT, Part.STOMACH_WALL))
    c.tubes(pouched, Part.STOOL, grow=-2.6, over=(Part.COLON_WALL,))
    for n, (a, b, ra, rb) in enumerate(pouched):
        # Gas floats to the front of each pouch; the sheet of the level wanders a little.
        level = 0.5 * (a[1] + b[1]) + (-0.15 + 0.35 * np.sin(0.21 * n)) * ra
        box = c.box(*tube_box(a, b, max(ra, rb)))
        if 0 in c.parts[box.where].shape:
            continue
        pocket = (tube(box, a, b, ra - 2.6, rb - 2.6) <= 0) & (box.y < level)
        c.fill(box, pocket, Part.COLON_GAS, (Part.STOOL,))


def _small_bowel(c: Canvas) -> None:
    rng = c.rng
    for centre in (
        (35.0, -25.0, 22.0),
        (70.0, -10.0, 18.0),
        (0.0, -30.0, 18.0),
        (-40.0, -20.0, 4.0),
        (45.0, -20.0, 52.0),
        (80.0, -30.0, 40.0),
        (10.0, -35.0, 50.0),
    ):
        points = np.array(centre) + rng.normal(0, (18, 13, 11), (7, 3))
        loop = anatomy.path_segments(points, np.full(7, 10.5), 5)
        c.tubes(loop, Part.BOWEL_WALL, over=(*_SOFT, Part.BOWEL_CONTENT, Part.BOWEL_WALL))
        c.tubes(loop, Part.BOWEL_CONTENT, grow=-3.0, over=(Part.BOWEL_WALL,))


def _solid_organs(c: Canvas) -> None:
    hollow = (Part.STOMACH_WALL, Part.STOMACH_FLUID, Part.BOWEL_WALL, Part.BOWEL_CONTENT)
    soft = (*_SOFT, *hollow, Part.COLON_WALL, Part.COLON_GAS, Part.STOOL)
    p = c.box((60, -40, 40), (150, 100, 185))
    spleen = ellipsoid(p, (104.0, 38.0, 116.0), (34.0, 52.0, 46.0), 24.0) + 1.8 * c.ripple[p.where]
    hilum = ellipsoid(p, (70.0, 20.0, 112.0), (24.0, 36.0, 60.0), 24.0)
    c.fill(
        p,
        (spleen <= 0)
        & (hilum > 0)
        & (c.depth[p.where] > c.wall_mm[p.where] + 2)
        & (p.z < c.dome[p.where] - 1),
        Part.SPLEEN,
        soft,
    )
    pancreas = anatomy.path_segments(
        [
            (-22.0, -8.0, 62.0),
            (-6.0, -10.0, 76.0),
            (22.0, -4.0, 88.0),
            (58.0, 16.0, 104.0),
            (84.0, 30.0, 112.0),
        ],
        [14.0, 10.0, 9.0, 8.5, 6.0],
        7,
    )
    lobed = [
        (a, b, ra + 1.6 * np.sin(2.3 * n), rb + 1.6 * np.sin(2.3 * (n + 1)))
        for n, (a, b, ra, rb) in enumerate(pancreas)
    ]
    c.tubes(lobed, Part.PANCREAS, over=(*_SOFT, Part.BOWEL_WALL, Part.BOWEL_CONTENT))
    for side, centre in ((-1.0, (-70.0, 46.0, 46.0)), (1.0, (70.0, 46.0, 56.0))):
        _kidney(c, side, centre)


def _kidney(c: Canvas, side: float, centre: Point) -> None:
    p = c.box(np.subtract(centre, (46, 46, 66)), np.add(centre, (46, 46, 66)))
    lean = 0.16 * (p.z - centre[2])  # upper poles lean towards the spine
    moved = Patch(p.where, np.asarray(p.x + side * lean), p.y, p.z)
    outer = ellipsoid(moved, centre, (27.0, 24.0, 52.0), side * 30.0) + 1.2 * c.ripple[p.where]
    notch = np.asarray(
        np.sqrt(
            (moved.x - centre[0] + side * 27.0) ** 2
            + (p.y - centre[1] + 8.0) ** 2
            + ((p.z - centre[2]) * 0.55) ** 2
        )
        - 15.0
    )
    cortex, medulla = (
        (Part.RIGHT_KIDNEY, Part.MEDULLA_RIGHT) if side < 0 else (Part.LEFT_KIDNEY, Part.MEDULLA_LEFT)
    )
    free = (
        *_SOFT,
        Part.BOWEL_WALL,
        Part.BOWEL_CONTENT,
        Part.COLON_WALL,
        Part.STOOL,
        Part.COLON_GAS,
        Part.SPLEEN,
        Part.PANCREAS,
        Part.MUSCLE,
    )
    c.fill(
        p,
        outer <= 3.5,
        Part.VISCERAL_FAT,
        (
            Part.BOWEL_WALL,
            Part.BOWEL_CONTENT,
            Part.COLON_WALL,
            Part.STOOL,
            Part.COLON_GAS,
            Part.MUSCLE,
            Part.SPLEEN,
        ),
    )
    c.fill(p, (outer <= 0) & (notch > 0), cortex, free)
    angle = np.arctan2(p.y - centre[1], moved.x - centre[0])
    rays = np.cos(5 * angle + 0.11 * p.z) * np.cos((p.z - centre[2]) / 6.2)
    c.fill(p, (outer <= -6.5) & (rays > -0.15) & (notch > 4), medulla, (cortex,))
    sinus = ellipsoid(
        moved, (centre[0] - side * 8.0, centre[1] - 3.0, centre[2]), (13.0, 8.0, 30.0), side * 30.0
    )
    c.fill(p, sinus <= 0, Part.SINUS, (cortex, medulla))
    pelvis = [
        (
            (centre[0] - side * 6.0, centre[1] - 3.0, centre[2] + 12.0),
            (centre[0] - side * 22.0, centre[1] - 8.0, centre[2] - 8.0),
            3.0,
            4.5,
        )
    ]
    c.tubes(pelvis, Part.BOWEL_CONTENT, over=(Part.SINUS, *_SOFT))
    c.tubes(
        [
            (
                (centre[0] - side * 10.0, centre[1] - 3.0, centre[2] + 2.0),
                (side * 16.0, 24.0, centre[2] + 10.0),
                3.4,
                4.6,
            )
        ],
        Part.CAVA,
        over=(Part.SINUS, *_SOFT),
    )
