"""Scene: the 3D view of case, plan and ice on any pyvista plotter, off-screen or in the window.

Nothing here renders: the caller does when it has told everything, so that ten changes cost one picture. All
calls belong on the thread that owns the plotter. Depth peeling stays off; instead translucent surfaces
are stacked from inside to outside: ice from cold to warm, organs from small to large, bone, skin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.core.volume import Volume
from cryoplan.margins.classes import MarginClasses
from cryoplan.margins.surface import Surface
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.tool import Tool
from cryoplan.scene import camera, props
from cryoplan.scene.aids import Aids
from cryoplan.scene.meshes import (
    LARGE_ML,
    CaseMeshes,
    MeshArrays,
    StructureMesh,
    build_case_meshes,
    of_surface,
)
from cryoplan.scene.needles import NeedleProps
from cryoplan.scene.overlays import SHOWN_DEGC, Shell, margin_colours, shells
from cryoplan.scene.probes import ProbeProps
from cryoplan.scene.style import Palette, Theme, rgb, theme
from cryoplan.scene.touch import Touch
from cryoplan.simulation.result import ThermalResult

OUT_OF_DATE = "OUT OF DATE"
PREVIEW = "PREVIEW"
THERMOCOUPLE_MM = 1.5
SKIN_MARK_MM = 3.0
ROOM_MM = 25.0
"""Room kept around target, probes and ice when the camera is set."""

OTHER_TUMOUR = 0.25
"""Opacity of the other tumours while the target is coloured."""

NEAR_ROOM = 1.35
"""So many times its radius is seen of the tumour from near."""


class Layer(StrEnum):
    """What can be shown or hidden as a whole; the value is the word in the window."""

    TUMOUR = "tumour"
    STRUCTURES = "structures"
    SKIN = "skin"
    BONE = "bone"
    PROBES = "probes"
    GRIPS = "grips"
    ICE_0 = "ice 0 °C"
    ICE_20 = "ice −20 °C"
    ICE_30 = "ice −30 °C"
    ICE_40 = "ice −40 °C"
    ICE_OTHER = "ice, other"


_ICE = {0.0: Layer.ICE_0, -20.0: Layer.ICE_20, -30.0: Layer.ICE_30, -40.0: Layer.ICE_40}

_ICE_LAYERS = (*_ICE.values(), Layer.ICE_OTHER)

# Drawing order of translucent things; within a step, the order they came in.
_ORDER = {
    Layer.PROBES: 0,
    Layer.GRIPS: 0,
    Layer.TUMOUR: 1,
    Layer.ICE_40: 2,
    Layer.ICE_30: 2,
    Layer.ICE_20: 2,
    Layer.ICE_0: 2,
    Layer.ICE_OTHER: 2,
    Layer.STRUCTURES: 3,
    Layer.BONE: 4,
    Layer.SKIN: 5,
}

_FAINT = (Role.LUNG, Role.DIAPHRAGM, Role.PLEURA)
"""Drawn like skin, as are all organs above `LARGE_ML`: the things that matter lie in or behind them."""


class AnyPlotter(Protocol):
    """What a pyvista plotter must have: its renderer. `pyvista.Plotter` and `QtInteractor` both do."""

    @property
    def renderer(self) -> Any:
        """The one renderer."""


class _Drawn:
    """One actor in the scene."""

    __slots__ = ("actor", "layer", "name", "size")

    def __init__(self, actor: Any, layer: Layer, name: str, size: float) -> None:
        self.actor, self.layer, self.name, self.size = actor, layer, name, size


class Scene(Touch):
    """The 3D view.

    Parameters
    ----------
    plotter : pyvista plotter
        Where to draw; owned, rendered and closed by the caller.
    palette : Palette or None
        Look of the background; the dark one when None.
    """

    def __init__(self, plotter: AnyPlotter, *, palette: Palette | None = None) -> None:
        super().__init__(plotter.renderer)
        self._theme: Theme = theme()
        self._drawn: list[_Drawn] = []
        self._hidden_layers: set[Layer] = set()
        self._hidden_structures: set[str] = set()
        self._shows_colours = False
        self.aids = Aids(self._renderer, self._theme)
        self._banner = self._make_banner()
        self._renderer.AddViewProp(self._banner)
        self._renderer.GetActiveCamera().SetViewAngle(camera.VIEW_ANGLE_DEG)
        self.set_palette(palette or self._theme.dark)

    # -- what is shown ------------------------------------------------------------------------------------

    def set_palette(self, palette: Palette) -> None:
        """Change the look of the background."""
        self._renderer.SetGradientBackground(True)
        self._renderer.SetBackground(*rgb(palette.canvas_3d_bottom))
        self._renderer.SetBackground2(*rgb(palette.canvas_3d_top))

    def show_case(self, case: Case | None) -> None:
        """Show another case, or none. The meshes are made here; `show_meshes` takes ready ones."""
        self.show_meshes(build_case_meshes(case) if case is not None else None)

    def show_meshes(self, meshes: CaseMeshes | None) -> None:
        """Show a case by its meshes (`build_case_meshes`), or none."""
        for layer in (Layer.TUMOUR, Layer.STRUCTURES, Layer.SKIN, Layer.BONE):
            self._remove(layer)
        self._meshes = meshes
        self._shows_colours = False
        if meshes is not None:
            for structure in meshes.structures:
                self._add_structure(structure)
            for layer, found in ((Layer.SKIN, meshes.skin), (Layer.BONE, meshes.bone)):
                if found is not None and not found.is_empty:
                    colour, opacity = self._theme.surface(Role.SKIN if layer is Layer.SKIN else Role.BONE)
                    self._add(props.mesh_actor(found, colour, opacity), layer)
        self._restack()

    def show_plan(
        self, plan: Plan | None, catalogue: Mapping[str, ProbeModel], selected: str | None = None
    ) -> None:
        """Show the probes and tools of a plan, one of them selected: that one has grips."""
        self._remove(Layer.PROBES)
        self._remove(Layer.GRIPS)
        self._probes = {}
        self._selected = selected
        for probe in plan.probes if plan is not None else ():
            assert plan is not None
            made = ProbeProps(self._theme.probes, plan.colour_number(probe))
            made.place(probe, catalogue[probe.model], selected=probe.name == selected)
            self._add_shaft(probe.name, made)
        for tool in plan.tools if plan is not None else ():
            needle = NeedleProps(self._theme)
            needle.place(tool, selected=tool.name == selected)
            self._add_shaft(tool.name, needle)
        for thermocouple in plan.thermocouples if plan is not None else ():
            ball = props.ball_actor(self._theme.marks.thermocouple)
            props.lay_ball(ball, thermocouple.position_mm, THERMOCOUPLE_MM)
            self._add(ball, Layer.PROBES)
        for mark in plan.marks if plan is not None else ():
            ball = props.ball_actor(self._theme.marks.letters)
            props.lay_ball(ball, mark.position_mm, SKIN_MARK_MM)
            self._add(ball, Layer.PROBES)
        self._restack()

    def update_probe(self, probe: Probe, model: ProbeModel) -> None:
        """Move a probe that is already shown; only matrices change, so it may run on every mouse move.

        Raises
        ------
        KeyError
            If the probe is not shown.
        """
        made = self._probes[probe.name]
        assert isinstance(made, ProbeProps)
        made.place(probe, model, selected=probe.name == self._selected)
        self._apply_visibility()

    def update_tool(self, tool: Tool) -> None:
        """Move a tool that is already shown, as `update_probe` does.

        Raises
        ------
        KeyError
            If the tool is not shown.
        """
        made = self._probes[tool.name]
        assert isinstance(made, NeedleProps)
        made.place(tool, selected=tool.name == self._selected)
        self._apply_visibility()

    def show_result(
        self, result: ThermalResult | None, *, stale: bool = False, time_s: float | None = None
    ) -> None:
        """Show the ice of a result: the lowest temperatures, or the frame nearest to a protocol time."""
        if result is None:
            self.show_field(None)
        elif time_s is None:
            self.show_field(result.minimum_degc, stale=stale)
        else:
            self.show_field(result.frame_near(time_s).temperature_degc, stale=stale)

    def show_field(
        self,
        field_degc: Volume | None,
        *,
        stale: bool = False,
        thresholds_degc: tuple[float, ...] = SHOWN_DEGC,
    ) -> None:
        """Show the ice of a temperature field (lowest so far, or at one time), or none.

        A stale one is greyed and says so across the view.
        """
        found: tuple[Shell, ...] = ()
        if field_degc is not None:
            found = shells(field_degc, self._theme, thresholds_degc=thresholds_degc, stale=stale)
        self._show_shells(found, OUT_OF_DATE if field_degc is not None and stale else "")

    @property
    def banner(self) -> str:
        """What is said across the view, empty when nothing is."""
        return str(self._banner.GetInput()) if self._banner.GetVisibility() else ""

    def show_preview(self, surfaces: Iterable[tuple[float, MeshArrays]]) -> None:
        """Show the isotherms of a preview, whose surfaces are there already; it says so across the view."""
        found = tuple(
            Shell(threshold_degc=t, mesh=mesh, colour=colour, opacity=opacity)
            for t, mesh in sorted(surfaces, key=lambda pair: pair[0])
            if not mesh.is_empty
            for colour, opacity in (self._theme.shell(t, preview=True),)
        )
        self._show_shells(found, PREVIEW)

    def _show_shells(self, found: Iterable[Shell], banner: str) -> None:
        for layer in _ICE_LAYERS:
            self._remove(layer)
        self._banner.SetInput(banner)
        self._banner.SetVisibility(bool(banner))
        for shell in found:
            actor = props.mesh_actor(shell.mesh, shell.colour, shell.opacity)
            # Ice is seen by its rim; a matt surface would look like an organ.
            actor.GetProperty().SetSpecular(0.5)
            actor.GetProperty().SetSpecularPower(40.0)
            layer = _ICE.get(shell.threshold_degc, Layer.ICE_OTHER)
            self._add(actor, layer, size=shell.threshold_degc)
        self._restack()

    def show_margin(
        self,
        surface: Surface | None,
        signed_mm: npt.NDArray[np.floating] | None,
        *,
        classes: MarginClasses | None = None,
        left_out: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Colour the target by the margin ``(n,)`` at each point of its measured surface; None ends it.

        Points that are left out ``(n,)`` are grey. Tumour and probes are then seen through everything that is
        in front of them: a colour under others would be another one than in its legend.
        """
        self._remove(Layer.TUMOUR)
        self._shows_colours = False
        for structure in self._meshes.structures if self._meshes is not None else ():
            if structure.role is not Role.TUMOUR:
                continue
            is_target = self._meshes is not None and structure.name == self._meshes.target_name
            if is_target and signed_mm is not None and surface is not None:
                colours = margin_colours(signed_mm, self._theme.margin, classes or MarginClasses(), left_out)
                actor = props.mesh_actor(of_surface(surface), "#ffffff", 1.0, point_colours=colours)
                props.flatten(actor)
                self._add(actor, Layer.TUMOUR, name=structure.name)
                self._shows_colours = True
            else:
                self._add_structure(structure)
        self._restack()

    @property
    def shows_colours(self) -> bool:
        """True while the target has the colours of its margin."""
        return self._shows_colours

    def set_visible(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer."""
        (self._hidden_layers.discard if visible else self._hidden_layers.add)(layer)
        self._shows_probes, self._shows_grips = (self.is_visible(x) for x in (Layer.PROBES, Layer.GRIPS))
        self._apply_visibility()

    def is_visible(self, layer: Layer) -> bool:
        """Tell whether a layer is switched on."""
        return layer not in self._hidden_layers

    def set_structure_visible(self, name: str, visible: bool) -> None:
        """Show or hide one structure by its name."""
        (self._hidden_structures.discard if visible else self._hidden_structures.add)(name)
        self._apply_visibility()

    def bounds_mm(self, layer: Layer) -> tuple[Point, Point] | None:
        """Return lower and upper corner of all that is drawn in a layer, None when nothing is."""
        boxes = [d.actor.GetBounds() for d in self._drawn if d.layer is layer and d.actor.GetBounds()]
        if not boxes:
            return None
        values = np.asarray(boxes)
        return as_point(values[:, 0::2].min(axis=0)), as_point(values[:, 1::2].max(axis=0))

    # -- camera -------------------------------------------------------------------------------

    def look(self, preset: camera.Preset, *, probe: str | None = None) -> None:
        """Set the camera; the target (or the middle of the probes, or of the scan) is in the centre.

        Raises
        ------
        ValueError
            If the probe's view is asked for and that probe is not shown.
        """
        made = self._probes.get(probe or "")
        held = made.probe if isinstance(made, ProbeProps) else None
        focus, radius = self._interest()
        if preset == camera.Preset.TUMOUR:  # a combo box of Qt gives back its word
            focus, radius = self._near() or (focus, radius)
        plan = [m.probe for m in self._probes.values() if isinstance(m, ProbeProps) and m.probe is not None]
        self._take(camera.view(preset, focus, radius, probe=held, probes=plan))

    def look_at_place(self, point_mm: Point) -> None:
        """See the target from near, from the side of a point of its surface; nothing without a target."""
        near = self._near()
        if near is not None and not np.allclose(near[0], point_mm):
            self._take(camera.facing(point_mm, *near))

    def _take(self, seen: camera.View) -> None:
        eye = self._renderer.GetActiveCamera()
        eye.SetViewAngle(camera.VIEW_ANGLE_DEG)
        eye.SetFocalPoint(*seen.focus_mm)
        eye.SetPosition(*seen.eye_mm)
        eye.SetViewUp(*seen.up)
        # pyvista would set a camera of its own at the first picture.
        eye.is_set = True
        self._renderer.ResetCameraClippingRange()

    def _near(self) -> tuple[FloatArray, float] | None:
        """Return middle and radius of what is seen from near, None without a target."""
        target = self._meshes.target if self._meshes is not None else None
        if target is None or target.is_empty:
            return None
        middle = np.asarray(target.centroid_mm(), float)
        return middle, NEAR_ROOM * float(np.linalg.norm(target.points_mm - middle, axis=1).max())

    # -- inside -------------------------------------------------------------------------------------------

    def _interest(self) -> tuple[FloatArray, float]:
        boxes = [self.bounds_mm(layer) for layer in (Layer.ICE_0, Layer.PROBES)]
        focus = None
        target = self._meshes.target if self._meshes is not None else None
        if target is not None and not target.is_empty:
            focus = target.centroid_mm()
            boxes.append((as_point(target.points_mm.min(axis=0)), as_point(target.points_mm.max(axis=0))))
        known = [box for box in boxes if box is not None]
        if not known:
            if self._meshes is None:
                return np.zeros(3), 150.0
            lower, upper = (np.asarray(corner) for corner in self._meshes.bounds_mm)
            return (lower + upper) / 2.0, float(np.linalg.norm(upper - lower)) / 2.0
        lower = np.min([box[0] for box in known], axis=0)
        upper = np.max([box[1] for box in known], axis=0)
        if focus is None:
            focus = (lower + upper) / 2.0
        reach = np.maximum(np.abs(upper - focus), np.abs(lower - focus))
        return focus, float(np.linalg.norm(reach)) * 0.75 + ROOM_MM

    def _add_shaft(self, name: str, made: ProbeProps | NeedleProps) -> None:
        self._probes[name] = made
        balls = made.grip_actors()
        for actor in made.actors():
            self._add(actor, Layer.GRIPS if actor in balls else Layer.PROBES, name=name)

    def _add_structure(self, structure: StructureMesh) -> None:
        if structure.mesh.is_empty:
            return
        colour, opacity = self._theme.surface(structure.role)
        large = structure.role not in (Role.TUMOUR, Role.VESSEL, Role.BONE) and structure.volume_ml > LARGE_ML
        if large or structure.role in _FAINT:
            opacity = self._theme.surfaces["skin"]
        layer = Layer.TUMOUR if structure.role is Role.TUMOUR else Layer.STRUCTURES
        actor = props.mesh_actor(structure.mesh, colour, opacity)
        self._add(actor, layer, name=structure.name, size=structure.volume_ml)

    def _add(self, actor: Any, layer: Layer, *, name: str = "", size: float = 0.0) -> None:
        self._drawn.append(_Drawn(actor, layer, name, size))

    def _remove(self, layer: Layer) -> None:
        for drawn in self._drawn:
            if drawn.layer is layer:
                self._renderer.RemoveViewProp(drawn.actor)
        self._drawn = [d for d in self._drawn if d.layer is not layer]

    def _restack(self) -> None:
        """Bring all actors into drawing order; VTK draws translucent ones in the order they came."""
        self._drawn.sort(key=lambda d: (_ORDER[d.layer], d.size))
        for drawn in self._drawn:
            self._renderer.RemoveViewProp(drawn.actor)
        for drawn in self._drawn:
            self._renderer.AddViewProp(drawn.actor)
        self._apply_visibility()
        self._renderer.ResetCameraClippingRange()

    def _apply_visibility(self) -> None:
        for drawn in self._drawn:
            shown = drawn.layer not in self._hidden_layers
            if drawn.layer in (Layer.STRUCTURES, Layer.TUMOUR):
                shown = shown and drawn.name not in self._hidden_structures
            if drawn.layer is Layer.GRIPS:
                probe = self._probes[drawn.name].probe
                held = probe is not None and not probe.locked and drawn.name == self._selected
                shown = shown and held and Layer.PROBES not in self._hidden_layers
            drawn.actor.SetVisibility(shown)
            target = self._meshes.target_name if self._meshes is not None else ""
            if drawn.layer is Layer.PROBES or (drawn.layer is Layer.TUMOUR and drawn.name == target):
                props.bring_forward(drawn.actor, forward=self._shows_colours)
            elif drawn.layer is Layer.TUMOUR:
                # Another tumour has no margin: its own colour must not be taken for one.
                drawn.actor.GetProperty().SetOpacity(OTHER_TUMOUR if self._shows_colours else 1.0)

    def _make_banner(self) -> Any:
        from vtkmodules.vtkRenderingCore import vtkTextActor

        banner = vtkTextActor()
        banner.SetInput(OUT_OF_DATE)
        banner.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        banner.SetPosition(0.5, 0.97)
        style = banner.GetTextProperty()
        style.SetFontFamilyToArial()
        style.BoldOn()
        style.SetFontSize(20)
        style.SetColor(*rgb(self._theme.marks.text))
        style.SetJustificationToCentered()
        # Hung from its upper edge, or a low view would cut it.
        style.SetVerticalJustificationToTop()
        style.ShadowOn()
        banner.SetVisibility(False)
        return banner
