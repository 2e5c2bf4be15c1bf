"""A structure gets another name or goes; target, limits, review and findings go with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.case.listed import renamed, without
from cryoplan.case.own_limits import Judged, OwnLimit
from cryoplan.case.reviews import reviews_of, with_reviewed
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from cryoplan.core.finding import Finding, Level
from tests.support.scenes import make_case


def case_of(*, targets: tuple[str, ...] = ("tumour 1",)):
    """The small case with its tumour under some names, a limit and a review of the first, and findings."""
    case = make_case()
    tumour = case.structure("tumour 1")
    others = tuple(s for s in case.structures if s is not tumour)
    case = case.changed(
        structures=(*others, *(replace(tumour, name=name) for name in targets)),
        target_name=targets[0],
        limits=(
            OwnLimit(judged=Judged.margin(0.0), warn=6.0, fail=4.0),
            OwnLimit(judged=Judged.organ(targets[0]), warn=5.0, fail=0.0),
        ),
        findings=(
            Finding(level=Level.WARN, code="structures-overlap", text=f"{targets[0]} and body share 1 ml."),
            Finding(
                level=Level.OK, code="role-guessed", text=f"{targets[0]} was taken for it.", place=targets[0]
            ),
            Finding(level=Level.OK, code="padding", text="The tumour 1 of nobody."),
        ),
    )
    return with_reviewed(case, targets[0], True)


def test_a_new_name_is_everywhere_and_the_old_one_nowhere():
    case = case_of()
    made = renamed(case, "tumour 1", "  A tumour \n")
    assert [s.name for s in made.structures] == ["body", "A tumour"]
    assert made.target_name == "A tumour"
    assert made.target.mask is case.target.mask
    assert [own.judged.structure for own in made.limits if own.judged.structure] == ["A tumour"]
    assert reviews_of(made).keys() == {"A tumour"}
    assert [f.text for f in made.findings] == [
        "A tumour and body share 1 ml.", "A tumour was taken for it.", "The tumour 1 of nobody.",
    ]  # fmt: skip
    assert [f.place for f in made.findings] == ["", "A tumour", ""]
    assert made.digest() != case.digest()
    assert renamed(made, "A tumour", "tumour 1").digest() == case.digest()


@pytest.mark.parametrize(("new", "code"), [(" \n", "structure-name"), ("BODY", "structure-name-twice")])
def test_a_name_that_cannot_be_given_is_refused(new: str, code: str):
    with pytest.raises(StructureError) as caught:
        renamed(case_of(), "tumour 1", new)
    assert caught.value.code == code


def test_the_same_name_changes_nothing_and_another_case_of_letters_is_a_new_one():
    case = case_of()
    assert renamed(case, "tumour 1", "tumour 1 ") is case
    assert renamed(case, "tumour 1", "Tumour 1").target_name == "Tumour 1"


def test_what_is_deleted_takes_its_limits_and_findings_along():
    case = case_of(targets=("tumour 1", "tumour 2"))
    made = without(case, "tumour 1")
    assert [s.name for s in made.structures] == ["body", "tumour 2"]
    assert [own.judged for own in made.limits] == [Judged.margin(0.0)]
    assert made.target_name == "tumour 2"  # the only tumour that is left
    assert [f.text for f in made.findings if f.code != "target-at-image-edge"] == ["The tumour 1 of nobody."]


@pytest.mark.parametrize(
    ("targets", "code"),
    [(("a",), "no-target"), (("a", "b", "c"), "several-targets")],
    ids=["none", "several"],
)
def test_without_its_target_a_case_says_so(targets, code: str):
    made = without(case_of(targets=targets), "a")
    assert made.target_name == ""
    assert code in {f.code for f in made.findings}


def test_what_is_said_of_several_tumours_has_the_new_name():
    case = without(case_of(targets=("a", "b", "c")), "a")
    said = [f.text for f in renamed(case, "b", "dome").findings if f.code == "several-targets"]
    assert len(said) == 1
    assert "dome" in said[0]
    assert renamed(case, "b", "dome").target_name == ""


def test_a_structure_beside_the_target_leaves_target_and_grid_alone():
    case = case_of()
    made = without(case, "body")
    assert made.target_name == "tumour 1"
    assert made.planning_grid == case.planning_grid
    assert all(s.role is not Role.BODY for s in made.structures)
    with pytest.raises(StructureError):
        without(made, "body")
