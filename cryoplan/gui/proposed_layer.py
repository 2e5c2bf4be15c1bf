"""Proposed layer: what was found by itself and is not accepted, as dashed outlines of one slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtGui import QPainterPath

from cryoplan import workflow
from cryoplan.app.proposed import Proposed
from cryoplan.app.view import ViewState
from cryoplan.core.volume import Volume
from cryoplan.gui.drawn_layer import without_straight
from cryoplan.gui.slice_layers import KEPT_SLICES, Stroke, lines_path
from cryoplan.scene.contours import contour_lines
from cryoplan.scene.oblique import Plane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.style import LineStyle, theme

DASH = (5.0, 4.0)
"""Lengths of dash and gap in widths of the line: no accepted outline and no isotherm looks so."""

WIDTH_PX = 1.5
LABEL = "proposed"


def layer_of(proposal: workflow.Proposal) -> str:
    """Return the name by which the view state knows whether a proposal is shown."""
    return f"proposal:{proposal.part.value}"


def style_of(proposal: workflow.Proposal) -> LineStyle:
    """Return the line of a proposal: the colour of its role, but dashed."""
    return replace(theme().outline(proposal.role), label=LABEL, dash=DASH, width_px=WIDTH_PX)


def key_line() -> LineStyle:
    """Return the line of the key that says what a dashed outline is."""
    return LineStyle(label=LABEL, colour=theme().marks.text, dash=DASH, width_px=WIDTH_PX)


class ProposedLayer:
    """What one view shows of proposals; each is cut when a slice is first seen."""

    def __init__(self, proposed: Proposed, view: ViewState) -> None:
        self._proposed, self._view = proposed, view
        self._samplers: dict[Volume, SliceSampler] = {}
        self._paths: dict[tuple[Plane, Volume], QPainterPath] = {}

    def strokes(self, plane: Plane) -> list[Stroke]:
        """Return the outlines of the proposals that are shown, each as it lies on a slice."""
        masks = [p.mask for p in self._proposed.proposals]
        if any(mask not in masks for mask in self._samplers):
            self._samplers = {m: s for m, s in self._samplers.items() if m in masks}
            self._paths = {key: path for key, path in self._paths.items() if key[1] in masks}
        found = []
        for proposal in self._proposed.proposals:
            if self._view.shows(layer_of(proposal)):
                path = self._path(proposal.mask, plane)
                if not path.isEmpty():
                    # The dark line below is for white bone.
                    found.append(Stroke(path=path, style=style_of(proposal), haloed=True))
        return found

    def _path(self, mask: Volume, plane: Plane) -> QPainterPath:
        known = self._paths.get((plane, mask))
        if known is None:
            known = self._cut(mask, plane)
            if len(self._paths) >= 6 * KEPT_SLICES:
                del self._paths[next(iter(self._paths))]
            self._paths[plane, mask] = known
        return known

    def _cut(self, mask: Volume, plane: Plane) -> QPainterPath:
        sampler = self._samplers.get(mask)
        if sampler is None:
            bytes_ = Volume(grid=mask.grid, values=mask.values.view(np.uint8))
            sampler = self._samplers[mask] = SliceSampler(bytes_, outside=0.0)
        if not sampler.covers(plane):
            return QPainterPath()
        image = sampler.extract(plane, interpolate=True)
        return lines_path([without_straight(line) for line in contour_lines(image, 0.5)])
