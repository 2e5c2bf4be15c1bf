"""Needles in 3D: tools that do not freeze, thin and of one colour, with their name and grips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cryoplan.plan.tool import Tool
from cryoplan.scene import props
from cryoplan.scene.pick import GripKind
from cryoplan.scene.probes import GRIP_MM, OUTSIDE_MM, grips_of
from cryoplan.scene.style import Theme, rgb

THINNEST_MM = 0.5
"""Radius that is drawn at least: a 22-gauge needle to scale could not be seen."""


class NeedleProps:
    """The actors of one tool; `place` moves them without rebuilding any."""

    def __init__(self, look: Theme) -> None:
        style, ink = look.probes, look.marks.thermocouple
        self._style, self._ink = style, ink
        self._shaft = props.tube_actor(ink)
        self._tip = props.cone_actor(ink)
        self._text = props.text_actor(ink)
        self._grips = {
            GripKind.TIP: props.ball_actor(style.grip_tip),
            GripKind.ENTRY: props.ball_actor(style.grip_entry),
            GripKind.WHOLE: props.ball_actor(style.grip_whole),
        }
        for ball in self._grips.values():
            props.bring_to_front(ball)
        self.probe: Tool | None = None

    def actors(self) -> Iterator[Any]:
        """Yield all props, in drawing order."""
        yield from (self._shaft, self._tip, *self._grips.values(), self._text)

    def grip_actors(self) -> tuple[Any, ...]:
        """Return the three balls."""
        return tuple(self._grips.values())

    def place(self, tool: Tool, *, selected: bool) -> None:
        """Put everything where the tool is."""
        self.probe = tool
        radius = max(tool.diameter_mm / 2.0, THINNEST_MM)
        entry, tip = np.asarray(tool.entry_mm), np.asarray(tool.tip_mm)
        sharp = tip - min(4.0, 0.5 * tool.depth_mm) * tool.direction
        outside = entry - OUTSIDE_MM * tool.direction
        props.lay_tube(self._shaft, outside, sharp, radius)
        props.lay_tube(self._tip, sharp, tip, radius)
        for grip in grips_of(tool):
            props.lay_ball(self._grips[grip.kind], grip.position_mm, GRIP_MM)
        x, y, z = outside - 5.0 * tool.direction
        self._text.SetPosition(float(x), float(y), float(z))
        self._text.SetInput(tool.name)
        self._text.GetTextProperty().SetColor(*rgb(self._style.selected if selected else self._ink))
        self._text.GetTextProperty().SetFontSize(20 if selected else 16)
