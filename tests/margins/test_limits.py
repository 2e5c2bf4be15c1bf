"""Limits: what ships is sourced, what is wrong in a file is named, findings say number, limit and unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Level
from cryoplan.core.sourced import Sourced
from cryoplan.margins.limits import Direction, Limit, judge, load_limits, read_limits
from tests.support.analytic import number


def _limit(warn: float | None = 5.0, fail: float | None = 0.0, unit: str = "mm", **more) -> Limit:
    return Limit(
        direction=more.get("direction", Direction.AT_LEAST),
        warn=None if warn is None else number(warn, unit, more.get("how", "table")),
        fail=None if fail is None else number(fail, unit, more.get("how", "table")),
    )


def test_built_in_ice_edge_limit_is_five_to_warn_and_zero_to_fail():
    limit = load_limits().margin(0.0)
    assert limit is not None
    assert [limit.level(v) for v in (6.0, 5.0, 4.99, 0.0, -0.01, -float("inf"))] == [
        Level.OK,
        Level.OK,
        Level.WARN,
        Level.WARN,
        Level.FAIL,
        Level.FAIL,
    ]


def test_built_in_lethal_limits_warn_below_zero_and_never_fail():
    for threshold in (-20.0, -40.0):
        limit = load_limits().margin(threshold)
        assert limit is not None
        assert limit.level(0.0) is Level.OK
        assert limit.level(-9.0) is Level.WARN


def test_nerve_is_kept_above_ten_and_bowel_above_zero():
    limits = load_limits()
    nerve, bowel = limits.organ("nerve"), limits.organ("bowel")
    assert nerve is not None
    assert bowel is not None
    assert (nerve.level(9.9), nerve.level(10.0)) == (Level.FAIL, Level.WARN)
    assert (bowel.level(-0.1), bowel.level(0.0), bowel.level(5.0)) == (Level.FAIL, Level.WARN, Level.OK)


def test_every_built_in_limit_has_a_source_and_a_known_role_or_unit():
    limits = load_limits()
    every = [m.limit for m in limits.margins] + [c.limit for c in limits.coverage]
    every += [limit for _, limit in limits.organs]
    assert len(every) >= 15
    for limit in every:
        for side in (limit.warn, limit.fail):
            assert side is None or side.source.strip()
    assert {m.limit.unit for m in limits.margins} == {"mm"}
    assert {c.limit.unit for c in limits.coverage} == {"fraction"}
    assert {limit.unit for _, limit in limits.organs} == {"degC"}
    assert {role for role, _ in limits.organs} <= {role.value for role in Role}


def test_roles_and_thresholds_without_a_limit_have_none():
    limits = load_limits()
    assert limits.organ("organ") is None
    assert limits.margin(-33.0) is None
    assert limits.covered(0.0, 7.0) is None


def test_digest_follows_the_numbers(tmp_path: Path):
    margins, organs = _files(tmp_path)
    first = read_limits(margins, organs)
    assert first.digest() == read_limits(margins, organs).digest()
    organs.write_text(organs.read_text().replace("value = 10", "value = 11"))
    assert first.digest() != read_limits(margins, organs).digest()


@pytest.mark.parametrize(
    ("limit", "value", "level", "text"),
    [
        (_limit(), 6.14, Level.OK, "Edge: +6.1 mm here; wanted at least +5.0 mm, never below 0.0 mm."),
        (_limit(), 3.2, Level.WARN, "Edge: +3.2 mm here; wanted at least +5.0 mm, never below 0.0 mm."),
        (_limit(), -1.25, Level.FAIL, "Edge: −1.2 mm here; wanted at least +5.0 mm, never below 0.0 mm."),
        (_limit(), 4.97, Level.WARN, "Edge: +4.97 mm here; wanted at least +5.0 mm, never below 0.0 mm."),
        (_limit(), 4.9999, Level.WARN, "Edge: +5.000 mm here; wanted at least +5.0 mm, never below 0.0 mm."),
        (
            _limit(10.0, 15.0, "degC", direction=Direction.AT_MOST, how="assumed"),
            12.0,
            Level.WARN,
            "Edge: 12.0 °C here; wanted at most 10.0 °C, never above 15.0 °C (assumed).",
        ),
        (_limit(None, 0.0, "degC"), -3.0, Level.FAIL, "Edge: −3.0 °C here; wanted never below 0.0 °C."),
        (_limit(0.95, None, "fraction"), 0.9, Level.WARN, "Edge: 90.0 % here; wanted at least 95.0 %."),
        (_limit(0.999, None, "fraction"), 0.9989, Level.WARN, "Edge: 99.89 % here; wanted at least 99.9 %."),
        (
            _limit(0.0, None),
            -float("inf"),
            Level.WARN,
            "Edge: not reached anywhere here; wanted at least 0.0 mm.",
        ),
    ],
)
def test_finding_says_number_limit_and_unit(limit, value, level, text):
    finding = judge(limit, value, what="Edge", code="ice-margin", place="tumour", detail=" here")
    assert (finding.level, finding.text) == (level, text)
    assert (finding.code, finding.place) == ("ice-margin", "tumour")


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50), st.sampled_from(list(Direction)))
def test_a_worse_value_never_gets_a_better_level(a, b, c, direction):
    sign = 1.0 if direction is Direction.AT_LEAST else -1.0
    warn, fail = (max(a, b), min(a, b)) if sign > 0 else (min(a, b), max(a, b))
    limit = _limit(warn, fail, direction=direction)
    assert limit.level(c - sign).rank >= limit.level(c).rank


def test_limit_without_a_value_with_two_units_or_in_wrong_order_cannot_exist():
    with pytest.raises(ValueError, match="needs a warn or a fail"):
        _limit(None, None)
    with pytest.raises(ValueError, match="share one unit"):
        Limit(direction=Direction.AT_LEAST, warn=number(5, "mm"), fail=number(0, "degC"))
    with pytest.raises(ValueError, match="share one unit"):
        _limit(5.0, 0.0, unit="inch")
    with pytest.raises(ValueError, match="beyond the warn"):
        _limit(0.0, 5.0)
    with pytest.raises(ValueError, match="beyond the warn"):
        _limit(15.0, 10.0, direction=Direction.AT_MOST)


MARGINS = """
[[margin]]
threshold_degc = 0
direction = "at-least"
warn = { value = 5, unit = "mm", how = "table", source = "a paper" }

