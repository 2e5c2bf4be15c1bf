"""Pockets: their volume, that they are one piece and keep out of everything, and their shape in a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from cryoplan.case.pocket import CLEAR_MM, SKIN_MM, Fill, Needle, inflate
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from tests.support.cases import FLIPPED, OBLIQUE, ball, box, case, grid, points_of, scan, structure

FINE = (60, 60, 40), (1.2, 1.2, 2.0)


def parted(direction=None):
    """Two blocks with a gap of 10 mm between them, across x; both reach 30 mm along y and z."""
    where = grid(*FINE, direction=direction)
    liver = structure("liver", box(where, (-30, -26, -26), (-5, 26, 26)), Role.ORGAN, "liver")
    bowel = structure("bowel", box(where, (5, -26, -26), (30, 26, 26)), Role.BOWEL, "large-bowel")
    return case(scan(where), liver, bowel)


def centroid(mask) -> np.ndarray:
    return points_of(mask.grid)[mask.values].mean(axis=0)


def test_in_free_room_a_pocket_is_a_ball_of_its_volume():
    where = grid(*FINE)
    pocket, finding = inflate(case(scan(where)), (1.0, 2.0, -3.0), 8.0, name="p")
    assert pocket.volume_ml == pytest.approx(8.0, abs=where.voxel_volume_ml)
    away = np.linalg.norm(points_of(where)[pocket.mask.values] - (1.0, 2.0, -3.0), axis=-1)
    radius = (3000.0 * 8.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
    assert away.max() == pytest.approx(radius, abs=2.5)
    assert (pocket.role, pocket.tissue) == (Role.FLUID, "hydrodissection")
    assert "no organ" in finding.text
    assert "no organ was moved" in pocket.source


@pytest.mark.parametrize("direction", [None, OBLIQUE, FLIPPED])
def test_between_two_organs_a_pocket_spreads_along_the_gap(direction):
    made = parted(direction)
    pocket, _ = inflate(made, (0.0, 0.0, 0.0), 15.0, between=("liver", "bowel"), name="p")
    where = points_of(pocket.mask.grid)[pocket.mask.values]
    assert pocket.volume_ml == pytest.approx(15.0, abs=pocket.mask.grid.voxel_volume_ml)
    # A disc of 10 mm: its radius follows from the volume.
    radius = np.sqrt(15_000.0 / (np.pi * 10.0))
    assert np.abs(where[:, 0]).max() < 7.0
    assert np.hypot(where[:, 1], where[:, 2]).max() == pytest.approx(radius, abs=4.0)
    assert np.linalg.norm(where.mean(axis=0)) < 1.5


def test_what_leaves_the_gap_goes_on_along_it_and_not_out_into_the_room():
    made = parted()
    along, _ = inflate(made, (0.0, 20.0, 0.0), 10.0, between=("liver", "bowel"), name="p")
    ball_like, _ = inflate(made, (0.0, 20.0, 0.0), 10.0, name="p")

    def outside(pocket):
        return float(np.mean(points_of(pocket.mask.grid)[pocket.mask.values][:, 1] > 27.0))

    assert outside(along) < outside(ball_like)


@settings(max_examples=25, deadline=None)
@given(
    volume=st.floats(0.6, 40.0),
    at=st.tuples(st.floats(-4.0, 4.0), st.floats(-20.0, 20.0), st.floats(-20.0, 20.0)),
    fill=st.sampled_from(Fill),
)
def test_a_pocket_is_one_piece_of_its_volume_and_never_in_an_organ_a_needle_or_the_skin(volume, at, fill):
    where = grid(*FINE)
    body = ball(where, (0.0, 0.0, 0.0), 35.0)
    tumour = structure("tumour", ball(where, (-14.0, 0.0, 0.0), 8.0), Role.TUMOUR, "tumour")
    bowel = structure("bowel", box(where, (7, -26, -26), (30, 26, 26)), Role.BOWEL, "large-bowel")
    needle = Needle(tip_mm=(-10.0, 5.0, 0.0), back_mm=(0.0, -60.0, 10.0), radius_mm=1.0)
    made = case(scan(where, body=body), structure("body", body, Role.BODY), tumour, bowel)
    try:
        pocket, _ = inflate(
            made, at, volume, between=("tumour", "bowel"), needles=(needle,), fill=fill, name="p"
        )
    except StructureError as error:
        if error.code not in ("pocket-no-room", "pocket-place"):
            raise
        reject()
    inside = pocket.mask.values
    assert pocket.volume_ml == pytest.approx(volume, abs=where.voxel_volume_ml)
    assert label(inside)[1] == 1
    assert not (inside & (tumour.mask.values | bowel.mask.values)).any()
    points = points_of(where)[inside]
    tip, back = np.asarray(needle.tip_mm), np.asarray(needle.back_mm)
    along = (back - tip) / np.linalg.norm(back - tip)
    beyond = np.clip((points - tip) @ along, 0.0, None)
    assert np.linalg.norm(points - tip - beyond[:, None] * along, axis=-1).min() > 1.0 + CLEAR_MM
    assert np.linalg.norm(points, axis=-1).max() < 35.0 - SKIN_MM + 2.5
    assert (pocket.role, pocket.tissue) == (fill.role, fill.tissue)


def test_more_fills_what_less_filled_and_more():
    made = parted()
    masks = [
        inflate(made, (0.0, 5.0, 0.0), ml, between=("liver", "bowel"), name="p")[0].mask.values
        for ml in (2.0, 6.0, 14.0)
    ]
    assert not (masks[0] & ~masks[1]).any()
    assert not (masks[1] & ~masks[2]).any()


@pytest.mark.parametrize(
    ("at", "volume", "between", "code"),
    [
        ((-20.0, 0.0, 0.0), 5.0, (), "pocket-place"),
        ((400.0, 0.0, 0.0), 5.0, (), "pocket-place"),
        ((0.0, 0.0, 0.0), 0.0, (), "pocket-volume"),
        ((0.0, 0.0, 0.0), float("nan"), (), "pocket-volume"),
        ((0.0, 0.0, 0.0), 400.0, (), "pocket-no-room"),
        ((0.0, 0.0, 0.0), 5.0, ("spleen",), "structure-unknown"),
        ((-34.0, 33.0, 36.0), 0.6, ("bowel",), "pocket-far"),
    ],
)
def test_what_cannot_be_inflated_is_refused(at, volume, between, code):
    with pytest.raises(StructureError) as caught:
        inflate(parted(), at, volume, between=between, name="p")
    assert caught.value.code == code


def test_bone_and_gas_that_nobody_outlined_take_no_fluid():
    image = scan(grid(*FINE))
    image.volume.values.flags.writeable = True
    x = points_of(image.volume.grid)[..., 0]
    image.volume.values[x > 6.0] = 700
    image.volume.values[x < -6.0] = -800
    pocket, _ = inflate(case(image), (0.0, 0.0, 0.0), 10.0, name="p")
    assert np.abs(points_of(image.volume.grid)[pocket.mask.values][:, 0]).max() < 6.7
