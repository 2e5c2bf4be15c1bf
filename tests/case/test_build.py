"""Scans and masks become cases; nothing odd goes unsaid."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.build import build_case, clean_name, find_by_name
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from tests.support.cases import ball, box, grid, named, scan

WHERE = grid(size=(60, 50, 40), spacing=(2, 2, 3))
TUMOUR = ball(WHERE, (10, 0, 0), 10)
LIVER = ball(WHERE, (0, 0, 0), 35)


def codes(case) -> list[str]:
    return [f.code for f in case.findings]


def test_roles_come_from_names_and_guesses_are_marked():
    case = build_case(scan(WHERE), [named("liver", LIVER), named("target_1 dome", TUMOUR)])
    liver, tumour = case.structures
    assert (liver.role, liver.tissue, liver.role_is_guess) == (Role.ORGAN, "liver", False)
    assert (tumour.role, tumour.role_is_guess) == (Role.TUMOUR, True)
    guessed = [f for f in case.findings if f.code == "role-guessed"]
    assert [(f.level, f.place) for f in guessed] == [(Level.OK, "target_1 dome")]
    assert case.target_name == "target_1 dome"
    assert case.planning_grid.contains_mm((10, 0, 0))


def test_what_the_file_states_is_no_guess():
    masks = [named("xyz", LIVER, role="organ", tissue="kidney"), named("vein", TUMOUR, role="tumour")]
    case = build_case(scan(WHERE), masks)
    organ, tumour = case.structures
    assert (organ.role, organ.tissue, organ.role_is_guess) == (Role.ORGAN, "kidney", False)
    assert (tumour.role, tumour.tissue, tumour.role_is_guess) == (Role.TUMOUR, "tumour", False)
    assert "role-guessed" not in codes(case)


def test_a_stated_role_keeps_the_tissue_that_its_name_tells():
    case = build_case(scan(WHERE), [named("lung nodule", TUMOUR, role="tumour")])
    assert case.structures[0].tissue == "tumour-lung"


def test_a_role_that_is_none_is_reported_and_the_name_used():
    case = build_case(scan(WHERE), [named("liver", LIVER, role="hepar")])
    assert case.structures[0].role is Role.ORGAN
    assert case.structures[0].role_is_guess
    assert "role-unknown" in codes(case)


def test_findings_of_the_scan_come_along():
    found = Finding(level=Level.WARN, code="thick-slices", text="x")
    assert found in build_case(scan(WHERE, findings=(found,)), []).findings


def test_the_code_is_that_of_the_scan_unless_given():
    assert build_case(scan(WHERE), []).code == "P-1"
    assert build_case(scan(WHERE), [], code="Q").code == "Q"


def test_an_empty_mask_is_left_out_and_reported():
    empty = Volume(grid=WHERE, values=np.zeros(WHERE.shape, bool))
    case = build_case(scan(WHERE), [named("liver", empty), named("tumour", TUMOUR)])
    assert [s.name for s in case.structures] == ["tumour"]
    assert "structure-empty" in codes(case)


def test_equal_names_are_told_apart_and_reported():
    masks = [named("cyst", ball(WHERE, (x, 0, 0), 4)) for x in (-30, 0, 30)]
    case = build_case(scan(WHERE), masks)
    assert [s.name for s in case.structures] == ["cyst", "cyst (2)", "cyst (3)"]
    assert codes(case).count("structure-renamed") == 2


def test_one_mask_under_two_names_is_reported():
    case = build_case(scan(WHERE), [named("cyst", TUMOUR), named("vein", TUMOUR)])
    assert "structures-identical" in codes(case)
    assert "structures-overlap" not in codes(case)


def test_unexpected_overlaps_are_reported_with_their_volume():
    a, b = box(WHERE, (-30, -10, -10), (0, 10, 10)), box(WHERE, (-10, -10, -10), (30, 10, 10))
    case = build_case(scan(WHERE), [named("gallbladder", a), named("colon", b)])
    finding = next(f for f in case.findings if f.code == "structures-overlap")
    shared = (a.values & b.values).sum() * WHERE.voxel_volume_ml
    assert f"{shared:.1f} ml" in finding.text
    assert finding.level is Level.WARN


def test_a_tumour_in_its_organ_and_anything_in_the_body_are_no_overlap():
    body = box(WHERE, (-50, -45, -55), (50, 45, 55))
    masks = [named("body", body), named("liver", LIVER), named("tumour", TUMOUR)]
    assert "structures-overlap" not in codes(build_case(scan(WHERE), masks))


def test_a_shared_border_voxel_is_no_overlap():
    a, b = ball(WHERE, (-5, 1, 1.5), 6.1), ball(WHERE, (5, 1, 1.5), 6.1)
    assert 0 < (a.values & b.values).sum() * WHERE.voxel_volume_ml < 0.1
    assert "structures-overlap" not in codes(build_case(scan(WHERE), [named("cyst", a), named("vein", b)]))


def test_masks_on_different_grids_are_not_compared_voxel_by_voxel():
    other = grid(size=(50, 50, 50), spacing=(2, 2, 2))
    case = build_case(scan(WHERE), [named("cyst", TUMOUR), named("vein", ball(other, (10, 0, 0), 10))])
    assert "structures-overlap" not in codes(case)


def test_a_mask_outside_the_image_is_refused_by_name():
    away = grid(size=(20, 20, 20), centre=(500, 0, 0))
    with pytest.raises(StructureError, match="cyst lies outside the image"):
        build_case(scan(WHERE), [named("cyst", ball(away, (500, 0, 0), 9))])


NAMES = ["target_1 segment VI, near gallbladder", "target_2 dome", "Liver", "liver cyst"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("target_2 dome", "target_2 dome"),
        ("TARGET_2 DOME", "target_2 dome"),
        ("target_1", "target_1 segment VI, near gallbladder"),
        ("Target_1 seg", "target_1 segment VI, near gallbladder"),
        ("liver", "Liver"),  # exact in any case beats a beginning
        ("liver c", "liver cyst"),
    ],
)
def test_a_structure_is_found_by_name_case_or_beginning(wanted, found):
    assert find_by_name(NAMES, wanted) == found


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("target", "structure-ambiguous"), ("spleen", "structure-unknown"), ("", "structure-unknown")],
)
def test_a_name_that_means_none_or_several_is_refused_with_the_choices(wanted, code):
    with pytest.raises(StructureError) as caught:
        find_by_name(NAMES, wanted)
    assert caught.value.code == code
    assert "target_2 dome" in caught.value.remedy


def test_the_target_can_be_named():
    masks = [named("liver", LIVER), named("tumour a", TUMOUR), named("tumour b", ball(WHERE, (-20, 0, 0), 6))]
    assert build_case(scan(WHERE), masks, target="tumour b").target_name == "tumour b"
    with pytest.raises(StructureError, match="several"):
        build_case(scan(WHERE), masks, target="tumour")


def test_a_target_is_found_by_the_name_in_its_file_even_if_that_was_cleaned():
    case = build_case(scan(WHERE), [named("tumour\t 1", TUMOUR)], target="tumour\t 1")
    assert case.target_name == "tumour 1"


def test_several_tumours_need_a_choice():
    masks = [named("tumour a", TUMOUR), named("tumour b", ball(WHERE, (-20, 0, 0), 6))]
    case = build_case(scan(WHERE), masks)
    assert case.target is None
    assert "several-targets" in codes(case)


def test_a_case_without_a_tumour_says_so():
    case = build_case(scan(WHERE), [named("liver", LIVER)])
    assert case.target is None
    assert "no-target" in codes(case)


def test_a_target_that_is_no_tumour_is_reported():
    case = build_case(scan(WHERE), [named("liver", LIVER)], target="liver")
    assert case.target_name == "liver"
    assert "target-not-tumour" in codes(case)


def test_a_target_at_the_edge_of_the_image_is_reported():
    edge = box(WHERE, (40, -5, -5), (70, 5, 5))
    assert "target-at-image-edge" in codes(build_case(scan(WHERE), [named("tumour", edge)]))
    assert "target-at-image-edge" not in codes(build_case(scan(WHERE), [named("tumour", TUMOUR)]))


def test_names_are_cleaned_but_not_changed_otherwise():
    assert clean_name("  right\x00 \t kidney\n") == "right kidney"
    assert clean_name("żołądek") == "żołądek"
    assert clean_name("\x00\n") == ""
    long = clean_name("x" * 500)
    assert len(long) == 120
    assert long.endswith("…")


def test_a_mask_without_a_visible_name_is_called_unnamed():
    assert build_case(scan(WHERE), [named("\x00", LIVER)]).structures[0].name == "unnamed"


def test_a_case_refuses_equal_names_and_unknown_targets():
    case = build_case(scan(WHERE), [named("liver", LIVER)])
    with pytest.raises(StructureError, match="Two structures are called liver"):
        case.changed(structures=case.structures * 2)
    with pytest.raises(StructureError, match="Choose one of: liver"):
        case.changed(target_name="spleen")
    with pytest.raises(ValueError, match="cubic"):
        case.changed(planning_grid=WHERE)


def test_the_digest_of_a_case_follows_what_changes_the_ice():
    case = build_case(scan(WHERE), [named("liver", LIVER), named("tumour", TUMOUR)])
    again = build_case(scan(WHERE), [named("liver", LIVER), named("tumour", TUMOUR)], code="other")
    assert case.digest() == again.digest()
    bare = build_case(scan(WHERE), [named("tumour", TUMOUR)])
    moved = build_case(scan(WHERE), [named("liver", LIVER), named("tumour", ball(WHERE, (12, 0, 0), 10))])
    other = case.changed(target_name="liver")
    assert len({c.digest() for c in (case, bare, moved, other)}) == 4


def test_a_structure_has_a_name_and_yes_or_no_voxels():
    def make(name="s", values=TUMOUR.values):
        mask = Volume(grid=WHERE, values=values)
        return Structure(name=name, role=Role.OTHER, tissue="fat", mask=mask, source="x")

    with pytest.raises(StructureError, match="no name"):
        make(name=" ")
    with pytest.raises(StructureError, match="yes/no"):
        make(values=TUMOUR.values.astype(np.uint8))
    with pytest.raises(StructureError, match="empty"):
        make(values=np.zeros(WHERE.shape, bool))
    assert make().volume_ml == pytest.approx(4 / 3 * np.pi, rel=0.05)
