"""Meaning: the way from a message on the screen to the help on its code; a tooltip, a menu, a dialog."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding
from cryoplan.gui.words import say
from cryoplan.workflow import meaning_of


def has_meaning(code: str) -> bool:
    """Tell whether the help can say more; a damaged help file must not take the message with it."""
    try:
        return meaning_of(code) is not None
    except StoreError:
        return False


def tip_of(finding: Finding) -> str:
    """Return the tooltip of a finding: what its code means, what to do, and how to get to the help."""
    try:
        known = meaning_of(finding.code)
    except StoreError:
        known = None
    if known is None:
        return finding.text
    return f"{known.means}\n{known.remedy}\nRight click: more on {finding.code}"


def offer_meaning(widget: QWidget, code: str, place: QPoint) -> None:
    """Open the menu of a message at a place of the screen."""
    menu = QMenu(widget)
    action = menu.addAction(say("What this message means..."))
    if menu.exec(place) is action:
        open_meaning(widget, code)
    menu.deleteLater()


def open_meaning(widget: QWidget, code: str = "") -> None:
    """Show the help on messages beside the work, at a code if one is given; there is one dialog a window."""
    # Loaded when asked for: nobody waits for it at the start.
    from cryoplan.gui.dialogs.messages import MessagesDialog

    window = widget.window()
    dialog = window.findChild(MessagesDialog) or MessagesDialog(window)
    dialog.ask(code)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
