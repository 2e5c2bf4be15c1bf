"""Review, colours on the slices: minutes, or cell survival by a published model for research."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from cryoplan.app.timing import Timing
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panels.review_cold import show_percent
from cryoplan.gui.parts import Swatch, Text
from cryoplan.gui.section import Section
from cryoplan.gui.wash_layer import SURVIVAL, WashLayer, choices
from cryoplan.gui.words import say
from cryoplan.margins.survival import survival_model
from cryoplan.report.wording import plain
from cryoplan.scene.wash import COLOURS


class Colours(Section):
    """What colours the slices: minutes, or cell survival by a published model for research."""

    def __init__(self, workspace: Workspace, view: ViewState, timing: Timing) -> None:
        super().__init__("Colours on the slices", is_open=False)
        self._workspace, self._view, self._timing = workspace, view, timing
        self.choice = QComboBox()
        self.choice.setAccessibleName(say("What colours the slices"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        for id_, words in choices():
            self.choice.addItem(say(words), id_)
            self.choice.setItemData(self.choice.count() - 1, say(words), Qt.ItemDataRole.ToolTipRole)
        self.choice.activated.connect(self._choose)
        self.warning = Text("", "warn", wrap=True, bold=True)
        self.told = Text("", wrap=True)
        self.source = Text("", "muted", wrap=True, scale=0.88)
        self.key = QWidget()
        self._key_grid = QGridLayout(self.key)
        self._key_grid.setContentsMargins(0, 0, 0, 0)
        self._key_grid.setHorizontalSpacing(6)
        self._key_grid.setVerticalSpacing(2)
        self._key_grid.setColumnStretch(1, 1)
        self._key_grid.setColumnStretch(3, 1)
        self.key_rows: list[tuple[Swatch, Text]] = []
        for n in range(len(COLOURS)):
            pair = (Swatch("#000000"), Text("", scale=0.93))
            for column, part in enumerate(pair):
                self._key_grid.addWidget(part, n % 3, 2 * (n // 3) + column)
            self.key_rows.append(pair)
        self._layer = WashLayer(workspace, view)
        for part in (self.choice, self.key, self.warning, self.told, self.source):
            self.add(part)

    @Slot(int)
    def _choose(self, index: int) -> None:
        self._view.wash = str(self.choice.itemData(index))
        self.refresh()

    def refresh(self) -> None:
        """Show what is chosen, and for a model what it says and where it is from."""
        chosen = self._view.wash
        index = max(self.choice.findData(chosen), 0)
        self.choice.setCurrentIndex(index)
        self.choice.setToolTip(self.choice.currentText())
        is_model = chosen.startswith(SURVIVAL)
        stale = self._workspace.result is not None and not self._workspace.is_current
        self.say("research model" if is_model else "on" if chosen else "off", "warn" if is_model else "muted")
        if not self.is_open:
            return
        for part in (self.warning, self.told, self.source):
            part.setVisible(is_model)
        self._show_key()
        if stale and chosen:
            self.told.setVisible(True)
            self.told.say("Out of date: nothing is coloured until the plan is solved.", "warn")
            self.warning.hide()
        elif is_model:
            self._tell_model(chosen.split(" ", 1)[1])

    def _show_key(self) -> None:
        wash = self._layer.wash()
        self.key.setVisible(wash is not None)
        if wash is None:
            return
        for n, (swatch, text) in enumerate(self.key_rows):
            is_there = n < len(wash.labels)
            swatch.setVisible(is_there)
            text.setVisible(is_there)
            if is_there:
                swatch.show_colour(wash.colours[n])
                text.say(wash.labels[n])

    def _tell_model(self, id_: str) -> None:
        model = survival_model()
        series = model.of(id_)
        self.warning.say("Research model. Not for a decision on this patient.")
        lines = []
        times = self._timing.times()
        found = None if times is None else times.survival(series)
        if found is not None:
            lines.append(
                f"Cells alive in the tumour: {show_percent(found.mean)} on average "
                f"({show_percent(found.low)} to {show_percent(found.high)} by the interval of its midpoint). "
                f"More than half alive in {show_percent(found.half_alive)} of it."
            )
            lines.append(f"The curve leaves {100.0 - series.plateau.value:.0f} % alive at any cold.")
            if found.beyond_data > 0.005:
                lines.append(
                    f"{show_percent(found.beyond_data)} of the tumour lies outside the data of the fit."
                )
        elif self._timing.is_busy:
            lines.append("Being worked out ...")
        fitting = model.for_protocol(self._workspace.plan.protocol)
        freezes = len(self._workspace.plan.protocol.freeze_ends_s())
        if freezes != series.freezes:
            word = "freeze" if freezes == 1 else "freezes"
            lines.append(
                f"This plan has {freezes} {word}; the curve is of {series.freezes}."
                + (
                    f" Nearer: {fitting.name}."
                    if fitting is not series and fitting.freezes <= freezes
                    else ""
                )
            )
        self.told.say("\n".join(lines), "text")
        mid = series.midpoint
        self.source.say(
            f"{model.name}: dead = {series.plateau.value:g} % / (1 + exp({series.steepness_per_k:.3f} "
            f"(T + {-mid.value:g}))), T lowest temperature in °C; half of that at {plain(mid.value)} °C "
            f"({plain(mid.low or 0.0)} to {plain(mid.high or 0.0)}). Data from {series.coldest.value:.0f} to "
            f"{series.warmest.value:.0f} °C. Holds for {model.holds_for}. {model.source}".replace(" -", " −"),
            tip=model.source,
        )
