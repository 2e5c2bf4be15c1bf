"""Probe files: the built-in ones are complete and sourced, and a wrong one is refused by file and key."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path

import pytest

from cryoplan.core.errors import PlanError, StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.plan import catalogue as module
from cryoplan.plan.catalogue import load_catalogue, read_model
from cryoplan.plan.probe import ProbeModel

GENERIC = resource("probes", "generic-15g.toml").read_text(encoding="utf-8")

NO_TAPER = (
    GENERIC[: GENERIC.index("[taper]")] + GENERIC[GENERIC.index("[coolant_temperature]") :]
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


def test_the_models_of_the_contract_exist(catalogue):
    assert {"generic-15g", "icesphere-17g", "endocare-1.7mm", "endocare-2.4mm", "accuprobe-8mm-ln2"} <= set(
        catalogue
    )
    assert len(catalogue) == len(list(catalogue)) == len(set(catalogue))
    assert catalogue.findings == ()


@pytest.mark.parametrize("name", list(load_catalogue()))
def test_every_number_has_a_source_and_fits_on_the_shaft(catalogue, name):
    model = catalogue[name]
    numbers = [v for f in fields(model) if isinstance(v := getattr(model, f.name), Sourced)]
    assert len(numbers) >= 8
    assert all(len(n.source) > 10 for n in numbers)
    front = model.tip_offset.value + model.active_length.value + model.taper.value
    assert front < model.shaft_length.value
    assert model.note


def test_every_field_of_the_record_is_read():
    assert set(module._NUMBERS) | set(module.TEXTS) | {"id", "kind"} == {f.name for f in fields(ProbeModel)}


def test_the_generic_probe_says_that_it_is_assumed(catalogue):
    model = catalogue["generic-15g"]
    assert "ssumed" in model.note
    assert model.is_guess
    assert model.outer_diameter.value == 1.83
    assert model.active_length.how == model.tip_offset.how == model.exchange_coefficient.how == "assumed"


def test_exchange_between_two_calibrated_probes_lies_between_theirs(catalogue):
    thin, thick = catalogue["icesphere-17g"], catalogue["endocare-2.4mm"]
    for name in ("generic-15g", "endocare-1.7mm"):
        h = catalogue[name].exchange_coefficient.value
        assert thick.exchange_coefficient.value < h < thin.exchange_coefficient.value


def test_an_unknown_model_is_refused_with_the_choices(catalogue):
    with pytest.raises(PlanError, match="Use one of: accuprobe-8mm-ln2") as caught:
        catalogue.model("15g")
    assert caught.value.code == "model-unknown"
    with pytest.raises(KeyError):
        catalogue["15g"]
    assert catalogue.model("generic-15g") is catalogue["generic-15g"]


def test_the_digest_follows_the_numbers(catalogue):
    assert catalogue.digest() == load_catalogue().digest()
    first = catalogue.models[0]
    changed = replace(first, taper=replace(first.taper, value=4.9))
    assert module.Catalogue(models=(changed, *catalogue.models[1:])).digest() != catalogue.digest()


def test_a_catalogue_crosses_a_process_border(catalogue):
    assert pickle.loads(pickle.dumps(catalogue)).digest() == catalogue.digest()


def test_models_of_the_user_join_and_broken_ones_become_findings(tmp_path):
    (tmp_path / "mine.toml").write_text(GENERIC, encoding="utf-8")
    (tmp_path / "broken.toml").write_text("schema = ", encoding="utf-8")
    (tmp_path / "generic-15g.toml").write_text(GENERIC, encoding="utf-8")
    (tmp_path / "readme.txt").write_text("x", encoding="utf-8")
    catalogue = load_catalogue(tmp_path)
    assert catalogue["mine"].outer_diameter.value == 1.83
    assert [(f.code, f.place) for f in catalogue.findings] == [
        ("probe-file-left-out", "broken.toml"),
        ("probe-id-taken", "generic-15g.toml"),
    ]
    assert list(catalogue) == sorted(catalogue)


def test_a_user_folder_that_is_not_there_is_no_trouble(tmp_path):
    assert load_catalogue(tmp_path / "none").digest() == load_catalogue().digest()


def change(old: str, new: str) -> str:
    assert old in GENERIC
    return GENERIC.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (change("schema = 1", "schema = 2"), "schema", "schema 1"),
        (change("schema = 1", "schema = true"), "schema", "schema 1"),
        (change("schema = 1", "schema = 1\ncolour = 'red'"), "colour", "not a key"),
        (change("schema = 1\n", ""), "schema", "missing"),
        (change("[taper]", "[tapper]"), "tapper", "not a key"),
        (change('name = "Generic 15G"', "name = 15"), "name", "not a text"),
        (change('name = "Generic 15G"', 'name = " "'), "name", "not a text"),
        (change('unit = "mm"', 'unit = "cm"'), "outer_diameter", "in mm"),
        (change("value = 1.83", "value = 183.0"), "outer_diameter", "0.5 to 12"),
        (change("value = 1.83", "value = nan"), "outer_diameter", "0.5 to 12"),
        (change("value = 1.83", 'value = "1.83"'), "outer_diameter", "number"),
        (change("value = -150.0", "value = 150.0"), "coolant_temperature", "-210 to 0"),
        (change("low = 20.0", "low = 31.0"), "active_length", "own range"),
        (change("high = 40.0", "high = 400.0"), "active_length", "1 to 120"),
        (change("value = 175.0\nlow = 150.0", "value = 38.0\nlow = 38.0"), "shaft_length", "39 mm"),
        (change('source = "Standard', 'source = ""  # "Standard'), "outer_diameter", "source"),
        (change("[active_thaw_coefficient]", "[x]"), "x", "not a key"),
        (GENERIC[: GENERIC.index("[active_thaw_coefficient]")], "active_thaw_temperature", "both"),
        (change("schema = 1", "schema = 1\ntaper = 5"), "file", "TOML"),
        (NO_TAPER.replace("schema = 1", "schema = 1\ntaper = 5"), "taper", "not a table"),
        (NO_TAPER, "taper", "missing"),
        ("x" * 200_000, "file", "100 kB"),
        ("= 1", "file", "TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_by_file_and_key(tmp_path, text, key, words):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read_model(path)
    assert caught.value.code == "bad-resource"
    assert words in str(caught.value)
    assert caught.value.place == f"mine.toml: {key}"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match="not TOML"):
        read_model(path)


@pytest.mark.parametrize("name", ["Mine.toml", "my probe.toml", "-x.toml"])
def test_a_file_name_that_is_no_id_is_refused(tmp_path, name):
    (tmp_path / name).write_text(GENERIC, encoding="utf-8")
    with pytest.raises(StoreError, match="small letters"):
        read_model(tmp_path / name)


def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(StoreError, match="cannot be read"):
        read_model(tmp_path / "none.toml")


def test_a_warmer_is_warm_and_a_probe_is_not(tmp_path):
    from cryoplan.core.resources import resource

    text = resource("probes", "urethral-warmer.toml").read_text(encoding="utf-8")
    good = tmp_path / "own-warmer.toml"
    good.write_text(text, encoding="utf-8")
    assert module.read_model(good).is_warmer
    for change, key in (
        (text.replace("value = 40.0", "value = -40.0"), "coolant_temperature"),
        (text.replace('kind = "warmer"', 'kind = "heater"'), "kind"),
        (text.replace('kind = "warmer"\n', ""), "coolant_temperature"),
    ):
        good.write_text(change, encoding="utf-8")
        with pytest.raises(StoreError, match=key):
            module.read_model(good)
