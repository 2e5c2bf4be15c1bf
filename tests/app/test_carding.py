"""Carding: the newest choice wins, a change makes the card old until it is measured anew."""

from __future__ import annotations

import pytest

from cryoplan.app import carding as module
from cryoplan.app.carding import Carding
from cryoplan.app.outlining import Outlining
from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError
from tests.support.panels import with_structure


@pytest.fixture
def carding(desk, monkeypatch, qtbot) -> Carding:
    monkeypatch.setattr(module, "REST_MS", 20)
    desk.open(with_structure("liver", Role.ORGAN, (40.0, 0.0, 0.0)))
    one = Carding(desk.workspace)
    yield one
    one.choose("")
    qtbot.waitUntil(lambda: not one.is_busy)


def test_a_chosen_structure_is_measured_beside_the_window(desk, carding, qtbot):
    assert carding.shown is None
    assert not carding.is_current
    carding.choose("tumour 1")
    assert carding.is_busy
    assert not carding.is_current
    qtbot.waitUntil(lambda: carding.is_current)
    assert carding.shown.card.name == "tumour 1"
    assert carding.shown.case is desk.workspace.case
    carding.choose("")
    assert carding.shown is None
    assert not carding.is_current


def test_the_newest_choice_wins(carding, qtbot):
    for name in ("tumour 1", "body", "liver"):
        carding.choose(name)
    qtbot.waitUntil(lambda: carding.is_current)
    assert carding.shown.card.name == "liver"


def test_a_stroke_makes_the_card_old_until_it_is_measured_anew(desk, carding, qtbot):
    carding.choose("tumour 1")
    qtbot.waitUntil(lambda: carding.is_current)
    desk.workspace.keeper.settle(10.0)
    first = carding.shown
    outlining = Outlining.of(desk.workspace)
    outlining.begin("tumour 1")
    outlining.ellipsoid((-20.0, -10.0, 20.0), (14.0, 14.0, 14.0))
    outlining.finish()
    assert carding.shown is first
    assert not carding.is_current
    desk.workspace.keeper.settle(10.0)
    qtbot.waitUntil(lambda: carding.is_current)
    assert carding.shown.card.volume_ml > first.card.volume_ml
    assert carding.shown.since.text == "tumour 1: ellipsoid 14 x 14 x 14 mm"


def test_an_outline_that_came_with_the_case_is_as_old_as_the_case(desk, carding, qtbot):
    desk.workspace.keeper.settle(10.0)
    carding.choose("body")
    qtbot.waitUntil(lambda: carding.is_current)
    assert carding.shown.since == desk.workspace.keeper.kept.history.entries[0]


def test_a_review_or_a_moved_probe_measures_nothing_anew(desk, carding, qtbot):
    carding.choose("tumour 1")
    qtbot.waitUntil(lambda: carding.is_current)
    first = carding.shown
    desk.workspace.set_reviewed("tumour 1", True)
    assert carding.is_current
    assert not carding.is_busy
    assert carding.shown is first


def test_a_structure_that_is_gone_is_chosen_no_longer(desk, carding, qtbot):
    carding.choose("liver")
    qtbot.waitUntil(lambda: carding.is_current)
    case: Case = desk.workspace.case
    kept = tuple(s for s in case.structures if s.name != "liver")
    assert desk.workspace.take_case("liver removed", case.changed(structures=kept))
    assert carding.name == ""
    carding.choose("body")
    desk.workspace.set_case(None)
    assert carding.name == ""


def test_what_cannot_be_measured_is_said(carding, monkeypatch, qtbot):
    def refuse(_case, _name, **_more):
        raise StructureError("It has no shape.", "Draw it.", code="structure-mask")

    monkeypatch.setattr(module, "make_card", refuse)
    carding.choose("liver")
    qtbot.waitUntil(lambda: not carding.is_busy)
    assert carding.trouble == "It has no shape. Draw it."
    assert not carding.is_current
