"""Roles that the user is asked for: what follows from an answer for tissue, findings and target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.case.asked_roles import unsure, with_roles
from cryoplan.case.build import build_case
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Level
from cryoplan.image.named_mask import NamedMask
from tests.support import bodies


def case_of(*names: str):
    """Return a case with balls side by side under these names."""
    balls = [
        bodies.ball(name, Role.OTHER, "fat", (-30.0 + 20.0 * n, 12.0, 0.0), 8.0)
        for n, name in enumerate(names)
    ]
    masks = [NamedMask(name=b.name, mask=b.mask, source="file") for b in balls]
    return build_case(bodies.body().scan, masks)


def codes(case, place: str = "") -> set[str]:
    return {f.code for f in case.findings if not place or f.place == place}


def test_names_that_leave_it_open_are_asked_about_and_plain_ones_are_not():
    case = case_of("liver", "Struktur A", "probe tract")
    assert [s.name for s in unsure(case)] == ["Struktur A", "probe tract"]


def test_an_answer_decides_role_and_tissue_and_is_not_asked_again():
    case = case_of("liver", "Struktur A", "probe tract")
    after = with_roles(case, {"Struktur A": Role.BOWEL})
    assert (after.structure("Struktur A").role, after.structure("Struktur A").tissue) == (
        Role.BOWEL,
        "large-bowel",
    )
    assert [s.name for s in unsure(after)] == ["probe tract"]
    assert "role-guessed" not in codes(after, "Struktur A")
    assert "role-guessed" in codes(after, "probe tract")
    assert after.digest() != case.digest()


def test_a_guess_that_is_confirmed_keeps_its_tissue_and_changes_nothing_that_is_computed():
    case = case_of("liver", "GTV_Mass_CT")
    guessed = case.structure("GTV_Mass_CT")
    assert guessed.role_is_guess
    after = with_roles(case, {"GTV_Mass_CT": Role.TUMOUR})
    assert after.structure("GTV_Mass_CT").tissue == guessed.tissue
    assert not unsure(after)
    assert after.digest() == case.digest()


def test_what_was_said_before_is_told_as_a_finding_that_needs_nothing():
    after = with_roles(case_of("Struktur A"), {"Struktur A": Role.NERVE}, remembered=True)
    (finding,) = [f for f in after.findings if f.code == "role-remembered"]
    assert finding.level is Level.OK
    assert finding.text == "Struktur A is taken for nerve made of nerve, as you said before."
    again = with_roles(after, {"Struktur A": Role.VESSEL})
    assert "role-remembered" not in codes(again)


def test_the_only_tumour_becomes_the_target_and_the_grid_moves_to_it():
    case = case_of("liver", "Struktur A")
    assert "no-target" in codes(case)
    after = with_roles(case, {"Struktur A": Role.TUMOUR})
    assert after.target_name == "Struktur A"
    assert not {"no-target", "several-targets"} & codes(after)
    assert after.planning_grid != case.planning_grid


def test_two_tumours_are_several_and_none_is_aimed_at():
    after = with_roles(case_of("A", "B"), {"A": Role.TUMOUR, "B": Role.TUMOUR})
    assert after.target_name == ""
    assert "several-targets" in codes(after)
    assert "no-target" not in codes(after)


def test_a_target_that_is_no_tumour_any_more_is_told():
    case = with_roles(case_of("A", "liver"), {"A": Role.TUMOUR})
    after = with_roles(case, {"A": Role.FLUID})
    assert after.target_name == "A"
    assert "target-not-tumour" in codes(after)
    back = with_roles(after, {"A": Role.TUMOUR})
    assert "target-not-tumour" not in codes(back)


def test_only_one_structure_can_be_the_body():
    case = with_roles(case_of("A", "B"), {"A": Role.BODY})
    with pytest.raises(StructureError) as caught:
        with_roles(case, {"B": Role.BODY})
    assert caught.value.code == "second-body"
    with_roles(case, {"B": Role.ORGAN})


def test_nothing_said_and_a_name_that_is_not_there():
    case = case_of("A")
    assert with_roles(case, {}) is case
    with pytest.raises(StructureError):
        with_roles(case, {"C": Role.ORGAN})


def test_a_drawn_structure_is_never_asked_about():
    case = case_of("A")
    sure = case.changed(structures=tuple(replace(s, role_is_guess=False) for s in case.structures))
    assert unsure(sure) == ()
