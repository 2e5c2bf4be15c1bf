"""Tools: the needles of the plan that do not freeze; one line each, and fields for the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QMenu, QPushButton, QWidget

from cryoplan.core.finding import Finding, Level, worst
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import SIGNS, Name, Press, Swatch, Text
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.edit_tools import rename_tool, set_tool_size
from cryoplan.plan.edits import advance, set_note
from cryoplan.plan.hold import require_reach
from cryoplan.plan.names import LONGEST_NOTE
from cryoplan.plan.tool import LONGEST_MM, SHORTEST_MM, THICKEST_MM, THINNEST_MM, WORDS, Tool, ToolKind
from cryoplan.scene.style import theme

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel


class ToolButton(QPushButton):
    """Offers the four kinds; the next two clicks place one."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("+ Needle")
        self._panel = panel
        self.setAccessibleName(say("Place a needle that does not freeze"))
        self.setToolTip(
            say("Thermocouple, hydrodissection needle, introducer, biopsy needle: tip, then skin")
        )
        menu = QMenu(self)
        for kind in ToolKind:
            action = QAction(say(WORDS[kind].capitalize()), menu)
            action.setData(kind.value)
            menu.addAction(action)
        menu.triggered.connect(self._start)
        self.setMenu(menu)

    @Slot(QAction)
    def _start(self, action: QAction) -> None:
        view = self._panel.view
        view.placing = False
        view.placing_tool = action.data()
        view.placing = True


class ToolRow(Press):
    """One tool in a line."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self._called = Text("", bold=True)
        self._kind = Name("")
        self._depth = Text("", "muted", scale=0.93)
        row = QHBoxLayout()
        row.setContentsMargins(9, 4, 9, 4)
        row.setSpacing(6)
        row.addWidget(Swatch(theme().marks.thermocouple))
        row.addWidget(self._called)
        row.addWidget(self._kind, 1)
        row.addWidget(self._depth)
        self._verdict = Text("", bold=True)
        row.addWidget(self._verdict)
        self._bad = ""
        self.add(row)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Name, kind, depth and verdict as shown."""
        parts = (self._called, self._kind, self._depth, self._verdict)
        return tuple(part.text() for part in parts)

    def show_tool(self, tool: Tool, *, chosen: bool) -> None:
        """Show a tool."""
        self.name = tool.name
        self._called.say(tool.name)
        self._kind.say(WORDS[tool.kind])
        self._depth.say(f"{tool.depth_mm:.0f} mm{' locked' if tool.locked else ''}")
        self.set_selected(chosen)
        self.setAccessibleName(say(f"Tool {tool.name}, {WORDS[tool.kind]}, {self._depth.text()}"))
        self.setToolTip(say("\n".join(filter(None, (self._bad, tool.note)))))

    def show_findings(self, findings: list[Finding]) -> None:
        """Show what the rules say of it."""
        level = worst(findings)
        self._verdict.say(SIGNS[level], level.value)
        self._bad = "\n".join(f.text for f in findings if f.level is not Level.OK)
        self.setToolTip(say(self._bad))


