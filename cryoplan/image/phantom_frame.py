"""The frame of the synthetic abdomen: scanner table, body wall, chest, muscles and bones."""

from __future__ import annotations

import numpy as np

from cryoplan.image import phantom_anatomy as anatomy
from cryoplan.image.phantom_canvas import Canvas, Part
from cryoplan.image.phantom_shapes import ellipsoid


def paint_frame(c: Canvas) -> None:
    """Paint everything that the organs lie in, from outside to inside."""
    _table(c)
    _body_wall(c)
    _cavity(c)
    _back_muscles(c)
    _spine(c)
    _ribs(c)


def _table(c: Canvas) -> None:
    p = c.box((-172, 60, -5), (172, 200, 300))
    top = 121.0 - 0.0011 * p.x**2  # concave couch
    thickness = 24.0 * np.sqrt(np.maximum(1.0 - (p.x / 172.0) ** 4, 0.0))
    below = (p.y - top) + 0 * p.z
    c.fill(p, (below >= -9) & (below < 0) & (np.abs(p.x) < 160), Part.FOAM)
    c.fill(p, (below >= 0) & (below < thickness), Part.FOAM)
    shell = ((below >= 0) & (below < 3.2)) | ((below >= thickness - 3.2) & (below < thickness))
    c.fill(p, shell, Part.TABLE)


def _body_wall(c: Canvas) -> None:
    depth, p = c.depth, c.all
    fat_mm = 15.0 - 0.045 * p.y + 2.0 * c.ripple
    c.fill(p, depth > 0, Part.SKIN)
    c.fill(p, depth > 1.8, Part.FAT)
    c.fill(p, depth > fat_mm, Part.MUSCLE)
    # The three sheets of the flank, with fat between them.
    into = depth - fat_mm
    flank = (np.abs(p.x) > 70) & (p.y < 75) & (p.z < 100)
    sheets = ((into > 3.6) & (into < 4.6)) | ((into > 7.6) & (into < 8.5))
    c.fill(p, sheets & flank, Part.FAT, (Part.MUSCLE,))
    c.wall_mm = fat_mm + 12.0
    groove = np.abs(p.x) / 9.0 + np.maximum(-60.0 - p.y, 0) / 12.0
    white_line = (p.y < -60) & (groove < 0.35) & (p.z < 120)
    c.fill(p, white_line, Part.FAT, (Part.MUSCLE,))


def _cavity(c: Canvas) -> None:
    p = c.all
    inside = (c.depth > c.wall_mm) & (p.y < 92)
    c.fill(p, inside, Part.VISCERAL_FAT)
    dome = anatomy.diaphragm_mm(p.x, p.y).astype(np.float32) + 2.0 * c.ripple
    c.dome = dome
    c.fill(p, inside & (p.z > dome), Part.DIAPHRAGM)
    c.fill(p, inside & (p.z > dome + 3.5), Part.LUNG)
    middle = ellipsoid(p, (2.0, 4.0, 190.0), (25.0, 56.0, 900.0))
    c.fill(p, middle + c.ripple <= 0, Part.VISCERAL_FAT, (Part.LUNG,))
    gullet = [((6.0, 4.0, 150.0), (4.0, 6.0, 195.0), 7.0, 7.0)]
    c.tubes(gullet, Part.STOMACH_WALL, over=(Part.VISCERAL_FAT, Part.LUNG, Part.DIAPHRAGM))
    heart = ellipsoid(p, (22.0, -42.0, 196.0), (62.0, 42.0, 30.0), -20.0)
    c.fill(p, heart <= 7, Part.VISCERAL_FAT, (Part.LUNG,))
    c.fill(p, heart <= 4, Part.HEART, (Part.LUNG, Part.VISCERAL_FAT, Part.DIAPHRAGM))
    c.fill(p, (heart <= 4) & (p.z < dome + 3.5), Part.DIAPHRAGM, (Part.HEART,))
    _lung_vessels(c)


def _lung_vessels(c: Canvas) -> None:
    rules = anatomy.Tree(length_mm=13.0, shrink=0.84, thinnest_mm=0.75, spread=0.8)
    for x, y in (
        (-52, 44),
        (-70, 20),
        (-78, -20),
        (-105, 15),
        (-85, 50),
        (-60, -52),
        (-40, 60),
        (56, 44),
        (74, 16),
        (100, 22),
        (84, 52),
        (92, -20),
        (42, 58),
    ):
        start, way = (0.92 * x, 0.92 * y, 199.0), (0.006 * x, 0.006 * y, -1.0)
        tree = anatomy.grow(start, way, 2.4, rules, lambda *_: True, c.rng)
        c.tubes(tree, Part.LUNG_VESSEL, over=(Part.LUNG,))


