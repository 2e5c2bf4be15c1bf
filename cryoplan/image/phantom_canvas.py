"""The canvas of the synthetic abdomen: parts painted over parts, and how each looks to a CT scanner."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cryoplan.image import phantom_anatomy as anatomy
from cryoplan.image.phantom_shapes import Patch, patch, smooth_noise, tube, tube_box, whole

Float32Array = npt.NDArray[np.float32]


class Part(IntEnum):
    """What a voxel is made of."""

    AIR = 0
    TABLE = 1
    FOAM = 2
    SKIN = 3
    FAT = 4
    MUSCLE = 5
    VISCERAL_FAT = 6
    LUNG = 7
    DIAPHRAGM = 8
    LIVER = 9
    PORTAL_VEIN = 10
    HEPATIC_VEIN = 11
    TUMOUR = 12
    GALLBLADDER = 13
    RIGHT_KIDNEY = 14
    LEFT_KIDNEY = 15
    MEDULLA_RIGHT = 16
    MEDULLA_LEFT = 17
    SINUS = 18
    COLON_WALL = 19
    COLON_GAS = 20
    STOOL = 21
    STOMACH_WALL = 22
    STOMACH_FLUID = 23
    STOMACH_GAS = 24
    SPLEEN = 25
    PANCREAS = 26
    AORTA = 27
    CAVA = 28
    BOWEL_WALL = 29
    BOWEL_CONTENT = 30
    CORTEX = 31
    MARROW = 32
    DISC = 33
    CANAL = 34
    CARTILAGE = 35
    LUNG_VESSEL = 36
    HEART = 37
    TUMOUR_RIM = 38


# CT numbers of a portal-phase scan, HU. Orders of magnitude of any atlas; they only have to look right.
_HU = {
    Part.AIR: -1000, Part.TABLE: -20, Part.FOAM: -945, Part.SKIN: 30, Part.FAT: -104, Part.MUSCLE: 60,
    Part.VISCERAL_FAT: -100, Part.LUNG: -850, Part.DIAPHRAGM: 55, Part.LIVER: 112, Part.PORTAL_VEIN: 172,
    Part.HEPATIC_VEIN: 160, Part.TUMOUR: 50, Part.GALLBLADDER: 8, Part.RIGHT_KIDNEY: 196,
    Part.LEFT_KIDNEY: 196, Part.MEDULLA_RIGHT: 168, Part.MEDULLA_LEFT: 168, Part.SINUS: -70,
    Part.COLON_WALL: 78, Part.COLON_GAS: -960, Part.STOOL: 25, Part.STOMACH_WALL: 82,
    Part.STOMACH_FLUID: 18, Part.STOMACH_GAS: -960, Part.SPLEEN: 122, Part.PANCREAS: 98, Part.AORTA: 158,
    Part.CAVA: 138, Part.BOWEL_WALL: 92, Part.BOWEL_CONTENT: 28, Part.CORTEX: 620, Part.MARROW: 190,
    Part.DISC: 88, Part.CANAL: 25, Part.CARTILAGE: 105, Part.LUNG_VESSEL: 70, Part.HEART: 140,
    Part.TUMOUR_RIM: 74,
}  # fmt: skip


def among(parts: npt.NDArray[np.uint8], members: Iterable[Part]) -> npt.NDArray[np.bool_]:
    """Tell for each voxel whether it is made of one of `members`."""
    wanted = np.zeros(256, bool)
    wanted[[int(m) for m in members]] = True
    return wanted[parts]


class Canvas:
    """Voxels by what they are made of; later strokes cover earlier ones, each within the box it can reach.

    Attributes
    ----------
    parts : numpy.ndarray
        uint8 ``[k, j, i]``, values of `Part`.
    ripple : numpy.ndarray
        Smooth random field of variance 1; a few of it, in mm, make an outline irregular.
    depth : numpy.ndarray
        Depth below the skin, mm.
    wall_mm, dome : numpy.ndarray
        Depth of the inner face of the body wall, and height of the diaphragm; set by the frame.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.grid = anatomy.GRID
        self.rng = rng
        self.parts = np.zeros(self.grid.shape, np.uint8)
        self.all = whole(self.grid)
        self.ripple = smooth_noise(self.grid, 45.0, rng)
        self.depth = anatomy.depth_mm(self.all.x, self.all.y, self.all.z)
        self.wall_mm: npt.NDArray[np.floating[Any]] = np.zeros((1, 1, 1), np.float32)
        self.dome: npt.NDArray[np.floating[Any]] = np.zeros((1, 1, 1), np.float32)

    def box(self, lower: npt.ArrayLike, upper: npt.ArrayLike) -> Patch:
        """Return the part of the grid inside an LPS box."""
        return patch(self.grid, lower, upper)

    def fill(self, p: Patch, inside: npt.NDArray[np.bool_], part: Part, over: tuple[Part, ...] = ()) -> None:
        """Make the voxels `inside` of a patch `part`, or only those that were one of `over`."""
        view = self.parts[p.where]
        inside = np.broadcast_to(inside, view.shape)
        if over:
            inside = inside & among(view, over)
        view[inside] = part

    def tubes(
        self,
        segments: Iterable[anatomy.Segment],
        part: Part,
        *,
        grow: float = 0.0,
        over: tuple[Part, ...] = (),
    ) -> None:
        """Fill tubes, thickened by `grow` mm."""
        for a, b, radius_a, radius_b in segments:
            p = self.box(*tube_box(a, b, max(radius_a, radius_b) + grow + 0.5))
            if 0 in self.parts[p.where].shape:
                continue
            self.fill(p, tube(p, a, b, radius_a + grow, radius_b + grow) <= 0, part, over)

    def to_hu(self) -> npt.NDArray[np.int16]:
        """Return what a scanner would show: CT numbers with texture, blur and noise."""
        table = np.full(256, -1000.0, np.float32)
        for part, number in _HU.items():
            table[part] = number
        hu = table[self.parts]
        self._texture(hu)
        # The scanner's point spread: about 1.3 mm in the slice, and slices that overlap a little.
        hu = ndimage.gaussian_filter(hu, (0.35, 0.62, 0.62), truncate=3.0)
        hu += self._noise()
        np.clip(hu, -1024.0, 3071.0, out=hu)
        rounded: npt.NDArray[np.int16] = np.rint(hu).astype(np.int16)
        return rounded

    def _texture(self, hu: Float32Array) -> None:
        mottle = smooth_noise(self.grid, 9.0, self.rng)
        strength = np.zeros(256, np.float32)
        for part, amount in (
            (Part.LIVER, 3.0),
            (Part.SPLEEN, 3.0),
            (Part.MUSCLE, 9.0),
            (Part.FAT, 5.0),
            (Part.VISCERAL_FAT, 9.0),
            (Part.MARROW, 42.0),
            (Part.STOOL, 55.0),
            (Part.LUNG, 18.0),
            (Part.TUMOUR, 7.0),
            (Part.PANCREAS, 12.0),
            (Part.CORTEX, 60.0),
            (Part.HEART, 8.0),
            (Part.BOWEL_CONTENT, 12.0),
            (Part.RIGHT_KIDNEY, 6.0),
            (Part.LEFT_KIDNEY, 6.0),
            (Part.STOMACH_FLUID, 9.0),
        ):
            strength[part] = amount
        hu += strength[self.parts] * mottle
        # Thin strands in the fat: the zero crossings of a smooth field.
        strands = np.abs(self.ripple * 2.1 - mottle * 0.75) < 0.05
        hu[strands & (self.parts == Part.VISCERAL_FAT)] += 38.0

    def _noise(self) -> Float32Array:
        """Return quantum noise: grainy at 2 mm, no slow waves, stronger deep in the body; sigma 7-11 HU."""
        white = self.rng.standard_normal(self.grid.shape, np.float32)
        grain = ndimage.gaussian_filter(white, (0.3, 0.8, 0.8), truncate=3.0)
        grain -= ndimage.uniform_filter(grain, (1, 9, 9))
        grain /= grain.std()
        return np.asarray(grain * (7.5 + 4.0 * np.clip(self.depth / 100.0, -0.6, 1.0)), np.float32)
