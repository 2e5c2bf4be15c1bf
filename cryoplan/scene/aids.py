"""Aids in 3D: the line of a probe that is being placed, ghosts of proposed probes, the place at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cryoplan.core.geometry import Point
from cryoplan.plan.shaft import Shaft
from cryoplan.scene import props
from cryoplan.scene.style import Theme

RUBBER_MM = 0.8
BALL_MM = 2.2
PLACE_MM = 1.0
GHOST_MM = 1.0
GHOST_OPACITY = 0.45


class Aids:
    """What is drawn beside the plan and belongs to no layer; matrices move it.

    Parameters
    ----------
    renderer : vtkRenderer
        Where to draw; owned by the scene.
    """

    def __init__(self, renderer: Any, look: Theme) -> None:
        self._renderer = renderer
        style = look.probes
        self._line = props.tube_actor(style.selected, glow=0.5)
        self._tip = props.ball_actor(style.grip_tip)
        self._text = props.text_actor(style.selected, size_px=18)
        self._ghost_colour = style.selected
        self._ghosts: list[Any] = []
        self._place = props.ball_actor(look.marks.crosshair, glow=0.8)
        for actor in (self._line, self._tip, self._place):
            props.bring_to_front(actor)
        for actor in (self._line, self._tip, self._text, self._place):
            actor.SetVisibility(False)
            renderer.AddViewProp(actor)

    def show_rubber(self, tip_mm: Point | None, end_mm: Point | None, label: str = "") -> None:
        """Draw the line from the chosen tip to where the entry would be; None ends it."""
        self._tip.SetVisibility(tip_mm is not None)
        with_line = tip_mm is not None and end_mm is not None and tip_mm != end_mm
        self._line.SetVisibility(with_line)
        self._text.SetVisibility(with_line and bool(label))
        if tip_mm is not None:
            props.lay_ball(self._tip, tip_mm, BALL_MM)
        if with_line and tip_mm is not None and end_mm is not None:
            props.lay_tube(self._line, tip_mm, end_mm, RUBBER_MM)
            out = np.subtract(end_mm, tip_mm)
            x, y, z = np.asarray(end_mm) + 10.0 * out / np.linalg.norm(out)
            self._text.SetPosition(float(x), float(y), float(z))
            self._text.SetInput(label)

    def show_place(self, point_mm: Point | None) -> None:
        """Mark a place on the tumour's surface, seen through everything; None ends it."""
        self._place.SetVisibility(point_mm is not None)
        if point_mm is not None:
            props.lay_ball(self._place, point_mm, PLACE_MM)

    @property
    def has_place(self) -> bool:
        """True while a place is marked."""
        return bool(self._place.GetVisibility())

    def show_ghosts(self, shafts: Sequence[Shaft]) -> None:
        """Draw where probes would lie; none ends it."""
        for actor in self._ghosts:
            self._renderer.RemoveViewProp(actor)
        self._ghosts = []
        for shaft in shafts:
            actor = props.tube_actor(self._ghost_colour, glow=0.4)
            props.paint(actor, self._ghost_colour, GHOST_OPACITY)
            props.lay_tube(actor, shaft.entry_mm, shaft.tip_mm, GHOST_MM)
            self._ghosts.append(actor)
            self._renderer.AddViewProp(actor)

    @property
    def ghosts(self) -> int:
        """How many ghosts are drawn."""
        return len(self._ghosts)

    @property
    def has_line(self) -> bool:
        """True while a line is drawn from a tip to where its entry would be."""
        return bool(self._line.GetVisibility())
