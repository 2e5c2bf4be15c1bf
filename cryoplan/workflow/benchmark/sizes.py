"""Sizes: how large everything is that the benchmark measures; the tests have a tiny set of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of the measured things; picklable, because other processes measure too.

    Attributes
    ----------
    built_in : bool
        True for the built-in patient, False for a body of a few ellipsoids that is made at once.
    standard_mm, coarse_mm, fine_mm : float
        Edges of the cells.
    standard_cells, fine_cells, memory_cells : int
        Cells a side: the margin is chosen so that the block has about the third power of it.
    freeze_s, thaw_s : float
        Phases of the protocol.
    textbook_cells : int
        Cells a side of the block on which the textbook solvers run.
    loops_steps, numpy_steps : int
        How many of their explicit steps are timed.
    copy_mb, cache_kb : int
        Size of the copied arrays.
    image_voxels : int
        Voxels a side of the image that is read.
    series_slices, series_pixels : int
        Files of the DICOM series that is loaded, and pixels a side of each.
    anatomy_pixels, anatomy_slices : int
        Size of the CT in which anatomy is found.
    picture_px : int
        Edge of the 3D picture.
    history_steps : int
        Edits in the case file that is opened.
    drawn_size : tuple of int
        Voxels of the scan that is drawn on, along x, y and z.
    strokes, stroke_points : int
        Strokes of the brush, and events of the mouse in each.
    drag_s : float
        How long a probe is dragged.
    repeats : int
        Runs of whatever takes at most five seconds; longer ones are run three times or once.
    """

    built_in: bool = True
    standard_mm: float = 1.0
    coarse_mm: float = 2.0
    fine_mm: float = 0.5
    standard_cells: int = 120
    fine_cells: int = 192
    memory_cells: int = 240
    freeze_s: float = 600.0
    thaw_s: float = 300.0
    textbook_cells: int = 64
    loops_steps: int = 400
    numpy_steps: int = 100
    copy_mb: int = 256
    cache_kb: int = 384
    image_voxels: int = 256
    series_slices: int = 300
    series_pixels: int = 512
    anatomy_pixels: int = 512
    anatomy_slices: int = 100
    picture_px: int = 900
    history_steps: int = 2000
    drawn_size: tuple[int, int, int] = (512, 512, 300)
    strokes: int = 12
    stroke_points: int = 25
    drag_s: float = 8.0
    repeats: int = 5


USUAL = Sizes()

TINY = Sizes(
    built_in=False,
    standard_mm=2.0,
    fine_mm=2.0,
    standard_cells=28,
    fine_cells=28,
    memory_cells=28,
    freeze_s=20.0,
    thaw_s=10.0,
    textbook_cells=24,
    loops_steps=5,
    numpy_steps=2,
    copy_mb=2,
    image_voxels=40,
    series_slices=6,
    series_pixels=24,
    anatomy_pixels=48,
    anatomy_slices=24,
    picture_px=120,
    history_steps=5,
    drawn_size=(48, 44, 40),
    strokes=3,
    stroke_points=4,
    drag_s=0.6,
    repeats=1,
)
"""For tests: every figure is measured, and none means anything."""
