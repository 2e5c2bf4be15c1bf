"""Fields: number boxes of the panels; a true minus sign, and a signal only for what the user entered."""

from __future__ import annotations

from PySide6.QtCore import QLocale
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox

from cryoplan.gui.words import decimal_sign, say

MINUS = "\N{MINUS SIGN}"


class NumberBox(QDoubleSpinBox):
    """A number with its unit; `valueChanged` comes when the entry is finished, not at every key.

    Parameters
    ----------
    name : str
        What a screen reader says.
    unit : str
        Suffix, with its space.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        *,
        lowest: float,
        highest: float,
        step: float = 1.0,
        digits: int = 1,
    ) -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setKeyboardTracking(False)
        self.setDecimals(digits)
        self.setRange(lowest, highest)
        self.setSingleStep(step)
        self.setSuffix(say(unit))
        self.setAccessibleName(say(name))
        self.setMinimumWidth(56)
        # Arrow keys and wheel step; the tiny buttons would take a third of the room. Qt's own way to hide
        # them, NoButtons, leaves the text one pixel of width when a style sheet is in use.
        self.setStyleSheet("QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0px; }")

    def show_value(self, value: float) -> None:
        """Show a value without telling anybody; what is being typed is left alone."""
        if self.hasFocus() and self.lineEdit().isModified():
            return
        blocked = self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(blocked)

    def force_value(self, value: float) -> None:
        """Show a value in place of a refused entry."""
        blocked = self.blockSignals(True)
        self.setValue(value)
        self.lineEdit().setModified(False)
        self.blockSignals(blocked)

    def textFromValue(self, value: float) -> str:
        """Write the number with a true minus sign, and the decimal sign of the language."""
        text = super().textFromValue(value)
        if float(text) == 0.0:
            text = text.lstrip("-")
        return text.replace("-", MINUS).replace(".", decimal_sign())

    def valueFromText(self, text: str) -> float:
        """Read a number with either minus sign."""
        return super().valueFromText(text.replace(MINUS, "-").replace(",", "."))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept either minus sign, and a comma for the point."""
        state, _, _ = super().validate(text.replace(MINUS, "-").replace(",", "."), position)
        return state, text, position

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn the wheel only in a box that has been chosen; scrolling past must not move a probe."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
