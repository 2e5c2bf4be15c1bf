"""Slice layers: the picture, outlines and isotherms of one slice as Qt wants them, made once and kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Signal, Slot
from PySide6.QtGui import QImage, QPainterPath, QPolygonF

from cryoplan.app.ice import Ice, Standing, ice_of
from cryoplan.app.outlining import Outlining
from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import CryoplanError
from cryoplan.core.volume import Volume
from cryoplan.gui.second_layer import Look, SecondLayer
from cryoplan.scene.contours import IsothermCutter, Line, OutlineCutter
from cryoplan.scene.oblique import ObliquePlane, Plane
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.sampled import Lattice
from cryoplan.scene.slab import Slab, extract_slab
from cryoplan.scene.slices import SliceImage, SliceSampler
from cryoplan.scene.style import LineStyle, theme
from cryoplan.scene.window import window_to_gray

NOT_OUTLINED = frozenset({Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE})
"""What fills the whole slice: its edge says nothing that the image does not show."""

KEPT_SLICES = 48
KEPT_CUTS = 4

TILE = 32
"""Pixels of an oblique picture at its edges that are cut at a time."""

PER_PIXEL = 0.75
"""Pixels of an oblique picture are not smaller than this part of a pixel of the screen."""

_Part = tuple[float, float, float, float]
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")

_log = logging.getLogger(__name__)


def lines_path(lines: Sequence[Line]) -> QPainterPath:
    """Return polylines ``(n, 2)`` as one path; those that end where they begin are closed."""
    path = QPainterPath()
    for line in lines:
        path.addPolygon(QPolygonF([QPointF(u, v) for u, v in line.tolist()]))
        if np.array_equal(line[0], line[-1]):
            path.closeSubpath()
    return path


class Outlines(QObject):
    """The outline cutters of the open case, made one after the other beside the window's thread.

    A structure of a large CT takes up to a second to get its smooth outline; scrolling does not wait for it.

    Signals
    -------
    ready
        One more structure can be cut.
    """

    ready = Signal()
    _made = Signal(object, object, object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._case: Case | None = None
        self._cutters: dict[Structure, OutlineCutter] = {}
        self._outlining = Outlining.of(workspace)
        self._drawn_name = ""
        self._made.connect(self._take)
        workspace.case_changed.connect(self._start)
        self._outlining.changed.connect(self._follow_drawing)
        self._start()

    @classmethod
    def of(cls, workspace: Workspace) -> Outlines:
        """Return the one of a workspace."""
        found = workspace.findChild(cls)
        return found if found is not None else cls(workspace)

    def cutters(self) -> dict[Structure, OutlineCutter]:
        """Return what can be cut so far."""
        return self._cutters

    @property
    def is_complete(self) -> bool:
        """True when every structure that has an outline can be cut."""
        return all(s in self._cutters for s in self._wanted(self._case))

    def _wanted(self, case: Case | None) -> list[Structure]:
        if case is None:
            return []
        # What is being drawn is shown by its voxels: a smooth outline for every stroke would be for nothing.
        drawn = [s for s in case.structures if s.role not in NOT_OUTLINED and s.name != self._drawn_name]
        return sorted(drawn, key=lambda s: (s.name != case.target_name, s.mask.values.size))

    @Slot()
    def _follow_drawing(self) -> None:
        subject = self._outlining.subject
        name = "" if subject is None else subject.name
        if name != self._drawn_name:
            self._drawn_name = name
            self._start(again=True)

    @Slot()
    def _start(self, *, again: bool = False) -> None:
        case = self._workspace.case
        if case is self._case and not again:
            return
        before, self._case = self._case, case
        # A stroke changes one structure; the outlines of the others stay.
        self._cutters = {s: c for s, c in self._cutters.items() if _is_cut_alike(s, before, case)}
        if case is not None:
            Thread(target=self._make, args=(case,), name="outlines", daemon=True).start()

    def _make(self, case: Case) -> None:
        try:
            for structure in self._wanted(case):
                if self._case is not case:
                    return
                if structure in self._cutters:
                    continue
                self._made.emit(case, structure, OutlineCutter(structure, case))
            # The first probe is placed without a pause while the skin is looked for.
            body_mask(case)
        except RuntimeError:
            return  # the window closed meanwhile
        except Exception:
            _log.exception("an outline could not be made")

    @Slot(object, object, object)
    def _take(self, case: Case, structure: Structure, cutter: OutlineCutter) -> None:
        if case is self._case:
            self._cutters = {**self._cutters, structure: cutter}
            self.ready.emit()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """The image of one slice and the plane coordinates of its outer edges."""

    plane: Plane
    image: QImage
    rect_mm: QRectF


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stroke:
    """A line in plane millimetres and how it is drawn."""

    path: QPainterPath
    style: LineStyle
    opacity: float = 1.0
    filled: float = 0.0
    haloed: bool = False


class SliceLayers:
    """What one view shows of a slice; each part is worked out when it is first asked for."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        self._workspace = workspace
        self._view = view
        self._outlines = Outlines.of(workspace)
        self._outlining = Outlining.of(workspace)
        self._sampler: SliceSampler | None = None
        self._cuts: dict[tuple[Plane, Slab, Lattice | None], SliceImage] = {}
        self._second = SecondLayer(workspace.second, view)
        self._pictures: dict[tuple[Plane, Slab, Lattice | None, Window, Look | None], Picture] = {}
        self._outline_paths: dict[tuple[Plane, OutlineCutter, _Part | None], QPainterPath] = {}
        self._field: Volume | None = None
        self._cutter: IsothermCutter | None = None
        self._isotherm_paths: dict[Plane, list[tuple[float, QPainterPath]]] = {}
        self._before: tuple[Volume, IsothermCutter] | None = None
        self._before_paths: dict[Plane, QPainterPath] = {}
        self._case: Case | None = None

    def sampler(self) -> SliceSampler | None:
        """Return the sampler of the scan, None without a case."""
        case = self._workspace.case
        if case is not self._case:
            if case is None or self._sampler is None or self._sampler.volume is not case.scan.volume:
                self._sampler = SliceSampler(case.scan.volume) if case is not None else None
                self._pictures.clear()
                self._cuts.clear()
                self._outline_paths.clear()
            self._case = case
        return self._sampler

    def rect_mm(self, plane: Plane) -> QRectF:
        """Return the outer edges of all that the scan has of a plane; without any size where it has none."""
        sampler = self.sampler()
        assert sampler is not None
        if isinstance(plane, ObliquePlane):
            whole = sampler.lattice_on(plane)
        else:
            whole = sampler.lattice(plane.orientation)
        if whole is None:
            return QRectF()
        return QRectF(
            whole.u_mm - whole.du_mm / 2.0,
            whole.v_mm - whole.dv_mm / 2.0,
            whole.columns * whole.du_mm,
            whole.rows * whole.dv_mm,
        )

    def picture(
        self, plane: Plane, window: Window, seen: QRectF | None = None, mm_per_px: float = 0.0
    ) -> Picture | None:
        """Return the image of a plane, or of the slab around it when the view looks through one.

        It is grey, or grey with the colours of the second image over it. Of an oblique plane only what is
        seen is cut, no finer than the screen; None where nothing of the scan is.
        """
        slab, look = self._view.slab, self._second.look
        lattice = None
        if isinstance(plane, ObliquePlane):
            lattice = self._lattice(plane, seen, mm_per_px)
            if lattice is None:
                return None
        key = (plane, slab, lattice, window, look)
        known = self._pictures.get(key)
        if known is None:
            part = self._cut(plane, slab, lattice)
            grey = np.ascontiguousarray(window_to_gray(part.values, window.width, window.level))
            rows, columns = grey.shape
            if look is not None and self._sampler is not None:
                image = self._second.image(look, self._sampler, part, slab, grey)
            else:
                # A copy belongs to Qt: the array may go.
                image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
            rect = QRectF(
                part.left_mm, part.top_mm, part.right_mm - part.left_mm, part.bottom_mm - part.top_mm
            )
            known = Picture(plane=part.plane, image=image, rect_mm=rect)
            _keep(self._pictures, key, known)
        return known

    def _lattice(self, plane: ObliquePlane, seen: QRectF | None, mm_per_px: float) -> Lattice | None:
        sampler = self.sampler()
        assert sampler is not None
        if seen is None:
            return sampler.lattice_on(plane)
        finest = max(mm_per_px * PER_PIXEL, min(sampler.volume.grid.spacing_mm))
        return sampler.lattice_on(plane, seen_uv=_whole_tiles(seen, TILE * finest), least_mm=finest)

    def _cut(self, plane: Plane, slab: Slab, lattice: Lattice | None) -> SliceImage:
        sampler = self.sampler()
        assert sampler is not None
        # Kept because a slab of an oblique scan takes longer than a change of its window may.
        known = self._cuts.get((plane, slab, lattice))
        if known is None:
            known = extract_slab(sampler, plane, slab, lattice)
            _keep(self._cuts, (plane, slab, lattice), known, KEPT_CUTS)
        return known

    def outlines(self, plane: Plane, seen: QRectF | None = None) -> tuple[list[Stroke], list[Stroke]]:
        """Return the outlines of all shown structures: those below the isotherms, and the target's.

        Of an oblique plane those lines that are seen.
        """
        case = self._case
        part = None
        if seen is not None and isinstance(plane, ObliquePlane):
            part = _whole_tiles(seen, max(seen.width(), seen.height()) / 8.0)
        look = theme()
        strokes: list[Stroke] = []
        target: list[Stroke] = []
        if case is None:
            return strokes, target
        drawn = self._outlining.subject
        for structure, cutter in self._outlines.cutters().items():
            if drawn is not None and structure.name == drawn.name:
                continue  # its live mask is shown instead
            is_target = structure.name == case.target_name
            layer = "tumour" if is_target else "organs"
            if not (self._view.shows(layer) and self._view.shows(f"structure:{structure.name}")):
                continue
            key = (plane, cutter, part)
            path = self._outline_paths.get(key)
            if path is None:
                path = lines_path(cutter.cut(plane, part))
                _keep(self._outline_paths, key, path, 20 * KEPT_SLICES)
            if path.isEmpty():
                continue
            if is_target:
                target.append(Stroke(path=path, style=look.tumour))
            else:
                strokes.append(Stroke(path=path, style=look.outline(structure.role), opacity=0.85))
        return strokes, target

    def ice(self) -> Ice | None:
        """Return what the isotherms are cut from, None when there is nothing."""
        return ice_of(self._workspace, self._view)

    @property
    def drawn(self) -> Volume | None:
        """The temperatures that the isotherms were last cut from."""
        return self._field

    def shown_thresholds(self) -> tuple[float, ...]:
        """Return the isotherms that are switched on."""
        return tuple(t for t in SHOWN_DEGC if self._view.shows(f"ice_{t:.0f}"))

    def isotherms(self, plane: Plane) -> list[Stroke]:
        """Return the isotherms that are switched on, warmest first; grey of old ice, thin of a preview."""
        ice = self.ice()
        field = None if ice is None else ice.field_degc
        if field is not self._field:
            self._field = field
            self._cutter = IsothermCutter(field) if field is not None else None
            self._isotherm_paths.clear()
        if self._cutter is None or ice is None:
            return []
        known = self._isotherm_paths.get(plane)
        if known is None:
            try:
                cut = self._cutter.cut(plane, SHOWN_DEGC)
            except CryoplanError:
                cut = ()
            known = [(i.threshold_degc, lines_path(i.lines)) for i in cut]
            _keep(self._isotherm_paths, plane, known)
        look = theme()
        shown = self.shown_thresholds()
        stale, preview = ice.standing is Standing.STALE, ice.standing is Standing.PREVIEW
        opacity = look.stale.opacity if stale else look.preview.opacity if preview else 1.0
        is_answer = ice.standing is Standing.CURRENT
        return [
            Stroke(
                path=path,
                style=look.isotherm(threshold, stale=stale, preview=preview),
                opacity=opacity,
                filled=0.10 if is_answer and threshold == SHOWN_DEGC[0] else 0.0,
                haloed=True,
            )
            for threshold, path in known
            if threshold in shown and not path.isEmpty()
        ]

    def before(self, plane: Plane) -> list[Stroke]:
        """Return the ice edge of the result that was kept to compare with, while another one is current."""
        kept = self._workspace.before
        if not (kept.is_other and kept.result is not None and self._view.shows("ice_0")):
            return []
        field = kept.result.minimum_degc
        if self._before is None or self._before[0] is not field:
            self._before = (field, IsothermCutter(field))
            self._before_paths.clear()
        path = self._before_paths.get(plane)
        if path is None:
            try:
                path = lines_path(
                    [line for i in self._before[1].cut(plane, SHOWN_DEGC[:1]) for line in i.lines]
                )
            except CryoplanError:
                path = QPainterPath()
            _keep(self._before_paths, plane, path)
        return [] if path.isEmpty() else [Stroke(path=path, style=before_line(), haloed=True)]


