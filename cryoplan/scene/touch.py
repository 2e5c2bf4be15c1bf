"""Touch: what lies under a place of the 3D view - a grip, a shaft, the target, the skin."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.case.structure import Role
from cryoplan.core.geometry import FloatArray, Point, as_point
from cryoplan.scene import pick, props
from cryoplan.scene.meshes import CaseMeshes, StructureMesh
from cryoplan.scene.needles import NeedleProps
from cryoplan.scene.pick import Grip, Ray
from cryoplan.scene.probes import GRIP_MM, ProbeProps, grips_of

GRIP_PX = 7.0
"""Radius of a grip on the screen at least: a hand must be able to hit it."""


class Touch:
    """The part of the 3D view that answers where things are on the screen.

    Screen places are in pixels from the top left corner; `size_px` is width and height of the picture.
    """

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._meshes: CaseMeshes | None = None
        self._probes: dict[str, ProbeProps | NeedleProps] = {}
        self._selected: str | None = None
        self._grip_mm = GRIP_MM
        self._shows_probes = self._shows_grips = True

    def world_to_ndc(self) -> FloatArray:
        """Return the 4 x 4 matrix of the present camera, as `cryoplan.scene.pick` wants it."""
        matrix = self._renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(
            self._renderer.GetTiledAspectRatio(), -1.0, 1.0
        )
        return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])

    def screen_axes(self) -> tuple[Point, Point, Point]:
        """Return the directions +x, +y, +z (L, P, H) on the screen: right, up, towards the viewer."""
        matrix = self._renderer.GetActiveCamera().GetViewTransformMatrix()
        turn = np.array([[matrix.GetElement(r, c) for c in range(3)] for r in range(3)])
        return as_point(turn[:, 0]), as_point(turn[:, 1]), as_point(turn[:, 2])

    def screen_directions(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the LPS directions of the screen: right, down, and away from the viewer."""
        matrix = self._renderer.GetActiveCamera().GetViewTransformMatrix()
        turn = np.array([[matrix.GetElement(r, c) for c in range(3)] for r in range(3)])
        return turn[0], -turn[1], -turn[2]

    def grips(self) -> tuple[Grip, ...]:
        """Return the grips that are drawn: those of the selected probe or tool, unless it is locked."""
        made = self._probes.get(self._selected or "")
        held = made.probe if made is not None else None
        return grips_of(held) if held is not None and not held.locked else ()

    def fit_grips(self, size_px: tuple[float, float]) -> None:
        """Draw the grips no smaller on the screen than a hand can hit; call it when the camera has moved."""
        made = self._probes.get(self._selected or "")
        if made is None or made.probe is None:
            return
        _, down, _ = self.screen_directions()
        middle = np.asarray(made.probe.tip_mm)
        ends = pick.to_screen(self.world_to_ndc(), np.array([middle, middle + down]), size_px)
        px_per_mm = float(np.linalg.norm(ends[1, :2] - ends[0, :2]))
        if np.isfinite(px_per_mm) and px_per_mm > 0.0:
            self._grip_mm = max(GRIP_MM, GRIP_PX / px_per_mm)
            for grip, ball in zip(grips_of(made.probe), made.grip_actors(), strict=True):
                props.lay_ball(ball, grip.position_mm, self._grip_mm)

    def pick_grip(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> Grip | None:
        """Return the grip that is drawn under a pixel (from the top left corner), None when there is none."""
        grips = self.grips()
        if not grips or not (self._shows_probes and self._shows_grips):
            return None
        _, down, _ = self.screen_directions()
        matrix = self.world_to_ndc()
        middle = np.asarray(grips[0].position_mm)
        ends = pick.to_screen(matrix, np.array([middle, middle + self._grip_mm * down]), size_px)
        reach = max(float(np.linalg.norm(ends[1, :2] - ends[0, :2])) + 2.0, pick.REACH_PX)
        return pick.nearest_grip(grips, matrix, x_px, y_px, size_px, reach_px=reach)

    def pick_shaft(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> str | None:
        """Return the name of the probe or tool under a pixel, None when there is none."""
        if not self._shows_probes:
            return None
        shafts = [made.probe for made in self._probes.values() if made.probe is not None]
        return pick.nearest_shaft(shafts, self.world_to_ndc(), x_px, y_px, size_px)

    def to_screen(self, point_mm: npt.ArrayLike, size_px: tuple[float, float]) -> tuple[float, float]:
        """Return the pixel, from the top left corner, at which a point is drawn."""
        x, y, _ = pick.to_screen(self.world_to_ndc(), point_mm, size_px)
        return float(x), float(y)

    def ray(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> Ray:
        """Return the ray through a pixel."""
        return pick.screen_ray(self.world_to_ndc(), x_px, y_px, size_px)

    def drag_point_mm(
        self, x_px: float, y_px: float, size_px: tuple[float, float], start_mm: npt.ArrayLike
    ) -> Point | None:
        """Return where a grip is dragged to: in the plane through its start that faces the camera."""
        normal = self._renderer.GetActiveCamera().GetDirectionOfProjection()
        return pick.on_plane(self.ray(x_px, y_px, size_px), start_mm, normal)

    @property
    def has_skin(self) -> bool:
        """True when the case has a surface of the skin."""
        return self._meshes is not None and self._meshes.skin is not None and not self._meshes.skin.is_empty

    def skin_point_mm(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> Point | None:
        """Return the point of the skin under a pixel, None beside the patient or without skin."""
        hits = self.skin_hits_mm(x_px, y_px, size_px)
        return hits[0] if hits else None

    def skin_hits_mm(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> tuple[Point, ...]:
        """Return all points of the skin under a pixel, front to back."""
        skin = self._meshes.skin if self._meshes is not None else None
        if skin is None:
            return ()
        ray = self.ray(x_px, y_px, size_px)
        return tuple(ray.at(float(hit)) for hit in pick.mesh_hits_mm(ray, skin))

    def target_point_mm(self, x_px: float, y_px: float, size_px: tuple[float, float]) -> Point | None:
        """Return the point halfway through the target under a pixel, else through a tumour, else None.

        What a click on a body means in depth: neither its near nor its far wall.
        """
        ray = self.ray(x_px, y_px, size_px)
        target = self._meshes.target if self._meshes is not None else None
        tumours = [s.mesh for s in self._tumours() if not s.mesh.is_empty]
        for mesh in ([target] if target is not None and not target.is_empty else []) + tumours:
            hits = pick.mesh_hits_mm(ray, mesh)
            if hits.size >= 2:
                return ray.at(float(0.5 * (hits[0] + hits[1])))
        return None

    def _tumours(self) -> list[StructureMesh]:
        return [s for s in (self._meshes.structures if self._meshes else ()) if s.role is Role.TUMOUR]
