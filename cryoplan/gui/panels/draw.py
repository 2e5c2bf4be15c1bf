"""Draw: what is outlined, with which tool, and what can be done to the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cryoplan.app.outline_tools import LARGEST_RADIUS_MM, LEAST_RADIUS_MM, Tool
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.structure import Role
from cryoplan.core.units import show_ml
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Heading, Text, indicator_style
from cryoplan.gui.words import say
from cryoplan.image.outlining.forming import Combination

TOOLS = (
    (Tool.GROW, "Grow", "G", "Click into it: what is like the click and hangs on it is found"),
    (Tool.BRUSH, "Brush", "B", "Paint; with Shift erase. Shift+wheel or [ and ] change the size"),
    (Tool.ERASER, "Eraser", "E", "Erase; with Shift paint"),
    (Tool.LASSO, "Lasso", "O", "Draw around what belongs to it; with Shift around what does not"),
    (
        Tool.BOX,
        "Box",
        "K",
        "Drag a box; what has a value of the range in it is found. Drag in another view too",
    ),
    (Tool.INSIDE, "Inside", "I", "Mark some of what belongs to it, then some of what does not, then Enter"),
    (Tool.OUTSIDE, "Outside", "X", "Mark some of what does not belong to it"),
)
"""Tool, word, key and what it does, in the order of the buttons."""

NOTHING = "Draw on ..."
LARGEST_TOLERANCE = 150
LATER_MS = 100


class DrawSection(QWidget):
    """The part of the structures panel that outlines.

    Signals
    -------
    new_requested, ellipsoid_requested
        A name, or three diameters, are to be asked for.
    """

    new_requested = Signal()
    ellipsoid_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__()
        self._workspace, self._view = workspace, view
        self.outlining = Outlining.of(workspace)
        self._style = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(5)
        self._column.addWidget(Heading("Draw"))
        self._place_subject()
        self.body = QWidget()
        self._inner = QVBoxLayout(self.body)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self._inner.setSpacing(5)
        self._column.addWidget(self.body)
        self._place_tools()
        self._place_settings()
        self._place_whole()
        for key, call in (("Return", self._enter), ("Enter", self._enter), ("Esc", self._escape)):
            short = QShortcut(QKeySequence(key), self)
            short.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            short.activated.connect(call)
        self.outlining.changed.connect(self.refresh)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._say_size)
        self.outlining.drawn.connect(self._drawn_on)

    # Places -----------------------------------------------------------------------------------------

    def _place_subject(self) -> None:
        row = QHBoxLayout()
        self.new_button = _button(
            "New tumour...", "Outline a new tumour (N in the Draw menu)", self.new_requested
        )
        self.subject = QComboBox()
        self.subject.setAccessibleName(say("Structure to draw on"))
        self.subject.setToolTip(say("Correct a structure that is outlined already"))
        self.subject.setMinimumWidth(60)
        self.subject.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.subject.activated.connect(self._choose)
        row.addWidget(self.new_button)
        row.addWidget(self.subject, 1)
        self._column.addLayout(row)

    def _place_tools(self) -> None:
        head = QHBoxLayout()
        self.size_text = Text("", bold=True, wrap=True)
        self.done_button = _button("Done", "Put the tools down; what was drawn stays", self.outlining.stop)
        head.addWidget(self.size_text, 1)
        head.addWidget(self.done_button)
        self._inner.addLayout(head)
        grid = QGridLayout()
        grid.setSpacing(4)
        self.tools: dict[Tool, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        for number, (tool, word, key, what) in enumerate(TOOLS):
            button = QToolButton()
            button.setText(say(f"{word} {key}"))
            button.setCheckable(True)
            button.setToolTip(say(f"{what} ({key})"))
            button.setAccessibleName(say(word))
            button.setProperty("tool", tool.value)
            # The keys go on belonging to the view that is drawn on.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(
                self.done_button.sizePolicy().Policy.Expanding, button.sizePolicy().verticalPolicy()
            )
            button.clicked.connect(self._take)
            self._group.addButton(button)
            grid.addWidget(button, number // 3, number % 3)
            self.tools[tool] = button
        self._inner.addLayout(grid)

    def _place_settings(self) -> None:
        self.tolerance = _Sliding("Tolerance", "", 1.0, LARGEST_TOLERANCE, 1.0)
        self.tolerance.moved.connect(self._set_tolerance)
        self.radius = _Sliding("Size", " mm", 2.0 * LEAST_RADIUS_MM, 2.0 * LARGEST_RADIUS_MM, 0.5)
        self.radius.moved.connect(self._set_radius)
        self.ball = QCheckBox(say("Ball: into the neighbouring slices too"))
        self.ball.toggled.connect(self._set_ball)
        self.leak = Text("", "warn", wrap=True)
        self._inner.addWidget(self.tolerance)
        self._inner.addWidget(self.radius)
        self._inner.addWidget(self.ball)
        limits = QHBoxLayout()
        self.limited = QCheckBox(say("Only"))
        self.limited.setToolTip(say("Brush, eraser and lasso leave other voxels as they are"))
        self.low = NumberBox("Lowest value that is drawn on", "", lowest=-32768, highest=32767, digits=0)
        self.high = NumberBox("Highest value that is drawn on", "", lowest=-32768, highest=32767, digits=0)
        self.low.setValue(-20)
        self.high.setValue(200)
        limits.addWidget(self.limited)
        limits.addWidget(self.low, 1)
        limits.addWidget(Text("to", "muted"))
        limits.addWidget(self.high, 1)
        self.limited.toggled.connect(self._set_limits)
        for box in (self.low, self.high):
            box.valueChanged.connect(self._set_limits)
        self._limits = QWidget()
        limits.setContentsMargins(0, 0, 0, 0)
        self._limits.setLayout(limits)
        self._inner.addWidget(self._limits)
        self._place_range()
        answer = QHBoxLayout()
        answer.setContentsMargins(0, 0, 0, 0)
        self.add_button = _button("Add it", "Add what is shown (Enter)", self.outlining.accept)
        self.decide_button = _button("Decide", "Let the marks decide (Enter)", self.outlining.contest)
        self.clear_button = _button("Clear marks", "Take the marks away", self.outlining.clear_marks)
        self.give_up_button = _button("Give up", "Forget what is shown or worked out (Esc)", self._escape)
        for button in (self.add_button, self.decide_button, self.clear_button, self.give_up_button):
            answer.addWidget(button)
        self._answer = QWidget()
        self._answer.setLayout(answer)
        self._inner.addWidget(self._answer)
        # Below the buttons, so that they do not move from under the mouse when it comes or goes.
        self._inner.addWidget(self.leak)

    def _place_range(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        self.least = NumberBox("Lowest value found in the box", "", lowest=-32768, highest=32767, digits=0)
        self.most = NumberBox("Highest value found in the box", "", lowest=-32768, highest=32767, digits=0)
        self.range_text = Text("From", "muted")
        row.addWidget(self.range_text)
        row.addWidget(self.least, 1)
        row.addWidget(Text("to", "muted"))
        row.addWidget(self.most, 1)
        for box in (self.least, self.most):
            box.valueChanged.connect(self._set_range)
        self._range = QWidget()
        self._range.setLayout(row)
        self._inner.addWidget(self._range)

    def _place_whole(self) -> None:
        self._inner.addWidget(Heading("All of it"))
        o = self.outlining
        grid = QGridLayout()
        grid.setSpacing(4)
        self.whole = {
            "ellipsoid": _button(
                "Ellipsoid...", "From three measured diameters, at the crosshair", self.ellipsoid_requested
            ),
            "between": _button("Fill between", "Fill the empty slices between outlined ones", self._between),
            "fill": _button("Fill holes", "Fill cavities and holes in slices", o.fill),
            "largest": _button("Largest piece", "Keep the largest piece only", o.largest_island),
        }
        for number, button in enumerate(self.whole.values()):
            grid.addWidget(button, number // 2, number % 2)
        self._inner.addLayout(grid)
        row = QHBoxLayout()
        self.by = NumberBox("By how many millimetres", " mm", lowest=0.5, highest=30.0, step=0.5)
        self.by.setValue(3.0)
        forms = {
            "smooth": _button("Smooth", "Take away bumps and dents smaller than this", self._smooth),
            "grow": _button("Grow", "Grow by this distance", self._grow),
            "shrink": _button("Shrink", "Shrink by this distance", self._shrink),
        }
        row.addWidget(self.by, 1)
        for button in forms.values():
            row.addWidget(button, 1)
        self._inner.addLayout(row)
        both = QHBoxLayout()
        self.other = QComboBox()
        self.other.setAccessibleName(say("Structure to combine it with"))
        self.other.setMinimumWidth(40)
        self.other.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        both.addWidget(self.other, 1)
        signs = (("+", Combination.ADD, "Add"), ("\N{MINUS SIGN}", Combination.SUBTRACT, "Take away"),
                 ("∩", Combination.INTERSECT, "Keep what both have:"))  # fmt: skip
        self.combine: dict[Combination, QPushButton] = {}
        for sign, how, word in signs:
            button = _button(sign, f"{word} the chosen structure", self._combine)
            button.setAccessibleName(say(f"{word} the chosen structure"))
            button.setProperty("how", how.value)
            button.setMaximumWidth(34)
            both.addWidget(button)
            self.combine[how] = button
        self._both = QWidget()
        both.setContentsMargins(0, 0, 0, 0)
        self._both.setLayout(both)
        self._inner.addWidget(self._both)
        self.whole.update(forms)

    # Showing ----------------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """Show what is in the hand."""
        case, o = self._workspace.case, self.outlining
        style = indicator_style()
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)
        may = case is not None and self._workspace.keeper.may_edit
        subject = o.subject
        self.setVisible(case is not None)
        self.new_button.setEnabled(may)
        self.subject.setEnabled(may)
        self.body.setVisible(subject is not None)
        self.body.setEnabled(may)
        names = [] if case is None else [s.name for s in case.structures if s.role is not Role.BODY]
        if subject is not None and subject.name not in names:
            names = [subject.name, *names]
        _fill(self.subject, [NOTHING, *names], NOTHING if subject is None else subject.name)
        if subject is None:
            return
        others = [name for name in names if name != subject.name]
        _fill(self.other, others, self.other.currentText())
        self._both.setVisible(bool(others))
        tool, settings = o.tool, o.settings
        for one, button in self.tools.items():
            button.setChecked(one is tool)
            button.setEnabled(may)
        self.tolerance.setVisible(tool is Tool.GROW)
        self.tolerance.show_value(settings.tolerance, o.unit)
        is_round = tool is not None and tool.is_round
        self.radius.setVisible(is_round)
        self.radius.show_value(2.0 * settings.radius_mm)
        self.ball.setVisible(is_round)
        with QSignalBlocker(self.ball):
            self.ball.setChecked(settings.is_ball)
        self._limits.setVisible(tool in (Tool.BRUSH, Tool.ERASER, Tool.LASSO))
        self.limited.setText(say(f"Only{o.unit}"))
        self._range.setVisible(tool is Tool.BOX)
        self.range_text.say(f"From{o.unit}")
        self.least.show_value(settings.least)
        self.most.show_value(settings.most)
        is_marking = tool in (Tool.INSIDE, Tool.OUTSIDE)
        self.leak.setVisible(o.preview_leaks)
        self.leak.say("! It runs out of the region that is looked at: lower the tolerance.")
        self.add_button.setVisible(o.preview is not None)
        self.add_button.setEnabled(not o.is_busy)
        self.decide_button.setVisible(is_marking and o.preview is None)
        self.decide_button.setEnabled(not o.is_busy)
        self.clear_button.setVisible(is_marking)
        self.give_up_button.setVisible(o.preview is not None or o.is_busy)
        self._answer.setVisible(o.preview is not None or is_marking or o.is_busy)
        for button in (*self.whole.values(), *self.combine.values()):
            button.setEnabled(may and not o.is_busy)
        self._say_size()

    @Slot()
    def _drawn_on(self) -> None:
        # While the hand draws, the number may wait: measuring a large structure must not hold up the brush.
        if not self.outlining.is_drawing:
            self._say_size()
        elif not self._later.isActive():
            self._later.start()

    @Slot()
    def _say_size(self) -> None:
        subject, live = self.outlining.subject, self.outlining.live
        if subject is None:
            return
        if self.outlining.is_busy and not live.count:
            self.size_text.say(f"{self.outlining.busy_text} ...")
        elif not live.count:
            found = self.outlining.preview is not None
            self.size_text.say("found, not added yet" if found else "nothing drawn yet")
        else:
            size = " x ".join(f"{mm:.0f}" for mm in live.extents_mm)
            self.size_text.say(f"{show_ml(live.volume_ml)} · {size} mm")
            self.size_text.setToolTip(say("Volume, and how far it reaches along columns, rows and slices"))

    # Doing ------------------------------------------------------------------------------------------

    @Slot()
    def _choose(self) -> None:
        name = self.subject.currentText()
        if name == NOTHING:
            self.outlining.stop()
        elif self.outlining.subject is None or self.outlining.subject.name != name:
            self.outlining.begin(name)
        self.refresh()

    @Slot()
    def _take(self) -> None:
        tool = Tool(self.sender().property("tool"))
        self.outlining.take(None if tool is self.outlining.tool else tool)
        self.refresh()

    @Slot(float)
    def _set_tolerance(self, value: float) -> None:
        self.outlining.settings = replace(self.outlining.settings, tolerance=value)

    @Slot(float)
    def _set_radius(self, value: float) -> None:
        self.outlining.settings = replace(self.outlining.settings, radius_mm=0.5 * value)

    @Slot(bool)
    def _set_ball(self, is_ball: bool) -> None:
        self.outlining.settings = replace(self.outlining.settings, is_ball=is_ball)

    @Slot()
    def _set_limits(self) -> None:
        is_on = self.limited.isChecked()
        self.outlining.settings = replace(
            self.outlining.settings,
            low=self.low.value() if is_on else None,
            high=self.high.value() if is_on else None,
        )

    @Slot()
    def _set_range(self) -> None:
        least, most = sorted((self.least.value(), self.most.value()))
        self.outlining.settings = replace(self.outlining.settings, least=least, most=most)

    @Slot()
    def _enter(self) -> None:
        if not self.outlining.accept() and self.outlining.tool in (Tool.INSIDE, Tool.OUTSIDE):
            self.outlining.contest()

    @Slot()
    def _escape(self) -> None:
        self.outlining.escape()

    @Slot()
    def _between(self) -> None:
        self.outlining.interpolate()

    @Slot()
    def _smooth(self) -> None:
        self.outlining.smooth(self.by.value())

    @Slot()
    def _grow(self) -> None:
        self.outlining.margin(self.by.value())

    @Slot()
    def _shrink(self) -> None:
        self.outlining.margin(-self.by.value())

    @Slot()
    def _combine(self) -> None:
        name = self.other.currentText()
        if name:
            self.outlining.combine(name, Combination(self.sender().property("how")))


class _Sliding(QWidget):
    """A word, a slider and the number itself."""

    moved = Signal(float)

    def __init__(self, word: str, unit: str, lowest: float, highest: float, step: float) -> None:
        super().__init__()
        self._step = step
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(lowest / step), round(highest / step))
        self.slider.setAccessibleName(say(word))
        self.slider.setMinimumWidth(60)
        self.box = NumberBox(word, unit, lowest=lowest, highest=highest * 10.0, step=step)
        self.box.setMinimumWidth(72)
        row.addWidget(Text(word, "muted"))
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self.moved)

    def show_value(self, value: float, unit: str | None = None) -> None:
        """Show a value without telling anybody."""
        if unit is not None:
            self.box.setSuffix(say(unit))
        self.box.show_value(value)
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value / self._step))

    @Slot(int)
    def _slid(self, steps: int) -> None:
        self.moved.emit(steps * self._step)


def _button(text: str, tip: str, call: Callable[..., object]) -> QPushButton:
    button = QPushButton(say(text))
    button.setToolTip(say(tip))
    button.setAccessibleName(say(text.rstrip(".")))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(call)
    return button


def _fill(box: QComboBox, names: list[str], chosen: str) -> None:
    with QSignalBlocker(box):
        if [box.itemText(n) for n in range(box.count())] != names:
            box.clear()
            box.addItems(names)
        box.setCurrentIndex(max(box.findText(chosen), 0))