class ToolSection(Section):
    """The tools of the plan; hidden while there is none."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Needles that do not freeze", is_open=True)
        self._panel = panel
        self._tool: Tool | None = None
        self.rows: list[ToolRow] = []
        self.editor = QWidget()
        grid = QGridLayout(self.editor)
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(4)
        self.name = QLineEdit()
        self.name.setMaxLength(20)
        self.name.setAccessibleName(say("Name of the needle"))
        self.name.editingFinished.connect(self._rename)
        self.depth = NumberBox("Depth of the needle", " mm", lowest=0.0, highest=LONGEST_MM)
        self.depth.valueChanged.connect(self._set_depth)
        self.length = NumberBox("Length of the needle", " mm", lowest=SHORTEST_MM, highest=LONGEST_MM)
        self.diameter = NumberBox(
            "Diameter of the needle", " mm", lowest=THINNEST_MM, highest=THICKEST_MM, step=0.1
        )
        for box in (self.length, self.diameter):
            box.valueChanged.connect(self._set_size)
        self.note = QLineEdit()
        self.note.setMaxLength(LONGEST_NOTE)
        self.note.setAccessibleName(say("Note on the needle"))
        self.note.editingFinished.connect(self._set_note)
        for place, (word, box) in enumerate(
            (("name", self.name), ("depth", self.depth), ("length", self.length), ("across", self.diameter))
        ):
            grid.addWidget(Text(word, "muted", scale=0.93), place // 2, 2 * (place % 2))
            grid.addWidget(box, place // 2, 2 * (place % 2) + 1)
        grid.addWidget(Text("note", "muted", scale=0.93), 2, 0)
        grid.addWidget(self.note, 2, 1, 1, 3)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        self.add(self.editor)

    def show_tools(self, tools: tuple[Tool, ...]) -> None:
        """Show the tools of the plan, and the fields of the chosen one."""
        self.setVisible(bool(tools))
        self.say(str(len(tools)))
        while len(self.rows) < len(tools):
            row = ToolRow()
            row.clicked.connect(self._select)
            self.column.insertWidget(len(self.rows), row)
            self.rows.append(row)
        for row in self.rows[len(tools) :]:
            row.hide()
        chosen = self._panel.view.selected_probe
        for row, tool in zip(self.rows, tools, strict=False):
            row.show_tool(tool, chosen=tool.name == chosen)
            row.show()
        tool = next((t for t in tools if t.name == chosen), None)
        same = tool is not None and self._tool is not None and self._tool.name == tool.name
        self._tool = tool
        self.editor.setVisible(tool is not None)
        self._panel.enable_edits(self.name, self.note, self.length, self.diameter)
        self._panel.enable_edits(self.depth, when=tool is None or not tool.locked)
        if tool is None:
            return
        for line, text in ((self.name, tool.name), (self.note, tool.note)):
            if not (same and line.hasFocus() and line.isModified()):
                line.setText(say(text))
        for box, value in (
            (self.depth, tool.depth_mm),
            (self.length, tool.length_mm),
            (self.diameter, tool.diameter_mm),
        ):
            (box.show_value if same else box.force_value)(value)

    def show_findings(self, rules: Sequence[Finding]) -> None:
        """Show what the rules say of each."""
        for row in self.rows:
            row.show_findings([f for f in rules if f.place == f"tool {row.name}"])

    @Slot()
    def _select(self) -> None:
        row = self.sender()
        if isinstance(row, ToolRow):
            self._panel.choose(row.name)

    def _edit(self, make) -> None:
        """Edit the plan; a refused entry turns back to what the plan says."""
        self._panel.try_edit(make)
        self._tool = None
        self.show_tools(self._panel.workspace.plan.tools)

    @Slot()
    def _rename(self) -> None:
        tool, new = self._tool, self.name.text().strip()
        if tool is None or new == tool.name:
            return
        self.name.setModified(False)
        if self._panel.try_edit(lambda plan: rename_tool(plan, tool.name, new)):
            self._panel.view.selected_probe = new
        else:
            self.name.setText(tool.name)

    @Slot()
    def _set_note(self) -> None:
        tool, text = self._tool, self.note.text()
        if tool is not None and text.strip() != tool.note:
            self.note.setModified(False)
            self._edit(lambda plan: set_note(plan, tool.name, text))

    @Slot(float)
    def _set_depth(self, value: float) -> None:
        tool, catalogue = self._tool, self._panel.workspace.catalogue

        def deeper(plan):
            new = advance(plan, tool.name, value - tool.depth_mm)
            require_reach(plan, new, catalogue)
            return new

        if tool is not None:
            self._edit(deeper)

    @Slot()
    def _set_size(self) -> None:
        tool = self._tool
        diameter, length = self.diameter.value(), self.length.value()
        if tool is not None:
            self._edit(lambda plan: set_tool_size(plan, tool.name, diameter_mm=diameter, length_mm=length))
