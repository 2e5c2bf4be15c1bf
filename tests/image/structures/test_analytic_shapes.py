"""The same shapes have their volume and centre through every door, on oblique and anisotropic grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.labels import read_structures
from cryoplan.image.write import write_volume
from tests.support import foreign_structures as foreign
from tests.support.grids import grid_of

OBLIQUE = Rotation.from_rotvec([0.25, -0.4, 0.15]).as_matrix()
SCANS = {
    "axial": grid_of((64, 62, 32), (0.9, 0.9, 1.8), (-20.0, 15.0, -300.0)),
    "oblique": grid_of((76, 56, 36), (0.8, 1.1, 1.7), (-20.0, 15.0, -300.0), OBLIQUE),
    "fine": grid_of((64, 62, 60), (1.0, 1.0, 1.0), (-20.0, 15.0, -300.0), OBLIQUE),
}
SHAPES = ("sphere", "ring", "thin shell", "ellipsoid")
FINE_MM = 0.7
PLANES_MM = 1.5


def _own_slices(shape: foreign.Shape, scan: Grid, folder: Path) -> Path:
    return foreign.rtstruct({"it": foreign.contours(shape, scan)}, folder / "a.dcm")


def _other_planes(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    """Contours of planes that lie neither on the scan's slices nor along them."""
    turn = Rotation.from_rotvec([0.3, 0.2, 0.1]).as_matrix()
    size, spacing = np.array([70, 70, 40]), np.array([1.0, 1.0, PLANES_MM])
    origin = shape.middle_mm - turn @ ((size - 1) * spacing / 2.0 + [0.0, 0.0, 0.37])
    return foreign.rtstruct(
        {"it": foreign.contours(shape, grid_of(size, spacing, origin, turn))}, folder / "b.dcm"
    )


def _fine(shape: foreign.Shape, axes: np.ndarray | None = None) -> Grid:
    size = np.array([68, 68, 68])
    turn = np.eye(3) if axes is None else axes
    return grid_of(size, (FINE_MM,) * 3, shape.middle_mm - turn @ ((size - 1.13) * FINE_MM / 2.0), turn)


def _label_map(shape: foreign.Shape, scan: Grid, folder: Path) -> Path:
    values = shape.inside(scan).astype(np.uint8)
    write_volume(Volume(grid=scan, values=values), folder / "it.nii.gz")
    return folder / "it.nii.gz"


def _fine_label_map(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    grid = _fine(shape)
    write_volume(Volume(grid=grid, values=shape.inside(grid).astype(np.uint8)), folder / "it.nrrd")
    return folder / "it.nrrd"


def _slicer(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    grid = _fine(shape, OBLIQUE)
    layers = np.stack([np.zeros(grid.shape, np.uint8), 3 * shape.inside(grid).astype(np.uint8)])
    segment = {"ID": "Segment_1", "Name": "it", "LabelValue": 3, "Layer": 1, "Extent": "0 67 0 67 0 67"}
    space = "right-anterior-superior"
    return foreign.slicer(layers, [segment], grid, folder / "it.seg.nrrd", space=space)


def _seg(shape: foreign.Shape, scan: Grid, folder: Path) -> Path:
    return foreign.dicom_seg(shape.inside(scan)[..., None], scan, folder / "seg.dcm")


def _seg_labelmap(shape: foreign.Shape, scan: Grid, folder: Path) -> Path:
    return foreign.dicom_seg(shape.inside(scan).astype(np.uint8), scan, folder / "seg.dcm", "LABELMAP")


def _seg_shares(shape: foreign.Shape, scan: Grid, folder: Path) -> Path:
    shares = shape.share(scan)[..., None]
    return foreign.dicom_seg(shares, scan, folder / "seg.dcm", "FRACTIONAL", fractional_type="OCCUPANCY")


def _seg_other_grid(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    grid = _fine(shape, OBLIQUE.T)
    return foreign.dicom_seg(shape.inside(grid)[..., None], grid, folder / "seg.dcm")


def _stl(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    return foreign.mesh(*foreign.surface(shape), folder / "it.stl", space="LPS")


def _obj(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    points, faces = foreign.surface(shape)
    return foreign.mesh(points * [-1.0, -1.0, 1.0], faces, folder / "it.obj", space="RAS")


def _ply(shape: foreign.Shape, _scan: Grid, folder: Path) -> Path:
    return foreign.mesh(*foreign.surface(shape), folder / "it.ply", form="big", space="LPS")


DOORS = {
    "contours on slices": _own_slices,
    "contours in oblique planes": _other_planes,
    "label map": _label_map,
    "label map on a finer grid": _fine_label_map,
    "Slicer layers on an oblique grid": _slicer,
    "SEG": _seg,
    "SEG label map": _seg_labelmap,
    "SEG of shares": _seg_shares,
    "SEG on another grid": _seg_other_grid,
    "STL": _stl,
    "OBJ": _obj,
    "PLY": _ply,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("where", SCANS)
@pytest.mark.parametrize("name", SHAPES)
def test_volume_and_centre_of_a_shape_come_through(tmp_path: Path, door: str, where: str, name: str):
    grid = SCANS[where]
    # A middle that lies on no voxel, so that nothing is exact by symmetry.
    shape = foreign.shapes(grid.centre_mm() + np.array([0.13, -0.21, 0.34]))[name]
    path = DOORS[door](shape, grid, tmp_path)
    mask = read_structures(path, foreign.scan_of(grid)).masks[0].mask
    assert mask.grid == grid
    drawn = grid.index_to_mm(np.argwhere(mask.values)[:, ::-1])
    volume_ml = len(drawn) * grid.voxel_volume_ml
    half_shell_ml = shape.surface_mm2 * 0.5 * min(grid.spacing_mm) / 1000.0
    off = abs(volume_ml - shape.volume_ml)
    centre = float(np.linalg.norm(drawn.mean(axis=0) - shape.middle_mm))
    print(f"FIG {door}|{where}|{name}|{volume_ml:.3f}|{shape.volume_ml:.3f}|{centre:.3f}")
    assert off <= max(0.01 * shape.volume_ml, half_shell_ml)
    # A wall of 1 mm is thinner than these voxels and planes: where it falls between them moves its centre by
    # up to 0.3 mm even in a mask that was drawn on the very voxels.
    coarsest = max(*grid.spacing_mm, PLANES_MM if door == "contours in oblique planes" else 0.0)
    assert centre <= (0.1 if name != "thin shell" else 0.1 + 0.15 * coarsest)
