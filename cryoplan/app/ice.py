"""Ice: the temperatures that are to be drawn now and what they are - the answer, a preview, or out of date.

Every view takes them from here, so that none can show the ice of another plan as current.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_clock
from cryoplan.core.volume import Volume
from cryoplan.simulation.moments import field_at, moment_at
from cryoplan.simulation.result import ThermalResult

if TYPE_CHECKING:
    from cryoplan.scene.meshes import MeshArrays

PREVIEW_MOMENT = "end of 1st freeze"


class Standing(StrEnum):
    """What drawn temperatures are."""

    CURRENT = "current"
    PREVIEW = "preview"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ice:
    """Temperatures to be drawn.

    Attributes
    ----------
    field_degc : Volume
    standing : Standing
    moment : str
        Which temperatures: ``lowest so far``, ``at 10:00``, ``end of 1st freeze``.
    surfaces : tuple of (threshold degC, MeshArrays)
        Isotherms that are there already; empty where they have to be made.
    """

    field_degc: Volume
    standing: Standing
    moment: str
    surfaces: tuple[tuple[float, MeshArrays], ...] = ()

    def is_drawn_like(self, other: Ice | None) -> bool:
        """Tell whether both make the same picture but for their words."""
        return other is not None and self.field_degc is other.field_degc and self.standing is other.standing


_last: tuple[ReferenceType[Volume], ReferenceType[Volume], float, ReferenceType[Volume]] | None = None


def _moving(result: ThermalResult, time_s: float) -> Volume:
    """Return the field of a moment in motion; one and the same for all views that ask for it."""
    global _last
    moment = moment_at(result.frames, time_s)
    before, after = moment.before.temperature_degc, moment.after.temperature_degc
    if _last is not None and _last[0]() is before and _last[1]() is after and _last[2] == moment.share:
        known = _last[3]()
        if known is not None:
            return known
    field = field_at(result, time_s)
    _last = (ref(before), ref(after), moment.share, ref(field))
    return field


def ice_of(workspace: Workspace, view: ViewState) -> Ice | None:
    """Return what is to be drawn, None when there is nothing.

    The answer to the plan on screen if there is one; else the preview that follows it; else the last answer,
    as out of date.
    """
    result, preview = workspace.result, workspace.live.shown
    if preview is not None and not workspace.is_current:
        return Ice(
            field_degc=preview.field_degc,
            standing=Standing.PREVIEW,
            moment=PREVIEW_MOMENT,
            surfaces=preview.surfaces,
        )
    if result is None:
        return None
    standing = Standing.CURRENT if workspace.is_current else Standing.STALE
    if view.display is Display.NOW and result.frames:
        if view.playing:
            return Ice(
                field_degc=_moving(result, view.time_s),
                standing=standing,
                moment=f"at {show_clock(view.time_s)}, in motion",
            )
        # What stands still is a field that the solver kept, never one between two.
        frame = result.frame_near(view.time_s)
        return Ice(
            field_degc=frame.temperature_degc, standing=standing, moment=f"at {show_clock(frame.time_s)}"
        )
    return Ice(field_degc=result.minimum_degc, standing=standing, moment="lowest so far")
