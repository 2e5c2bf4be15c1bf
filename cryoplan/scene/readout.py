"""Readout: everything known about the point under the cursor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from cryoplan.case.case import Case
from cryoplan.case.second_image import image_name
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import Point, as_point, point_to_segment_mm
from cryoplan.core.units import show_degc, show_mm
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan
from cryoplan.margins.surface import level_surface
from cryoplan.plan.plan import Plan
from cryoplan.scene.shape import structure_field
from cryoplan.scene.slices import SliceSampler
from cryoplan.simulation.isotherm import scale_of

NEAR_MM = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is at one point; None for what is not known there.

    Attributes
    ----------
    point_mm : Point
        LPS.
    value : float or None
        Voxel value of the scan: HU for CT, signal otherwise.
    unit : str
        ``HU`` or ``signal``.
    second : float or None
        Value of the second image, trilinear as it is shown.
    second_name : str
        What it is called, with its unit.
    structure : str or None
        The tumour if the point is in it, else the smallest structure around the point.
    now_degc, lowest_degc : float or None
        Temperatures at the shown time and over the whole protocol.
    tumour_distance_mm : float or None
        To the surface of the target, positive outside.
    probe : str or None
        Nearest probe by its axis between entry and tip.
    probe_distance_mm : float or None
        Distance to that axis.
    """

    point_mm: Point
    value: float | None
    unit: str
    second: float | None = None
    second_name: str = ""
    structure: str | None = None
    now_degc: float | None = None
    lowest_degc: float | None = None
    tumour_distance_mm: float | None = None
    probe: str | None = None
    probe_distance_mm: float | None = None

    def texts(self) -> tuple[str, ...]:
        """Return the parts of the status line, in its order, without those that are not known."""
        parts = []
        if self.value is not None:
            parts.append(f"{self.unit} {self.value:.0f}".replace("-", "\N{MINUS SIGN}"))
        if self.second is not None:
            parts.append(f"{self.second_name} {_short(self.second)}")
        if self.structure is not None:
            parts.append(self.structure)
        if self.now_degc is not None:
            parts.append(f"now {show_degc(self.now_degc)}")
        if self.lowest_degc is not None:
            parts.append(f"lowest {show_degc(self.lowest_degc)}")
        if self.tumour_distance_mm is not None:
            where = "outside" if self.tumour_distance_mm > 0 else "inside"
            parts.append(f"{show_mm(abs(self.tumour_distance_mm))} {where} tumour")
        if self.probe is not None and self.probe_distance_mm is not None:
            parts.append(f"probe {self.probe}: {show_mm(self.probe_distance_mm)}")
        return tuple(parts)


class TargetDistance:
    """Signed distance to the surface of the target, the one that margins are measured from.

    Within 1 mm of the surface the smooth distance field itself answers; further away the nearest of the
    surface's corners and triangle middles does. One of them is at most 0.6 voxel from any place of the
    surface, so that the error is below 0.2 voxel there and vanishes with the distance.

    Parameters
    ----------
    target : Structure
        The target of `case`.
    case : Case
        The case.
    """

    def __init__(self, target: Structure, case: Case) -> None:
        field = structure_field(target, case)
        self._near = SliceSampler(field)
        surface = level_surface(-field.values, field.grid, 0.0, outside=float(-field.values.min()))
        corners = surface.corners_mm()
        self._tree = cKDTree(np.concatenate([surface.points_mm, sum(corners) / 3.0]))

    def signed_mm(self, point_mm: npt.ArrayLike) -> float:
        """Return the distance of an LPS point, positive outside and negative inside."""
        near = self._near.value_at(point_mm, interpolate=True)
        if near is not None and abs(near) < NEAR_MM:
            return -near
        far = float(self._tree.query(np.asarray(point_mm, float))[0])
        return -far if near is not None and near > 0 else far


class Readout:
    """Answers for points of one case; cheap enough for every move of the mouse."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._scan = SliceSampler(case.scan.volume)
        self._unit = "HU" if case.scan.facts.has_hounsfield else "signal"
        self._structures = sorted(case.structures, key=_rank)
        self._distance = TargetDistance(case.target, case) if case.target is not None else None
        self._second: SliceSampler | None = None
        self._second_name = ""

    def show_second(self, second: Scan | None) -> None:
        """Read a second image as well, or none any more."""
        self._second = SliceSampler(second.volume) if second is not None else None
        if second is not None:
            facts = second.facts
            name = image_name(facts.modality, facts.description)
            self._second_name = f"{name} {'HU' if facts.has_hounsfield else 'signal'}"

    def read(
        self,
        point_mm: npt.ArrayLike,
        *,
        plan: Plan | None = None,
        now_degc: Volume | None = None,
        lowest_degc: Volume | None = None,
    ) -> Reading:
        """Return what is known about an LPS point.

        Parameters
        ----------
        point_mm : array_like
            LPS point.
        plan : Plan or None
            For the nearest probe.
        now_degc, lowest_degc : Volume or None
            Temperature fields, read as the isotherms are. Leave them out when the result is out of date.
        """
        probe, gap = None, None
        for candidate in plan.probes if plan is not None else ():
            distance = float(point_to_segment_mm(point_mm, candidate.entry_mm, candidate.tip_mm))
            if gap is None or distance < gap:
                probe, gap = candidate.name, distance
        inside = (s.name for s in self._structures if _contains(s, point_mm))
        return Reading(
            point_mm=as_point(point_mm),
            value=self._scan.value_at(point_mm),
            unit=self._unit,
            second=None if self._second is None else self._second.value_at(point_mm, interpolate=True),
            second_name=self._second_name,
            structure=next(inside, None),
            now_degc=_temperature(now_degc, point_mm),
            lowest_degc=_temperature(lowest_degc, point_mm),
            tumour_distance_mm=None if self._distance is None else self._distance.signed_mm(point_mm),
            probe=probe,
            probe_distance_mm=gap,
        )


def _short(value: float) -> str:
    """Return a value with the digits that tell it from its neighbours: some maps are of thousandths."""
    return (f"{value:.0f}" if abs(value) >= 10.0 or value == 0.0 else f"{value:.3g}").replace(
        "-", "\N{MINUS SIGN}"
    )


def _rank(structure: Structure) -> tuple[bool, float]:
    return (structure.role is not Role.TUMOUR, structure.volume_ml)


def _contains(structure: Structure, point_mm: npt.ArrayLike) -> bool:
    grid = structure.mask.grid
    if not bool(grid.contains_mm(point_mm)):
        return False
    i, j, k = np.clip(np.rint(grid.mm_to_index(point_mm)).astype(int), 0, np.asarray(grid.size) - 1)
    return bool(structure.mask.values[k, j, i])


def _temperature(field: Volume | None, point_mm: npt.ArrayLike) -> float | None:
    if field is None:
        return None
    scale = scale_of(field)
    found = SliceSampler(field).value_at(point_mm, interpolate=True, curve=scale.values)
    return None if found is None else scale.degc(found)
