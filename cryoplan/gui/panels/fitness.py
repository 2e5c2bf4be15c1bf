"""Fitness: the checks whether the scan is good enough to plan on, worked out beside the window's thread."""

from __future__ import annotations

import logging
from datetime import date
from threading import Thread

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from cryoplan.case.case import Case
from cryoplan.case.fitness import check_fitness
from cryoplan.gui.rows import Findings

WORKING = "Being checked..."
FAILED = "The checks could not be made; the reason is in the log."

_log = logging.getLogger(__name__)


class Fitness(QWidget):
    """Ok, warn or fail with the reason, for slices, phase, tilt, position, field, metal, age and loss.

    Looking for skin and metal takes some tenths of a second on a large CT; nothing waits for it.
    """

    _judged = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._case: Case | None = None
        self.findings = Findings(WORKING)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.findings)
        self._judged.connect(self._take)

    def show_case(self, case: Case | None) -> None:
        """Judge this case; what is known of it stays until then."""
        before, self._case = self._case, case
        if case is None or case is before:
            return
        if before is None or before.scan is not case.scan:
            self.findings.show_findings((), empty=WORKING)
        Thread(target=self._judge, args=(case,), name="fitness", daemon=True).start()

    def _judge(self, case: Case) -> None:
        try:
            found = check_fitness(case, today=date.today())
        except Exception:
            _log.exception("the fitness of a scan could not be judged")
            found = None
        try:
            self._judged.emit(case, found)
        except RuntimeError:
            return  # the window closed meanwhile

    @Slot(object, object)
    def _take(self, case: Case, found) -> None:
        if case is not self._case:
            return
        self.findings.show_findings(found or (), empty=FAILED if found is None else None)
