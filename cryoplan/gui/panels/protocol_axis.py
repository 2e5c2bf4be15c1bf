"""Protocol axis: the protocol as the x axis of a chart, its phases as grounds, a press as a minute."""

from __future__ import annotations

from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.chart import Axis, Band
from cryoplan.gui.parts import palette
from cryoplan.plan.protocol import PhaseKind


def phase_bands(workspace: Workspace) -> tuple[Band, ...]:
    """Return the phases of the protocol as grounds of a chart, in minutes."""
    colours = palette()
    return tuple(
        Band(
            first=start / 60.0,
            last=end / 60.0,
            colour=colours.freeze if phase.kind is PhaseKind.FREEZE else colours.thaw,
            label=phase.kind.value,
        )
        for start, end, phase in workspace.plan.protocol.spans()
    )


def time_axis(workspace: Workspace, stale: bool) -> Axis:
    """Return the axis of the protocol; of an earlier plan as long as its numbers are."""
    high = None if stale else workspace.plan.protocol.duration_s / 60.0
    return Axis(title="time", unit="min", low=0.0, high=high)


def go_to_minute(workspace: Workspace, view: ViewState, minute: float) -> None:
    """Show the temperatures of the kept field next to a minute of a chart."""
    result = workspace.result
    if result is None or not result.frames:
        return
    view.playing = False
    view.display = Display.NOW
    view.time_s = result.frame_near(60.0 * minute).time_s
