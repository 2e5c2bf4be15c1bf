"""Pairs are judged by the limits of spacing; wide pairs with a probe between them are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.core.finding import Level
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.placement import pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.spacing import judge_pair, neighbours


def plan_of(*places_mm: tuple[float, float], intensity: float = 1.0) -> Plan:
    """Return parallel probes along x at these places of y and z."""
    return Plan(
        probes=tuple(
            Probe(
                name=str(n),
                model="generic-15g",
                tip_mm=(0.0, y, z),
                entry_mm=(-100.0, y, z),
                intensity=intensity,
            )
            for n, (y, z) in enumerate(places_mm, 1)
        )
    )


@pytest.mark.parametrize(
    ("apart_mm", "intensity", "level"),
    [
        (15.0, 1.0, Level.OK),
        (20.0, 1.0, Level.OK),
        (22.0, 1.0, Level.WARN),
        (26.0, 1.0, Level.FAIL),
        (9.0, 1.0, Level.WARN),
        (1.0, 1.0, Level.FAIL),
        (18.0, 0.5, Level.WARN),
        (21.0, 0.5, Level.FAIL),
        (14.0, 0.5, Level.OK),
    ],
)
def test_a_pair_is_judged_by_its_spacing_and_stricter_at_reduced_power(apart_mm, intensity, level):
    plan = plan_of((0.0, 0.0), (apart_mm, 0.0), intensity=intensity)
    (pair,) = pairs(plan, load_catalogue())
    assert judge_pair(plan, pair, are_neighbours=True)[0] is level


def test_the_diagonals_of_a_square_are_no_neighbours_and_are_not_judged_as_wide():
    plan = plan_of((0.0, 0.0), (15.0, 0.0), (15.0, 15.0), (0.0, 15.0))
    table = pairs(plan, load_catalogue())
    near = neighbours(table)
    assert len(near) == 3
    levels = {(p.a, p.b): judge_pair(plan, p, are_neighbours=(p.a, p.b) in near)[0] for p in table}
    assert levels["1", "3"] is None
    assert levels["2", "4"] is None
    assert levels["1", "2"] is Level.OK


def test_a_wide_gap_that_nobody_closes_is_one():
    plan = plan_of((0.0, 0.0), (15.0, 0.0), (60.0, 0.0))
    near = neighbours(pairs(plan, load_catalogue()))
    assert near == {("1", "2"), ("2", "3")}
    assert neighbours(()) == frozenset()
    assert neighbours(pairs(replace(plan, probes=plan.probes[:1]), load_catalogue())) == frozenset()
