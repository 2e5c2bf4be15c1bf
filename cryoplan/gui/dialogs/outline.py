"""Outline: what TotalSegmentator can do for this image, its run, and what is taken of its outlines."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from cryoplan import workflow
from cryoplan.app.jobs import Failure
from cryoplan.app.outliner import Doing, Outliner
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_ml
from cryoplan.gui.parts import Heading, Text
from cryoplan.gui.words import say
from cryoplan.image.ai.installed import INSTALL
from cryoplan.image.memory import free_bytes

ABSENT = "TotalSegmentator is a program of its own and is not installed beside this one."
HOW = (
    "Install it into the Python that runs this program, and fetch its weights once with the last command; "
    "nothing is fetched from here."
)
NAME = Qt.ItemDataRole.UserRole
GPU, CPU = "gpu", "cpu"


class OutlineDialog(QDialog):
    """Beside the window, which stays usable while a run takes its minutes.

    Parameters
    ----------
    workspace : Workspace
    outliner : Outliner
        Runs, and keeps running when the dialog is closed.
    """

    def __init__(self, workspace: Workspace, outliner: Outliner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._outliner = workspace, outliner
        self._offers: workflow.Offers | None = None
        self.setWindowTitle(say("Outline with TotalSegmentator"))
        self.resize(560, 430)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(8)
        self.message = Text("", "warn", wrap=True)
        self.message.hide()
        column.addWidget(self.message)
        self.pages = QStackedWidget()
        column.addWidget(self.pages, 1)
        self._absent, self._choose, self._run, self._found = (QWidget() for _ in range(4))
        for page, fill in (
            (self._absent, self._fill_absent),
            (self._choose, self._fill_choose),
            (self._run, self._fill_run),
            (self._found, self._fill_found),
        ):
            inside = QVBoxLayout(page)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(8)
            fill(inside)
            self.pages.addWidget(page)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_time)
        outliner.changed.connect(self._follow)
        outliner.failed.connect(self._failed)
        outliner.added.connect(self._added)
        workspace.case_changed.connect(self.look_again)
        self.look_again()

    # Pages ------------------------------------------------------------------------------------------

    def _fill_absent(self, column: QVBoxLayout) -> None:
        self.why = Text("", wrap=True)
        self.how = Text(HOW, wrap=True)
        self.commands = Text("", wrap=True, bold=True)
        self.commands.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        again = QPushButton(say("Look again"))
        again.clicked.connect(self.look_again)
        for part in (self.why, self.how, self.commands):
            column.addWidget(part)
        column.addStretch(1)
        column.addWidget(again, 0, Qt.AlignmentFlag.AlignLeft)

    def _fill_choose(self, column: QVBoxLayout) -> None:
        column.addWidget(Heading("What to outline"))
        self.task = QComboBox()
        self.task.setAccessibleName(say("What to outline"))
        self.device = QComboBox()
        self.device.setAccessibleName(say("Where to compute"))
        self.cost = Text("", wrap=True)
        self.licence = Text("", "muted", wrap=True, scale=0.93)
        self.start = QPushButton(say("Start"))
        self.start.setProperty("primary", True)
        self.start.setDefault(True)
        column.addWidget(self.task)
        column.addWidget(Heading("Where"))
        column.addWidget(self.device)
        column.addWidget(self.cost)
        self.lacking = Text("", "muted", wrap=True, scale=0.93)
        self.lacking.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.lacking)
        column.addStretch(1)
        column.addWidget(self.licence)
        column.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        self.task.currentIndexChanged.connect(self._show_cost)
        self.device.currentIndexChanged.connect(self._show_cost)
        self.start.clicked.connect(self._begin)

    def _fill_run(self, column: QVBoxLayout) -> None:
        self.stage = Text("", bold=True, wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(say("Progress"))
        self.time = Text("", "muted")
        self.cancel = QPushButton(say("Cancel"))
        self.cancel.clicked.connect(self._outliner.cancel)
        note = Text("You can go on working, and close this window; the run goes on.", "muted", wrap=True)
        for part in (self.stage, self.bar, self.time, note):
            column.addWidget(part)
        column.addStretch(1)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignLeft)

    def _fill_found(self, column: QVBoxLayout) -> None:
        self.count = Text("", bold=True, wrap=True)
        note = Text(
            "Drawn by a network and not reviewed: look at each one that matters before you rely on it.",
            "warn",
            wrap=True,
        )
        self.list = QListWidget()
        self.list.setAccessibleName(say("Outlines"))
        self.list.itemChanged.connect(self._count_chosen)
        row = QHBoxLayout()
        self.all, self.none = QPushButton(say("All")), QPushButton(say("None"))
        self.discard, self.add = QPushButton(say("Discard")), QPushButton(say("Add"))
        self.add.setProperty("primary", True)
        for button in (self.all, self.none):
            button.clicked.connect(self._choose_all)
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.discard, self.add):
            row.addWidget(button)
        self.discard.clicked.connect(self._outliner.discard)
        self.add.clicked.connect(self._add)
        column.addWidget(self.count)
        column.addWidget(note)
        column.addWidget(self.list, 1)
        column.addLayout(row)

    # What is there ----------------------------------------------------------------------------------

    @Slot()
    def look_again(self) -> None:
        """Look what is installed, unless a run is under way or waits for its answer."""
        if self._outliner.doing is not Doing.NOTHING:
            self._follow()
            return
        case = self._workspace.case
        self._offers = None if case is None else workflow.find_offers(case.scan)
        if self._offers is None:
            self._explain("Open a scan first.", "", "")
        elif self._offers.installation is None:
            first = self._offers.offers[0].task.download if self._offers.offers else ""
            own = f"{sys.executable} -m pip install TotalSegmentator"
            self._explain(ABSENT, HOW, f"{INSTALL}\nor: {own}\n{first}")
        elif not self._offers.offers:
            self._explain("TotalSegmentator has no task for this kind of image; it takes CT and MR.", "", "")
        elif not self._offers.ready:
            self._explain(
                "TotalSegmentator is installed, but its weights are not.",
                "Fetch them once with one of these commands; nothing is fetched here.",
                "\n".join(offer.task.download for offer in self._offers.offers),
            )
        else:
            self._offer(self._offers)

    def _explain(self, why: str, how: str, commands: str) -> None:
        self.why.say(why)
        self.how.say(how)
        self.commands.say(commands)
        self.pages.setCurrentWidget(self._absent)

    def _offer(self, offers: workflow.Offers) -> None:
        assert offers.installation is not None
        chosen, where = self.task.currentData(), self.device.currentData()
        for box in (self.task, self.device):
            box.blockSignals(True)
            box.clear()
        for offer in offers.ready:
            self.task.addItem(say(offer.task.title), offer.task.id)
        if offers.installation.sees_gpu:
            self.device.addItem(say("Graphics card"), GPU)
        self.device.addItem(say("Processor"), CPU)
        self.task.setCurrentIndex(max(self.task.findData(chosen), 0))
        self.device.setCurrentIndex(max(self.device.findData(where), 0))
        for box in (self.task, self.device):
            box.blockSignals(False)
        missing = [o.task for o in offers.offers if o.lacks_weights]
        self.lacking.say(
            "Weights are missing for: " + "; ".join(f"{t.title} ({t.download})" for t in missing) + "."
            if missing
            else ""
        )
        self.licence.say(f"Version {offers.installation.version}. {offers.licence}")
        self.start.setEnabled(self._workspace.keeper.may_edit)
        self._show_cost()
        self.pages.setCurrentWidget(self._choose)

    @Slot()
    def _show_cost(self) -> None:
        if self._offers is None:
            return
        offer = next((o for o in self._offers.ready if o.task.id == self.task.currentData()), None)
        if offer is None:
            return
        cost = offer.on_gpu if self.device.currentData() == GPU else offer.on_cpu
        if cost is None:
            self.cost.say("Nobody has published how long it takes.", "muted")
            return
        free = free_bytes()
        words = f"About {show_wait(cost.seconds)} and {cost.memory_bytes / 1e9:.0f} GB of memory"
        words += f", {cost.gpu_bytes / 1e9:.0f} GB of the graphics card" if cost.gpu_bytes else ""
        words += f"; {free / 1e9:.0f} GB of memory are free." if free is not None else "."
        short = free is not None and free < cost.memory_bytes
        words += " That may not be enough." if short else ""
        self.cost.say(words, "warn" if short else "text")

    # The run ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.message.hide()
        self._outliner.start(str(self.task.currentData()), str(self.device.currentData()))

    @Slot()
    def _follow(self) -> None:
        doing = self._outliner.doing
        if doing in (Doing.RUNNING, Doing.ADDING):
            report = self._outliner.progress
            adding = doing is Doing.ADDING
            self.stage.say("Adding the outlines" if adding else report.text if report else "Starting")
            self.bar.setValue(1000 if adding else round(1000 * report.fraction) if report else 0)
            self.cancel.setVisible(not adding)
            self._show_time()
            self._clock.start()
            self.pages.setCurrentWidget(self._run)
            return
        self._clock.stop()
        if doing is Doing.FOUND:
            self._list_found()
        elif self.pages.currentWidget() in (self._run, self._found):
            self.look_again()

    @Slot()
    def _show_time(self) -> None:
        self.time.say(f"Running for {show_wait(self._outliner.elapsed_s)}")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.message.say(f"{failure.what} {failure.remedy}", "warn")
        self.message.show()
        self.look_again()
        self.show()

    @Slot(int)
    def _added(self, count: int) -> None:
        self.message.say(f"✓ Structures added: {count}. Undo takes them out again.", "ok")
        self.message.show()

    # What was found ---------------------------------------------------------------------------------

    def _list_found(self) -> None:
        if self.pages.currentWidget() is self._found:
            return
        self.message.hide()
        self.list.blockSignals(True)
        self.list.clear()
        for found in self._outliner.found:
            guess = " ?" if found.is_guess else ""
            item = QListWidgetItem(say(f"{found.name}   {found.role}{guess} · {show_ml(found.volume_ml)}"))
            item.setData(NAME, found.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.pages.setCurrentWidget(self._found)
        self._count_chosen()
        self.show()

    @property
    def chosen(self) -> list[str]:
        """Names of the outlines that are ticked."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item.data(NAME) for item in items if item.checkState() is Qt.CheckState.Checked]

    def _choose_all(self) -> None:
        state = Qt.CheckState.Checked if self.sender() is self.all else Qt.CheckState.Unchecked
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(state)

    def _count_chosen(self) -> None:
        chosen = len(self.chosen)
        self.count.say(f"{self.list.count()} structures were outlined, {chosen} are chosen.")
        self.add.setText(say(f"Add {chosen} to the case"))
        self.add.setEnabled(bool(chosen) and self._workspace.keeper.may_edit)

    def _add(self) -> None:
        self._outliner.add(self.chosen)


def show_wait(seconds: float) -> str:
    """Return a duration in words a person waits in: ``40 s``, ``4 min``, ``1 h 20 min``."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
