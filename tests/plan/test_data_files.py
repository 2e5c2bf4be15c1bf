"""Limits and presets: complete, sourced, and refused by key when they are not."""

from __future__ import annotations

import pytest

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.plan.limits import placement_limits, read_limits
from cryoplan.plan.presets import DEFAULT_PRESET, load_presets, read_preset
from cryoplan.plan.protocol import freeze_thaw_freeze

LIMITS = resource("limits", "placement.toml").read_text(encoding="utf-8")
PRESET = resource("presets", f"{DEFAULT_PRESET}.toml").read_text(encoding="utf-8")


def test_the_published_spacing_is_in_the_limits():
    limits = placement_limits()
    assert (limits["close_warn"], limits["wide_warn"], limits["wide_fail"]) == (10.0, 20.0, 25.0)
    assert "PMC4850244" in limits.numbers["wide_warn"].source
    assert limits["reduced_wide_warn"] < limits["wide_warn"]
    assert limits["reduced_wide_fail"] < limits["wide_fail"]
    assert not limits.forbidden & limits.doubtful
    assert Role.BOWEL in limits.forbidden
    assert limits.path_source


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("schema = 1", "schema = 1\nextra = 2", "file"),
        ("[spacing]", "[spaces]", "file"),
        ("wide_warn = {", "wider = {", "spacing"),
        ('value = 20.0, unit = "mm"', 'value = 20.0, unit = "cm"', "spacing.wide_warn"),
        ("value = 20.0", "value = -1.0", "spacing.wide_warn"),
        ("value = 20.0", "value = nan", "spacing.wide_warn"),
        ('fail = ["bowel"', 'fail = ["dragon"', "path.fail"),
        ('fail = ["bowel"', 'fail = [["bowel"]', "path.fail"),
        ('source = "common', 'sauce = "common', "path"),
        ("schema = 1", "schema = ", "file"),
    ],
)
def test_a_wrong_limits_file_is_refused_by_key(tmp_path, old, new, key):
    assert old in LIMITS
    path = tmp_path / "placement.toml"
    path.write_text(LIMITS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read_limits(path)
    assert caught.value.place == f"placement.toml: {key}"


def test_limits_that_are_no_tables_are_refused(tmp_path):
    path = tmp_path / "placement.toml"
    text = LIMITS.splitlines()
    text = [("wide_warn = 5" if line.startswith("wide_warn") else line) for line in text]
    path.write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(StoreError, match=r"spacing\.wide_warn is not a table"):
        read_limits(path)
    path.write_text("schema = 1\nspacing = 1\nplacement = 1\npath = 1", encoding="utf-8")
    with pytest.raises(StoreError, match="spacing has missing"):
        read_limits(path)


def test_the_default_preset_comes_first_and_is_the_default_protocol():
    presets = load_presets()
    assert presets[0].id == DEFAULT_PRESET
    assert presets[0].protocol == freeze_thaw_freeze()
    assert len({p.name for p in presets}) == len(presets) >= 4
    assert all(p.source and p.note for p in presets)


def test_the_lung_preset_freezes_three_times():
    lung = next(p for p in load_presets() if p.id == "lung-triple-5-5-10")
    assert len(lung.protocol.freeze_ends_s()) == 3
    assert lung.protocol.describe() == "5-5-5-5-10-5 min"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema = 1", "schema = 3", "schema 3"),
        ("schema = 1", "schema = 1\nx = 1", "unknown keys (x)"),
        ('source = "', 'source = ""  # "', "no text for source"),
        ('how = "abstract"', 'how = "dream"', "unknown 'how'"),
        ('phase = "freeze"', 'phase = "boil"', "cannot be carried out"),
        ('phase = "freeze"', 'phase = "thaw"', "begins with a freeze"),
        ("duration_s = 600", "duration_s = -600", "cannot be carried out"),
        ("duration_s = 600", "duration_s = true", "cannot be carried out"),
        ("duration_s = 600", "duration_s = 600\ny = 1", "cannot be carried out"),
        ("duration_s = 600", "", "cannot be carried out"),
        ("schema = 1", "schema = ", "cannot be read"),
    ],
)
def test_a_wrong_preset_is_refused(tmp_path, old, new, words):
    assert old in PRESET
    path = tmp_path / "mine.toml"
    path.write_text(PRESET.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read_preset(path)
    assert words in caught.value.what
    assert caught.value.place == "mine.toml"


def test_a_preset_without_phases_or_file_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PRESET[: PRESET.index("[[protocol]]")] + "protocol = 5\n", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be carried out"):
        read_preset(path)
    with pytest.raises(StoreError, match="cannot be read"):
        read_preset(tmp_path / "none.toml")
