"""Catalogue form: one probe of the user's own, every number with range, source and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cryoplan.core.errors import StoreError
from cryoplan.core.sourced import HOW, Sourced
from cryoplan.gui.parts import Text, indicator_style
from cryoplan.gui.words import say
from cryoplan.plan.catalogue import LONGEST_TEXT, OPTIONAL, faults, is_model_id, model_of, number_rules
from cryoplan.plan.probe import ProbeModel
from cryoplan.workflow.probe_table import LABELS, shown_unit

TEXT_LABELS = {
    "name": "Name",
    "vendor": "Vendor",
    "gauge": "Gauge",
    "coolant": "Coolant",
    "note": "Note",
    "calibration": "Calibration",
}


@dataclass(slots=True, kw_only=True)
class NumberRow:
    """The fields of one number; `fault` is the line below them."""

    unit: str
    has: QCheckBox | None
    value: QLineEdit
    low: QLineEdit
    high: QLineEdit
    how: QComboBox
    source: QLineEdit
    fault: Text

    @property
    def is_there(self) -> bool:
        """True unless it is a number that need not be there and was left out."""
        return self.has is None or self.has.isChecked()

    def table(self) -> dict[str, object]:
        """Return the entry as it would stand in a file; what is no number stays a text and is refused."""
        ends = {"low": self.low, "high": self.high}
        return {
            "value": as_number(self.value.text()),
            **{key: as_number(box.text()) for key, box in ends.items() if box.text().strip()},
            "unit": self.unit,
            "how": self.how.currentData(),
            "source": self.source.text(),
        }

    def enable(self) -> None:
        """Let the fields be written in only while the number is there."""
        for field in (self.value, self.low, self.high, self.how, self.source):
            field.setEnabled(self.is_there)


class ProbeForm(QDialog):
    """A form on one model; `model` is what was entered once it is accepted.

    Parameters
    ----------
    start : ProbeModel
        What the fields show at first.
    taken : frozenset of str
        Ids that a new model cannot have.
    is_new : bool
        False to change a model of the user, whose id stays.
    """

    def __init__(
        self, start: ProbeModel, taken: frozenset[str], *, is_new: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("New probe" if is_new else f"Edit {start.name}"))
        self.resize(980, 620)
        self._kind, self._taken, self._is_new = start.kind, taken, is_new
        self.model: ProbeModel | None = None
        self.id = QLineEdit(start.id)
        self.id.setAccessibleName(say("Id, the name of the probe's file"))
        self.id.setReadOnly(not is_new)
        self.id_fault = Text("", "fail", wrap=True, scale=0.93)
        self.texts: dict[str, QLineEdit] = {}
        self.text_faults: dict[str, Text] = {}
        self.numbers: dict[str, NumberRow] = {}
        self.summary = Text("", "fail", wrap=True)
        content = QWidget()
        content.setStyleSheet(indicator_style())
        column = QVBoxLayout(content)
        column.addLayout(self._text_fields(start))
        column.addLayout(self._number_fields(start))
        column.addStretch(1)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setWidget(content)
        buttons = QDialogButtonBox()
        self.save = buttons.addButton(say("&Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(
            Text(
                "Every number needs its source: the label, a paper, a measurement of yours. "
                "What is recalled or assumed is shown as a guess wherever it is used.",
                "muted",
                wrap=True,
            )
        )
        whole.addWidget(self.scroll, 1)
        whole.addWidget(self.summary)
        whole.addWidget(buttons)
        self._show_faults()

    def _text_fields(self, start: ProbeModel) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(3)
        grid.addWidget(Text("Id", "muted"), 0, 0)
        grid.addWidget(self.id, 0, 1)
        grid.addWidget(self.id_fault, 1, 1)
        self.id.textEdited.connect(self._show_faults)
        for row, (key, label) in enumerate(TEXT_LABELS.items(), start=1):
            field = QLineEdit(getattr(start, key))
            field.setAccessibleName(say(label))
            field.setMaxLength(LONGEST_TEXT)
            field.setCursorPosition(0)
            field.textEdited.connect(self._show_faults)
            fault = Text("", "fail", wrap=True, scale=0.93)
            grid.addWidget(Text(label, "muted"), 2 * row, 0)
            grid.addWidget(field, 2 * row, 1)
            grid.addWidget(fault, 2 * row + 1, 1)
            self.texts[key], self.text_faults[key] = field, fault
        grid.setColumnStretch(1, 1)
        return grid

    def _number_fields(self, start: ProbeModel) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        for column, head in enumerate(("Number", "Value", "Low", "High", "Unit", "How", "Source")):
            grid.addWidget(Text(head, "muted", scale=0.93), 0, column)
        for row, (key, (unit, lowest, highest)) in enumerate(number_rules(self._kind).items(), start=1):
            found = self._row(key, getattr(start, key), unit, lowest, highest)
            label = LABELS[key]
            head: QWidget = found.has if found.has is not None else Text(label)
            fields = (head, found.value, found.low, found.high, Text(shown_unit(unit), "muted"))
            for column, widget in enumerate((*fields, found.how, found.source)):
                grid.addWidget(widget, 2 * row, column)
            grid.addWidget(found.fault, 2 * row + 1, 1, 1, 6)
            self.numbers[key] = found
        grid.setColumnStretch(6, 1)
        return grid

    def _row(self, key: str, number: Sourced | None, unit: str, lowest: float, highest: float) -> NumberRow:
        label, allowed = LABELS[key], f"{shown(lowest)} to {shown(highest)} {shown_unit(unit)}"
        has = None
        if key in OPTIONAL:
            has = QCheckBox(say(label))
            has.setChecked(number is not None)
            has.setToolTip(say("Leave it off where the probe cannot do that or nothing is known"))
            has.toggled.connect(self._show_faults)
        boxes = []
        for part, value in (
            ("value", number and number.value),
            ("lowest believed", number and number.low),
            ("highest believed", number and number.high),
        ):
            box = QLineEdit("" if value is None else shown(value))
            box.setAccessibleName(say(f"{label}, {part}, {allowed}"))
            box.setToolTip(say(f"{label}, {part}: {allowed}" + ("" if part == "value" else "; may be empty")))
            box.setAlignment(Qt.AlignmentFlag.AlignRight)
            box.setFixedWidth(74)
            box.textEdited.connect(self._show_faults)
            boxes.append(box)
        how = QComboBox()
        for word in HOW:
            how.addItem(say(word), word)
        how.setAccessibleName(say(f"{label}, how it is known"))
        how.setToolTip(say("recalled and assumed are shown as a guess"))
        how.setCurrentIndex(how.findData(number.how if number is not None else "assumed"))
        how.activated.connect(self._show_faults)
        source = QLineEdit(number.source if number is not None else "")
        source.setAccessibleName(say(f"{label}, source"))
        source.setPlaceholderText(say("Where the number is from"))
        source.setMaxLength(LONGEST_TEXT)
        source.setCursorPosition(0)
        source.setToolTip(source.text())
        source.textEdited.connect(self._show_faults)
        return NumberRow(
            unit=unit, has=has, value=boxes[0], low=boxes[1], high=boxes[2], how=how, source=source,
            fault=Text("", "fail", wrap=True, scale=0.93),
        )  # fmt: skip

    # What was entered -------------------------------------------------------------------------------

    def table(self) -> dict[str, object]:
        """Return what was entered as it would stand in a file."""
        return {
            "schema": 1,
            "kind": self._kind,
            **{key: field.text() for key, field in self.texts.items()},
            **{key: row.table() for key, row in self.numbers.items() if row.is_there},
        }

    @property
    def _path(self) -> Path:
        return Path(f"{self.id.text() or 'probe'}.toml")

    def found_faults(self) -> dict[str, str]:
        """Return what is wrong, by field; the first fault of each."""
        wrong: dict[str, str] = {}
        name = self.id.text()
        if not is_model_id(name):
            wrong["id"] = "Use small letters, digits, dots and hyphens, beginning with a letter or digit."
        elif self._is_new and name in self._taken:
            wrong["id"] = f"There is a probe {name} already. Choose another id."
        for error in faults(self.table(), self._path):
            key = error.place.rpartition(": ")[2].partition(".")[0]
            text = str(error).removeprefix(f"{self._path.name}: ")
            row = self.numbers.get(key)
            if row is not None and not row.source.text().strip():
                text = "Say where the number is from."
            wrong.setdefault(key, text.replace(key, {**LABELS, **TEXT_LABELS}.get(key, key), 1))
        return wrong

    @Slot()
    def _show_faults(self) -> None:
        wrong = self.found_faults()
        self._say(self.id_fault, wrong.pop("id", ""))
        for key, fault in self.text_faults.items():
            self._say(fault, wrong.pop(key, ""))
        for key, row in self.numbers.items():
            row.enable()
            self._say(row.fault, wrong.pop(key, ""))
        self._say(self.summary, " ".join(wrong.values()))

    @staticmethod
    def _say(line: Text, text: str) -> None:
        line.say(text)
        line.setVisible(bool(text))

    @Slot()
    def _accept(self) -> None:
        wrong = self.found_faults()
        if wrong:
            self._go_to(next(iter(wrong)))
            return
        try:
            self.model = model_of(self.table(), self._path)
        except StoreError as error:  # the reader has the last word
            self._say(self.summary, str(error))
            return
        self.accept()

    def _go_to(self, key: str) -> None:
        """Put the keyboard where something is wrong."""
        row = self.numbers.get(key)
        field = row.value if row is not None else self.texts.get(key, self.id)
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        field.selectAll()
        self.scroll.ensureWidgetVisible(field)


def as_number(text: str) -> float | str:
    """Return a typed number, with a comma or a true minus sign too; what is none as it is."""
    try:
        return float(text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return text


def shown(value: float) -> str:
    """Return a number so that the same is read again."""
    return f"{value:.12g}".replace("-", "\N{MINUS SIGN}")
