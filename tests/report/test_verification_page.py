"""The page of the checks is whole in itself, says error beside bound, and leads to its sources."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from cryoplan import RESEARCH_USE
from cryoplan.report.plot_svg import bounds_svg, curve_svg
from cryoplan.report.verification_page import source_words, verification_page
from cryoplan.simulation.verification.check import check, comparison
from cryoplan.simulation.verification.curve import Curve, Line
from cryoplan.simulation.verification.suite import Verification
from cryoplan.workflow.verifying import write_verification

DOI = "https://doi.org/10.1115/1.1865193"
CURVE = Curve(
    title="Front < depth & time", group="A", x_label="time, s", y_label="depth, mm",
    lines=(
        Line(label="closed form", x=(1.0, 2.0, 3.0), y=(1.0, 1.4, 1.7)),
        Line(label="computed", x=(1.0, 2.0, 3.0), y=(1.0, 1.41, float("inf")), dots=True),
    ),
)  # fmt: skip
FOUND = Verification(
    checks=(
        check("Front <b>", 0.002, 0.005, "1", "0.5 mm", group="A", source=DOI),
        check("Tip", 2.0, 1.2, "mm", group="A"),
        comparison("Pig", 3.0, 1.0, "mm", group="B", source="Abstract of a talk"),
    ),
    curves=(CURVE,),
    quick=False,
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value)
            if name == "src" or (tag == "link" and name == "href"):
                self.loads.append(value)


def test_the_page_says_every_error_its_bound_and_its_source():
    page = verification_page(FOUND)
    reader = _Reader()
    reader.feed(page)
    assert reader.links == [DOI]
    assert reader.loads == []
    assert "script" not in reader.tags
    for words in (
        "+0.20 % (bound 0.5 %)",
        "2 mm (bound 1.2 mm)",
        "+3 mm (for comparison)",
        "missed",
        "compared",
        "1 of 2 checks within their bounds; 1 more for comparison.",
        RESEARCH_USE,
        "Front &lt;b&gt;",
        "Abstract of a talk",
        "the program itself",
    ):
        assert words in page
    assert reader.tags.count("svg") == 2


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_curve_is_sound_svg_with_every_point_inside(logarithmic):
    from dataclasses import replace

    svg = ET.fromstring(curve_svg(replace(CURVE, logarithmic=logarithmic)))
    name = "{http://www.w3.org/2000/svg}"
    width, height = (float(v) for v in svg.attrib["viewBox"].split()[2:])
    dots = svg.findall(f"{name}circle")
    assert len(dots) == 5  # the one that is no number is left out
    for dot in dots:
        assert 0.0 < float(dot.attrib["cx"]) < width
        assert 0.0 < float(dot.attrib["cy"]) < height
    words = {t.text for t in svg.findall(f"{name}text")}
    assert {"Front < depth & time", "time, s", "depth, mm", "computed"} <= words
    numbers = [w for w in words if w and w.replace(".", "").isdigit()]
    assert len(numbers) >= (2 if logarithmic else 6)  # the same numbers may stand on both axes


def test_a_curve_without_any_number_is_left_out():
    nothing = Curve(
        title="", group="", x_label="", y_label="", lines=(Line(label="", x=(1.0,), y=(float("inf"),)),)
    )
    assert curve_svg(nothing) == ""


def test_a_bar_that_misses_its_bound_crosses_the_line():
    svg = ET.fromstring(bounds_svg(FOUND.checks, "Bars"))
    name = "{http://www.w3.org/2000/svg}"
    bars = [b for b in svg.findall(f"{name}rect") if "x" in b.attrib]
    line = float(svg.findall(f"{name}line")[-1].attrib["x1"])
    ends = [float(b.attrib["x"]) + float(b.attrib["width"]) for b in bars]
    assert len(ends) == 2  # compared lines have no bar
    assert ends[0] < line < ends[1]


def test_sources_are_named_by_what_they_are():
    assert source_words(DOI) == "doi 10.1115/1.1865193"
    assert source_words("https://global.oup.com/academic/product/x") == "global.oup.com"


def test_page_and_numbers_are_written_together(tmp_path):
    paths = write_verification(FOUND, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["verify.html", "verify.json"]
    assert Verification.from_json(paths[1].read_text(encoding="utf-8")) == FOUND
    assert paths[0].read_text(encoding="utf-8") == verification_page(FOUND)
