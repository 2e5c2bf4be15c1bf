"""Errors, findings, digests, units, sourced numbers, progress and resources."""

from __future__ import annotations

import enum
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core import errors, resources, units
from cryoplan.core.digest import digest
from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.core.finding import Finding, Level, worst
from cryoplan.core.progress import SILENT, Cancelled, PartProgress, ProgressReport, check_cancelled
from cryoplan.core.sourced import Sourced

KINDS = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, CryoplanError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_a_process_border_whole(kind):
    error = kind("It broke.", "Mend it.", code="broken", place="a[1]")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.what, copy.remedy, copy.code, copy.place) == ("It broke.", "Mend it.", "broken", "a[1]")
    assert str(copy) == "It broke. Mend it."


def test_a_finding_has_the_object_of_the_contract():
    finding = Finding(level=Level.WARN, code="missing-slice", text="One is missing.", place="slice 3")
    assert finding.to_json() == {
        "level": "warn",
        "code": "missing-slice",
        "text": "One is missing.",
        "place": "slice 3",
    }


def test_the_worst_finding_decides():
    levels = [Level.OK, Level.FAIL, Level.WARN]
    findings = [Finding(level=level, code="x", text="x") for level in levels]
    assert worst(findings) is Level.FAIL
    assert worst(findings[::2]) is Level.WARN
    assert worst([]) is Level.OK


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Record:
    a: object
    b: object = None


def test_digests_tell_values_and_types_apart():
    values = [
        1,
        1.0,
        "1",
        True,
        None,
        [1],
        {"1": 1},
        (1, 2),
        Record(1),
        Record(1, 2),
        Colour.RED,
        0.1,
        0.30000000000000004,
        0.3,
    ]
    digests = [digest(v) for v in values]
    assert len(set(digests)) == len(digests)


def test_digests_ignore_the_order_of_keys_and_the_kind_of_sequence():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) == digest((1, 2))
    assert digest(Record(1)) == digest({"a": 1, "b": None})


@pytest.mark.parametrize("bad", [np.zeros(3), {1, 2}, object(), Record])
def test_what_has_no_exact_content_has_no_digest(bad):
    with pytest.raises(TypeError, match="no digest"):
        digest(bad)


def test_units():
    assert units.mm_to_m(250.0) == 0.25
    assert units.degc_to_k(-40.0) == pytest.approx(233.15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.show_mm(6.14), "6.1 mm"),
        (units.show_mm(6.14, signed=True), "+6.1 mm"),
        (units.show_mm(-1.26, signed=True), "\N{MINUS SIGN}1.3 mm"),
        (units.show_mm(-0.04), "0.0 mm"),
        (units.show_mm(0.01, signed=True), "0.0 mm"),
        (units.show_degc(-40.2), "\N{MINUS SIGN}40 °C"),
        (units.show_degc(-0.3), "0 °C"),
        (units.show_ml(48.26), "48.3 ml"),
        (units.show_percent(1.0), "100.0 %"),
        (units.show_percent(0.9999), "99.9 %"),
        (units.show_percent(0.5), "50.0 %"),
        (units.show_clock(860), "14:20"),
        (units.show_clock(59.6), "1:00"),
        (units.show_clock(0), "0:00"),
    ],
)
def test_values_are_shown_as_people_read_them(text, expected):
    assert text == expected


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_nothing_but_all_is_shown_as_all(fraction):
    assert units.show_percent(fraction) != "100.0 %"


def test_a_sourced_number_keeps_what_the_file_says():
    row = {"value": 2, "unit": "mm", "source": "a paper", "how": "table", "low": 1.5}
    number = Sourced.from_toml(row, place="x")
    assert (number.value, number.low, number.high) == (2.0, 1.5, None)
    assert not number.is_guess
    assert Sourced.from_toml(row | {"how": "assumed", "high": 3}, place="x").is_guess


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": ""}, "no source"),
        ({"how": "guess"}, "unknown 'how'"),
        ({"value": "2"}, "value is not a number"),
        ({"value": True}, "value is not a number"),
        ({"low": "x"}, "low is not a number"),
        ({"extra": 1}, "unknown keys ['extra']"),
    ],
)
def test_a_number_without_source_or_sense_is_refused_by_its_place(change, words):
    row = {"value": 2.0, "unit": "mm", "source": "a paper", "how": "table"} | change
    with pytest.raises(StoreError) as caught:
        Sourced.from_toml(row, place="probe.toml: taper")
    assert words in caught.value.what
    assert caught.value.place == "probe.toml: taper"


def test_a_missing_key_is_named():
    with pytest.raises(StoreError, match="missing keys \\['source'\\]"):
        Sourced.from_toml({"value": 2.0, "unit": "mm", "how": "table"}, place="x")


def test_silent_progress_never_cancels():
    SILENT.report(ProgressReport(fraction=0.5, text="half"))
    check_cancelled(SILENT)


def test_a_wish_to_stop_is_raised():
    class Stop:
        def report(self, report):
            raise AssertionError(report)

        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        check_cancelled(Stop())


def test_a_stage_reports_its_share_of_the_whole_and_stops_with_it():
    class Whole:
        def __init__(self):
            self.told = []

        def report(self, report):
            self.told.append(report)

        def cancelled(self):
            return len(self.told) > 1

    whole = Whole()
    stage = PartProgress(whole=whole, start=0.5, share=0.25)
    for fraction in (0.0, 1.0):
        check_cancelled(stage)
        stage.report(ProgressReport(fraction=fraction, text="x", remaining_s=3.0))
    assert [(r.fraction, r.remaining_s) for r in whole.told] == [(0.5, 3.0), (0.75, 3.0)]
    with pytest.raises(Cancelled):
        check_cancelled(stage)


def test_resources_are_found_in_the_source_tree():
    assert resources.resource("probes", "generic-15g.toml").is_file()


def test_resources_are_found_in_a_frozen_program(tmp_path, monkeypatch):
    (tmp_path / "cryoplan" / "_resources" / "probes").mkdir(parents=True)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources.resource_root() == tmp_path / "cryoplan" / "_resources"


def test_an_installation_without_data_says_so(tmp_path, monkeypatch):
    fake = tmp_path / "cryoplan" / "core" / "resources.py"
    fake.parent.mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(fake))
    with pytest.raises(StoreError, match="Install cryoplan again") as caught:
        resources.resource_root()
    assert caught.value.code == "resources-missing"
    assert str(Path(tmp_path)) not in str(caught.value)
