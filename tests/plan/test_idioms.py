"""What is laid out together begins at the skin, fits its shaft and leaves locked probes alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.middle import target_centre_mm
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import distance_mm
from cryoplan.plan.beside import free_side
from cryoplan.plan.catalogue import Catalogue, load_catalogue
from cryoplan.plan.edits import set_locked, tilt
from cryoplan.plan.hold import is_on_skin
from cryoplan.plan.idioms import Ask, Idiom, best_side, clash_words, lay_out, moved_probes, words_of
from cryoplan.plan.placement import pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.skin_entries import entries_on_skin
from tests.support.scenes import make_case, make_plan, small_case


def start() -> Plan:
    """Return two parallel probes that begin at the skin."""
    return entries_on_skin(small_case(), make_plan(), {"1", "2"})


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.floats(10.0, 20.0), st.integers(1, 12))
def test_a_ring_around_the_target_is_even_parallel_and_begins_at_the_skin(count, spacing, hours):
    catalogue = load_catalogue()
    plan = replace(start(), probes=start().probes[:1])
    ask = Ask(idiom=Idiom.RING, name="1", count=count, spacing_mm=spacing, hours=float(hours))
    new = lay_out(small_case(), plan, catalogue, ask)
    assert len(new.probes) == count
    table = {(p.a, p.b): p for p in pairs(new, catalogue)}
    names = [p.name for p in new.probes]
    for a, b in pairwise(names):
        assert table[a, b].middle_mm == pytest.approx(spacing)
        assert table[a, b].angle_deg == pytest.approx(0.0, abs=1e-5)
    assert all(is_on_skin(small_case(), p) for p in new.probes)
    # The axis of the ring runs through the target.
    middle = np.mean([p.tip_mm for p in new.probes], axis=0) - np.asarray(target_centre_mm(small_case()))
    assert np.linalg.norm(np.cross(middle, new.probes[0].direction)) < 1e-6


def test_a_line_keeps_its_spacing_and_may_begin_at_the_probe():
    ask = Ask(idiom=Idiom.LINE, name="1", count=3, spacing_mm=12.0, hours=9.0, around_target=False)
    new = lay_out(small_case(), replace(start(), probes=start().probes[:1]), load_catalogue(), ask)
    assert new.probe("1").tip_mm == start().probe("1").tip_mm
    gaps = [distance_mm(a.tip_mm, b.tip_mm) for a, b in pairwise(new.probes)]
    assert gaps == pytest.approx([12.0, 12.0])


def test_a_shaft_that_is_too_short_is_refused_before_anything_is_laid_out():
    model = load_catalogue().model("generic-15g")
    short = replace(model, shaft_length=replace(model.shaft_length, value=60.0))
    ask = Ask(idiom=Idiom.COPY, name="1")
    with pytest.raises(PlanError, match="shaft") as error:
        lay_out(small_case(), start(), Catalogue(models=(short,)), ask)
    assert error.value.code == "probe-too-deep"


def test_a_ring_without_a_target_is_refused_and_around_the_probe_it_is_not():
    case = make_case(with_target=False)
    ask = Ask(idiom=Idiom.RING, name="1")
    with pytest.raises(PlanError, match="no target"):
        lay_out(case, start(), load_catalogue(), ask)
    assert len(lay_out(case, start(), load_catalogue(), replace(ask, around_target=False)).probes) == 4


def test_levelling_leaves_entries_and_says_which_locked_probe_stayed():
    plan = set_locked(tilt(start(), "2", (0.0, 0.0, 1.0), 10.0), "2", False)
    plan = replace(plan, probes=(*plan.probes, replace(plan.probes[1], name="3", locked=True)))
    ask = Ask(idiom=Idiom.LEVEL, name="1")
    new = lay_out(small_case(), plan, load_catalogue(), ask)
    assert [p.entry_mm for p in new.probes] == [p.entry_mm for p in plan.probes]
    assert new.probe("3") == plan.probe("3")
    assert words_of(plan, new, ask) == "Probe 2 moved; Probe 3 locked and left alone"


def test_what_is_parallel_already_does_not_move():
    ask = Ask(idiom=Idiom.PARALLEL, name="1")
    once = lay_out(small_case(), start(), load_catalogue(), ask)
    again = lay_out(small_case(), once, load_catalogue(), ask)
    for a, b in zip(once.probes, again.probes, strict=True):
        assert distance_mm(a.entry_mm, b.entry_mm) < 0.3
    assert moved_probes(once, once) == ()
    assert words_of(once, once, ask).startswith("Nothing moves")


def test_the_side_that_is_offered_is_free_for_a_copy_and_near_for_a_ring():
    plan, catalogue = start(), load_catalogue()
    copy = Ask(idiom=Idiom.COPY, name="1")
    assert best_side(small_case(), plan, catalogue, copy) == free_side(plan, "1", 15.0, small_case())
    ring = Ask(idiom=Idiom.RING, name="1")
    near = best_side(small_case(), plan, catalogue, ring)

    def moved(hours: float) -> float:
        new = lay_out(small_case(), plan, catalogue, replace(ring, hours=hours))
        return distance_mm(new.probe("1").tip_mm, plan.probe("1").tip_mm)

    assert moved(near) == pytest.approx(min(moved(float(hour)) for hour in range(1, 13)))
    assert best_side(small_case(), set_locked(plan, "1", True), catalogue, ring) == 12.0


def test_what_would_run_into_a_probe_that_is_there_is_said():
    catalogue = load_catalogue()
    ask = Ask(idiom=Idiom.COPY, name="1", spacing_mm=10.0, hours=12.0)
    onto = lay_out(small_case(), start(), catalogue, ask)
    assert clash_words(start(), onto, catalogue) == "Probes 2 and 3 would run into one another"
    beside = lay_out(small_case(), start(), catalogue, replace(ask, hours=3.0))
    assert clash_words(start(), beside, catalogue) == ""
    assert clash_words(onto, onto, catalogue) == ""
