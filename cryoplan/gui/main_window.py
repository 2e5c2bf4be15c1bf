"""Main window: puts the panels in their places and opens the dialogs; no logic of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from cryoplan import RESEARCH_USE
from cryoplan.app.jobs import Failure
from cryoplan.app.outliner import Outliner
from cryoplan.app.recent import RecentCases
from cryoplan.app.settings import Settings
from cryoplan.app.shelf import Shelf
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.middle import target_centre_mm
from cryoplan.core.geometry import as_point
from cryoplan.gui import actions, drawing, words
from cryoplan.gui.banner import Banner, Notices
from cryoplan.gui.case_files import CaseFiles
from cryoplan.gui.case_list import RecentMenu
from cryoplan.gui.dialogs.look import LookDialog
from cryoplan.gui.exports import Exports
from cryoplan.gui.file_type import FileType
from cryoplan.gui.files import Files
from cryoplan.gui.helps import Helps
from cryoplan.gui.menu import Menu
from cryoplan.gui.panels import (
    FreezePanel,
    ImagesPanel,
    ProbesPanel,
    ReportPanel,
    ReviewPanel,
    StructuresPanel,
)
from cryoplan.gui.parts import text_scaled
from cryoplan.gui.placing import Placing
from cryoplan.gui.plan_card import PlanCard
from cryoplan.gui.probe_set import ProbeSet
from cryoplan.gui.protocol_bar import ProtocolBar
from cryoplan.gui.rail import STEPS, Rail
from cryoplan.gui.second_files import SecondFiles
from cryoplan.gui.slice_view import SliceView
from cryoplan.gui.status_line import StatusLine
from cryoplan.gui.top_bar import TopBar
from cryoplan.gui.view_grid import ViewGrid
from cryoplan.gui.waiting import waiting
from cryoplan.gui.welcome import Welcome
from cryoplan.gui.words import say
from cryoplan.gui.worst_walk import WorstWalk
from cryoplan.image.scan import Scan
from cryoplan.report.translate import names_of
from cryoplan.scene.plane import Orientation
from cryoplan.scene.style import Palette
from cryoplan.scene.window import default_window

PANEL_WIDTH, CARD_WIDTH = 300, 280
WIDE_PANEL, WIDE_CARD = 340, 330
WIDE_FROM = 1700
"""Window width from which panel and card take more room, so that fewer names have to be shortened."""

STRUCTURES_STEP = STEPS.index("Structures")
REVIEW_STEP = STEPS.index("Review")

CanvasFactory = Callable[[Workspace, ViewState, Palette, Placing, QWidget], QWidget]


class MainWindow(QMainWindow):
    """The desk.

    Parameters
    ----------
    canvas : callable
        Makes the 3D view; tests without OpenGL bring their own.
    """

    def __init__(
        self, workspace: Workspace, view: ViewState, palette: Palette, canvas: CanvasFactory
    ) -> None:
        super().__init__()
        self.setWindowTitle(say(f"cryoplan - {RESEARCH_USE}"))
        self.setAcceptDrops(True)
        self.resize(1600, 1000)
        self.setMinimumSize(1100, 640)
        self.workspace, self.view = workspace, view
        self._seen_second: Scan | None = None
        self.files = Files(workspace, self)
        self.exports = Exports(workspace, self.files, self)
        self.second_files = SecondFiles(workspace, self, self.files.opening)
        self.settings = Settings()
        self.shelf = Shelf(RecentCases(self.settings), self)
        self.case_files = CaseFiles(workspace, self.files, self.shelf, self)
        self.file_type = FileType(workspace, self)
        self.outliner = Outliner(workspace, self)
        self.drawing = drawing.Drawing(workspace, view, self._show_structures, self)
        self.placing = Placing(workspace, view, self)
        self.probe_set = ProbeSet(workspace, view, self.placing, self)
        self.walk = WorstWalk(workspace, view, self)
        self.helps = Helps(self)
        self.menu = Menu(self)
        self.actions_by_id = actions.build(self, workspace, self.menu.entries())
        self.recent_menu = RecentMenu(self.shelf, self.actions_by_id["save-case"], self.menuBar())
        self.recent_menu.asked.connect(self.case_files.do)
        # First of all, so that no label says a name in another language.
        workspace.case_changed.connect(self._keep_names)
        workspace.plan_changed.connect(self._keep_names)
        self._place(palette, canvas)
        workspace.failed.connect(self._show_failure)
        workspace.case_changed.connect(self._new_case)
        workspace.file_changed.connect(self._name_undo)
        workspace.second.changed.connect(self._new_second)
        self.show_step(0)
        self._new_case()

    # Places -----------------------------------------------------------------------------------------

    def _place(self, palette: Palette, canvas: CanvasFactory) -> None:
        workspace, view = self.workspace, self.view
        middle = QWidget(self)
        middle.setObjectName("viewArea")
        self.slices = {
            orientation: SliceView(workspace, view, orientation, self.placing) for orientation in Orientation
        }
        self.canvas = canvas(workspace, view, palette, self.placing, middle)
        self.grid = ViewGrid(self.slices, self.canvas, view, self.probe_set.views, self.probe_set.strip)
        self.probe_set.attach(self.grid)
        self.banner = Banner(palette, middle)
        self.notices = Notices(workspace, middle)
        self.notices.save_elsewhere_requested.connect(self.files.save_elsewhere)
        self.notices.history_requested.connect(self.show_history)
        self.protocol_bar = ProtocolBar(workspace, view, palette, middle)
        self.protocol_bar.add(self.probe_set.switch)
        self.welcome = Welcome(workspace, self.shelf, middle)
        self.welcome.open_folder_requested.connect(self.files.open_folder)
        self.welcome.open_file_requested.connect(self.files.open_file)
        self.welcome.open_case_requested.connect(self.files.open_case)
        self.welcome.demo_requested.connect(workspace.open_demo)
        self.welcome.case_asked.connect(self.case_files.do)
        self.shelf.changed.connect(lambda: self.welcome.show_notice(self.settings.notice))
        desk = QWidget(middle)
        below = QVBoxLayout(desk)
        self.pages = QStackedWidget(middle)
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(desk)
        column = QVBoxLayout(middle)
        for layout in (below, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        below.addWidget(self.grid, 1)
        below.addWidget(self.protocol_bar)
        column.addWidget(self.notices)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)

        self.panels: tuple[QWidget, ...] = (
            ImagesPanel(workspace, view),
            StructuresPanel(workspace, view),
            ProbesPanel(workspace, view),
            FreezePanel(workspace, view),
            ReviewPanel(workspace, view),
            ReportPanel(workspace, view),
        )
        images, structures, _, freeze, _, report = self.panels
        images.open_folder_requested.connect(self.files.open_folder)
        images.open_file_requested.connect(self.files.open_file)
        images.demo_requested.connect(workspace.open_demo)
        images.add_second_requested.connect(self.second_files.add)
        structures.add_structures_requested.connect(self.files.add_structures)
        structures.outline_requested.connect(self.show_outlining)
        structures.draw.new_requested.connect(self.drawing.new)
        structures.draw.ellipsoid_requested.connect(self.drawing.ellipsoid)
        freeze.solve_requested.connect(workspace.request_simulation)
        report.export_pdf_requested.connect(self.exports.print_plan)
        report.sheet_requested.connect(self.exports.print_sheet)
        report.files_requested.connect(self.exports.export_files)
        report.save_case_requested.connect(self.files.save_case)
        report.save_plan_requested.connect(self.files.save_plan)
        report.open_plan_requested.connect(self.files.open_plan)
        self.stack = QStackedWidget(self)
        self.stack.setObjectName("sidePanel")
        self.stack.setFixedWidth(text_scaled(PANEL_WIDTH))
        for panel in self.panels:
            self.stack.addWidget(panel)

        self.rail = Rail(workspace, self)
        self.rail.chosen.connect(self.show_step)
        self.card = PlanCard(workspace, view)
        self.card.setObjectName("planCard")
        self.card.limits_requested.connect(self.show_limits)
        self.card.setFixedWidth(text_scaled(CARD_WIDTH))
        self.top_bar = TopBar(
            workspace, palette, [self.actions_by_id[name] for name in ("solve", "undo", "redo")], self
        )
        self.top_bar.save_elsewhere_requested.connect(self.files.save_elsewhere)
        self.status_line = StatusLine(workspace, view, self)
        for slice_view in (*self.slices.values(), *self.probe_set.views.values()):
            slice_view.hovered.connect(self.status_line.point_at)

        row = QHBoxLayout()
        row.setSpacing(0)
        for widget, stretch in ((self.rail, 0), (self.stack, 0), (middle, 1), (self.card, 0)):
            row.addWidget(widget, stretch)
        centre = QWidget(self)
        whole = QVBoxLayout(centre)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.top_bar)
        whole.addLayout(row, 1)
        whole.addWidget(self.status_line)
        self.setCentralWidget(centre)

    def show_limits(self) -> None:
        """Show the limits of the case."""
        self.show_step(REVIEW_STEP)
        self.panels[REVIEW_STEP].show_limits()

    def _show_structures(self) -> None:
        self.show_step(STRUCTURES_STEP)

    @Slot(int)
    def show_step(self, number: int) -> None:
        """Show the panel of a step."""
        self.stack.setCurrentIndex(number)
        self.rail.select(number)

    # Signals ----------------------------------------------------------------------------------------

    @Slot()
    def _new_case(self) -> None:
        case = self.workspace.case
        self.setWindowTitle(say(f"{case.code + ' - ' if case else ''}cryoplan - {RESEARCH_USE}"))
        self.pages.setCurrentIndex(0 if case is None else 1)
        if case is None:
            return
        self.banner.hide()
        image = case.scan.volume
        if getattr(self, "_seen_image", None) is not image:
            self._seen_image = image
            look, facts = default_window(case.scan), case.scan.facts
            self.view.show_series(facts.series_key or facts.path, look.width, look.level)
            self.view.cursor_mm = target_centre_mm(case) or as_point(image.grid.centre_mm())
            self.view.selected_probe = None
            self.view.time_s = 0.0

    @Slot()
    def _keep_names(self) -> None:
        case = self.workspace.case
        words.keep_names(() if case is None else names_of(case, self.workspace.plan))

    @Slot()
    def _new_second(self) -> None:
        scan = self.workspace.second.scan
        if scan is not None and scan is not self._seen_second:
            look, facts = default_window(scan), scan.facts
            self.view.show_second(facts.series_key or facts.path, look.width, look.level)
        self._seen_second = scan

    @Slot()
    def _name_undo(self) -> None:
        keeper = self.workspace.keeper
        for name, text, can in (
            ("undo", keeper.undo_text, keeper.can_undo),
            ("redo", keeper.redo_text, keeper.can_redo),
        ):
            tip = f"{name.capitalize()}: {text}" if can else f"Nothing to {name}"
            self.actions_by_id[name].setToolTip(say(tip))

    @Slot(object)
    def _show_failure(self, failure: Failure) -> None:
        if failure.code == "mesh-axes-unstated":
            self.files.choose_axes(failure.what)
        else:
            self.banner.show_failure(failure)

    # Dialogs ----------------------------------------------------------------------------------------

    def show_catalogue(self) -> None:
        """Show the probes beside the work; a second call brings the open dialog to the front."""
        with waiting():  # it draws the ice of a probe, and what draws is loaded when it is first asked for
            from cryoplan.gui.dialogs.catalogue import CatalogueDialog

            dialog = self.findChild(CatalogueDialog) or CatalogueDialog(self.workspace, self)
            dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def show_history(self) -> None:
        """Show every step beside the work; a second call brings the open one to the front."""
        from cryoplan.gui.dialogs.history import HistoryDialog

        dialog = self.findChild(HistoryDialog) or HistoryDialog(self.workspace, self)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def show_look(self) -> None:
        """Ask for look, text size and language."""
        LookDialog(self.settings, self).exec()

    def show_outlining(self) -> None:
        """Show what TotalSegmentator can do here, beside the window; a second call brings it to the front."""
        from cryoplan.gui.dialogs.outline import OutlineDialog

        dialog = self.findChild(OutlineDialog) or OutlineDialog(self.workspace, self.outliner, self)
        dialog.look_again()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    # Drop, size and close -----------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders, and say what letting go will do."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.status_line.say("Let go to add structures" if self._drop_adds else "Let go to open")

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file or folder that is dropped, or add it to the structures if these are chosen."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                path = Path(url.toLocalFile())
                if self._drop_adds and path.suffix not in (".cryoplan", ".json"):
                    self.files.add_path(path)
                else:
                    self.files.open_path(path)
                event.acceptProposedAction()
                return

    @property
    def _drop_adds(self) -> bool:
        return self.workspace.case is not None and self.stack.currentIndex() == STRUCTURES_STEP

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give panel and card more room where there is some."""
        super().resizeEvent(event)
        wide = event.size().width() >= WIDE_FROM
        self.stack.setFixedWidth(text_scaled(WIDE_PANEL if wide else PANEL_WIDTH))
        self.card.setFixedWidth(text_scaled(WIDE_CARD if wide else CARD_WIDTH))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let VTK and the background process go before the window does, once the case may be left."""
        if not self.files.may_leave():
            event.ignore()
            return
        self.files.opening.close()
        self.outliner.close()
        close_canvas = getattr(self.canvas, "close_canvas", None)
        if close_canvas is not None:
            close_canvas()
        self.workspace.close()
        event.accept()
