"""The dialogs that only show: what this program is, and its keys."""

from __future__ import annotations

from cryoplan import RESEARCH_USE, __version__
from cryoplan.gui.dialogs.about import AboutDialog
from cryoplan.gui.dialogs.shortcuts import ShortcutsDialog
from cryoplan.gui.parts import Text


def test_about_says_version_and_research_use(qtbot):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    words = " ".join(t.text() for t in dialog.findChildren(Text))
    assert __version__ in words
    assert RESEARCH_USE in words


def test_the_shortcut_sheet_shows_every_row_it_is_given(qtbot):
    rows = [("P", "place a probe"), ("Ctrl+Z", "undo")]
    dialog = ShortcutsDialog(rows)
    qtbot.addWidget(dialog)
    texts = [t.text() for t in dialog.findChildren(Text)]
    assert texts == ["P", "place a probe", "Ctrl+Z", "undo"]
