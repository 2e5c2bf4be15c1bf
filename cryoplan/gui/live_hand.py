"""Live hand: what the window tells the live ice: its switches, which are kept, and the mouse button."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication

from cryoplan.app.live_ice import LiveIce
from cryoplan.app.settings import Settings
from cryoplan.gui.steady_hand import SteadyHand

PART = "live-ice"


@dataclass(frozen=True, slots=True)
class Switches:
    """What the user chose.

    Attributes
    ----------
    follows : bool
        A preview follows every change of the plan.
    solves : bool
        The plan is solved by itself once the hand rests.
    """

    follows: bool = True
    solves: bool = True


def mouse_is_held() -> bool:
    """Tell whether a button of the mouse is down: then a probe may be in hand."""
    return QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton


class LiveHand(QObject):
    """Switches the live ice on as the user has it, and keeps what is chosen."""

    def __init__(
        self, live: LiveIce, settings: Settings | None = None, steady: SteadyHand | None = None
    ) -> None:
        super().__init__(live)
        self._live, self._settings, self._steady = live, settings or Settings(), steady
        live.is_held = mouse_is_held
        switches = self._settings.read(PART, Switches)
        live.follows, live.solves = switches.follows, switches.solves
        live.changed.connect(self._steady_now)
        live.switched.connect(self._keep)

    @Slot()
    def _keep(self) -> None:
        now = replace(Switches(), follows=self._live.follows, solves=self._live.solves)
        self._settings.write(PART, now)

    @Slot()
    def _steady_now(self) -> None:
        # The same long searches of Python that would hold up a brush would hold up a probe.
        if self._steady is not None and self._live.shown is not None:
            self._live.changed.disconnect(self._steady_now)
            self._steady.begin()
