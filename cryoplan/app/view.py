"""ViewState: what is looked at and how; shared by all views and never undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from cryoplan.core.geometry import Point
from cryoplan.margins.classes import MarginClasses
from cryoplan.plan.probe import Probe
from cryoplan.scene.slab import ONE_SLICE, Slab


class Display(StrEnum):
    """Which temperature the overlays show."""

    LOWEST = "lowest"
    NOW = "now"


LAYERS = ("tumour", "organs", "ice_0", "ice_-20", "ice_-40", "probes", "skin", "margin")
"""``margin`` is the colours of the tumour in 3D."""


LETHAL_DEGC = -40.0
"""The isotherm whose margin is looked at first: the strictest of the plan card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window width and level in HU or signal."""

    width: float
    level: float


class ViewState(QObject):
    """Crosshair, selection, window and level, layers, time; one signal for any change."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cursor_mm: Point = (0.0, 0.0, 0.0)
        self._selected: str | None = None
        self._window = Window(width=400.0, level=40.0)
        self._series = ""
        self._windows: dict[str, Window] = {}
        self._second_series = ""
        self._second_window = Window(width=400.0, level=40.0)
        self._second_opacity = 0.5
        self._second_flicker = False
        self._slab = ONE_SLICE
        self._hidden: frozenset[str] = frozenset()
        self._all_hidden = False
        self._display = Display.LOWEST
        self._time_s = 0.0
        self._playing = False
        self._placing = False
        self._placing_tool = ""
        self._ghosts: tuple[Probe, ...] = ()
        self._margin_degc = LETHAL_DEGC
        self._margin_classes = MarginClasses()
        self._place_mm: Point | None = None

    @property
    def cursor_mm(self) -> Point:
        """The crosshair, LPS millimetres."""
        return self._cursor_mm

    @cursor_mm.setter
    def cursor_mm(self, value: Point) -> None:
        self._set("_cursor_mm", (float(value[0]), float(value[1]), float(value[2])))

    @property
    def selected_probe(self) -> str | None:
        """Name of the selected probe."""
        return self._selected

    @selected_probe.setter
    def selected_probe(self, value: str | None) -> None:
        self._set("_selected", value)

    @property
    def window(self) -> Window:
        """Window and level."""
        return self._window

    @window.setter
    def window(self, value: Window) -> None:
        self._windows[self._series] = value
        self._set("_window", value)

    def show_series(self, series: str, width: float, level: float) -> None:
        """Go on with the window that a series had when it was last seen.

        Parameters
        ----------
        series : str
            What tells the series from others, such as its UID or its path.
        width, level : float
            For a series that was not seen before.
        """
        self._series = series
        self.window = self._windows.get(series, Window(width=width, level=level))

    @property
    def second_window(self) -> Window:
        """Window and level of the second image."""
        return self._second_window

    @second_window.setter
    def second_window(self, value: Window) -> None:
        self._windows[self._second_series] = value
        self._set("_second_window", value)

    def show_second(self, series: str, width: float, level: float) -> None:
        """Go on with the window that a second image had when it was last seen; see `show_series`."""
        self._second_series = f"second {series}"
        self.second_window = self._windows.get(self._second_series, Window(width=width, level=level))

    @property
    def second_opacity(self) -> float:
        """How much of the second image covers the first, from 0 to 1."""
        return self._second_opacity

    @second_opacity.setter
    def second_opacity(self, value: float) -> None:
        self._set("_second_opacity", round(min(max(float(value), 0.0), 1.0), 3))

    @property
    def second_flicker(self) -> bool:
        """True while a key is held that shows the other image by itself."""
        return self._second_flicker

    @second_flicker.setter
    def second_flicker(self, value: bool) -> None:
        self._set("_second_flicker", value)

    @property
    def slab(self) -> Slab:
        """How thick the slices look, and how; one slice at first."""
        return self._slab

    @slab.setter
    def slab(self, value: Slab) -> None:
        self._set("_slab", value)

    @property
    def display(self) -> Display:
        """Lowest so far, or at this minute."""
        return self._display

    @display.setter
    def display(self, value: Display) -> None:
        self._set("_display", value)

    @property
    def time_s(self) -> float:
        """Protocol time of the time slider."""
        return self._time_s

    @time_s.setter
    def time_s(self, value: float) -> None:
        self._set("_time_s", float(value))

    @property
    def playing(self) -> bool:
        """True while the time slider runs by itself."""
        return self._playing

    @playing.setter
    def playing(self, value: bool) -> None:
        self._set("_playing", value)

    @property
    def placing(self) -> bool:
        """True while the next clicks place a probe."""
        return self._placing

    @placing.setter
    def placing(self, value: bool) -> None:
        self._set("_placing", value)

    @property
    def placing_tool(self) -> str:
        """Kind of tool (`cryoplan.plan.tool.ToolKind`) that the clicks place, empty for a probe."""
        return self._placing_tool

    @placing_tool.setter
    def placing_tool(self, value: str) -> None:
        self._set("_placing_tool", value)

    @property
    def ghosts(self) -> tuple[Probe, ...]:
        """Probes as they would lie, drawn thin and dashed until somebody lays them out."""
        return self._ghosts

    @ghosts.setter
    def ghosts(self, value: tuple[Probe, ...]) -> None:
        self._set("_ghosts", value)

    @property
    def margin_degc(self) -> float:
        """Isotherm whose margin colours the tumour, in 3D and in the review."""
        return self._margin_degc

    @margin_degc.setter
    def margin_degc(self, value: float) -> None:
        if self._margin_degc != float(value):
            self._place_mm = None  # it was one of the other isotherm
        self._set("_margin_degc", float(value))

    @property
    def margin_classes(self) -> MarginClasses:
        """Steps by which its colours are told apart."""
        return self._margin_classes

    @margin_classes.setter
    def margin_classes(self, value: MarginClasses) -> None:
        self._set("_margin_classes", value)

    @property
    def place_mm(self) -> Point | None:
        """The worst place that was gone to last, marked in 3D and on the unrolled map."""
        return self._place_mm

    @place_mm.setter
    def place_mm(self, value: Point | None) -> None:
        self._set("_place_mm", value)

    @property
    def overlays_hidden(self) -> bool:
        """True while one key hides every overlay."""
        return self._all_hidden

    @overlays_hidden.setter
    def overlays_hidden(self, value: bool) -> None:
        self._set("_all_hidden", value)

    def shows(self, layer: str) -> bool:
        """Tell whether a layer (one of `LAYERS`, or ``structure:NAME``) is drawn."""
        return not self._all_hidden and layer not in self._hidden

    def is_checked(self, layer: str) -> bool:
        """Tell whether a layer is switched on, whatever the hide key does."""
        return layer not in self._hidden

    def set_layer(self, layer: str, visible: bool) -> None:
        """Switch a layer on or off."""
        self._set("_hidden", self._hidden - {layer} if visible else self._hidden | {layer})

    def _set(self, name: str, value: object) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            self.changed.emit()
