"""Worst walk: from the worst place of the margin to the next worst and back; key N."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Slot

from cryoplan.app.margin_shown import MarginShown, margin_of
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.geometry import Point, direction_words
from cryoplan.core.units import show_degc, show_mm
from cryoplan.gui.parts import OUT_OF_DATE
from cryoplan.margins.places import Place, nearest_probe

NO_RESULT = "There is no margin yet: solve first."
NO_TARGET = "There is no margin: no target is chosen."


class WorstWalk(QObject):
    """Goes from place to place and says where it is; forgets a place that is not one any more."""

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        for signal in (
            workspace.case_changed,
            workspace.result_changed,
            workspace.plan_changed,
            workspace.limits_changed,
        ):
            signal.connect(self._forget)

    @Slot()
    def next(self) -> None:
        """Go to the next worst place, the worst one first; after the last one comes the first."""
        self._step(1)

    @Slot()
    def previous(self) -> None:
        """Go back to the place before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        shown = margin_of(self._workspace, self._view)
        if shown is None or not shown.places:
            has_result = self._workspace.assessment is not None
            self._workspace.message.emit(NO_TARGET if has_result else NO_RESULT)
            return
        places, at = shown.places, place_number(shown, self._view)
        start = -1 if step > 0 else 0
        number = ((start if at is None else at) + step) % len(places)
        go_to_place(self._view, places[number])
        self._workspace.message.emit(
            f"{place_line(shown, number)}, {place_words(self._workspace, places[number])}."
        )

    @Slot()
    def _forget(self) -> None:
        if self._view.place_mm is None:
            return
        shown = margin_of(self._workspace, self._view)
        if shown is None or not shown.is_current or place_number(shown, self._view) is None:
            self._view.place_mm = None


def go_to_place(view: ViewState, place: Place) -> None:
    """Move the crosshair to a place and mark it."""
    view.place_mm = place.point_mm
    view.cursor_mm = place.point_mm


def place_number(shown: MarginShown, view: ViewState) -> int | None:
    """Return which of the places is marked, from 0; None when it is none of them."""
    return next((n for n, p in enumerate(shown.places) if p.point_mm == view.place_mm), None)


def place_line(shown: MarginShown, number: int) -> str:
    """Return which place it is and its margin: ``Place 1 of 4: −3.2 mm to −40 °C``."""
    place = shown.places[number]
    stale = "" if shown.is_current else f"{OUT_OF_DATE}: "
    what = f"{stale}Place {number + 1} of {len(shown.places)}"
    if place.margin_mm == -np.inf:
        return (
            f"{what}: nothing reaches {show_degc(shown.threshold_degc)}, here {show_degc(place.lowest_degc)}"
        )
    return f"{what}: {show_mm(place.margin_mm, signed=True)} to {show_degc(shown.threshold_degc)}"


def here_words(workspace: Workspace, shown: MarginShown, point_mm: Point) -> str:
    """Return margin and direction of a point of the surface that is none of the places."""
    found = shown.unrolled
    margin = found.margin_at(*found.place_of(point_mm))
    value = "nothing reaches" if margin is None or margin == -np.inf else f"{show_mm(margin, signed=True)} to"
    direction = direction_words(np.subtract(point_mm, found.centre_mm))
    stale = "" if shown.is_current else f"{OUT_OF_DATE}: "
    where = _with_probe(workspace, direction, point_mm)
    return f"{stale}Here: {value} {show_degc(shown.threshold_degc)}\n{where}"


def place_words(workspace: Workspace, place: Place) -> str:
    """Return where a place lies: ``cranial-posterior, 14.1 mm from probe 2``.

    Probes are those on screen, so they are not named beside the margins of an earlier plan.
    """
    return _with_probe(workspace, place.direction, place.point_mm)


def _with_probe(workspace: Workspace, direction: str, point_mm: Point) -> str:
    if not workspace.is_current:
        return direction
    near = nearest_probe(point_mm, workspace.plan, workspace.catalogue)
    return direction if near is None else f"{direction}, {show_mm(near.gap_mm)} from probe {near.name}"
