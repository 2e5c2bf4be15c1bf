"""Slice content: picture, outlines and isotherms of a plane, cut once and kept; shared by all slice views."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QObject, QPointF, QThread, Signal, Slot
from PySide6.QtGui import QImage, QPainterPath, QPolygonF

from cryoplan.app.view import Display, ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.structure import Role, Structure
from cryoplan.core.volume import Volume
from cryoplan.scene.contours import IsothermCutter, Line, OutlineCutter
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.slices import SliceImage, SlicePlane, SliceSampler, window_to_gray
from cryoplan.scene.style import LineStyle, theme

UNOUTLINED = frozenset({Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE})
"""Roles whose outlines would only cover the picture, as in the pictures of the report."""

KEPT_IMAGES = 24
KEPT_PATHS = 600
OTHER_TUMOUR_WIDTH = 0.75

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mark:
    """Lines of one style on one plane; the path is in the plane's millimetres."""

    name: str
    layer: str
    style: LineStyle
    path: QPainterPath


class _Outliner(QThread):
    """Makes the smooth fields of the structures, which takes up to seconds for large ones."""

    made = Signal(object, object, object)

    def __init__(self, case: Case, structures: Iterable[Structure]) -> None:
        super().__init__()
        self.case = case
        self._structures = tuple(structures)

    def run(self) -> None:
        for structure in self._structures:
            if self.isInterruptionRequested():
                return
            self.made.emit(self.case, structure, OutlineCutter(structure, self.case))


