"""Margin on the tumour: its surface by the margin to one isotherm, as shares, bars and an unrolled map."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QToolButton

from cryoplan.app.margin_shown import MarginShown, margin_of
from cryoplan.app.margin_steps import keep_classes, kept_classes
from cryoplan.app.settings import Settings
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import LimitError
from cryoplan.core.geometry import Point
from cryoplan.core.units import show_degc, show_mm, show_percent
from cryoplan.gui.margin_bars_view import MarginBarsView
from cryoplan.gui.margin_legend import LAYER, LegendLine, fill_thresholds, legend_words
from cryoplan.gui.panels.looks import make_combo
from cryoplan.gui.parts import OUT_OF_DATE, STALE, Text, indicator_style
from cryoplan.gui.section import Section
from cryoplan.gui.unrolled_view import UnrolledView
from cryoplan.gui.words import say
from cryoplan.gui.worst_walk import (
    NO_RESULT,
    NO_TARGET,
    WorstWalk,
    here_words,
    place_line,
    place_number,
    place_words,
)
from cryoplan.margins.classes import read_steps

BEHIND_FROM = 0.01
"""From this share of the surface on, the unrolled map says that it does not show all of it."""


class MarginMapSection(Section):
    """The section of the review; everything in it is grey unless it is that of the plan on screen.

    Parameters
    ----------
    workspace, view
        What is judged, and what is looked at.
    settings : Settings, optional
        Where the steps are kept; the user's own when left out.
    """

    def __init__(self, workspace: Workspace, view: ViewState, settings: Settings | None = None) -> None:
        super().__init__("Tumour surface", is_open=True)
        self._workspace, self._view = workspace, view
        self._shown: MarginShown | None = None
        self._settings = settings or Settings()
        view.margin_classes = kept_classes(self._settings)
        self.walk = WorstWalk(workspace, view, self)
        self.none = Text("", "muted", wrap=True)
        self.choice = make_combo(
            "Isotherm of the margin", "Distance from the tumour's surface to which isotherm"
        )
        self.in_3d = QCheckBox(say("in 3D"))
        self.in_3d.setAccessibleName(say("Show the colours of the margin in 3D"))
        self.in_3d.setToolTip(say("Show these colours on the tumour in the 3D view"))
        self.in_3d.setStyleSheet(indicator_style())
        self.legend = LegendLine()
        self.legend.setToolTip(
            say(
                "Shares of the surface, by area. Margin: distance from each point of the surface to "
                "the nearest point of the isotherm of the lowest temperature, below 0 where the point itself "
                "stays warmer."
            )
        )
        self.bars = MarginBarsView()
        self.unrolled = UnrolledView()
        self.unrolled.chosen.connect(self._go)
        self.behind = Text("", "muted", wrap=True, scale=0.93)
        self.place = Text("", wrap=True)
        self.place.setToolTip(
            say("Direction from the middle of the tumour; distance to the active zone of the nearest probe")
        )
        self.back, self.on = (
            QPushButton(say("\N{LEFTWARDS ARROW} back")),
            QPushButton(say("Next worst place (N)")),
        )
        self.on.setAccessibleName(say("Next worst place"))
        self.back.setAccessibleName(say("Back to the place before"))
        self.back.setToolTip(say("Shift + N"))
        self.on.setToolTip(
            say("Move the crosshair to the worst place, then the next worst one at least 10 mm away; key N")
        )
        self.back.clicked.connect(self.walk.previous)
        self.on.clicked.connect(self.walk.next)
        self.steps = QLineEdit()
        self.steps.setAccessibleName(say("Steps of the margin in millimetres"))
        self.steps.setToolTip(
            say("Where the colours change, in millimetres; 0 always is one of them. Such as 0, 3, 5")
        )
        self.steps.editingFinished.connect(self._take_steps)
        self.refused = Text("", "warn", wrap=True, scale=0.93)
        self.larger = QToolButton()
        self.larger.setText(say("Both, larger..."))
        self.larger.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.larger.setAccessibleName(say("Both margins on larger maps"))
        self.larger.setToolTip(
            say("Ice edge and lethal isotherm side by side on larger maps, beside the work")
        )
        self.larger.clicked.connect(self._show_larger)
        self.copy = QToolButton()
        self.copy.setText(say("Copy CSV"))
        self.copy.setToolTip(say("Copy the histogram as comma-separated values"))
        self.copy.setAccessibleName(say("Copy the histogram as comma-separated values"))
        self.copy.clicked.connect(self._copy)
        self.choice.activated.connect(self._choose)
        self.in_3d.toggled.connect(self._show_in_3d)
        self._place_all()
        view.changed.connect(self._follow)
        self.refresh()

    def _place_all(self) -> None:
        top, walk, steps, more = (QHBoxLayout() for _ in range(4))
        top.addWidget(self.choice, 1)
        top.addWidget(self.in_3d)
        walk.addWidget(self.back)
        walk.addWidget(self.on, 1)
        steps.addWidget(Text("Steps, mm", "muted"))
        steps.addWidget(self.steps, 1)
        more.addWidget(self.larger, 1)
        more.addWidget(self.copy, 1)
        for part in (
            self.none, top, self.legend, walk, self.place, self.unrolled, self.behind, self.bars, steps,
            self.refused, more,
        ):  # fmt: skip
            self.add(part)

    def refresh(self) -> None:
        """Show the margins there are, grey unless they are those of the plan on screen."""
        self._shown = shown = margin_of(self._workspace, self._view)
        has_result = self._workspace.assessment is not None
        self.none.say(NO_TARGET if has_result else NO_RESULT)
        self.none.setVisible(shown is None)
        for part in (
            self.choice, self.in_3d, self.legend, self.bars, self.unrolled, self.place, self.back, self.on,
            self.steps, self.copy, self.larger,
        ):  # fmt: skip
            part.setVisible(shown is not None)
        if not (self.steps.hasFocus() and self.steps.isModified()):  # what is being typed is left alone
            self.steps.setText(self._view.margin_classes.text)
        if shown is None:
            self.say("")
            self.behind.hide()
            self.refused.hide()
            self.unrolled.show_margin(None)
            self.bars.show_margin(None, None)
            return
        fill_thresholds(self.choice, shown)
        self.choice.setCurrentIndex(self.choice.findData(shown.threshold_degc))
        self.in_3d.setChecked(self._view.is_checked(LAYER))
        tone = "text" if shown.is_current else STALE
        self.legend.show_words(legend_words(shown, with_shares=True), tone)
        limit = self._workspace.limits.margin(shown.threshold_degc)
        wanted = None if limit is None else limit.warn or limit.fail
        self.bars.show_margin(shown, None if wanted is None else wanted.value)
        self.bars.setVisible(not shown.bars.no_ice)
        self.copy.setEnabled(not shown.bars.no_ice)
        self.unrolled.show_margin(shown)
        behind = shown.unrolled.behind
        self.behind.setVisible(behind >= BEHIND_FROM)
        self.behind.say(
            f"{show_percent(behind)} of the surface lies behind another part and is not on the map.", tone
        )
        self._tell_gist(shown)
        self._show_place(shown)

    def _tell_gist(self, shown: MarginShown) -> None:
        worst = shown.places[0].margin_mm
        value = "no ice" if worst == -np.inf else show_mm(worst, signed=True)
        if shown.is_current:
            self.say(f"{show_degc(shown.threshold_degc)}: {value}")
        else:
            self.say(OUT_OF_DATE, STALE)

    def _show_place(self, shown: MarginShown) -> None:
        number, point = place_number(shown, self._view), self._view.place_mm
        self.unrolled.show_marks(self._view.cursor_mm, number)
        if number is None and point is not None:
            words = here_words(self._workspace, shown, point)
        else:
            words = (
                f"{place_line(shown, number or 0)}\n{place_words(self._workspace, shown.places[number or 0])}"
            )
        self.place.say(words, "text" if shown.is_current else STALE)
        self.back.setEnabled(len(shown.places) > 1)

    @Slot()
    def _follow(self) -> None:
        """Follow crosshair and choices; the crosshair alone moves a mark and nothing else."""
        if not self.isVisible():
            return
        shown = margin_of(self._workspace, self._view)
        if shown is None:
            return
        if not shown.is_drawn_like(self._shown) or self.in_3d.isChecked() != self._view.is_checked(LAYER):
            self.refresh()
        else:
            self._show_place(shown)

    @Slot(tuple)
    def _go(self, point: Point) -> None:
        self._view.place_mm = point
        self._view.cursor_mm = point

    @Slot(int)
    def _choose(self, index: int) -> None:
        self._view.margin_degc = self.choice.itemData(index)

    @Slot(bool)
    def _show_in_3d(self, on: bool) -> None:
        self._view.set_layer(LAYER, on)

    @Slot()
    def _take_steps(self) -> None:
        try:
            classes = read_steps(self.steps.text())
        except LimitError as refused:
            self.refused.say(f"! {refused}", "warn")
            self.refused.show()
            return
        self.refused.hide()
        self.steps.setText(classes.text)
        if classes != self._view.margin_classes:
            keep_classes(self._settings, classes)
            self._view.margin_classes = classes

    @Slot()
    def _show_larger(self) -> None:
        # Loaded when asked for, as all dialogs are.
        from cryoplan.gui.dialogs.margin_maps import MarginMapsDialog

        window = self.window()
        dialog = window.findChild(MarginMapsDialog) or MarginMapsDialog(self._workspace, self._view, window)
        dialog.show()
        dialog.raise_()

    @Slot()
    def _copy(self) -> None:
        shown = margin_of(self._workspace, self._view)
        if shown is not None:
            QGuiApplication.clipboard().setText(shown.bars.to_csv(shown.classes))
            self._workspace.message.emit("The histogram of the margin is copied.")
