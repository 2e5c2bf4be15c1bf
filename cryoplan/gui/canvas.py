"""Canvas: the 3D view, the only file that meets pyvistaqt; renders on change, at most 15 times a second."""

from __future__ import annotations

import os
import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QOffscreenSurface, QOpenGLContext, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cryoplan.app.ice import Ice, Standing, ice_of
from cryoplan.app.margin_shown import MarginShown, margin_of
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point
from cryoplan.gui.canvas_hand import CanvasHand
from cryoplan.gui.margin_legend import LAYER, MarginChoice
from cryoplan.gui.placing import Placing
from cryoplan.gui.words import say
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.camera import Preset
from cryoplan.scene.style import Palette
from cryoplan.scene.view3d import Layer, Scene

FRAME_MS = 66
"""At most some 15 pictures a second."""

BETWEEN = 4.0
"""So many times as long as the last picture took, everything else has its turn before the next one."""

SLOW_MS = 25.0
"""A picture that takes longer than this is drawn without organs while things move."""

REST_MS = 300
"""So long after the last movement the whole picture is drawn."""

_HEAVY = (Layer.STRUCTURES, Layer.BONE, Layer.SKIN)

_LAYERS = {
    "tumour": (Layer.TUMOUR,),
    "organs": (Layer.STRUCTURES, Layer.BONE),
    "skin": (Layer.SKIN,),
    "probes": (Layer.PROBES, Layer.GRIPS),
    "ice_0": (Layer.ICE_0,),
    "ice_-20": (Layer.ICE_20,),
    "ice_-40": (Layer.ICE_40,),
}


def opengl_is_good_enough() -> bool:
    """Tell whether OpenGL 3.2 or newer works here; asked before VTK, which would crash without it."""
    context = QOpenGLContext()
    if not context.create():
        return False
    surface = QOffscreenSurface()
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return False
    version = context.format().version()
    context.doneCurrent()
    return tuple(version) >= (3, 2)


def make_canvas(
    workspace: Workspace, view: ViewState, palette: Palette, placing: Placing, parent: QWidget
) -> QWidget:
    """Return the 3D view, or a sentence in its place where OpenGL is missing."""
    if opengl_is_good_enough():
        return Canvas(workspace, view, palette, placing, parent)
    label = QLabel(
        say(
            "There is no 3D view: this computer offers no OpenGL 3.2.\nSlices, solving and printing all work."
        ),
        parent,
    )
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setObjectName("muted")
    return label


