"""What leaves the window: only of a current result, in the chosen style, noted in the history of its case."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryoplan.app.print_choice import keep_style, print_style
from cryoplan.app.settings import Settings
from cryoplan.case.history import Kind
from cryoplan.core.errors import StaleError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.plan import edits
from cryoplan.report.style import Paper, PrintStyle
from cryoplan.workflow.export import Exported
from cryoplan.workflow.logo import read_logo
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("qapp")

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
FOLDER = Path("out")


@pytest.fixture
def solved(desk) -> Desk:
    desk.open()
    desk.solve()
    return desk


def exports(desk: Desk) -> list[str]:
    keeper = desk.workspace.keeper
    keeper.call(lambda _: None).result(30)
    return [entry.text for entry in keeper.kept.history.entries if entry.kind == Kind.EXPORT]


@pytest.mark.parametrize("kind", ["report", "sheet", "export"])
def test_nothing_stale_leaves(solved, kind):
    exporting = solved.workspace.exporting
    solved.workspace.edit("moved", edits.nudge(solved.workspace.plan, "1", (0.5, 0.0, 0.0)))
    ways = {
        "report": lambda: exporting.print_plan(FOLDER),
        "sheet": lambda: exporting.print_sheet(FOLDER),
        "export": lambda: exporting.export(FOLDER, ("stl",)),
    }
    with pytest.raises(StaleError):
        ways[kind]()
    assert all(job.kind != kind for job in solved.worker.jobs)


def test_an_export_is_asked_for_with_all_that_it_needs_and_noted(solved):
    workspace = solved.workspace
    words: list[str] = []
    workspace.message.connect(words.append)
    workspace.exporting.export(FOLDER, ("stl", "csv"), replace=True, image=Path("scan"))
    asked = solved.worker.last("export").arguments
    assert (asked["kinds"], asked["replace"], asked["image"]) == (("stl", "csv"), True, Path("scan"))
    assert asked["standing"].startswith("Not approved")
    note = Finding(level=Level.WARN, code="dicom-left-out", text="No DICOM file was written.")
    solved.worker.done("export", Exported(files=("a", "b"), findings=(note,)))
    assert exports(solved) == ["Exported: stl, csv"]
    assert "Exported 2 files to out" in words
    assert "No DICOM file was written." in words


def test_a_sheet_is_noted_as_what_it_is(solved):
    solved.workspace.exporting.print_sheet(Path("sheet.pdf"))
    solved.worker.done("sheet", Path("sheet.pdf"))
    assert exports(solved) == ["CT-room sheet printed"]


def test_paper_and_language_that_were_chosen_go_with_the_print(solved):
    chosen = PrintStyle(paper=Paper.LETTER, language="de", department="Radiologie", logo=PNG)
    assert keep_style(chosen)
    assert print_style() == chosen
    solved.workspace.export_pdf(Path("plan.pdf"))
    assert solved.worker.last("report").arguments["style"] == chosen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"print": {"paper": "A0", "language": "tlh", "department": "X"}}', PrintStyle(department="X")),
        ('{"print": {"logo": "bm8gcGljdHVyZQ=="}}', PrintStyle()),
    ],
)
def test_a_choice_that_is_not_known_here_is_the_ordinary_one(tmp_path, text, expected):
    path = tmp_path / "settings.json"
    path.write_text(text)
    assert print_style(Settings(path)) == expected


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"GIF89a", "logo-kind"), (PNG + b"0" * 300_000, "logo-size"), (None, "logo-unreadable")],
)
def test_a_logo_that_cannot_be_printed_is_refused_with_the_reason(tmp_path, data, code):
    path = tmp_path / "logo.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(StoreError) as raised:
        read_logo(path)
    assert raised.value.code == code
    assert "logo.png" in raised.value.what


def test_a_logo_is_taken_as_it_is(tmp_path):
    path = tmp_path / "logo.png"
    path.write_bytes(PNG)
    assert read_logo(path) == PNG
