"""plan.json: every plan comes back exactly, and every bad value is refused by its path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cryoplan.core.errors import PlanError, StoreError
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.file import plan_from_json, plan_to_json, read_plan, write_plan
from cryoplan.plan.plan import Plan
from cryoplan.plan.protocol import ThawMode
from cryoplan.plan.room import Room
from tests.support.plan_strategies import plans

CATALOGUE = load_catalogue()


def record(**changes) -> dict:
    return {
        "schema": 1,
        "name": "three probes",
        "probes": [
            {"name": "1", "model": "generic-15g", "tip_mm": [1, 2, 3], "entry_mm": [1, 2, 80.5],
             "intensity": 1.0, "start_s": 0, "stop_s": None},
            {"name": "2", "model": "icesphere-17g", "tip_mm": [16, 2, 3], "entry_mm": [16, 2, 80.5]},
        ],
        "protocol": [
            {"phase": "freeze", "duration_s": 600},
            {"phase": "thaw", "duration_s": 300, "mode": "helium"},
            {"phase": "freeze", "duration_s": 600},
        ],
        "thermocouples": [{"name": "T1", "position_mm": [8, 2, 3]}],
    } | changes  # fmt: skip


def read(value: object) -> Plan:
    text = value if isinstance(value, str) else json.dumps(value)
    return plan_from_json(text, CATALOGUE, "plan.json")


def refused(value: object) -> PlanError:
    with pytest.raises(PlanError) as caught:
        read(value)
    assert caught.value.what.startswith("plan.json")
    assert caught.value.remedy.endswith((".", ")"))
    return caught.value


@given(plans())
def test_every_plan_comes_back_exactly(plan):
    assert read(plan_to_json(plan)) == plan


@given(plans())
def test_the_text_is_the_contracts_json(plan):
    table = json.loads(plan_to_json(plan))
    usual = {"schema", "name", "probes", "protocol", "thermocouples"}
    some = {key for key in ("tools", "marks") if getattr(plan, key)}
    assert set(table) - {"room"} == usual | some
    assert ("room" in table) == (plan.room != Room())
    assert [p["name"] for p in table["probes"]] == [p.name for p in plan.probes]
    assert plan_to_json(plan).isascii()


def test_the_example_of_the_contract_is_read():
    plan = read(record())
    assert plan.name == "three probes"
    assert plan.probes[0].entry_mm == (1.0, 2.0, 80.5)
    assert plan.probes[1].intensity == 1.0
    assert plan.probes[1].stop_s is None
    assert plan.protocol.phases[1].mode is ThawMode.HELIUM
    assert plan.protocol.describe() == "10-5-10 min"
    assert plan.thermocouples[0].position_mm == (8.0, 2.0, 3.0)


def test_name_and_thermocouples_may_be_left_out():
    short = record()
    del short["name"], short["thermocouples"]
    assert read(short).name == "A"
    assert read(short).thermocouples == ()


def changed(path: str, value: object) -> dict:
    """Return the record with the value at ``probes.1.tip_mm`` replaced."""
    table = record()
    *way, last = [int(k) if k.isdigit() else k for k in path.split(".")]
    node = table
    for key in way:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return table


NEEDLE = {"name": "N", "kind": "biopsy", "tip_mm": [0, 0, 9], "entry_mm": [0, 0, 0], "diameter_mm": 1.2,
          "length_mm": 150}  # fmt: skip
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("path", "value", "place", "code"),
    [
        ("schema", 2, "schema", "plan-schema"),
        ("schema", 0, "schema", "plan-schema"),
        ("schema", "1", "schema", "plan-value"),
        ("schema", True, "schema", "plan-value"),
        ("schema", ..., "schema", "plan-key-missing"),
        ("probes", ..., "probes", "plan-key-missing"),
        ("protocol", ..., "protocol", "plan-key-missing"),
        ("probes", {}, "probes", "plan-value"),
        ("probes.1", 5, "probes[1]", "plan-value"),
        ("colour", "red", "colour", "plan-key-unknown"),
        ("probes.1.paint", "red", "probes[1].paint", "plan-key-unknown"),
        ("probes.1.model", ..., "probes[1].model", "plan-key-missing"),
        ("probes.1.model", "x", "probes[1].model", "model-unknown"),
        ("probes.1.model", None, "probes[1].model", "plan-value"),
        ("probes.1.name", "1", "probes[1].name", "probe-name-twice"),
        ("probes.1.name", "", "probes[1].name", "name-empty"),
        ("probes.1.name", "x" * 81, "probes[1].name", "name-too-long"),
        ("probes.1.name", "a\nb", "probes[1].name", "name-unprintable"),
        ("probes.1.name", 2, "probes[1].name", "plan-value"),
        ("probes.1.tip_mm", [1, 2], "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", [1, 2, 3, 4], "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", "1 2 3", "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", [1, "2", 3], "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", [1, None, 3], "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", [1, True, 3], "probes[1].tip_mm", "plan-value"),
        ("probes.1.tip_mm", [1, NAN, 3], "probes[1].tip_mm", "plan-number"),
        ("probes.1.entry_mm", [INF, 2, 3], "probes[1].entry_mm", "plan-number"),
        ("probes.1.entry_mm", [-INF, 2, 3], "probes[1].entry_mm", "plan-number"),
        ("probes.1.entry_mm", [1e5, 2, 3], "probes[1].entry_mm", "plan-position-far"),
        ("probes.1.entry_mm", [16, 2, 3], "probes[1].entry_mm", "probe-without-length"),
        ("probes.1.intensity", 0, "probes[1].intensity", "probe-intensity"),
        ("probes.1.intensity", 1.01, "probes[1].intensity", "probe-intensity"),
        ("probes.1.intensity", NAN, "probes[1].intensity", "plan-number"),
        ("probes.1.start_s", -1, "probes[1].start_s", "probe-times"),
        ("probes.0.stop_s", 0, "probes[0].stop_s", "probe-times"),
        ("probes.1.locked", 1, "probes[1].locked", "plan-value"),
        ("protocol", [], "protocol", "protocol-order"),
        ("protocol.0.phase", "thaw", "protocol", "protocol-order"),
        ("protocol.0.phase", "boil", "protocol[0].phase", "plan-value"),
        ("protocol.0.mode", "helium", "protocol[0].mode", "phase-mode"),
        ("protocol.1.mode", "steam", "protocol[1].mode", "plan-value"),
        ("protocol.1.duration_s", 0, "protocol[1].duration_s", "phase-duration"),
        ("protocol.1.duration_s", 14000, "protocol", "protocol-duration"),
        ("protocol.1.duration_s", ..., "protocol[1].duration_s", "plan-key-missing"),
        ("thermocouples.0.position_mm", [0, 0], "thermocouples[0].position_mm", "plan-value"),
        ("thermocouples.0.position_mm", [0, 0, 1e6], "thermocouples[0].position_mm", "plan-position-far"),
        ("thermocouples.0.name", " ", "thermocouples[0].name", "name-empty"),
        ("thermocouples", [{"name": "T", "position_mm": [0, 0, 0]}] * 2, "thermocouples[1].name",
         "thermocouple-name-twice"),
        ("tools", [NEEDLE | {"kind": "drill"}], "tools[0].kind", "plan-value"),
        ("tools", [NEEDLE | {"diameter_mm": 40}], "tools[0].diameter_mm", "tool-size"),
        ("tools", [NEEDLE | {"length_mm": NAN}], "tools[0].length_mm", "plan-number"),
        ("tools", [NEEDLE | {"tip_mm": [0, 0, 0]}], "tools[0].entry_mm", "probe-without-length"),
        ("tools", [NEEDLE | {"name": "1"}], "tools[0].name", "tool-name-twice"),
        ("tools", [NEEDLE, NEEDLE], "tools[1].name", "tool-name-twice"),
        ("tools", [NEEDLE | {"note": "two\nlines"}], "tools[0].note", "text-unprintable"),
        ("tools", [NEEDLE] * 101, "tools", "plan-too-many"),
        ("probes.1.order", 0, "probes[1].order", "probe-order"),
        ("probes.1.order", 1.5, "probes[1].order", "plan-value"),
        ("probes.1.colour", 8, "probes[1].colour", "probe-colour"),
        ("probes.1.channel", "x" * 21, "probes[1].channel", "text-too-long"),
        ("probes.1.note", "x" * 301, "probes[1].note", "text-too-long"),
        ("room", {"position": "standing"}, "room.position", "room-position"),
        ("room", {"gantry_tilt_limit_deg": 90}, "room.gantry_tilt_limit_deg", "room-number"),
        ("room", {"bore_mm": 70}, "room.bore_mm", "room-number"),
        ("room", {"lift": 70}, "room.lift", "plan-key-unknown"),
        ("name", "", "name", "name-empty"),
        ("name", "\ud800", "name", "name-unprintable"),
        ("probes", [record()["probes"][0]] * 101, "probes", "plan-too-many"),
        ("protocol", [record()["protocol"][0]] * 101, "protocol", "plan-too-many"),
        ("thermocouples", [{"name": "T", "position_mm": [0, 0, 0]}] * 1001, "thermocouples", "plan-too-many"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_its_path(path, value, place, code):
    error = refused(changed(path, value))
    assert (error.place, error.code) == (place, code)
    assert place in error.what


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"schema": 1', '"schema": 1, "schema": 1', "schema"),
        ('"name": "2"', '"name": "2", "name": "3"', "probes[1].name"),
        ('"intensity": 1.0', '"intensity": 1.0, "intensity": {"a": 1}', "probes[0].intensity"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(old, new, place):
    text = json.dumps(record())
    assert old in text
    error = refused(text.replace(old, new, 1))
    assert (error.place, error.code) == (place, "plan-key-twice")


def test_the_message_names_file_path_value_and_what_to_do():
    error = refused(changed("probes.1.tip_mm", [1, 2]))
    assert str(error) == (
        "plan.json: probes[1].tip_mm = [1, 2] is not three finite numbers. "
        "Give x, y and z in LPS millimetres."
    )


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 5000, "NaN", "Infinity", "-Infinity"])
def test_a_number_beyond_all_numbers_is_refused(text):
    error = refused(json.dumps(record()).replace("80.5", text, 1))
    assert error.code in ("plan-number", "plan-position-far")
    assert error.place == "probes[0].entry_mm"


@pytest.mark.parametrize(
    "text",
    ["", " ", "null", "[]", "5", '"x"', "{", "{'a': 1}", "[" * 100_000, '{"a":' * 100_000, '{"schema": 1}}'],
)
def test_what_is_no_plan_at_all_is_refused(text):
    assert refused(text).code in ("plan-not-json", "plan-key-missing")


def test_keys_that_cannot_be_seen_are_shown_escaped():
    error = refused('{"schema": 1, "a\\u0000\\ud800": 2}')
    assert error.place == '"a\\u0000\\ud800"'
    assert str(error).isascii()


@pytest.mark.parametrize("key", ["", "probes[7]", "probes[0].tip_mm", "a`b", "a b", "ä"])
def test_keys_that_look_like_paths_are_refused_as_keys(key):
    error = refused(record(**{key: 1}))
    assert (error.place, error.code) == (json.dumps(key), "plan-key-unknown")


def test_a_long_value_is_shortened():
    assert len(refused(changed("probes.1.intensity", "y" * 5000)).what) < 250


def plan_or_place(text: str) -> Plan | str:
    """Return the plan, or the place of the sentence that refuses it; anything else flies."""
    try:
        return read(text)
    except PlanError as error:
        return error.place


@settings(max_examples=300)
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["schema", "name", "probes", "protocol", "tip_mm", "x"]) | st.text(max_size=4), inner,
        max_size=5),
    max_leaves=20,
))  # fmt: skip
@example(float("inf"))  # a whole file that is one number which JSON does not have
def test_any_json_is_a_plan_or_refused(tree):
    assert plan_or_place(json.dumps(tree))


@settings(max_examples=300)
@given(st.data())
def test_a_plan_with_one_character_changed_is_a_plan_or_refused(data):
    text = json.dumps(record())
    position = data.draw(st.integers(0, len(text) - 1))
    text = text[:position] + data.draw(st.characters()) + text[position + 1 :]
    assert plan_or_place(text)


def test_files_are_written_and_read(tmp_path: Path):
    plan = read(record())
    write_plan(plan, tmp_path / "a.json")
    assert read_plan(tmp_path / "a.json", CATALOGUE) == plan
    with pytest.raises(StoreError):
        write_plan(plan, tmp_path / "none" / "a.json")


def test_a_byte_order_mark_is_tolerated(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record()), encoding="utf-8-sig")
    assert read_plan(path, CATALOGUE) == read(record())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps(record()).encode("utf-16"), "plan-not-json"),
        (b"\x00\xff\xfe", "plan-not-json"),
        (b" " * 1_000_001, "plan-too-large"),
        (b"", "plan-not-json"),
    ],
)
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path, content, code):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(PlanError) as caught:
        read_plan(path, CATALOGUE)
    assert (caught.value.code, caught.value.place) == (code, "a.json")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(PlanError) as caught:
            read_plan(path, CATALOGUE)
        assert caught.value.code == "plan-unreadable"
        assert str(tmp_path.parent) not in str(caught.value)