class Canvas(QWidget):
    """Tumour, organs, skin, probes with grips, and the ice as nested shells.

    Signals
    -------
    enlarge_requested
        Double click beside the grips.
    """

    enlarge_requested = Signal()

    def __init__(
        self, workspace: Workspace, view: ViewState, palette: Palette, placing: Placing, parent: QWidget
    ) -> None:
        super().__init__(parent)
        os.environ.setdefault("QT_API", "pyside6")
        from pyvistaqt import QtInteractor

        self.setAccessibleName(say("3D view"))
        self._workspace, self._view, self._placing = workspace, view, placing
        self._plotter = QtInteractor(self, auto_update=False)
        self._plotter.setAccessibleName(say("3D picture"))
        self._plotter.add_axes(
            xlabel="L",
            ylabel="P",
            zlabel="H",
            viewport=(0.0, 0.0, 0.2, 0.2),
            color=palette.text,
            line_width=2,
        )
        self._scene = Scene(self._plotter, palette=palette)
        self._look = QComboBox(self)
        self._look.setAccessibleName(say("Direction of the 3D view"))
        for preset in (
            Preset.OBLIQUE,
            Preset.ANTERIOR,
            Preset.RIGHT_LATERAL,
            Preset.LEFT_LATERAL,
            Preset.FEET,
            Preset.TUMOUR,
        ):
            self._look.addItem(say(preset.value), preset)
        self._look.activated.connect(self._look_again)
        bar = QWidget(self)
        bar.setObjectName("canvasHead")
        head = QHBoxLayout(bar)
        head.setContentsMargins(10, 4, 6, 4)
        head.addWidget(QLabel("<b>3D</b>"))
        self._banner = QLabel()
        self._banner.setObjectName("canvasBanner")
        head.addWidget(self._banner)
        head.addStretch(1)
        self.margins = MarginChoice(workspace, view, self)
        head.addWidget(self.margins.choice)
        head.addWidget(self._look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.margins.legend)
        column.addWidget(self._plotter, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._render)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._come_to_rest)
        self._shown_plan: Plan | None = None
        self._shown_selected: str | None = None
        self._shown_ghosts: tuple[Probe, ...] = ()
        self._shown_ice: Ice | None = None
        self._shown_margin: MarginShown | None = None
        self._shown_place: Point | None = None
        self._shown_layers: dict[object, bool] = {}
        self._hand = CanvasHand(workspace, view, placing, self._scene, self._plotter)
        self._aim_pending = False
        self._ice_pending = self._margin_pending = False
        self._moving = False
        self._whole_ms = 0.0
        self._last_ms = 0.0
        self._is_first, self._is_due, self._began = True, False, 0.0
        window = self._plotter.render_window
        self._samples = window.GetMultiSamples()
        window.AddObserver("StartEvent", self._begin_picture)
        window.AddObserver("EndEvent", self._end_picture)
        self._plotter.installEventFilter(self)
        for event, slot in (("StartInteractionEvent", self._turning), ("InteractionEvent", self._turning)):
            self._plotter.iren.add_observer(event, slot)
        workspace.meshes_changed.connect(self._show_meshes)
        workspace.plan_changed.connect(self._show_plan)
        workspace.result_changed.connect(self._show_ice)
        workspace.state_changed.connect(self._show_ice)
        view.changed.connect(self._show_view)
        placing.changed.connect(self._show_placing)
        self._show_meshes()

    @property
    def scene(self) -> Scene:
        """What is drawn; tests ask it for facts."""
        return self._scene

    @property
    def picture(self) -> QWidget:
        """The widget that VTK draws in."""
        return self._plotter

    @property
    def is_at_rest(self) -> bool:
        """True when the whole picture of how things are has been drawn."""
        return not self._moving and not self._timer.isActive() and not self._is_due

    @property
    def is_stale(self) -> bool:
        """True when the ice on show belongs to another plan, and says so."""
        return self._shown_ice is not None and self._shown_ice.standing is Standing.STALE

    def close_canvas(self) -> None:
        """Let VTK go before the window does; Qt may not close the view by itself."""
        self._timer.stop()
        self._rest.stop()
        self._plotter.removeEventFilter(self)
        self._plotter.close()

    # What is shown ----------------------------------------------------------------------------------

    @Slot()
    def _show_meshes(self) -> None:
        self._scene.show_meshes(self._workspace.meshes)
        self._shown_margin = None  # the surfaces are plain again
        self._shown_plan = None
        self._shown_layers = {}
        self._aim_pending = True
        self._whole_ms = 0.0
        self._show_plan()
        self._show_view()

    @Slot()
    def _show_plan(self) -> None:
        plan, selected = self._workspace.plan, self._view.selected_probe
        old = self._shown_plan
        if old is not None and selected == self._shown_selected and _is_same_but_for_places(old, plan):
            for probe, before in zip(plan.probes, old.probes, strict=True):
                if probe != before:
                    self._scene.update_probe(probe, self._workspace.catalogue[probe.model])
            for tool, was in zip(plan.tools, old.tools, strict=True):
                if tool != was:
                    self._scene.update_tool(tool)
        else:
            self._scene.show_plan(plan, self._workspace.catalogue, selected)
        self._shown_plan, self._shown_selected = plan, selected
        self._show_ice()
        self._request()

    @Slot()
    def _show_ice(self) -> None:
        # The shells are made with the picture: many changes of time make one set of them.
        wanted, shown = ice_of(self._workspace, self._view), self._shown_ice
        if not (wanted is shown if wanted is None else wanted.is_drawn_like(shown)):
            self._ice_pending = True
            self._request()
        margin, now = self._margin_wanted(), self._shown_margin
        if not (margin is now if margin is None else margin.is_drawn_like(now)):
            self._margin_pending = True
            self._request()
        if self._view.place_mm != self._shown_place:
            self._shown_place = self._view.place_mm
            self._scene.aids.show_place(self._shown_place)
            if self._shown_place is not None:
                self._scene.look_at_place(self._shown_place)
            self._request()

    def _margin_wanted(self) -> MarginShown | None:
        """Return the margins that colour the tumour; those of another plan never do."""
        shown = margin_of(self._workspace, self._view) if self._view.shows(LAYER) else None
        return shown if shown is not None and shown.is_current else None

    @Slot()
    def _show_view(self) -> None:
        # The crosshair moves with every mouse move; only what changes the picture may cost a picture.
        case = self._workspace.case
        wanted: dict[object, bool] = {
            layer: self._view.shows(name) for name, layers in _LAYERS.items() for layer in layers
        }
        for structure in case.structures if case is not None else ():
            wanted[structure.name] = self._view.shows(f"structure:{structure.name}")
        if wanted != self._shown_layers:
            for thing, shown in wanted.items():
                if not isinstance(thing, Layer):
                    self._scene.set_structure_visible(str(thing), shown)
            self._shown_layers = wanted
            self._apply_layers()
            self._request()
        if self._view.selected_probe != self._shown_selected:
            self._show_plan()
        if self._view.ghosts != self._shown_ghosts:
            self._shown_ghosts = self._view.ghosts
            self._scene.aids.show_ghosts(self._shown_ghosts)
            self._request()
        self._show_ice()

    @Slot()
    def _show_placing(self) -> None:
        """Let the line to the mouse follow, and say what the next click does."""
        placing = self._placing
        self._banner.setText(say(placing.banner))
        self._scene.aids.show_rubber(placing.tip_mm, placing.entry_mm or placing.mouse_mm, placing.label)
        self._request()

    @Slot(int)
    def _look_again(self, index: int) -> None:
        self._scene.look(self._look.itemData(index))
        self._request()

    def _request(self) -> None:
        """Ask for a picture; the one before had its time, so that pictures never fill all of it."""
        self._begin_moving()
        if not self._timer.isActive() and self._plotter.isVisible():
            self._timer.start(max(FRAME_MS, round(BETWEEN * self._last_ms)))

    @Slot()
    def _render(self) -> None:
        if not self._plotter.isVisible():
            return
        if self._ice_pending:
            self._ice_pending = False
            self._shown_ice = ice = ice_of(self._workspace, self._view)
            if ice is None:
                self._scene.show_field(None)
            elif ice.standing is Standing.PREVIEW:
                self._scene.show_preview(ice.surfaces)
            else:
                self._scene.show_field(ice.field_degc, stale=ice.standing is Standing.STALE)
            self._apply_layers()
        if self._margin_pending:
            self._margin_pending = False
            self._shown_margin = margin = self._margin_wanted()
            if margin is None:
                self._scene.show_margin(None, None)
            else:
                found = margin.margin_map
                self._scene.show_margin(
                    found.surface,
                    found.signed(margin.threshold_degc),
                    classes=margin.classes,
                    left_out=~found.counts,
                )
        if self._aim_pending and self._workspace.meshes is not None:
            self._aim_pending = False
            self._scene.look(self._look.currentData())
        self._scene.fit_grips((float(self._plotter.width()), float(self._plotter.height())))
        if self._is_first:
            self._is_first = False
            self._plotter.render()
        # The widget renders when it is painted; to render it here as well would make each picture twice.
        self._is_due = True
        self._plotter.update()

    def _begin_picture(self, *_: object) -> None:
        self._began = time.perf_counter()

    def _end_picture(self, *_: object) -> None:
        self._is_due = False
        self._last_ms = 1000.0 * (time.perf_counter() - self._began)
        if not self._moving:
            self._whole_ms = self._last_ms

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nobody looked."""
        super().showEvent(event)
        self._request()

    # Without a graphics card a picture takes long ------------------------------------------------------

    def _turning(self, *_: object) -> None:
        """Follow VTK, which draws by itself while the camera turns."""
        self._scene.fit_grips((float(self._plotter.width()), float(self._plotter.height())))
        self._begin_moving()

    def _begin_moving(self) -> None:
        self._rest.start()
        if not self._moving:
            self._moving = True
            self._apply_layers()

    @Slot()
    def _come_to_rest(self) -> None:
        # A picture is due, or the hand only pauses: not at rest yet.
        if self._timer.isActive() or self._workspace.live.is_held():
            self._rest.start()
            return
        self._moving = False
        if self._apply_layers() or self._whole_ms == 0.0:
            self._render()

    def _apply_layers(self) -> bool:
        """Show the layers that are switched on, the heavy ones only at rest; tells if any is different."""
        light = self._moving and self._whole_ms > SLOW_MS
        changed = False
        window, samples = self._plotter.render_window, 0 if light else self._samples
        if window.GetMultiSamples() != samples:
            # Smooth edges take as long again as all the rest where there is no graphics card.
            window.SetMultiSamples(samples)
            changed = True
        for layer, shown in self._shown_layers.items():
            if isinstance(layer, Layer):
                seen = shown and not (light and layer in _HEAVY)
                if self._scene.is_visible(layer) != seen:
                    self._scene.set_visible(layer, seen)
                    changed = True
        return changed

    # Gestures ---------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the hand have what it takes; everything else turns the camera as usual."""
        if watched is not self._plotter:
            return False
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            if kind == QEvent.Type.KeyPress and self._hand.key(event):
                return True
            if kind == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                # With Ctrl, or where there is no probe to go to, Tab leaves the view: it is no trap.
                return self._plotter.focusNextPrevChild(event.key() == Qt.Key.Key_Tab)
            # VTK has keys of its own (wireframe, quit, ...) that would surprise everybody: ours instead.
            event.ignore()
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if kind == QEvent.Type.MouseButtonDblClick and event.button() == Qt.MouseButton.LeftButton:
            if not self._hand.press(event) and not self._placing.active:
                self.enlarge_requested.emit()
            return True
        if kind == QEvent.Type.MouseButtonPress:
            return self._hand.press(event)
        if kind == QEvent.Type.MouseMove:
            return self._hand.move(event)
        if kind == QEvent.Type.MouseButtonRelease:
            return self._hand.release(event)
        return False


def _is_same_but_for_places(old: Plan, new: Plan) -> bool:
    """Tell whether the same things are to be drawn in the same colours, so that matrices alone change."""

    def drawn(plan: Plan) -> tuple[object, ...]:
        probes = [(p.name, p.model, p.colour) for p in plan.probes]
        tools = [(t.name, t.kind, t.diameter_mm) for t in plan.tools]
        return probes, tools, plan.thermocouples, plan.marks

    return drawn(old) == drawn(new)
