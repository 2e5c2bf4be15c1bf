"""ProbeModel (catalogue) and Probe (placed in the patient)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, distance_mm, unit
from cryoplan.core.sourced import Sourced
from cryoplan.plan.names import LONGEST_CHANNEL, LONGEST_NOTE, checked_line
from cryoplan.plan.shaft import behind_tip_mm, checked_ends

MOST_ORDER = 100
MOST_COLOURS = 8
"""Colours that the theme has for probes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeModel:
    """One kind of probe, as ``resources/probes/<id>.toml`` describes it.

    All numbers carry their unit and source. The thermal part is the Robin exchange of physics section 8::

        q'' = h g(z) (T_surface - T_c(t)),   T_c(t) = T_start + (T_end - T_start) (1 - exp(-t / tau))

    Attributes
    ----------
    id : str
        File name without ending, for example ``generic-15g``.
    name : str
        What the window shows.
    vendor, gauge, coolant : str
        As published; may be empty.
    note : str
        What a user must know about this entry, for example that it is interpolated.
    outer_diameter : Sourced
        mm.
    active_length : Sourced
        mm, length of the freezing zone.
    tip_offset : Sourced
        mm from the metal tip to the begin of the active zone.
    shaft_length : Sourced
        mm from tip to hub.
    taper : Sourced
        mm behind the active zone over which g(z) falls from 1 to 0.
    coolant_temperature : Sourced
        degC, end value of T_c while freezing.
    cooling_time_constant : Sourced
        s, tau.
    thaw_time_constant : Sourced or None
        s, tau of an active thaw: metal and gas left in the tip stay cold for a while. None takes that of
        cooling.
    exchange_coefficient : Sourced
        W/(m2 K), h while freezing; the calibrated parameter.
    active_thaw_temperature : Sourced or None
        degC while thawing with gas; None when the model cannot.
    active_thaw_coefficient : Sourced or None
        W/(m2 K) while thawing with gas.
    electric_thaw_temperature : Sourced or None
        degC limit of the electric heater; None when the model has none.
    calibration : str
        One sentence: on what data h was calibrated and with what residual.
    kind : str
        ``cryoprobe``, or ``warmer``: something warm that is on during every phase, thaws included. Its
        `coolant_temperature` is that of the warm fluid.
    """

    id: str
    name: str
    vendor: str
    gauge: str
    coolant: str
    note: str
    outer_diameter: Sourced
    active_length: Sourced
    tip_offset: Sourced
    shaft_length: Sourced
    taper: Sourced
    coolant_temperature: Sourced
    cooling_time_constant: Sourced
    exchange_coefficient: Sourced
    active_thaw_temperature: Sourced | None = None
    active_thaw_coefficient: Sourced | None = None
    electric_thaw_temperature: Sourced | None = None
    thaw_time_constant: Sourced | None = None
    calibration: str = ""
    kind: str = "cryoprobe"

    @property
    def is_warmer(self) -> bool:
        """True for what keeps tissue warm instead of freezing it."""
        return self.kind == "warmer"

    @property
    def is_guess(self) -> bool:
        """True when geometry or exchange is recalled or assumed and must be shown as a guess."""
        return any(
            s.is_guess
            for s in (self.outer_diameter, self.active_length, self.tip_offset, self.exchange_coefficient)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe placed in the patient.

    Attributes
    ----------
    name : str
        Unique in its plan; the number on the screen and in the room.
    model : str
        Id of its `ProbeModel`.
    tip_mm : Point
        LPS position of the metal tip.
    entry_mm : Point
        LPS position where the shaft passes the skin.
    intensity : float
        Duty 0 < u <= 1.
    start_s, stop_s : float, float or None
        Protocol time of gas on and off; None means until the end.
    locked : bool
        True when gestures may not move it.
    channel : str
        Port of the console that it will hang on; empty when not said.
    order : int or None
        Which probe goes in first, 1, 2, ...; None when not said.
    colour : int or None
        Index of its colour in the theme; None takes that of its place in the plan.
    note : str
        What the room should know.

    Raises
    ------
    PlanError
        If entry and tip are the same place or a number is out of range.
    """

    name: str
    model: str
    tip_mm: Point
    entry_mm: Point
    intensity: float = 1.0
    start_s: float = 0.0
    stop_s: float | None = None
    locked: bool = False
    channel: str = ""
    order: int | None = None
    colour: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PlanError("A probe has no name.", "Give it a number.", code="probe-name", place="name")
        tip, entry = checked_ends(f"Probe {self.name}", self.tip_mm, self.entry_mm)
        object.__setattr__(self, "tip_mm", tip)
        object.__setattr__(self, "entry_mm", entry)
        if not (np.isfinite(self.intensity) and 0.0 < self.intensity <= 1.0):
            raise PlanError(
                f"Probe {self.name}: intensity {self.intensity:g} is not between 0 and 1.",
                "Use 1 for full power.",
                code="probe-intensity",
                place="intensity",
            )
        if not (np.isfinite(self.start_s) and self.start_s >= 0.0):
            raise PlanError(
                f"Probe {self.name}: start at {self.start_s:g} s is before the protocol.",
                "Use 0 or later.",
                code="probe-times",
                place="start_s",
            )
        if self.stop_s is not None and not (np.isfinite(self.stop_s) and self.stop_s > self.start_s):
            raise PlanError(
                f"Probe {self.name} stops before it starts.",
                "Use a later stop, or none.",
                code="probe-times",
                place="stop_s",
            )
        for field, low, high in (("order", 1, MOST_ORDER), ("colour", 0, MOST_COLOURS - 1)):
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise PlanError(
                    f"Probe {self.name}: {field} {value} is not a number from {low} to {high}.",
                    "Use such a number, or none.",
                    code=f"probe-{field}",
                    place=field,
                )
        for text, longest in (("channel", LONGEST_CHANNEL), ("note", LONGEST_NOTE)):
            what = f"The {text} of probe {self.name}"
            checked_line(getattr(self, text), what=what, longest=longest, place=text)

    @property
    def direction(self) -> npt.NDArray[np.float64]:
        """Unit vector from entry to tip."""
        return unit(np.asarray(self.tip_mm) - np.asarray(self.entry_mm))

    @property
    def depth_mm(self) -> float:
        """Length from skin to metal tip."""
        return distance_mm(self.entry_mm, self.tip_mm)

    def point_behind_tip_mm(self, distance: float) -> Point:
        """Return the point on the axis `distance` millimetres behind the metal tip."""
        return behind_tip_mm(self.tip_mm, self.entry_mm, distance)

    def active_zone_mm(self, model: ProbeModel) -> tuple[Point, Point]:
        """Return the front (tip side) and back end of the active zone."""
        front = model.tip_offset.value
        return (
            self.point_behind_tip_mm(front),
            self.point_behind_tip_mm(front + model.active_length.value),
        )
