"""Own probes: what is written is read again, wrong numbers are refused, and nothing is half-written."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan.core import atomic
from cryoplan.core.errors import StoreError
from cryoplan.core.sourced import HOW
from cryoplan.plan.catalogue import TEXTS, is_model_id, load_catalogue, model_of, number_rules, read_model
from cryoplan.plan.model_text import model_to_toml
from cryoplan.plan.own_probes import (
    FOLDER_VARIABLE,
    copy_of,
    delete_model,
    export_model,
    folder_stamp,
    import_model,
    own_folder,
    save_model,
)
from cryoplan.plan.plan import Plan
from tests.support.scenes import make_plan

BUILT_IN = load_catalogue()
GENERIC = BUILT_IN["generic-15g"]

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@st.composite
def models(draw):
    start = draw(st.sampled_from(BUILT_IN.models))
    rules = number_rules(start.kind)
    changes = {key: draw(texts) for key in TEXTS if key != "name"}
    key = draw(st.sampled_from(["cooling_time_constant", "exchange_coefficient", "coolant_temperature"]))
    _, lowest, highest = rules[key]
    ends = sorted(draw(st.tuples(*[st.floats(lowest, highest)] * 3)))
    changes[key] = replace(
        getattr(start, key), value=ends[1], low=ends[0], high=draw(st.none() | st.just(ends[2])),
        how=draw(st.sampled_from(HOW)), source=draw(texts) + "x",
    )  # fmt: skip
    return replace(start, id="mine", name=draw(texts) + "n", **changes)


@pytest.mark.parametrize("name", list(BUILT_IN))
def test_every_built_in_model_is_the_same_after_writing_and_reading(tmp_path, name):
    path = tmp_path / f"{name}.toml"
    path.write_text(model_to_toml(BUILT_IN[name]), encoding="utf-8")
    assert read_model(path) == BUILT_IN[name]


@given(model=models())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_model_is_the_same_after_writing_and_reading(tmp_path, model):
    path = tmp_path / "mine.toml"
    path.write_bytes(model_to_toml(model).encode())
    assert read_model(path) == model


def test_a_model_that_breaks_a_rule_is_not_written(tmp_path):
    wrong = replace(GENERIC, id="mine", taper=replace(GENERIC.taper, value=float("nan")))
    with pytest.raises(StoreError) as caught:
        save_model(wrong, BUILT_IN, tmp_path, overwrite=False)
    assert caught.value.place == "mine.toml: taper"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Mine", "a b", "../x", "-x", "con", "x" * 61, "mine.toml/"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path, name):
    assert not is_model_id(name)
    with pytest.raises(StoreError) as caught:
        save_model(replace(GENERIC, id=name), BUILT_IN, tmp_path, overwrite=False)
    assert caught.value.code == "probe-id"


def test_a_copy_is_a_free_start_that_can_be_saved(tmp_path):
    copy = copy_of(GENERIC, BUILT_IN)
    save_model(copy, BUILT_IN, tmp_path, overwrite=False)
    now = load_catalogue(tmp_path)
    assert now.own == {"generic-15g-own"}
    assert now[copy.id] == copy
    assert copy_of(GENERIC, now).id not in now
    assert copy.calibration == ""


def test_a_built_in_probe_cannot_be_written_over_or_deleted(tmp_path):
    for work in (
        lambda: save_model(GENERIC, BUILT_IN, tmp_path, overwrite=True),
        lambda: delete_model("generic-15g", BUILT_IN, tmp_path),
    ):
        with pytest.raises(StoreError) as caught:
            work()
        assert caught.value.code == "probe-built-in"


def test_a_taken_id_is_replaced_only_if_one_says_so(tmp_path):
    mine = replace(GENERIC, id="mine")
    save_model(mine, BUILT_IN, tmp_path, overwrite=False)
    now = load_catalogue(tmp_path)
    other = replace(mine, gauge="16")
    with pytest.raises(StoreError) as caught:
        save_model(other, now, tmp_path, overwrite=False)
    assert caught.value.code == "probe-id-taken"
    assert load_catalogue(tmp_path)["mine"].gauge == "15"
    save_model(other, now, tmp_path, overwrite=True)
    assert load_catalogue(tmp_path)["mine"].gauge == "16"


def test_a_probe_of_the_open_plan_is_not_deleted(tmp_path):
    save_model(replace(GENERIC, id="mine"), BUILT_IN, tmp_path, overwrite=False)
    now, plan = load_catalogue(tmp_path), make_plan()
    used = Plan(probes=tuple(replace(p, model="mine") for p in plan.probes))
    with pytest.raises(StoreError, match="probe 1, 2") as caught:
        delete_model("mine", now, tmp_path, plan=used)
    assert caught.value.code == "probe-in-use"
    delete_model("mine", now, tmp_path, plan=plan)
    assert "mine" not in load_catalogue(tmp_path)


def test_export_and_import_give_the_same_model(tmp_path):
    out = export_model("icesphere-17g", BUILT_IN, tmp_path / "ours.toml")
    with pytest.raises(StoreError) as caught:
        export_model("icesphere-17g", BUILT_IN, out)
    assert caught.value.code == "file-exists"
    import_model(out, BUILT_IN, tmp_path / "own")
    assert replace(load_catalogue(tmp_path / "own")["ours"], id="icesphere-17g") == BUILT_IN["icesphere-17g"]
    import_model(out, BUILT_IN, tmp_path / "own", name="theirs")
    assert load_catalogue(tmp_path / "own").own == {"ours", "theirs"}
    with pytest.raises(StoreError) as caught:
        export_model("icesphere-17g", BUILT_IN, tmp_path / "Not An Id.toml")
    assert caught.value.code == "probe-id"


def test_a_wrong_file_is_not_imported_and_the_value_is_named(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(model_to_toml(GENERIC).replace("value = 1.83", "value = 183.0"), encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        import_model(path, BUILT_IN, tmp_path / "own")
    assert caught.value.place == "ours.toml: outer_diameter"
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_write_that_fails_leaves_the_old_probe_and_no_remains(tmp_path, monkeypatch, call, number):
    save_model(replace(GENERIC, id="mine"), BUILT_IN, tmp_path, overwrite=False)
    before = (tmp_path / "mine.toml").read_bytes()
    now = load_catalogue(tmp_path)

    def fails(*_words):
        raise OSError(number, "injected")

    monkeypatch.setattr(atomic.os, call, fails)
    with pytest.raises(StoreError):
        save_model(replace(now["mine"], gauge="16"), now, tmp_path, overwrite=True)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]
    assert (tmp_path / "mine.toml").read_bytes() == before


def test_the_folder_can_be_named_and_its_stamp_changes_with_its_files(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "ours"))
    folder = own_folder()
    assert folder == tmp_path / "ours"
    assert folder_stamp(folder) == ()
    save_model(replace(GENERIC, id="mine"), BUILT_IN, folder, overwrite=False)
    first = folder_stamp(folder)
    save_model(replace(GENERIC, id="mine", gauge="sixteen"), load_catalogue(folder), folder, overwrite=True)
    assert folder_stamp(folder) != first != ()


def test_all_faults_of_a_table_are_found_and_the_first_is_raised():
    from cryoplan.plan.catalogue import faults
    from cryoplan.plan.model_text import model_table

    table = model_table(GENERIC)
    table["outer_diameter"] = {**table["outer_diameter"], "value": 183.0}
    table["taper"] = {**table["taper"], "source": " "}
    table["name"] = ""
    path = Path("mine.toml")
    assert [e.place for e in faults(table, path)] == [
        "mine.toml: name",
        "mine.toml: outer_diameter",
        "mine.toml: taper",
    ]
    with pytest.raises(StoreError, match="name"):
        model_of(table, path)