def before_line() -> LineStyle:
    """Return the line of the ice edge before: grey and dashed."""
    look = theme()
    line = look.isotherm(SHOWN_DEGC[0], stale=True)
    return replace(line, label=f"{line.label} before", dash=(6.0, 4.0))


def _whole_tiles(seen: QRectF, tile_mm: float) -> _Part:
    """Return left, right, top and bottom of what is seen, to whole tiles: a small move cuts nothing anew."""
    left, right = np.floor(seen.left() / tile_mm), np.ceil(seen.right() / tile_mm)
    top, bottom = np.floor(seen.top() / tile_mm), np.ceil(seen.bottom() / tile_mm)
    return tuple(float(n) * tile_mm for n in (left, right, top, bottom))


def _is_cut_alike(structure: Structure, before: Case | None, case: Case | None) -> bool:
    """Tell whether the outline of a structure is the same in another state of the case."""
    if before is None or case is None or not any(s is structure for s in case.structures):
        return False
    was_target, is_target = (structure.name == c.target_name for c in (before, case))
    return was_target == is_target and (not is_target or before.planning_grid == case.planning_grid)


def _keep(store: dict[_Key, _Kept], key: _Key, value: _Kept, most: int = KEPT_SLICES) -> None:
    """Put a value in, and drop the oldest when there are too many."""
    while len(store) >= most:
        del store[next(iter(store))]
    store[key] = value