def _back_muscles(c: Canvas) -> None:
    p = c.box((-80, 20, -5), (80, 112, 300))
    ripple = c.ripple[p.where]
    for side in (-1.0, 1.0):
        erector = ellipsoid(p, (side * 31.0, 79.0, 90.0), (27.0, 19.0, 900.0), side * 8.0) + 1.5 * ripple
        c.fill(p, (erector <= 3) & (c.depth[p.where] > 9), Part.FAT, (Part.MUSCLE, Part.VISCERAL_FAT))
        c.fill(p, (erector <= 0) & (c.depth[p.where] > 10), Part.MUSCLE)
        split = np.abs((p.x * side - 36.0) + 0.4 * (p.y - 79.0)) < 0.9
        c.fill(p, split & (erector <= 0) & (p.y > 70), Part.FAT, (Part.MUSCLE,))
        radius = np.clip(22.0 - 0.14 * p.z, 0.0, None)
        psoas = np.sqrt((p.x - side * (35.0 - 0.03 * p.z)) ** 2 + (p.y - 44.0) ** 2) - radius
        c.fill(p, (psoas + ripple <= 0) & (p.z < 125), Part.MUSCLE)
        quadratus = ellipsoid(p, (side * 58.0, 66.0, 20.0), (17.0, 8.0, 75.0), -side * 35.0)
        c.fill(p, quadratus + ripple <= 0, Part.MUSCLE)
    for side in (-1.0, 1.0):  # crura of the diaphragm beside the aorta
        crus = [((side * 14.0 + 6, 30.0, 60.0), (side * 20.0 + 6, 24.0, 150.0), 5.0, 6.0)]
        c.tubes(crus, Part.DIAPHRAGM, over=(Part.VISCERAL_FAT, Part.LUNG))


def _spine(c: Canvas) -> None:
    p = c.box((-60, 20, -5), (60, 112, 300))
    ripple = 0.8 * c.ripple[p.where]
    level = np.mod(p.z + 8.0, anatomy.VERTEBRA_PERIOD_MM) - anatomy.VERTEBRA_PERIOD_MM / 2
    waist = 1.6 * (1.0 - (level / 14.0) ** 2)  # vertebral bodies are waisted
    body = (np.sqrt((p.x / 23.0) ** 2 + ((p.y - 46.0) / 17.0) ** 2) - 1.0) * 19.0 + waist + ripple
    body = np.maximum(body, 12.0 - (84.0 - p.y) * 1.2)  # flat towards the canal
    bony = np.abs(level) <= 14.0
    c.fill(p, (body <= 0) & bony, Part.CORTEX)
    c.fill(p, (body <= -1.7) & (np.abs(level) <= 12.6), Part.MARROW)
    c.fill(p, (body <= 0.5) & ~bony, Part.DISC)
    ring = np.sqrt((p.x / 1.15) ** 2 + (p.y - 74.0) ** 2)
    arch = (ring >= 9.5) & (ring <= 14.5) & (p.y > 66) & (np.abs(level + 2) <= 11.5)
    c.fill(p, arch, Part.CORTEX)
    c.fill(p, (ring >= 11.2) & (ring <= 13.0) & arch, Part.MARROW)
    c.fill(p, ring < 9.5, Part.VISCERAL_FAT)
    c.fill(p, ring < 8.2, Part.CANAL)
    width = 2.4 + 1.8 * np.clip((p.y - 96.0) / 8.0, 0.0, 1.0)
    spinous = (np.abs(p.x) <= width) & (p.y > 86) & (p.y < 102) & (np.abs(level + 0.45 * (p.y - 86) - 6) <= 8)
    c.fill(p, spinous, Part.CORTEX)
    c.fill(p, spinous & (np.abs(p.x) <= width - 1.5) & (p.y < 100.5), Part.MARROW)
    centres = [anatomy.VERTEBRA_PERIOD_MM * (n + 0.5) - 8.0 for n in range(-1, 7)]
    for side in (-1.0, 1.0):
        for z in centres:
            process = [((side * 13.0, 75.0, z), (side * 38.0, 82.0, z - 2.0), 4.2, 3.2)]
            c.tubes(process, Part.CORTEX)
            c.tubes(process, Part.MARROW, grow=-1.6)


def _ribs(c: Canvas) -> None:
    everything = list(anatomy.ribs())
    for segment, cartilage in everything:
        c.tubes([segment], Part.CARTILAGE if cartilage else Part.CORTEX)
    for segment, cartilage in everything:
        if not cartilage:
            c.tubes([segment], Part.MARROW, grow=-1.7)
