"""Margin shown: the margin map that is on show now, whether it is current, and what is derived from it.

3D view, review and keys take it from here, so that none can show the margins of another plan as current.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.margins.along_probe import ProbeProfile, profile_along
from cryoplan.margins.classes import MarginClasses
from cryoplan.margins.margin_bars import MarginBars, margin_bars
from cryoplan.margins.margin_map import MarginMap
from cryoplan.margins.places import Place, worst_places
from cryoplan.margins.unrolled import UnrolledMap, unroll
from cryoplan.plan.probe import Probe

# Records of these kinds are told apart by identity, so an answer is never one of another map. Few are kept:
# about the isotherms of the map on show and of the one before.
_unroll = lru_cache(maxsize=8)(unroll)
_worst_places = lru_cache(maxsize=8)(worst_places)
_margin_bars = lru_cache(maxsize=8)(margin_bars)
_profile = lru_cache(maxsize=12)(profile_along)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarginShown:
    """The margins of one isotherm that are to be drawn.

    Attributes
    ----------
    margin_map : MarginMap
    threshold_degc : float
        The isotherm that was chosen, or the coldest where that one was not measured.
    classes : MarginClasses
    is_current : bool
        Whether they are those of the plan on screen.
    """

    margin_map: MarginMap
    threshold_degc: float
    classes: MarginClasses
    is_current: bool

    @property
    def unrolled(self) -> UnrolledMap:
        """The unrolled map; made once."""
        return _unroll(self.margin_map, self.threshold_degc)

    @property
    def places(self) -> tuple[Place, ...]:
        """The worst places, the worst first; found once."""
        return _worst_places(self.margin_map, self.threshold_degc)

    @property
    def bars(self) -> MarginBars:
        """The histogram; counted once."""
        return _margin_bars(self.margin_map, self.threshold_degc, self.classes)

    def profile(self, probe: Probe) -> ProbeProfile:
        """Return the margins along a probe of all isotherms; measured once."""
        return _profile(self.margin_map, probe)

    def is_drawn_like(self, other: MarginShown | None) -> bool:
        """Tell whether both make the same picture."""
        return (
            other is not None
            and self.margin_map is other.margin_map
            and (self.threshold_degc, self.classes, self.is_current)
            == (other.threshold_degc, other.classes, other.is_current)
        )


def margin_of(
    workspace: Workspace, view: ViewState, threshold_degc: float | None = None
) -> MarginShown | None:
    """Return the margins to show, None without a result or without a target.

    Parameters
    ----------
    threshold_degc : float, optional
        Another isotherm than the one that was chosen.
    """
    assessment = workspace.assessment
    found = assessment.margin_map if assessment is not None else None
    if found is None:
        return None
    known = found.thresholds_degc
    wanted = view.margin_degc if threshold_degc is None else threshold_degc
    return MarginShown(
        margin_map=found,
        threshold_degc=wanted if wanted in known else known[-1],
        classes=view.margin_classes,
        is_current=workspace.is_current,
    )
