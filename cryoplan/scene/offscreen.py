"""Offscreen: one 3D picture without a window, made in a child process.

Where there is neither X nor EGL nor OSMesa, VTK does not fail but ends the process (signal 11). In a child
that costs one picture and not the program; it also keeps the picture off the window's own OpenGL context.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from cryoplan.core.errors import CryoplanError
from cryoplan.core.geometry import Point
from cryoplan.core.volume import Volume
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.scene.camera import Preset
from cryoplan.scene.meshes import CaseMeshes
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.png import encode_png

LONGEST_S = 120.0


class RenderError(CryoplanError):
    """A 3D picture that this machine cannot make."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Render:
    """What is to be drawn; picklable.

    Attributes
    ----------
    meshes : CaseMeshes
        The case.
    plan : Plan
        The probes.
    models : dict of str to ProbeModel
        The catalogue's entries that the plan names.
    field_degc : Volume or None
        Temperatures for the ice; None for none.
    preset : Preset
        From where.
    size_px : tuple of int
        Width and height.
    thresholds_degc : tuple of float
        Shells.
    """

    meshes: CaseMeshes
    plan: Plan
    models: dict[str, ProbeModel]
    field_degc: Volume | None
    preset: Preset
    size_px: tuple[int, int]
    thresholds_degc: tuple[float, ...] = SHOWN_DEGC


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A picture and how the patient's axes lie on it.

    Attributes
    ----------
    png : bytes
        The picture.
    axes : tuple of three Points
        Directions +x, +y, +z (L, P, H) on the screen: right, up and towards the viewer.
    """

    png: bytes
    axes: tuple[Point, Point, Point]


def render_here(render: Render) -> Rendered:
    """Draw in this process. Ends the process where OpenGL is missing: see `render_apart`."""
    import pyvista

    from cryoplan.scene.view3d import Layer, Scene

    plotter = pyvista.Plotter(off_screen=True, window_size=list(render.size_px))
    try:
        plotter.enable_anti_aliasing("msaa", multi_samples=8)
        scene = Scene(plotter)
        scene.show_meshes(render.meshes)
        scene.show_plan(render.plan, render.models)
        scene.set_visible(Layer.GRIPS, False)
        scene.show_field(render.field_degc, thresholds_degc=render.thresholds_degc)
        scene.look(render.preset)
        image = np.asarray(plotter.screenshot(None, return_img=True))
        return Rendered(png=encode_png(image), axes=scene.screen_axes())
    finally:
        plotter.close()


def render_apart(render: Render | Callable[[], Render]) -> Rendered:
    """Draw in a child process.

    What is to be drawn may be a function that prepares it: it runs here while the child gets ready.

    Raises
    ------
    RenderError
        If the child dies, fails or takes longer than two minutes; the program itself goes on.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    child = context.Process(target=_child, args=(theirs,), daemon=True, name="cryoplan-3d-picture")
    child.start()
    theirs.close()
    answer: object = None
    try:
        ours.send(render() if callable(render) else render)
        if ours.poll(LONGEST_S):
            answer = ours.recv()
    except (EOFError, OSError):
        answer = None
    finally:
        ours.close()
        child.join(5.0)
        if child.is_alive():
            child.kill()
            child.join()
    if isinstance(answer, Rendered):
        return answer
    why = answer if isinstance(answer, str) else f"the drawing process ended with code {child.exitcode}"
    raise RenderError(
        f"The 3D picture could not be drawn on this machine ({why}).",
        "Install a software OpenGL driver (Mesa: libegl1 and libgl1-mesa-dri) to have it.",
        code="no-3d-picture",
        place="3D",
    )


def _child(pipe: Connection) -> None:
    """Draw what comes through the pipe and send it back, or the reason why not, as text."""
    # VTK speaks of a missing display on stderr although EGL then works; the parent's stderr is for users.
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    try:
        # While what to draw is still being prepared; it takes longer than the drawing.
        import cryoplan.scene.view3d  # noqa: F401

        pipe.send(render_here(pipe.recv()))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
    finally:
        pipe.close()
