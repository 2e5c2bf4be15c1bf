"""The plan PDF as commands and the window ask for it: all pictures, the department's paper, same bytes."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image
from pypdf import PdfReader

from cryoplan import workflow
from cryoplan.core.errors import StaleError
from cryoplan.report.style import Paper, PrintStyle
from cryoplan.workflow.solving import simulation_key
from tests.support.scenes import make_case, make_plan, make_result


@pytest.fixture(scope="module")
def solved():
    case, plan, probes = make_case(), make_plan(), workflow.catalogue()
    result = make_result(case, plan, probes)
    result = replace(result, key=simulation_key(case, plan, probes, result.settings))
    return case, plan, probes, result, workflow.assess(case, plan, probes, result)


def logo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 40), (20, 60, 120)).save(out, "PNG")
    return out.getvalue()


def test_four_pictures_and_one_of_each_probe_are_drawn_and_printed_twice_alike(solved, tmp_path):
    style = PrintStyle(paper=Paper.LETTER, department="Radiology by the Lake", logo=logo())
    for name in ("a.pdf", "b.pdf"):
        workflow.write_report(*solved, tmp_path / name, standing="Not approved", style=style)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    pages = PdfReader(tmp_path / "a.pdf").pages
    large = [sum(image.image.size == (900, 900) for image in page.images) for page in pages]
    assert large[0] == 4
    assert sum(large) == 4 + len(solved[1].probes)
    assert all("Radiology by the Lake" in page.extract_text() for page in pages)
    words = " ".join(" ".join(page.extract_text() for page in pages).split())
    for probe in solved[1].probes:
        assert f"Probe {probe.name} in its own plane" in words


def test_pictures_that_were_drawn_before_are_printed_and_none_when_none_are_given(solved, tmp_path):
    case, plan, probes, result, assessment = solved
    drawn = workflow.make_pictures(case, plan, probes, result, assessment)
    assert [p.name for p in drawn] == ["axial", "coronal", "sagittal", "3d"]
    for pictures, count in ((drawn, 4 + len(plan.probes)), ((), 0)):
        out = tmp_path / f"{count}.pdf"
        workflow.write_report(case, plan, probes, result, assessment, out, pictures=pictures)
        assert sum(len(page.images) for page in PdfReader(out).pages) == count


def test_temperatures_of_another_plan_are_never_printed(solved, tmp_path):
    case, plan, probes, result, assessment = solved
    moved = replace(plan.probes[0], tip_mm=tuple(x + 1.0 for x in plan.probes[0].tip_mm))
    other = replace(plan, probes=(moved, *plan.probes[1:]))
    with pytest.raises(StaleError):
        workflow.write_report(case, other, probes, result, assessment, tmp_path / "no.pdf")
    assert not list(tmp_path.iterdir())