class SliceContent(QObject):
    """Cuts the case and the shown temperatures by planes, and keeps what it cut.

    Parameters
    ----------
    workspace, view
        What there is, and what of it is looked at.

    Signals
    -------
    changed
        There is something else to draw.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self._case: Case | None = None
        self._sampler: SliceSampler | None = None
        self._outlines: dict[str, tuple[Structure, OutlineCutter]] = {}
        self._outliner: _Outliner | None = None
        self._field: Volume | None = None
        self._isotherms: IsothermCutter | None = None
        self._images: OrderedDict[Hashable, tuple[SliceImage, QImage]] = OrderedDict()
        self._outline_paths: OrderedDict[Hashable, QPainterPath] = OrderedDict()
        self._ice_paths: OrderedDict[Hashable, tuple[Mark, ...]] = OrderedDict()
        workspace.case_changed.connect(self._take_case)
        workspace.result_changed.connect(self._take_field)
        workspace.state_changed.connect(self.changed)
        view.changed.connect(self._take_field)
        self._take_case()

    @property
    def sampler(self) -> SliceSampler | None:
        """The scan, None without a case."""
        return self._sampler

    @property
    def field_degc(self) -> Volume | None:
        """The temperatures on show: lowest of the whole protocol, or at the time of the slider."""
        return self._field

    @property
    def is_stale(self) -> bool:
        """True when the temperatures on show do not belong to the plan as it stands."""
        return self._field is not None and not self._workspace.is_current

    @property
    def is_outlining(self) -> bool:
        """True while outlines are still being made."""
        return self._outliner is not None and not self._outliner.isFinished()

    def image(self, plane: SlicePlane, window: Window) -> tuple[SliceImage, QImage]:
        """Return the picture of a plane and its grey pixels; the plane is one of the scan's slices."""
        assert self._sampler is not None

        def make() -> tuple[SliceImage, QImage]:
            image = self._sampler.extract(plane)
            gray = np.ascontiguousarray(window_to_gray(image.values, window.width, window.level))
            rows, columns = gray.shape
            # The copy owns its pixels; a QImage on numpy's memory would outlive it.
            return image, QImage(gray.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()

        return _kept(self._images, (plane, window), make, KEPT_IMAGES)

    def outlines(self, plane: SlicePlane) -> tuple[Mark, ...]:
        """Return the outlines of the visible structures; the target comes last, on top."""
        if self._case is None:
            return ()
        marks = []
        for structure, cutter in self._outlines.values():
            layer = "tumour" if structure.role is Role.TUMOUR else "organs"
            if not (self._view.shows(layer) and self._view.shows(f"structure:{structure.name}")):
                continue
            path = _kept(
                self._outline_paths,
                (plane, structure.name),
                lambda cutter=cutter: _path(cutter.cut(plane)),
                KEPT_PATHS,
            )
            if not path.isEmpty():
                style = self._outline_style(structure)
                marks.append(Mark(name=structure.name, layer=layer, style=style, path=path))
        return tuple(sorted(marks, key=lambda m: (m.layer == "tumour", m.name == self._case.target_name)))

    def isotherms(self, plane: SlicePlane) -> tuple[Mark, ...]:
        """Return the visible isotherms of the temperatures on show, greyed when they are out of date."""
        if self._isotherms is None:
            return ()
        cutter, stale = self._isotherms, self.is_stale

        def make() -> tuple[Mark, ...]:
            return tuple(
                Mark(
                    name=f"{cut.threshold_degc:g}",
                    layer=f"ice_{cut.threshold_degc:g}",
                    style=theme().isotherm(cut.threshold_degc, stale=stale),
                    path=_path(cut.lines),
                )
                for cut in cutter.cut(plane, SHOWN_DEGC)
            )

        marks = _kept(self._ice_paths, (plane, stale), make, KEPT_IMAGES)
        return tuple(m for m in marks if self._view.shows(m.layer))

    def key(self) -> tuple[LineStyle, ...]:
        """Return the styles that the legend explains, those of hidden layers left out."""
        styles = []
        if self._case is not None and self._case.target is not None and self._view.shows("tumour"):
            styles.append(theme().tumour)
        if self._isotherms is not None:
            styles += [
                theme().isotherm(t, stale=self.is_stale) for t in SHOWN_DEGC if self._view.shows(f"ice_{t:g}")
            ]
        return tuple(styles)

    def close(self) -> None:
        """End the thread that makes outlines."""
        if self._outliner is not None:
            self._outliner.requestInterruption()
            self._outliner.wait()
            self._outliner = None

    def _outline_style(self, structure: Structure) -> LineStyle:
        assert self._case is not None
        style = theme().outline(structure.role)
        if structure.role is Role.TUMOUR and structure.name != self._case.target_name:
            return replace(style, width_px=style.width_px * OTHER_TUMOUR_WIDTH)
        return style

    @Slot()
    def _take_case(self) -> None:
        case = self._workspace.case
        if case is self._case:
            return
        self.close()
        if case is None or self._case is None or case.scan.volume is not self._case.scan.volume:
            self._images.clear()
            self._sampler = SliceSampler(case.scan.volume) if case is not None else None
        self._case = case
        self._outlines.clear()
        self._outline_paths.clear()
        if case is not None:
            # The target first: it is what everybody waits for.
            wanted = [s for s in case.structures if s.role not in UNOUTLINED]
            wanted.sort(key=lambda s: (s.name != case.target_name, s.role is not Role.TUMOUR))
            self._outliner = _Outliner(case, wanted)
            self._outliner.made.connect(self._take_outline)
            self._outliner.start(QThread.Priority.LowPriority)
        self._take_field()
        self.changed.emit()

    @Slot(object, object, object)
    def _take_outline(self, case: Case, structure: Structure, cutter: OutlineCutter) -> None:
        if case is self._case:  # else a late one of a case that is gone
            self._outlines[structure.name] = (structure, cutter)
            self.changed.emit()

    @Slot()
    def _take_field(self) -> None:
        result = self._workspace.result
        field = None
        if result is not None:
            field = result.minimum_degc
            if self._view.display is Display.NOW and result.frames:
                field = result.frame_near(self._view.time_s).temperature_degc
        if field is not self._field:
            self._field = field
            self._isotherms = IsothermCutter(field) if field is not None else None
            self._ice_paths.clear()
        self.changed.emit()


def _kept(store: OrderedDict[Hashable, Thing], key: Hashable, make: Callable[[], Thing], limit: int) -> Thing:
    """Return what is kept under a key, made now if need be; the longest unused goes first."""
    if key in store:
        store.move_to_end(key)
        return store[key]
    thing = store[key] = make()
    while len(store) > limit:
        store.popitem(last=False)
    return thing


def _path(lines: Iterable[Line]) -> QPainterPath:
    path = QPainterPath()
    for line in lines:
        path.addPolygon(QPolygonF([QPointF(u, v) for u, v in line.tolist()]))
    return path
