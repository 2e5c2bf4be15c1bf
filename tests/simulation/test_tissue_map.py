"""Tissue map: volumes on borders are right, outlines that meet leave no gap, the cache changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.structure import Role
from cryoplan.core.grid import Grid
from cryoplan.simulation import tissue_map
from cryoplan.simulation.tissue import load_tissues
from cryoplan.simulation.tissue_map import forget_regions, map_tissues
from tests.support import bodies

TISSUES = load_tissues()
LIVER = bodies.ball("liver", Role.ORGAN, "liver", (0.0, 10.0, 0.0), 30.0)


def _mean(tissue, name: str) -> float:
    values = np.array([getattr(m, name) for m in tissue.materials])
    return float(values[tissue.material_map].mean(dtype=float))


def _tissue(name: str):
    return TISSUES.tissue(name).material()


@pytest.mark.parametrize("edge", [1.0, 2.0])
@pytest.mark.parametrize("radius", [7.0, 12.0])
def test_heat_and_blood_of_a_ball_are_those_of_its_volume(edge, radius):
    grid = Grid.isotropic([-20, -10, -20], [20, 30, 20], edge)
    fat = bodies.ball("lump", Role.TUMOUR, "fat", (1.0, 10.0, -1.0), radius)
    tissue = map_tissues(bodies.body(LIVER, fat), grid, TISSUES)
    cells = float(np.prod(grid.size)) * grid.voxel_volume_ml
    share = fat.volume_ml / cells
    # The liver fills the rest of the box but its corners; there lies soft tissue.
    liver = map_tissues(bodies.body(LIVER), grid, TISSUES)
    for name in ("latent", "c_u", "w"):
        expected = _mean(liver, name) + share * (
            getattr(_tissue("fat"), name) - getattr(_tissue("liver"), name)
        )
        assert _mean(tissue, name) == pytest.approx(expected, rel=0.003)


def test_a_border_that_moves_changes_the_tissue_in_step():
    """A plane between fat and liver moves in 0.25 mm; the mean heat capacity follows within 0.1 mm."""
    from cryoplan.core.volume import Volume

    fine = Grid(size=(200, 30, 30), spacing_mm=(0.25, 2.0, 2.0), origin_mm=(-24.875, -15.0, -29.0))
    x = fine.origin_mm[0] + 0.25 * np.arange(200)
    grid = Grid.isotropic([-10, 0, -10], [10, 20, 10], 2.0)
    found = []
    places = np.arange(-3.0, 3.1, 0.25)
    for at in places:
        inside = np.broadcast_to(x <= at + 1e-9, fine.shape)
        fat = bodies.ball("x", Role.FAT, "fat", (0, 10, 0), 20)
        fat = type(fat)(
            name="fat", role=Role.FAT, tissue="fat", mask=Volume(grid=fine, values=inside.copy()), source="f"
        )
        tissue = map_tissues(bodies.body(fat), grid, TISSUES, keep=False)
        values = np.array([m.c_u for m in tissue.materials])[tissue.material_map]
        line = values[values.shape[0] // 2, values.shape[1] // 2]
        a, b = _tissue("fat").c_u, _tissue("soft-tissue").c_u
        found.append(float(((line - b) / (a - b)).sum()) * 2.0 + grid.origin_mm[0] - 1.0)
    moved = np.diff(found)
    # Half an eighth of a cell is 0.125 mm; a yes or no per cell would move by 0 or 2 mm.
    np.testing.assert_allclose(np.asarray(found) - places, 0.125, atol=0.2)
    assert moved.max() <= 0.51
    assert moved.min() >= -1e-6


def test_outlines_that_share_a_border_leave_nothing_of_what_lies_behind():
    x, y, z = bodies.coordinates()
    inside = x**2 + (y - 10.0) ** 2 + z**2 <= 12.0**2
    around = (x**2 + (y - 10.0) ** 2 + z**2 <= 30.0**2) & ~inside
    case = bodies.body(
        bodies.structure("liver", Role.ORGAN, "liver", around),
        bodies.structure("T", Role.TUMOUR, "tumour-crlm", inside),
        hu=np.full(x.shape, -100),
    )
    grid = Grid.isotropic([-16, -6, -16], [16, 26, 16], 1.0)
    tissue = map_tissues(case, grid, TISSUES)
    names = {n for a, b, e in tissue.contents for n in ((a, b) if e else (a,))}
    assert "liver" in names
    assert "tumour-crlm" in names
    fat = sum(
        float(np.count_nonzero(tissue.material_map == n)) * ((a == "fat") * (8 - e) + (b == "fat") * e) / 8.0
        for n, (a, b, e) in enumerate(tissue.contents)
    )
    # The two signed distances are made of voxels of 2 to 3 mm; a yes or no would leave as little.
    assert fat * grid.voxel_volume_ml < 0.01 * 4.19 * 1.2**3


def test_tissues_that_differ_in_blood_alone_are_mixed_in_blood_alone():
    tumour = bodies.ball("T", Role.TUMOUR, "tumour", (0.0, 10.0, 0.0), 12.0)
    tissue = map_tissues(
        bodies.body(LIVER, tumour), Grid.isotropic([-14, -4, -14], [14, 24, 14], 1.0), TISSUES
    )
    for name in ("k_u", "c_u", "latent", "t_u", "t_l"):
        values = {
            round(getattr(m, name), 9)
            for m, c in zip(tissue.materials, tissue.contents, strict=True)
            if "soft-tissue" not in c
        }
        assert len(values) == 1, name
    assert 3 <= len({m.w for m in tissue.materials}) <= 20


def test_the_blurred_border_of_bowel_gas_is_no_lung():
    x, y, z = bodies.coordinates()
    away = np.sqrt(x**2 + (y - 10.0) ** 2 + z**2)
    bubble = np.clip(-1000.0 + (away - 8.0) * 250.0, -1000.0, 60.0)
    grid = Grid.isotropic([-16, -6, -16], [16, 26, 16], 2.0)
    tissue = map_tissues(bodies.body(hu=bubble), grid, TISSUES)
    assert not any("lung-inflated" in (a, b) for a, b, _ in tissue.contents)
    assert any(a == "gas" and e == 0 for a, _, e in tissue.contents)
    assert any("gas" in (a, b) and e > 0 for a, b, e in tissue.contents)
    lung = np.where(away < 20.0, -800.0, 60.0)
    tissue = map_tissues(bodies.body(hu=lung), grid, TISSUES)
    k, j, i = (n // 2 for n in grid.shape)
    assert tissue.materials[tissue.material_map[k, j, i]].name == "lung-inflated"


boxes = st.tuples(*[st.integers(-16, 10)] * 3, *[st.integers(6, 20)] * 3)


@given(st.lists(boxes, min_size=1, max_size=4), st.sampled_from([1.0, 2.0]))
@settings(max_examples=12, deadline=None)
def test_a_map_is_the_same_with_and_without_the_cache(places, edge):
    x, y, z = bodies.coordinates()
    vein = bodies.structure("portal vein", Role.VESSEL, "blood", (x - 4.0) ** 2 + (z + 0.3 * y) ** 2 <= 20.0)
    tumour = bodies.ball("T", Role.TUMOUR, "tumour-hcc", (3.0, 8.0, 1.0), 9.0)
    case = bodies.body(LIVER, vein, tumour, hu=np.where(x < -5.0, -100, 60))
    forget_regions()
    for a, b, c, na, nb, nc in places:
        lower = np.array([a, b - 35, c]) * edge
        grid = Grid.isotropic(lower, lower + np.array([na, nb, nc]) * edge, edge)
        kept, fresh = (map_tissues(case, grid, TISSUES, keep=k) for k in (True, False))
        np.testing.assert_array_equal(kept.material_map, fresh.material_map)
        assert kept.materials == fresh.materials
        assert kept.findings == fresh.findings
        for one, other in zip(kept.lumens, fresh.lumens, strict=True):
            np.testing.assert_array_equal(one.cells, other.cells)
            np.testing.assert_array_equal(one.share, other.share)
            np.testing.assert_array_equal(one.diameter_mm, other.diameter_mm)
        assert (kept.skin is None) == (fresh.skin is None)
        if kept.skin is not None and fresh.skin is not None:
            np.testing.assert_array_equal(kept.skin.void, fresh.skin.void)
            np.testing.assert_array_equal(kept.skin.cells, fresh.skin.cells)
            np.testing.assert_allclose(kept.skin.area, fresh.skin.area, atol=1e-5)


def test_a_changed_structure_is_not_found_in_the_cache():
    grid = Grid.isotropic([-6, 4, -6], [6, 16, 6], 2.0)
    forget_regions()
    one = map_tissues(bodies.body(LIVER), grid, TISSUES)
    kidney = bodies.ball("liver", Role.ORGAN, "kidney", (0.0, 10.0, 0.0), 30.0)
    other = map_tissues(bodies.body(kidney), grid, TISSUES)
    assert {m.name for m in one.materials} == {"liver"}
    assert {m.name for m in other.materials} == {"kidney"}


@pytest.mark.parametrize("most", [2, 4, 9])
def test_too_many_mixtures_leave_out_the_rarest_and_keep_what_there_is(monkeypatch, most):
    grid = Grid.isotropic([-36] * 3, [36] * 3, 2.0)
    case = bodies.body(LIVER, bodies.ball("T", Role.TUMOUR, "tumour", (0.0, 10.0, 0.0), 12.0))
    full = map_tissues(case, grid, TISSUES)
    assert len(full.materials) > 9
    monkeypatch.setattr(tissue_map, "MOST_MATERIALS", most)
    few = map_tissues(case, grid, TISSUES)
    assert len(few.materials) <= max(most, 4)
    names = {m.name for m, c in zip(few.materials, few.contents, strict=True) if c[2] == 0}
    assert {"liver", "tumour", "soft-tissue"} <= names
    for name in ("w", "c_u"):
        assert _mean(few, name) == pytest.approx(_mean(full, name), rel=0.02)
