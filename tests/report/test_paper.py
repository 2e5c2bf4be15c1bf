"""Paper: A4 and Letter, letterhead on each page, many probes, long names; nothing cut or overlapping."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_clock
from cryoplan.margins.assess import assess
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.report.content import ReportContent, build_content
from cryoplan.report.pdf import render_pdf
from cryoplan.report.style import Paper, PrintStyle
from cryoplan.report.wording import millilitres, plain, share, signed
from cryoplan.simulation.tissue import load_tissues
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, probe, result_of, structure

GRID = cube(56)
SIZES = {Paper.A4: (595.28, 841.89), Paper.LETTER: (612.0, 792.0)}
DEPARTMENT = "Department of Diagnostic and Interventional Radiology, Hospital by the Lake"
LONG = (
    "segment VI beside the gallbladder, the right kidney and the hepatic flexure of the colon, second look "
)
LONGEST_WORD = "a_name_without_any_blank_that_no_line_can_be_broken_at_and_that_is_wider_than_most_columns"


@dataclass(frozen=True)
class _Picture:
    name: str
    caption: str
    png: bytes


def _png(shade: int, size: tuple[int, int] = (60, 60), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (shade,) * len(mode)).save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Printed:
    content: ReportContent
    assessment: Assessment
    plan: Plan


def printed(the_plan: Plan, *, structures: int = 4, long_names: bool = False) -> Printed:
    tail = f", {LONG}{LONGEST_WORD}" if long_names else ""
    target = f"tumour{tail}"
    outlined = [structure(target, Role.TUMOUR, ball(GRID, (0, 0, 0), 9.2))]
    for number in range(structures):
        angle = 2.0 * np.pi * number / structures
        centre = (4.0 * (number % 3 - 1), 17.0 * np.cos(angle), 17.0 * np.sin(angle))
        outlined.append(structure(f"organ {number}{tail}", Role.BOWEL, ball(GRID, centre, 3.0)))
    the_case = case(GRID, *outlined, target=target)
    result = result_of(ice_ball(GRID, (1.0, 0, 0), 15.0))
    assessment = assess(the_case, the_plan, catalogue(), result)
    names = [
        "axial",
        "coronal",
        "sagittal",
        "3d",
        *(f"probe-{n}" for n in range(1, len(the_plan.probes) + 1)),
    ]
    content = build_content(
        case=the_case,
        plan=the_plan,
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assessment,
        pictures=[_Picture(n, f"Picture {n} shows {target}.", _png(20 * m)) for m, n in enumerate(names)],
        rules=(Finding(level=Level.WARN, code="spacing", text=f"Too far: {tail or 'all'}", place="1"),),
    )
    return Printed(content=content, assessment=assessment, plan=the_plan)


def probes(count: int, tail: str = "") -> Plan:
    return Plan(
        name=f"lateral{tail}",
        probes=tuple(
            Probe(
                name=f"{n}{tail}",
                model="test-15g",
                tip_mm=(12.0 * (n % 3) - 12.0, 19.0, 12.0 * (n // 3) - 12.0),
                entry_mm=(14.0 * (n % 3) - 12.0, -70.0, 15.0 * (n // 3) - 12.0),
                stop_s=300.0 if n == 2 else None,
                order=n,
                note=tail,
            )
            for n in range(1, count + 1)
        ),
    )


def pages_of(data: bytes) -> list[str]:
    return [" ".join(p.extract_text().split()) for p in PdfReader(io.BytesIO(data)).pages]


@pytest.fixture(scope="module")
def usual() -> Printed:
    return printed(plan(probe("1"), probe("2", (10.0, 19.0, 0.0))))


@pytest.fixture(scope="module")
def crowded() -> Printed:
    return printed(probes(8, f" {LONG}{LONGEST_WORD}"), structures=30, long_names=True)


@pytest.fixture(scope="module")
def eight() -> Printed:
    return printed(probes(8), structures=6)


# Paper and letterhead -------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", list(Paper))
def test_all_pages_have_the_size_that_was_chosen(usual, paper):
    data = render_pdf(usual.content, PrintStyle(paper=paper))
    for page in PdfReader(io.BytesIO(data)).pages:
        size = float(page.mediabox.width), float(page.mediabox.height)
        assert size == pytest.approx(SIZES[paper], abs=0.1)


@pytest.mark.parametrize("paper", list(Paper))
def test_logo_and_department_stand_on_each_page(usual, paper):
    bare = PdfReader(io.BytesIO(render_pdf(usual.content, PrintStyle(paper=paper))))
    style = PrintStyle(paper=paper, department=DEPARTMENT, logo=_png(90, (300, 100)))
    reader = PdfReader(io.BytesIO(render_pdf(usual.content, style)))
    logos = [sum(image.image.size == (300, 100) for image in page.images) for page in reader.pages]
    assert logos == [1] * len(reader.pages)
    assert all(DEPARTMENT in page.extract_text() for page in reader.pages)
    assert not any(DEPARTMENT in page.extract_text() for page in bare.pages)
    assert len(reader.pages) - len(bare.pages) in (0, 1)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "jpeg"])
def test_any_png_or_jpeg_serves_as_a_logo(usual, mode):
    logo = _png(90, (40, 400), mode if mode != "jpeg" else "RGB")
    if mode == "jpeg":
        out = io.BytesIO()
        Image.open(io.BytesIO(logo)).save(out, "JPEG")
        logo = out.getvalue()
    assert pages_of(render_pdf(usual.content, PrintStyle(logo=logo)))


def test_a_logo_that_is_no_picture_is_refused_in_words(usual):
    with pytest.raises(StoreError, match="logo"):
        render_pdf(usual.content, PrintStyle(logo=b"\x89PNG\r\n\x1a\nbroken"))


def test_same_content_and_paper_give_the_same_bytes(usual):
    style = PrintStyle(paper=Paper.LETTER, department=DEPARTMENT, logo=_png(90, (300, 100)))
    assert render_pdf(usual.content, style) == render_pdf(usual.content, style)
    assert render_pdf(usual.content, style) != render_pdf(usual.content)


# Nothing is cut and nothing overlaps ----------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float
    words: str


def boxes(data: bytes, folder) -> list[tuple[float, float, list[Box]]]:
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext")
    source = folder / "read.pdf"
    source.write_bytes(data)
    command = ["pdftotext", "-bbox", str(source), "-"]
    told = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    found = []
    for page in ET.fromstring(told).iter("{http://www.w3.org/1999/xhtml}page"):
        words = [
            Box(*(float(w.get(k)) for k in ("xMin", "yMin", "xMax", "yMax")), w.text or "")
            for w in page.iter("{http://www.w3.org/1999/xhtml}word")
        ]
        found.append((float(page.get("width")), float(page.get("height")), words))
    return found


def overlaps(words: list[Box]) -> list[tuple[str, str]]:
    """Return pairs of words whose ink lies on one another."""
    found = []
    for number, a in enumerate(words):
        for b in words[number + 1 :]:
            wide = min(a.right, b.right) - max(a.left, b.left)
            high = min(a.bottom, b.bottom) - max(a.top, b.top)
            # Boxes are those of the font, higher than its letters: lines that stand close may touch.
            if wide > 0.6 and high > 0.4 * min(a.bottom - a.top, b.bottom - b.top):
                found.append((a.words, b.words))
    return found


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("which", ["usual", "eight", "crowded"])
def test_all_words_lie_on_the_page_and_none_on_another(which, paper, request, tmp_path):
    content = request.getfixturevalue(which).content
    logo = _png(90, (300, 100))
    style = PrintStyle(paper=paper, department=f"{DEPARTMENT}, {LONG}", logo=logo)
    for width, height, words in boxes(render_pdf(content, style), tmp_path):
        assert len(words) > 30
        outside = [
            w for w in words if w.left < 30 or w.right > width - 30 or w.top < 12 or w.bottom > height - 12
        ]
        assert outside == []
        assert overlaps(words) == []


def test_the_reader_of_boxes_finds_words_on_one_another():
    a = Box(10, 10, 50, 20, "a")
    assert overlaps([a, replace(a, left=45, right=80)]) == [("a", "a")]
    assert overlaps([a, replace(a, left=51, right=80), replace(a, top=18, bottom=28)]) == []


def test_eight_probes_fit_the_page_of_the_probes_with_their_pictures_and_lose_nothing(eight):
    reader = PdfReader(io.BytesIO(render_pdf(eight.content)))
    assert [len(page.images) for page in reader.pages][:2] == [4, 8]
    assert len(reader.pages) <= 5
    words = " ".join(pages_of(render_pdf(eight.content)))
    for number in range(1, 9):
        assert f"Picture probe-{number} shows" in words
        assert f"probe {number} " in words
    assert "100 %, 0:00 to 5:00" in words


@pytest.mark.parametrize("paper", list(Paper))
def test_long_names_are_printed_whole(crowded, paper):
    letters = re.sub(r"\s", "", "".join(pages_of(render_pdf(crowded.content, PrintStyle(paper=paper)))))
    content = crowded.content
    tables = (*content.decision_tables, *content.probe_tables, *content.technique_tables)
    texts = [cell for table in tables for row in table.rows for cell in row]
    texts += [table.note for table in tables]
    texts += [picture.caption for picture in (*content.pictures, *content.probe_pictures)]
    texts += [f"probe {name}" for name, _ in content.bar.probes]
    texts += [curve.name for curve in content.plot.curves]
    texts += [s.text for s in content.statements]
    cut = [text for text in texts if re.sub(r"\s", "", text) not in letters]
    # What a page break goes through is interrupted by foot and head.
    assert len(cut) <= len(pages_of(render_pdf(content)))
    assert "…" not in letters


# Numbers --------------------------------------------------------------------------------------------

# Which numbers of assessment.json are printed, and how. {} is the value as the report words it.
MARGIN = {
    "minimum_mm": lambda v: f"{signed(v)} mm",
    "p05_mm": lambda v: f"{signed(v)} mm,",
    "median_mm": lambda v: f", {signed(v)} mm",
    "worst_direction": str,
    "fraction_below_0": lambda v: f"{share(v)},",
    "fraction_0_to_5": lambda v: f", {share(v)},",
    "fraction_5_up": lambda v: f", {share(v)}",
}
COVERAGE = {"missed_ml": lambda v: f"{millilitres(v)} missed", "fraction": lambda v: f"{100.0 * v:.1f} %"}
STRUCTURE = {
    "name": str,
    "minimum_degc": lambda v: f"{plain(v)} °C",
    "at_s": show_clock,
    "to_ice_mm": lambda v: f"{plain(v)} mm",
}
ISOTHERM = {"volume_ml": lambda v: f"{v:.1f} ml"}


def promised(told: dict) -> list[tuple[str, str]]:
    """Return name and printed form of every number that the report promises."""
    found = []
    for margin in told["margins"]:
        large = margin["threshold_degc"] in (0.0, -40.0)
        rows = MARGIN if large else {"minimum_mm": MARGIN["minimum_mm"]}
        found += [(f"margin {margin['threshold_degc']:g} {k}", word(margin[k])) for k, word in rows.items()]
    for covered in told["coverage"]:
        place = f"coverage {covered['rim_mm']:g} {covered['threshold_degc']:g}"
        rows = COVERAGE if covered["fraction"] < 0.999 else {"missed_ml": COVERAGE["missed_ml"]}
        found += [(f"{place} {key}", word(covered[key])) for key, word in rows.items()]
    for organ in told["structures"]:
        if organ["minimum_degc"] < 30.0 and not organ["name"].startswith("tumour"):
            found += [(f"{organ['name']} {key}", word(organ[key])) for key, word in STRUCTURE.items()]
    for isotherm in told["isotherms"]:
        if isotherm["when"] == "minimum" and isotherm["threshold_degc"] in (0.0, -20.0, -40.0):
            found += [
                (f"isotherm {isotherm['threshold_degc']:g}", ISOTHERM["volume_ml"](isotherm["volume_ml"]))
            ]
    for sensor in told["thermocouples"]:
        found.append((f"sensor {sensor['name']}", f"{plain(min(sensor['temperature_degc']))} °C"))
    found.append(("healthy_frozen_ml", f"{told['healthy_frozen_ml']:.1f} ml outside the target"))
    for threshold in [t for t in told["twice_below"] if t == "-40"]:
        said = f"In two freezes {share(told['twice_below'][threshold])} of the target"
        found.append((f"twice_below {threshold}", said))
    found += [(f"finding {f['code']}", f["text"]) for f in told["findings"] if f["level"] != "ok"]
    return found


def read_by(program: str, data: bytes, folder) -> str:
    """Return all words of a document as a program finds them."""
    if program == "pypdf":
        return " ".join(pages_of(data))
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    source = folder / "read.pdf"
    source.write_bytes(data)
    told = subprocess.run([program, "-raw", str(source), "-"], capture_output=True, check=True, timeout=60)
    return " ".join(told.stdout.decode().split())


@pytest.mark.parametrize("program", ["pypdf", "pdftotext"])
def test_every_promised_number_of_the_assessment_is_in_the_text(usual, program, tmp_path):
    told = usual.assessment.to_json()
    words = read_by(program, render_pdf(usual.content), tmp_path)
    found = promised(told)
    assert len(found) > 40
    assert [(name, said) for name, said in found if " ".join(said.split()) not in words] == []


def test_histogram_table_tells_what_the_histograms_say(usual):
    words = " ".join(pages_of(render_pdf(usual.content)))
    for curve in usual.content.plot.curves:
        told = usual.assessment.histogram(curve.name)
        cells = " ".join(share(told.fraction_below(t)) for t in (0.0, -20.0, -40.0))
        assert f"{curve.name} {cells} {plain(told.coldest_reached_degc(0.95))} °C" in words
        assert max(curve.y) <= 100.0
        assert all(a <= b for a, b in pairwise(curve.y))
    assert usual.content.plot.curves[0].name == "tumour"


def test_paths_are_worded_as_in_the_list_of_paths(usual):
    table = next(t for t in usual.content.probe_tables if t.title.startswith("Paths"))
    assert [row[0] for row in table.rows] == ["probe 1", "probe 2"]
    assert all("; pleura crossed: no lung outlined" in row[1] for row in table.rows)
    assert all(re.match(r"−?\d+\.\d mm (organ \d|tumour), \d+ mm deep", row[2]) for row in table.rows)
    assert "tumour" in table.rows[0][1]
    assert "beyond the far side of the target" in table.rows[0][3]
