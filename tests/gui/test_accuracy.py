"""The accuracy dialog shows a run group by group, with sources that can be opened, and asks for a new one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtSvgWidgets import QSvgWidget

from cryoplan.core.errors import StoreError
from cryoplan.gui.dialogs import accuracy
from cryoplan.gui.dialogs.accuracy import AccuracyDialog
from cryoplan.simulation.verification.check import check
from cryoplan.simulation.verification.curve import Curve, Line
from cryoplan.simulation.verification.suite import Verification
from tests.support.desk import Desk

DOI = "https://doi.org/10.1115/1.1865193"


def run_of(*, passed: bool = True) -> Verification:
    curve = Curve(
        title="Front", group="Closed forms", x_label="s", y_label="mm",
        lines=(Line(label="computed", x=(1.0, 2.0), y=(1.0, 1.4)),),
    )  # fmt: skip
    checks = (
        check("Planar front", 0.002 if passed else 0.02, 0.005, "1", group="Closed forms", source=DOI),
        check("Energy", 1e-9, 1e-5, "1", group="Balance"),
    )
    return Verification(checks=checks, curves=(curve,), quick=True)


@pytest.fixture
def dialog(empty_desk: Desk, monkeypatch):
    monkeypatch.setattr(accuracy, "shipped_verification", run_of)
    found = AccuracyDialog(empty_desk.workspace)
    yield found
    found.deleteLater()


def test_it_opens_on_the_run_that_was_shipped(dialog):
    assert "2 of 2 checks within their bounds" in dialog.summary.text()
    assert [dialog.groups.itemText(n) for n in range(dialog.groups.count())] == ["Closed forms", "Balance"]
    assert "Planar front" in dialog.table.toPlainText()
    assert f'href="{DOI}"' in dialog.table.toHtml()
    assert dialog.table.openExternalLinks()
    plots = dialog.plots.widget().findChildren(QSvgWidget)
    assert len(plots) == 2
    assert all(p.renderer().isValid() for p in plots)


def test_another_group_brings_its_own_table(dialog):
    dialog.groups.setCurrentText("Balance")
    assert "Energy" in dialog.table.toPlainText()
    assert "Planar" not in dialog.table.toPlainText()
    assert len(dialog.plots.widget().findChildren(QSvgWidget)) == 1


def test_the_button_asks_the_background_and_shows_its_answer(dialog, empty_desk: Desk):
    dialog.run.click()
    assert empty_desk.workspace.is_verifying
    assert not dialog.run.isEnabled()
    empty_desk.worker.done("verify", run_of(passed=False))
    assert dialog.run.isEnabled()
    assert "1 of 2 checks within their bounds" in dialog.summary.text()
    assert "missed" in dialog.table.toPlainText()


def test_a_program_without_its_record_says_so_and_can_still_run(empty_desk: Desk, monkeypatch):
    def missing() -> Verification:
        raise StoreError(
            "The record is missing.", "Install again.", code="bad-resource", place=Path("x").name
        )

    monkeypatch.setattr(accuracy, "shipped_verification", missing)
    found = AccuracyDialog(empty_desk.workspace)
    assert "missing" in found.summary.text()
    assert found.run.isEnabled()
    found.deleteLater()
