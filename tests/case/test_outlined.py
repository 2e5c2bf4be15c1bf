"""A structure that is drawn anew takes its place in the case, and the case follows it."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.build import build_case
from cryoplan.case.outlined import free_name, with_structure
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.image.outlining.forming import with_margin
from tests.support.scenes import BODY_MM, TUMOUR_MM, ellipsoid, grid_around, make_case


def drawn(case, centre_mm, radius_mm, *, name="tumour 2", role=Role.TUMOUR):
    mask = ellipsoid(case.scan.volume.grid, centre_mm, (radius_mm,) * 3)
    return Structure(name=name, role=role, tissue="tumour", mask=mask, source="drawn in this case")


def codes(case) -> list[str]:
    return [f.code for f in case.findings]


def test_the_planning_grid_follows_the_target_and_nothing_else():
    case = make_case()
    old = case.structure("tumour 1")
    larger = Structure(
        name=old.name, role=old.role, tissue=old.tissue, mask=with_margin(old.mask, 12.0), source=old.source
    )
    moved = with_structure(case, larger)
    assert [s.name for s in moved.structures] == [s.name for s in case.structures]
    assert moved.structure("body") is case.structure("body")
    assert moved.planning_grid.spacing_mm == case.planning_grid.spacing_mm
    assert np.all(moved.planning_grid.bounds_mm()[0] <= case.planning_grid.bounds_mm()[0])
    assert np.any(moved.planning_grid.bounds_mm()[0] < case.planning_grid.bounds_mm()[0])
    other = with_structure(case, drawn(case, (40.0, 0.0, 0.0), 8.0))
    assert other.planning_grid == case.planning_grid
    assert other.target_name == "tumour 1"
    assert case.structure("tumour 1") is old


def test_the_first_tumour_of_a_case_without_a_target_is_the_target_and_that_is_no_longer_missed():
    scan = make_case(with_target=False).scan
    case = build_case(scan, ())
    assert "no-target" in codes(case)
    made = with_structure(case, drawn(case, TUMOUR_MM, 9.0))
    assert made.target_name == "tumour 2"
    assert "no-target" not in codes(made)
    organ = with_structure(case, drawn(case, TUMOUR_MM, 9.0, name="liver", role=Role.ORGAN))
    assert organ.target_name == ""
    assert "no-target" in codes(organ)


def test_a_target_at_the_edge_of_the_image_is_noticed_and_forgotten_when_it_is_drawn_back():
    case = make_case(grid_around(BODY_MM, (260.0, 200.0, 160.0), (4.0, 4.0, 4.0)))
    name = case.target_name
    out = with_structure(case, drawn(case, (-125.0, 0.0, 0.0), 14.0, name=name))
    assert codes(out).count("target-at-image-edge") == 1
    again = with_structure(out, drawn(case, (-126.0, 0.0, 0.0), 14.0, name=name))
    assert codes(again).count("target-at-image-edge") == 1
    assert "target-at-image-edge" not in codes(with_structure(again, drawn(case, TUMOUR_MM, 9.0, name=name)))


@pytest.mark.parametrize("first", ["tumour 1", "tumour 2"])
def test_overlaps_are_those_of_the_new_voxels_whichever_of_the_two_is_drawn(first):
    case = with_structure(make_case(), drawn(make_case(), (40.0, 0.0, 0.0), 12.0))
    assert "structures-overlap" not in codes(case)
    place = {"tumour 1": (30.0, 0.0, 0.0), "tumour 2": (-30.0, -10.0, 20.0)}[first]
    both = with_structure(case, drawn(case, place, 12.0, name=first))
    assert codes(both).count("structures-overlap") == 1
    kept = Finding(level=Level.OK, code="something", text="Something else.", place="tumour 1")
    apart = with_structure(
        both.changed(findings=(*both.findings, kept)), drawn(case, (0.0, -50.0, -40.0), 8.0, name=first)
    )
    assert codes(apart) == ["something"]


def test_a_free_name_is_the_first_number_that_nobody_has():
    case = make_case()
    assert free_name(case, "tumour") == "tumour 2"
    assert free_name(case, "Tumour") == "Tumour 2"
    assert free_name(case, "cyst") == "cyst 1"
