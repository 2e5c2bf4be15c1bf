"""A tumour of a real CT is outlined in the real window: one click, three corrections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog

from cryoplan.app.outlining import Outlining
from cryoplan.gui.main_window import MainWindow
from cryoplan.image.labels import read_masks
from cryoplan.scene.plane import Orientation
from tests.support.real_window import LOAD_MS, drag, press

pytestmark = [pytest.mark.display, pytest.mark.slow]

# Written down from a run by hand that looked at the image alone; the label was compared afterwards.
CLICK_MM = (-96.9, 27.5, -301.4)
TOLERANCE_HU = 25.0
ERASED_MM = (
    ((-94.8, 15.4, -316.4), (-94.8, 36.4, -316.4)),  # the edge of the liver on the lowest slice
    ((-87.6, 42.0, -311.4), (-87.6, 53.3, -311.4)),  # fat between liver and kidney
    ((-80.3, 38.0, -306.4), (-80.3, 49.2, -306.4)),
)


def test_a_metastasis_is_outlined_by_a_click_and_three_strokes(
    window: MainWindow, qtbot, data_root, monkeypatch
):
    folder: Path = data_root / "liver_ct_crlm1006"
    workspace, view = window.workspace, window.view
    workspace.open_image(folder)
    qtbot.waitUntil(lambda: workspace.case is not None and not workspace.is_busy, timeout=LOAD_MS)
    axial = window.slices[Orientation.AXIAL]
    outlining = Outlining.of(workspace)

    view.cursor_mm = CLICK_MM
    axial.zoom(4.0, axial.pixel_of(CLICK_MM))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("tumour 1", True))
    QTest.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    press(axial, axial.pixel_of(CLICK_MM).toPoint())
    qtbot.waitUntil(lambda: outlining.preview is not None, timeout=LOAD_MS)
    assert not outlining.preview_leaks
    window.panels[1].draw.tolerance.moved.emit(TOLERANCE_HU)
    first = outlining.preview
    qtbot.waitUntil(lambda: outlining.preview not in (None, first), timeout=LOAD_MS)
    QTest.keyClick(axial, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.keeper.undo_count == 1, timeout=LOAD_MS)

    QTest.keyClick(axial, Qt.Key.Key_E)
    for number, (start, end) in enumerate(ERASED_MM, start=2):
        view.cursor_mm = (*CLICK_MM[:2], start[2])
        drag(axial, QPointF(axial.pixel_of(start)), QPointF(axial.pixel_of(end)))
        qtbot.waitUntil(lambda n=number: workspace.keeper.undo_count == n, timeout=LOAD_MS)

    case = workspace.case
    drawn = case.structure("tumour 1").mask.values
    label = next(m for m in read_masks(folder / "labels.nii.gz", case.scan) if m.name.startswith("target_1"))
    shared = 2.0 * np.count_nonzero(drawn & label.mask.values)
    assert shared / (np.count_nonzero(drawn) + np.count_nonzero(label.mask.values)) >= 0.80
    assert case.target_name == "tumour 1"
    for _ in range(4):
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not workspace.case.structures, timeout=LOAD_MS)
