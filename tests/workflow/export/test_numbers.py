"""Numbers: every figure of the assessment is in the tables, with its unit, in CSV as in JSON."""

from __future__ import annotations

import csv
import json

import pytest

from cryoplan import RESEARCH_USE
from cryoplan.workflow.export.plain import write_plain
from cryoplan.workflow.export.table import table
from tests.support.exports import MARK, NEEDLE, ORGAN, subject


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("numbers")
    write_plain(subject(), ["csv"], path)
    return path / "numbers"


@pytest.fixture(scope="module")
def tables(folder):
    return json.loads((folder / "numbers.json").read_text(encoding="utf-8"))["tables"]


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def leaves(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def column(one, name):
    index = [c["name"] for c in one["columns"]].index(name)
    return [row[index] for row in one["rows"]]


def test_every_number_and_word_of_the_assessment_is_in_a_table(tables):
    there = set(leaves(tables)) - {None}
    for value in leaves(subject().assessment.to_json()):
        if value is not None:
            assert value in there, value


def test_the_assessment_is_there_as_the_contract_has_it(folder):
    made = json.loads((folder / "assessment.json").read_text(encoding="utf-8"))
    assert made == json.loads(json.dumps(subject().assessment.to_json()))


def test_csv_and_json_hold_the_same_cells(folder, tables):
    files = {p.stem for p in folder.glob("*.csv")}
    assert files == {name for name, one in tables.items() if one["rows"]}
    for name in files:
        lines = read_csv(folder / f"{name}.csv")
        one = tables[name]
        assert lines[0] == [f"# {one['title']}", RESEARCH_USE]
        heads = [f"{c['name']} [{c['unit']}]" if c["unit"] else c["name"] for c in one["columns"]]
        assert lines[1] == heads
        assert len(lines) - 2 == len(one["rows"])
        for line, row in zip(lines[2:], one["rows"], strict=True):
            for text, cell in zip(line, row, strict=True):
                if cell is None:
                    assert text == ""
                elif isinstance(cell, bool):
                    assert text == ("yes" if cell else "no")
                elif isinstance(cell, str):
                    assert text.removeprefix("'") == cell
                else:
                    assert float(text) == cell


def test_every_column_of_numbers_states_its_unit(tables):
    for name, one in tables.items():
        for index, head in enumerate(one["columns"]):
            cells = [row[index] for row in one["rows"]]
            is_number = any(isinstance(c, int | float) and not isinstance(c, bool) for c in cells)
            assert bool(head["unit"]) or not is_number, f"{name}.{head['name']}"


def test_margins_coverage_and_paths_are_the_very_numbers_of_the_review(tables):
    a = subject().assessment
    assert column(tables["margins"], "minimum") == [m.minimum_mm for m in a.margins]
    assert column(tables["coverage"], "fraction") == [c.fraction for c in a.coverage]
    assert set(column(tables["probes"], "probe")) == {"1", "2"}
    assert column(tables["probes"], "depth") == pytest.approx([p.depth_mm for p in subject().plan.probes])
    for probe in subject().plan.probes:
        passed = [
            length
            for needle, length in zip(
                column(tables["passes"], "needle"), column(tables["passes"], "length"), strict=True
            )
            if needle == probe.name
        ]
        assert sum(passed) == pytest.approx(probe.depth_mm, abs=1e-6)
    assert column(tables["pairs"], "middle") == pytest.approx([10.0])
    assert column(tables["protocol"], "end") == [600.0, 900.0, 1500.0]


def test_skin_marks_are_in_the_tables(tables):
    assert tables["skin_marks"]["rows"] == [[MARK, "midline", *subject().plan.marks[0].position_mm]]


def test_a_histogram_ends_at_the_coldest_and_never_falls(tables):
    one = tables["histogram"]
    for structure in set(column(one, "structure")):
        volumes = [
            ml
            for name, ml in zip(column(one, "structure"), column(one, "volume"), strict=True)
            if name == structure
        ]
        assert volumes == sorted(volumes)
    assert {"tumour 1", ORGAN} <= set(column(one, "structure"))


def test_a_name_that_looks_like_a_formula_is_no_formula_in_a_spreadsheet(folder, tables):
    assert column(tables["tools"], "tool") == [NEEDLE]
    assert read_csv(folder / "tools.csv")[2][0] == f"'{NEEDLE}"


def test_no_number_is_infinite_or_missing_in_the_json():
    one = table("t", "T", "a:mm b", [(float("inf"), "x"), (float("nan"), None)])
    assert one.rows == ((None, "x"), (None, None))


def test_a_row_that_does_not_fit_its_columns_is_refused():
    with pytest.raises(ValueError, match="2 cells for 1"):
        table("t", "T", "a:mm", [(1.0, 2.0)])


def test_json_says_case_plan_axes_and_result(folder):
    record = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    assert record["research_use"] == RESEARCH_USE
    assert (record["case"], record["plan"], record["target"]) == ("TEST-1", "A", "tumour 1")
    assert record["result"] == subject().result.key
    assert record["axes"].startswith("LPS")
