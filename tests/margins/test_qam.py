"""The published voxel margin against a plain reading of its definition, and both against the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.margin_map import map_margins
from cryoplan.margins.outline import outline
from cryoplan.margins.qam import qam_classes
from tests.support.cases import OBLIQUE

POINT = 0.01
"""One percentage point."""

CASES = [
    # tumour radius, ice radius, shift of the ice
    (8.0, 12.0, (1.0, -2.0, 3.0)),
    (7.2, 13.1, (4.0, 1.0, -1.0)),
    (9.0, 11.5, (0.0, 0.5, 0.0)),
    (6.5, 14.0, (-2.0, -2.0, 5.0)),
]


AXIAL = np.eye(3)


def world(spacing, turn=AXIAL, extent=44.0):
    size = tuple(int(extent / s) for s in spacing)
    half = (np.asarray(size) - 1) / 2 * np.asarray(spacing)
    grid = Grid(size=size, spacing_mm=spacing, origin_mm=tuple(-turn @ half), direction=tuple(turn.ravel()))
    k, j, i = np.indices(grid.shape)
    return grid, grid.index_to_mm(np.stack([i, j, k], axis=-1))


def plain(tumour: np.ndarray, ablation: np.ndarray, spacing) -> tuple[float, float, float]:
    """The definition as it is written: neighbours by hand, nearest border voxel by a search tree."""

    def outermost(mask):
        padded, found = np.pad(mask, 1), np.zeros_like(mask)
        for axis in range(3):
            for step in (-1, 1):
                found |= mask & ~np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
        return np.argwhere(found)

    mm = np.asarray(spacing)[::-1]
    at = outermost(tumour)
    distance, _ = cKDTree(outermost(ablation) * mm).query(at * mm)
    signed = np.where(ablation[tuple(at.T)], distance, -distance)
    return (
        float((signed < 0).mean()),
        float(((signed >= 0) & (signed < 5)).mean()),
        float((signed >= 5).mean()),
    )


@pytest.mark.parametrize("case", CASES, ids=["a", "b", "c", "d"])
@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.8, 0.8, 2.0)], ids=["cubes", "slices"])
def test_the_classes_are_those_of_the_published_definition(case, spacing):
    radius, ice, shift = case
    grid, at = world(spacing)
    tumour = np.linalg.norm(at, axis=-1) <= radius
    ablation = np.linalg.norm(at - shift, axis=-1) <= ice
    found = qam_classes(Volume(grid=grid, values=tumour), ablation)
    assert found == pytest.approx(plain(tumour, ablation, spacing), abs=POINT)
    assert sum(found) == pytest.approx(1.0)


@pytest.mark.parametrize("case", CASES, ids=["a", "b", "c", "d"])
@pytest.mark.parametrize("turn", [AXIAL, np.reshape(OBLIQUE, (3, 3))], ids=["axial", "oblique"])
def test_our_own_classes_are_true_within_a_percentage_point(case, turn):
    """The truth is the surface of the sphere itself: equal areas between planes across the shift."""
    radius, ice, shift = case
    grid, at = world((0.5, 0.5, 0.5), turn)
    field = (np.linalg.norm(at - np.asarray(shift), axis=-1) - ice) * 5.0
    tumour = Volume(grid=grid, values=np.linalg.norm(at, axis=-1) <= radius)
    made = map_margins(
        outline("t", tumour), Volume(grid=grid, values=field.astype(np.float32)), [0.0], outside_degc=37.0
    ).margin(0.0)
    cosine = np.linspace(-1.0, 1.0, 200_001)
    away = float(np.linalg.norm(shift))
    true = ice - np.sqrt(radius**2 + away**2 - 2.0 * radius * away * cosine)
    expected = (np.mean(true < 0.0), np.mean((true >= 0.0) & (true < 5.0)), np.mean(true >= 5.0))
    ours = (made.fraction_below_0, made.fraction_0_to_5, made.fraction_5_up)
    assert ours == pytest.approx(tuple(map(float, expected)), abs=POINT)


def test_without_an_ablation_all_is_below():
    grid, at = world((1.0, 1.0, 1.0), extent=20.0)
    tumour = Volume(grid=grid, values=np.linalg.norm(at, axis=-1) <= 5.0)
    assert qam_classes(tumour, np.zeros(grid.shape, bool)) == (1.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="different grids"):
        qam_classes(tumour, np.zeros((3, 3, 3), bool))
