"""Theme: Fusion with our own palettes and one style sheet, both made from ``resources/theme.toml``."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from cryoplan.core.resources import resource
from cryoplan.gui.appearance import TEXT_PX
from cryoplan.scene.style import Palette, theme

LARGEST_SYSTEM_PX = 20
"""A system with larger text is followed so far; beyond it the panels would hide the views."""


def apply(app: QApplication, *, dark: bool = True, text_percent: int = 100) -> Palette:
    """Give the program its look and return the palette in use.

    Text has the system's size, but not less than `TEXT_PX`, times `text_percent`.

    Qt's own colour scheme setting has no effect on plain X11, so the palette is set by hand.
    """
    palette = theme().dark if dark else theme().light
    app.setStyle("Fusion")
    font = QFont(app.font())
    if "DejaVu Sans" in QFontDatabase.families():
        font.setFamily("DejaVu Sans")  # its digits all have one width, so columns of numbers align
    system_px = min(QFontInfo(app.font()).pixelSize(), LARGEST_SYSTEM_PX)
    font.setPixelSize(round(max(TEXT_PX, system_px) * text_percent / 100.0))
    app.setFont(font)
    app.setPalette(_qt_palette(palette))
    app.setStyleSheet(_style_sheet(palette, font.pixelSize()))
    return palette


def _qt_palette(palette: Palette) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: palette.window,
        QPalette.ColorRole.WindowText: palette.text,
        QPalette.ColorRole.Base: palette.card,
        QPalette.ColorRole.AlternateBase: palette.panel,
        QPalette.ColorRole.Text: palette.text,
        QPalette.ColorRole.Button: palette.button,
        QPalette.ColorRole.ButtonText: palette.button_text,
        QPalette.ColorRole.ToolTipBase: palette.card,
        QPalette.ColorRole.ToolTipText: palette.text,
        QPalette.ColorRole.Highlight: palette.selected,
        QPalette.ColorRole.HighlightedText: palette.text,
        QPalette.ColorRole.PlaceholderText: palette.text_muted,
        QPalette.ColorRole.Link: palette.accent,
        QPalette.ColorRole.Mid: palette.border,
    }
    result = QPalette()
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText
    ):  # fmt: skip
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.text_muted))
    return result


def _style_sheet(palette: Palette, px: int) -> str:
    p = palette
    arrow = resource("icons", f"down-{p.name}.svg").as_posix()
    return f"""
QToolTip {{ color: {p.text}; background: {p.card}; border: 1px solid {p.border}; padding: 4px; }}
QMenuBar, QMenu {{ background: {p.window}; color: {p.text}; }}
QMenuBar::item {{ padding: 3px 8px; }}
QMenu {{ border: 1px solid {p.border}; padding: 4px; }}
QMenu::item {{ padding: 4px 22px 4px 14px; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {p.selected}; }}
QMenu::item:disabled {{ color: {p.text_muted}; }}
QMenu::separator {{ height: 1px; background: {p.border}; margin: 4px 6px; }}
QPushButton, QToolButton, QComboBox {{
    background: {p.button}; color: {p.button_text}; border: 1px solid {p.border};
    border-radius: 4px; padding: 4px 10px; }}
QPushButton:hover, QToolButton:hover, QComboBox:hover {{ border-color: {p.border_selected}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {p.selected}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {p.text_muted}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QAbstractSpinBox:focus, QLineEdit:focus {{
    border: 1px solid {p.accent}; }}
QPushButton[primary="true"] {{
    background: {p.selected}; border-color: {p.border_selected}; font-weight: bold; padding: 7px 10px; }}
QAbstractSpinBox, QLineEdit {{
    background: {p.card}; color: {p.text}; border: 1px solid {p.border}; border-radius: 4px;
    padding: 2px 4px; selection-background-color: {p.selected}; }}
QComboBox:disabled, QAbstractSpinBox:disabled, QLineEdit:disabled {{
    color: {p.text_muted}; background: {p.panel}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url("{arrow}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {p.card}; color: {p.text}; border: 1px solid {p.border}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {p.border}; border-radius: 4px; min-height: 30px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QHeaderView::section {{
    background: {p.panel}; color: {p.text_muted}; border: none; border-bottom: 1px solid {p.border};
    padding: 2px 4px; }}
QTableView {{ gridline-color: {p.border}; background: {p.card}; border: 1px solid {p.border}; }}
#sidePanel, #planCard {{ background: {p.panel}; }}
#topBar, #statusLine {{ background: {p.window}; }}
#rail {{ background: {p.window}; border-right: 1px solid {p.border}; }}
#welcome {{ background: {p.window}; }}
#welcomeTitle {{ font-size: {round(2.3 * px)}px; font-weight: bold; }}
#welcome QPushButton {{ padding: 9px 16px; }}
#caseList {{ background: {p.card}; border: 1px solid {p.border}; border-radius: 5px; }}
#caseList:focus {{ border-color: {p.accent}; }}
#canvasHead {{ background: {p.canvas}; }}
#canvasHead QLabel, #protocolBar QLabel {{ color: {theme().dark.text}; }}
#protocolBar #muted {{ color: {theme().dark.text_muted}; }}
#planMenu {{ padding-right: 20px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QProgressBar {{ background: {p.card}; border: none; border-radius: 3px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 3px; }}
QProgressBar[idle="true"] {{ background: transparent; }}
#viewArea {{ background: {p.canvas}; }}
#railButton {{
    border: none; border-radius: 6px; padding: 6px 2px; background: transparent; color: {p.text_muted};
    font-size: {round(0.85 * px)}px; }}
#railButton:checked {{ background: {p.selected}; color: {p.text}; }}
#railButton:focus {{ border: 1px solid {p.accent}; }}
#muted {{ color: {p.text_muted}; }}
#researchUse {{
    border: 1px solid {p.border_selected}; border-radius: 9px; padding: 2px 9px; font-weight: bold;
    font-size: {round(0.85 * px)}px; }}
#banner {{ background: {p.card}; border: 1px solid {p.fail}; border-radius: 5px; }}
"""