[[coverage]]
threshold_degc = 0
rim_mm = 0
direction = "at-least"
fail = { value = 0.9, unit = "fraction", how = "table", source = "a paper" }
"""
ORGANS = """
[nerve]
direction = "at-least"
fail = { value = 10, unit = "degC", how = "table", source = "a paper" }
"""


def _files(folder: Path, margins: str = MARGINS, organs: str = ORGANS) -> tuple[Path, Path]:
    a, b = folder / "margins.toml", folder / "organs.toml"
    a.write_text(margins, encoding="utf-8")
    b.write_text(organs, encoding="utf-8")
    return a, b


def test_a_department_may_write_its_own_numbers(tmp_path: Path):
    limits = read_limits(*_files(tmp_path))
    assert limits.margin(0.0) == Limit(
        direction=Direction.AT_LEAST, warn=Sourced(value=5.0, unit="mm", source="a paper", how="table")
    )
    assert limits.covered(0.0, 0.0) is not None
    assert read_limits(*_files(tmp_path, margins="", organs="")).margins == ()


@pytest.mark.parametrize(
    ("margins", "organs", "place"),
    [
        ("[[", ORGANS, "margins.toml"),
        (MARGINS + "\n[other]\n", ORGANS, "margins.toml: other"),
        ("margin = 3\n", ORGANS, "margins.toml: margin"),
        ("margin = [3]\n", ORGANS, "margins.toml: margin"),
        (MARGINS.replace("threshold_degc = 0", "threshold_degc = true"), ORGANS, "margin[0].threshold_degc"),
        (MARGINS.replace("rim_mm = 0", 'rim_mm = "0"'), ORGANS, "coverage[0].rim_mm"),
        (MARGINS.replace("rim_mm = 0", "rim = 0"), ORGANS, "coverage[0].rim_mm"),
        (MARGINS, ORGANS.replace("fail", "fial"), "organs.toml: nerve.fial"),
        (MARGINS, "nerve = 3\n", "organs.toml: nerve"),
        (MARGINS, ORGANS.replace("at-least", "least"), "organs.toml: nerve"),
        (MARGINS, '[nerve]\ndirection = "at-least"\n', "organs.toml: nerve"),
        (MARGINS, '[nerve]\ndirection = "at-least"\nfail = 10\n', "organs.toml: nerve.fail"),
        (MARGINS, ORGANS.replace('source = "a paper"', 'source = " "'), "organs.toml: nerve.fail"),
    ],
)
def test_a_damaged_limit_file_is_refused_with_the_place(tmp_path, margins, organs, place):
    with pytest.raises(StoreError) as caught:
        read_limits(*_files(tmp_path, margins, organs))
    assert place in caught.value.place
    assert caught.value.code == "bad-resource"


def test_a_missing_or_unreadable_limit_file_is_refused(tmp_path: Path):
    margins, organs = _files(tmp_path)
    organs.write_bytes(b"\xff\xfe")
    with pytest.raises(StoreError, match=r"organs\.toml cannot be read"):
        read_limits(margins, organs)
    organs.unlink()
    with pytest.raises(StoreError, match=r"organs\.toml cannot be read"):
        read_limits(margins, organs)
