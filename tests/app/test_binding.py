"""The Qt binding in use is one that a long session survives."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class _Sender(QObject):
    changed = Signal()


def test_emitting_a_signal_keeps_the_references_of_true():
    # PySide6 6.12.0 on Python 3.11 loses one at each emit; at zero the interpreter aborts.
    sender = _Sender()
    before = sys.getrefcount(True)
    for _ in range(200):
        sender.changed.emit()
    assert sys.getrefcount(True) >= before - 20
