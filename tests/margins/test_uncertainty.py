"""How sure a margin is: the shares of a case whose numbers can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from cryoplan.margins.margin_map import map_margins
from cryoplan.margins.outline import outline
from cryoplan.margins.uncertainty import margin_uncertainty
from tests.support.analytic import ball, cube, ice_ball, structure
from tests.support.analytic import case as case_of

GRID = cube(60)
RADIUS = 12.0


def patient(spacing=(0.8, 0.8, 5.0), tissue="liver", direction=None):
    made = case_of(
        GRID, replace(structure("tumour", Role.TUMOUR, ball(GRID, (0, 0, 0), RADIUS)), tissue=tissue)
    )
    axes = np.eye(3) if direction is None else direction
    grid = Grid(size=(8, 8, 8), spacing_mm=spacing, origin_mm=(0, 0, 0), direction=tuple(axes.ravel()))
    scan = Scan(volume=Volume(grid=grid, values=np.zeros((8, 8, 8), np.int16)), facts=made.scan.facts)
    return made.changed(scan=scan)


def margin_towards(way, gap=4.0):
    """A margin whose worst place lies in a direction: the ice is shifted the other way."""
    shift = -3.0 * np.asarray(way, float)
    field = ice_ball(GRID, tuple(shift), RADIUS + 3.0 + gap)
    return map_margins(
        outline("tumour", ball(GRID, (0, 0, 0), RADIUS)), field, [0.0], outside_degc=37.0
    ).margin(0.0)


def shares(case, margin, **more):
    found = margin_uncertainty(case, margin, spacing_mm=1.0, **more)
    return found, {s.name: s.mm for s in found.shares}


@pytest.mark.parametrize(("way", "across"), [((1, 0, 0), 0.8), ((0, 0, 1), 5.0)], ids=["in-plane", "slices"])
def test_voxels_count_as_wide_as_they_are_towards_the_worst_place(way, across):
    _, parts = shares(patient(), margin_towards(way))
    assert parts["voxels"] == pytest.approx(across / np.sqrt(12), rel=0.15)


def test_the_axes_of_the_image_count_not_those_of_the_room():
    turned = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    _, parts = shares(patient(direction=turned), margin_towards((1, 0, 0)))
    assert parts["voxels"] == pytest.approx(5.0 / np.sqrt(12), rel=0.15)


def test_the_shares_are_those_worked_out_by_hand_and_their_squares_add_up():
    found, parts = shares(patient(), margin_towards((1, 0, 0)))
    assert parts["outline"] == pytest.approx(RADIUS * 0.17 / 3, rel=0.02)
    assert parts["model"] == pytest.approx(3.246, abs=0.01)
    assert parts["grid and step"] == 0.3
    assert found.mm == pytest.approx(np.sqrt(sum(v**2 for v in parts.values())))
    assert found.images_mm == pytest.approx(np.hypot(parts["voxels"], parts["outline"]))
    _, lung = shares(patient(tissue="lung"), margin_towards((1, 0, 0)))
    assert lung["model"] == pytest.approx(3.910, abs=0.01)
    _, checked = shares(patient(), margin_towards((1, 0, 0)), moved_mm=-0.07)
    assert checked["grid and step"] == 0.07


@pytest.mark.parametrize(("gap", "below"), [(0.5, True), (4.0, False)])
def test_a_margin_smaller_than_the_images_can_tell_is_known(gap, below):
    margin = margin_towards((1, 0, 0), gap)
    found, _ = shares(patient(), margin)
    assert found.is_below_images(margin.minimum_mm) is below


def test_without_ice_there_is_nothing_to_be_sure_of():
    warm = Volume(grid=GRID, values=np.full(GRID.shape, 20.0, np.float32))
    made = map_margins(outline("tumour", ball(GRID, (0, 0, 0), RADIUS)), warm, [0.0], outside_degc=37.0)
    assert margin_uncertainty(patient(), made.margin(0.0), spacing_mm=1.0) is None
    assert (
        margin_uncertainty(patient().changed(target_name=""), margin_towards((1, 0, 0)), spacing_mm=1.0)
        is None
    )


def test_each_share_says_where_it_is_from():
    found, _ = shares(patient(), margin_towards((1, 0, 0)))
    for share in found.shares:
        assert any(word in share.why for word in ("Source", "JCGM", "verify", "doi")), share.name
