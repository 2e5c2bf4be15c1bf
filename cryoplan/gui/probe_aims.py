"""Probe aims: across the selected probe, along it, and through several probes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.geometry import Point, as_point
from cryoplan.core.units import show_mm
from cryoplan.gui.aim import Aim
from cryoplan.gui.probe_look import STEP_MM, ProbeLook
from cryoplan.plan.path import overshoot_mm
from cryoplan.plan.probe import Probe
from cryoplan.plan.shaft import Shaft
from cryoplan.plan.tool import Tool
from cryoplan.scene.oblique import Facing, ObliquePlane, Plane
from cryoplan.scene.plane import Orientation, letters_of
from cryoplan.scene.probe_planes import BestFit, InLine, best_fit, eye_plane, in_line_plane
from cryoplan.scene.slices import SliceSampler

EYE, FLAT, STEEP = "probe-eye", "in-line-flat", "in-line-steep"

EYE_FIELD_MM = 125.0
"""What the eye shows at first: the ice of a few probes and what is next to it."""

OUTSIDE_MM, BEYOND_MM, BESIDE_MM = 20.0, 30.0, 35.0
"""Room around a shaft that is seen along its length: outside the skin, beyond the tip, to both sides."""

NO_PROBE = "No probe is selected:\nchoose one above, or press N."
NO_PROBES = "No probe yet: press P, click its target,\nthen the skin."


def called(shaft: Shaft) -> str:
    """Return what a probe or tool is called on the screen."""
    return shaft.name if isinstance(shaft, Tool) else f"Probe {shaft.name}"


class ProbeAim(Aim):
    """A plane that follows the selected probe, but stands still while the probe is dragged in it.

    Each kind adds ``_plane_of(probe)``, and ``_key(probe)``: all that this plane depends on.
    """

    def __init__(self, workspace: Workspace, view: ViewState, look: ProbeLook, name: str) -> None:
        super().__init__(workspace, view, name, look)
        self.look = look
        self._held: tuple[ObliquePlane, Point] | None = None
        self._known: tuple[object, ObliquePlane] | None = None
        look.changed.connect(self.changed)

    @property
    def hint(self) -> str:
        """What to do where no probe is selected."""
        return NO_PROBE if self._workspace.plan.probes else NO_PROBES

    def plane(self, sampler: SliceSampler | None = None) -> ObliquePlane | None:
        """Return the plane of the selected probe, None without one."""
        del sampler
        if self._held is not None:
            return self._held[0]
        probe = self.look.probe
        if probe is None:
            return None
        # Asked for many times in one drawing.
        key = self._key(probe)
        if self._known is None or self._known[0] != key:
            self._known = key, self._plane_of(probe)
        return self._known[1]

    @property
    def anchor_mm(self) -> Point | None:
        """The place of the probe that stays in its place on the screen."""
        if self._held is not None:
            return self._held[1]
        probe = self.look.probe
        return None if probe is None else self._anchor_of(probe)

    def _anchor_of(self, probe: Shaft) -> Point:
        return probe.tip_mm

    def hold(self, plane: Plane) -> None:
        """Keep the plane while something is dragged in it."""
        anchor = self.anchor_mm
        if isinstance(plane, ObliquePlane) and anchor is not None:
            self._held = plane, anchor

    def let_go(self) -> None:
        """Follow the probe again."""
        self._held = None
        self.changed.emit()

    def words(self, plane: Plane, sampler: SliceSampler) -> tuple[str, str]:
        """Return how far the plane is from a slice of the patient."""
        del sampler
        return plane.position_text(), plane.position_text()

    @property
    def _facing(self) -> Facing:
        plane = self.plane()
        assert plane is not None
        return plane.facing

    @property
    def right(self) -> npt.NDArray[np.float64]:
        """Patient direction to the right of the screen."""
        return self._facing.right

    @property
    def down(self) -> npt.NDArray[np.float64]:
        """Patient direction down the screen."""
        return self._facing.down


class EyeAim(ProbeAim):
    """Across the shaft, as it is seen from the hub: 12 o'clock, towards the head, is up."""

    has_legend = True  # its middle is what matters: a corner is free

    def __init__(self, workspace: Workspace, view: ViewState, look: ProbeLook) -> None:
        super().__init__(workspace, view, look, EYE)

    @property
    def title(self) -> str:
        """Whose eye it is."""
        probe = self.look.probe
        return "Probe's eye" if probe is None else f"{called(probe)}'s eye"

    @property
    def note(self) -> str:
        """Depth below the skin, way to the tip, and what of the probe is here."""
        probe = self.look.probe
        if probe is None:
            return ""
        behind = self.look.behind_tip_mm
        deep = probe.depth_mm - behind
        skin = f"{show_mm(deep)} from skin" if deep >= 0.0 else f"{show_mm(-deep)} outside the skin"
        if behind < 0.0:
            return f"{skin} · {show_mm(-behind)} beyond the tip"
        return f"{skin} · {show_mm(behind)} to tip"

    def scroll(self, sampler: SliceSampler | None, steps: int) -> None:
        """Go deeper along the shaft, or back."""
        del sampler
        self.look.advance(steps * STEP_MM)

    def field(self, plane: Plane) -> QRectF | None:
        """Return a square around the shaft."""
        anchor = self.anchor_mm
        if anchor is None:
            return None
        u, v = (float(x) for x in plane.mm_to_plane(anchor))
        return QRectF(u - EYE_FIELD_MM / 2.0, v - EYE_FIELD_MM / 2.0, EYE_FIELD_MM, EYE_FIELD_MM)

    def turn_axis(self, right: float, down: float) -> npt.NDArray[np.float64]:
        """Return the axis about which the hub goes the way of the arrow."""
        facing = self._facing
        return np.cross(right * facing.right + down * facing.down, facing.across)

    def _key(self, probe: Shaft) -> object:
        return probe, self.look.behind_tip_mm

    def _plane_of(self, probe: Shaft) -> ObliquePlane:
        return eye_plane(probe, self.look.behind_tip_mm)


