"""Paper of the department: chosen in the report panel, kept at once, and no part of a case."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog

from cryoplan.app.print_choice import print_style
from cryoplan.gui.panels.paper import PaperSection
from cryoplan.report.style import Paper

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def test_each_choice_is_kept_and_shown_by_the_next_window(desk, qtbot):
    section = PaperSection(desk.workspace)
    qtbot.addWidget(section)
    section.paper.setCurrentText("Letter")
    section.paper.activated.emit(1)
    section.language.setCurrentIndex(section.language.findData("de"))
    section.language.activated.emit(1)
    section.department.setText("  Interventional   Radiology ")
    section.department.editingFinished.emit()
    style = print_style()
    assert (style.paper, style.language, style.department) == (
        Paper.LETTER,
        "de",
        "Interventional Radiology",
    )
    other = PaperSection(desk.workspace)
    qtbot.addWidget(other)
    assert other.paper.currentText() == "Letter"
    assert other.language.currentText() == "Deutsch"
    assert other.department.text() == "Interventional Radiology"
    assert other.gist == "Letter, Deutsch, Interventional Radiology"


def test_a_logo_is_chosen_refused_with_a_reason_and_dropped(desk, qtbot, tmp_path, monkeypatch):
    section = PaperSection(desk.workspace)
    qtbot.addWidget(section)
    failures = []
    desk.workspace.failed.connect(failures.append)
    bad, good = tmp_path / "bad.png", tmp_path / "good.png"
    bad.write_bytes(b"GIF89a")
    good.write_bytes(PNG)
    for path in (bad, good):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, path=path, **_k: (str(path), ""))
        section.logo.click()
    assert [failure.code for failure in failures] == ["logo-kind"]
    assert print_style().logo == PNG
    assert section.no_logo.isEnabled()
    section.no_logo.click()
    assert print_style().logo == b""
    assert not section.no_logo.isEnabled()
