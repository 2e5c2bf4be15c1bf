"""Probes in 3D: shaft to scale, lit active zone, tip beyond it, number at the entry and three grips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cryoplan.core.geometry import as_point
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.shaft import Shaft
from cryoplan.scene import props
from cryoplan.scene.pick import Grip, GripKind
from cryoplan.scene.style import ProbeStyle, rgb

OUTSIDE_MM = 28.0
"""Length of shaft drawn outside the skin, so that the direction can be seen and the number has room."""

GRIP_MM = 2.4


def grips_of(probe: Shaft) -> tuple[Grip, ...]:
    """Return the three grips of a probe or tool: tip, entry and, in the middle of the shaft, the whole."""
    middle = as_point((np.asarray(probe.tip_mm) + np.asarray(probe.entry_mm)) / 2.0)
    return (
        Grip(probe=probe.name, kind=GripKind.TIP, position_mm=probe.tip_mm),
        Grip(probe=probe.name, kind=GripKind.ENTRY, position_mm=probe.entry_mm),
        Grip(probe=probe.name, kind=GripKind.WHOLE, position_mm=middle),
    )


class ProbeProps:
    """The actors of one probe; `place` moves them without rebuilding any."""

    def __init__(self, style: ProbeStyle, index: int) -> None:
        colour = style.colour(index)
        self._style = style
        self._colour = colour
        self._shaft = props.tube_actor(style.shaft_3d)
        self._outside = props.tube_actor(colour)
        self._active = props.tube_actor(style.active_3d, glow=0.55)
        self._tip = props.cone_actor(style.shaft_3d)
        self._text = props.text_actor(colour)
        self._grips = {
            GripKind.TIP: props.ball_actor(style.grip_tip),
            GripKind.ENTRY: props.ball_actor(style.grip_entry),
            GripKind.WHOLE: props.ball_actor(style.grip_whole),
        }
        for ball in self._grips.values():
            props.bring_to_front(ball)
        self.probe: Probe | None = None

    def actors(self) -> Iterator[Any]:
        """Yield all props, in drawing order."""
        yield from (self._shaft, self._outside, self._active, self._tip)
        yield from self._grips.values()
        yield self._text

    def grip_actors(self) -> tuple[Any, ...]:
        """Return the three balls."""
        return tuple(self._grips.values())

    def place(self, probe: Probe, model: ProbeModel, *, selected: bool) -> None:
        """Put everything where the probe is."""
        self.probe = probe
        radius = model.outer_diameter.value / 2.0
        front, back = probe.active_zone_mm(model)
        entry, tip = np.asarray(probe.entry_mm), np.asarray(probe.tip_mm)
        outside = entry - OUTSIDE_MM * probe.direction
        props.lay_tube(self._shaft, entry, front, radius)
        props.lay_tube(self._outside, outside, entry, radius)
        # A little thicker than the shaft: otherwise the lit zone would flicker through it.
        props.lay_tube(self._active, back, front, radius * 1.25)
        sharp = front if model.tip_offset.value > 0.5 else tip - 0.5 * probe.direction
        props.lay_tube(self._tip, sharp, tip, radius)
        for grip in grips_of(probe):
            props.lay_ball(self._grips[grip.kind], grip.position_mm, GRIP_MM)
        x, y, z = outside - 5.0 * probe.direction
        self._text.SetPosition(float(x), float(y), float(z))
        self._text.SetInput(probe.name)
        self._text.GetTextProperty().SetColor(*rgb(self._style.selected if selected else self._colour))
        self._text.GetTextProperty().SetFontSize(24 if selected else 20)