class InLineAim(ProbeAim):
    """Along the shaft; the wheel goes to parallel planes beside it."""

    def __init__(self, workspace: Workspace, view: ViewState, look: ProbeLook, which: InLine) -> None:
        super().__init__(workspace, view, look, FLAT if which is InLine.FLAT else STEEP)
        self.which = which
        self._stay: Orientation | None = None
        self._offset_mm = 0.0
        self._probe_name: str | None = None
        self._fit: tuple[object, BestFit] | None = None
        self._past: tuple[Case, Probe, float | None] | None = None
        look.changed.connect(self._look_changed)

    @property
    def title(self) -> str:
        """Whose shaft it holds."""
        fit, probe = self.fit, self.look.probe
        if fit is not None:
            names = [name for name, _ in fit.off_mm]
            return f"Through {', '.join(names)}" if len(names) <= 4 else f"Through {len(names)} probes"
        return "In line" if probe is None else f"{called(probe)} in line"

    @property
    def fit(self) -> BestFit | None:
        """The plane through several probes, None where this view holds one shaft."""
        if self.which is not InLine.FLAT or not self.look.is_through:
            return None
        probes = self.look.through
        if self._fit is None or self._fit[0] != probes:
            stay = None if self._fit is None else self._fit[1].follows
            self._fit = probes, best_fit(probes, self._workspace.catalogue, stay=stay)
        return self._fit[1]

    @property
    def note(self) -> str:
        """How far beside the shaft the wheel has gone; else how far the tip is beyond the tumour."""
        plane = self.plane()
        if not self._offset_mm or plane is None:
            return self._overshoot() if self.which is InLine.FLAT and self.fit is None else ""
        side = letters_of(np.sign(self._offset_mm) * self._forward(plane))[:2]
        what = "plane" if self.fit is not None else "shaft"
        return f"{show_mm(abs(self._offset_mm))} beside the {what}, towards {side}"

    def _overshoot(self) -> str:
        """Return how far the selected tip goes beyond the tumour, empty where its line does not meet it."""
        case, held = self._workspace.case, self.look.probe
        if case is None or not isinstance(held, Probe):
            return ""
        # Asked for at each drawing, and worked out once a move.
        if self._past is None or self._past[0] is not case or self._past[1] != held:
            self._past = case, held, overshoot_mm(case, held)
        mm = self._past[2]
        if mm is None:
            return ""
        return f"tip {show_mm(mm)} past tumour" if mm >= 0.0 else f"tip {show_mm(-mm)} short of its far edge"

    def scroll(self, sampler: SliceSampler | None, steps: int) -> None:
        """Go to a parallel plane, towards the side where the slices of the nearest slice view count up."""
        del sampler
        if self.look.probe is not None:
            self._offset_mm += steps * STEP_MM
            self.changed.emit()

    def recentre(self) -> None:
        """Go back to the shaft."""
        if self._offset_mm:
            self._offset_mm = 0.0
            self.changed.emit()

    def field(self, plane: Plane) -> QRectF | None:
        """Return a box around the whole shaft, or around all shafts of the plane."""
        probes = self.look.through if self.fit is not None else ()
        probe = self.look.probe
        if probe is not None:
            probes = (*probes, probe)
        if not probes:
            return None
        ends = [p.point_behind_tip_mm(far) for p in probes for far in (p.depth_mm + OUTSIDE_MM, -BEYOND_MM)]
        uv = plane.mm_to_plane(np.array(ends))
        (left, top), (right, bottom) = uv.min(axis=0), uv.max(axis=0)
        wide = max(float(right - left), 2.0 * BESIDE_MM)
        high = max(float(bottom - top), 2.0 * BESIDE_MM)
        u, v = float(left + right) / 2.0, float(top + bottom) / 2.0
        return QRectF(u - wide / 2.0, v - high / 2.0, wide, high)

    def _key(self, probe: Shaft) -> object:
        return probe, self._offset_mm, self.look.through if self.fit is not None else ()

    def _plane_of(self, probe: Shaft) -> ObliquePlane:
        fit = self.fit
        if fit is not None:
            plane = fit.plane
        else:
            plane, self._stay = in_line_plane(probe, self.which, stay=self._stay)
        if self._offset_mm:
            plane = plane.shifted(self._offset_mm * float(self._forward(plane) @ plane.facing.across))
        return plane

    def _forward(self, plane: ObliquePlane) -> npt.NDArray[np.float64]:
        """Return the side of a plane on which the slices of the nearest slice view count up."""
        nearest, _ = plane.facing.tilt
        across = plane.facing.across
        return across if across[nearest.axis] >= 0.0 else -across

    def _anchor_of(self, probe: Shaft) -> Point:
        fit = self.fit
        if fit is None:
            return probe.tip_mm
        return as_point(np.mean([p.tip_mm for p in self.look.through], axis=0))

    def _look_changed(self) -> None:
        if self._view.selected_probe != self._probe_name:
            self._probe_name = self._view.selected_probe
            self._offset_mm = 0.0
