"""Edits: pure functions from a plan to the next plan; undo shows the words of `cryoplan.plan.edit_words`.

Each takes a plan and returns a new one; the old one stays as it was, so undo keeps whole plans and there is
no inverse to get wrong. What moves a probe moves a tool too: their names are unique in a plan. One that is
locked does not move: such an edit raises `PlanError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Protocol as Callback
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, as_point, unit
from cryoplan.plan.names import checked_name
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Protocol
from cryoplan.plan.tool import Tool

Placed = TypeVar("Placed", Probe, Tool)


class ShaftChange(Callback):
    """What makes another probe of a probe, and another tool of a tool."""

    def __call__(self, thing: Placed, /) -> Placed:
        """Return what becomes of a probe or a tool."""


class Grip(StrEnum):
    """What of a probe or a tool a gesture holds."""

    TIP = "tip"
    ENTRY = "entry"
    WHOLE = "whole"


def next_probe_name(plan: Plan) -> str:
    """Return the lowest number that no probe has as its name."""
    return free_name("", taken_names(plan))


def add_probe(
    plan: Plan, *, model: str, tip_mm: npt.ArrayLike, entry_mm: npt.ArrayLike, name: str | None = None
) -> Plan:
    """Add a probe at full power for the whole protocol; it gets the next free number unless named.

    Raises
    ------
    PlanError
        If the name is taken or not one, or entry and tip are the same place.
    """
    called = next_probe_name(plan) if name is None else checked_name(name, what="The new probe")
    probe = Probe(name=called, model=model, tip_mm=lps_point(tip_mm), entry_mm=lps_point(entry_mm))
    return replace(plan, probes=(*plan.probes, probe))


def remove_probe(plan: Plan, name: str) -> Plan:
    """Remove a probe.

    Raises
    ------
    PlanError
        If there is none of that name, or it is locked.
    """
    plan.probe(name)
    require_free(plan, name)
    return replace(plan, probes=tuple(p for p in plan.probes if p.name != name))


def move_tip(plan: Plan, name: str, tip_mm: npt.ArrayLike) -> Plan:
    """Put the tip of a probe elsewhere; its entry stays.

    Raises
    ------
    PlanError
        If the probe is unknown or locked, or the tip would be at the entry. So for all moves below.
    """
    return _moved(plan, name, lambda p: replace(p, tip_mm=lps_point(tip_mm)))


def move_entry(plan: Plan, name: str, entry_mm: npt.ArrayLike) -> Plan:
    """Put the entry of a probe elsewhere; its tip stays."""
    return _moved(plan, name, lambda p: replace(p, entry_mm=lps_point(entry_mm)))


def move_probe(plan: Plan, name: str, by_mm: npt.ArrayLike) -> Plan:
    """Shift a whole probe by a vector, parallel to itself."""
    return nudge(plan, name, by_mm, grip=Grip.WHOLE)


def nudge(plan: Plan, name: str, by_mm: npt.ArrayLike, *, grip: Grip = Grip.WHOLE) -> Plan:
    """Shift the tip, the entry or the whole of a probe by a vector."""
    by = np.asarray(lps_point(by_mm))

    def moved(probe: Placed) -> Placed:
        tip = probe.tip_mm if grip is Grip.ENTRY else as_point(np.asarray(probe.tip_mm) + by)
        entry = probe.entry_mm if grip is Grip.TIP else as_point(np.asarray(probe.entry_mm) + by)
        return replace(probe, tip_mm=tip, entry_mm=entry)

    return _moved(plan, name, moved)


def advance(plan: Plan, name: str, by_mm: float) -> Plan:
    """Push the tip deeper along its own axis (pull back when negative); the entry stays."""
    return _moved(plan, name, lambda p: replace(p, tip_mm=p.point_behind_tip_mm(-by_mm)))


def tilt(plan: Plan, name: str, axis: npt.ArrayLike, by_deg: float, *, about: Grip = Grip.TIP) -> Plan:
    """Turn a probe about a direction through its tip (the entry moves) or its entry (the tip moves).

    Parameters
    ----------
    plan : Plan
        The plan.
    name : str
        The probe.
    axis : array_like
        Direction of the axis of rotation, LPS; need not have length 1.
    by_deg : float
        Angle, by the right-hand rule.
    about : Grip
        Which end stays: ``tip`` or ``entry``; ``whole`` turns about the middle.
    """

    def turned(probe: Placed) -> Placed:
        tip, entry = np.asarray(probe.tip_mm), np.asarray(probe.entry_mm)
        pivot = {Grip.TIP: tip, Grip.ENTRY: entry, Grip.WHOLE: 0.5 * (tip + entry)}[about]
        matrix = _rotation(axis, by_deg)
        return replace(
            probe,
            tip_mm=probe.tip_mm if about is Grip.TIP else as_point(pivot + matrix @ (tip - pivot)),
            entry_mm=probe.entry_mm if about is Grip.ENTRY else as_point(pivot + matrix @ (entry - pivot)),
        )

    return _moved(plan, name, turned)


def copy_parallel(
    plan: Plan, name: str, *, distance_mm: float, clock_hours: float, new_name: str | None = None
) -> Plan:
    """Add a copy of a probe beside it: same direction and depth, same model, power and times.

    Parameters
    ----------
    plan : Plan
        The plan.
    name : str
        The probe to copy; it may be locked, the copy is not.
    distance_mm : float
        Distance of the two axes, above 0.
    clock_hours : float
        On which side, as on a clock seen along the probe (`cryoplan.plan.placement.clock_direction`): 12 is
        towards the head.
    new_name : str, optional
        Name of the copy; the next free number when left out.

    Raises
    ------
    PlanError
        If the probe is unknown, the name is taken or the distance is not above 0.
    """
    probe = plan.probe(name)
    if not (np.isfinite(distance_mm) and distance_mm > 0.0):
        raise PlanError(
            f"A copy of probe {name} at {distance_mm:g} mm would lie in the probe itself.",
            "Use a distance above 0 mm.",
            code="copy-distance",
            place="distance_mm",
        )
    called = next_probe_name(plan) if new_name is None else checked_name(new_name, what="The copy")
    by = distance_mm * clock_direction(probe.direction, clock_hours)
    copy = replace(
        probe,
        name=called,
        tip_mm=as_point(np.asarray(probe.tip_mm) + by),
        entry_mm=as_point(np.asarray(probe.entry_mm) + by),
        locked=False,
    )
    return replace(plan, probes=(*plan.probes, copy))


def set_model(plan: Plan, name: str, model: str) -> Plan:
    """Choose another model for a probe; its tip stays where it is."""
    return _changed(plan, name, lambda p: replace(p, model=model))


def set_intensity(plan: Plan, name: str, intensity: float) -> Plan:
    """Set the duty of a probe, above 0 to 1.

    Raises
    ------
    PlanError
        If it is out of range.
    """
    return _changed(plan, name, lambda p: replace(p, intensity=float(intensity)))


def set_times(plan: Plan, name: str, start_s: float, stop_s: float | None) -> Plan:
    """Set when a probe's gas goes on and off, protocol time; None means until the end.

    Raises
    ------
    PlanError
        If it starts before the protocol or stops before it starts.
    """
    stop = None if stop_s is None else float(stop_s)
    return _changed(plan, name, lambda p: replace(p, start_s=float(start_s), stop_s=stop))


def set_locked(plan: Plan, name: str, locked: bool) -> Plan:
    """Lock a probe or a tool so that nothing moves or removes it, or unlock it."""
    return changed_shaft(plan, name, lambda p: replace(p, locked=locked))


def rename_probe(plan: Plan, name: str, new_name: str) -> Plan:
    """Give a probe another name.

    Raises
    ------
    PlanError
        If the name is taken or not one.
    """
    checked_name(new_name, what=f"Probe {name}")
    return _changed(plan, name, lambda p: replace(p, name=new_name))


def set_protocol(plan: Plan, protocol: Protocol) -> Plan:
    """Choose another protocol."""
    return replace(plan, protocol=protocol)


def add_thermocouple(plan: Plan, position_mm: npt.ArrayLike, name: str | None = None) -> Plan:
    """Add a virtual thermometer; it gets the next free name ``T1``, ``T2``, ... unless named.

    Raises
    ------
    PlanError
        If the name is taken or not one, or the position is not three finite numbers.
    """
    called = (
        free_name("T", taken_names(plan)) if name is None else checked_name(name, what="The new thermocouple")
    )
    new = Thermocouple(name=called, position_mm=lps_point(position_mm))
    return replace(plan, thermocouples=(*plan.thermocouples, new))


def move_thermocouple(plan: Plan, name: str, position_mm: npt.ArrayLike) -> Plan:
    """Put a thermocouple elsewhere.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    return _thermocouple_changed(plan, name, lambda t: replace(t, position_mm=lps_point(position_mm)))


def rename_thermocouple(plan: Plan, name: str, new_name: str) -> Plan:
    """Give a thermocouple another name.

    Raises
    ------
    PlanError
        If there is none of that name, or the new name is taken or not one.
    """
    checked_name(new_name, what=f"Thermocouple {name}")
    return _thermocouple_changed(plan, name, lambda t: replace(t, name=new_name))


def remove_thermocouple(plan: Plan, name: str) -> Plan:
    """Remove a thermocouple.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    _thermocouple_changed(plan, name, lambda t: t)
    return replace(plan, thermocouples=tuple(t for t in plan.thermocouples if t.name != name))


def rename_plan(plan: Plan, name: str) -> Plan:
    """Give the plan another name.

    Raises
    ------
    PlanError
        If it is not a name.
    """
    return replace(plan, name=checked_name(name, what="The plan"))


def set_channel(plan: Plan, name: str, channel: str) -> Plan:
    """Say on which port of the console a probe hangs; empty when that is open.

    Raises
    ------
    PlanError
        If it is longer than 20 characters or cannot be printed.
    """
    return _changed(plan, name, lambda p: replace(p, channel=channel.strip()))


def set_order(plan: Plan, name: str, order: int | None) -> Plan:
    """Say which probe goes in first, second, ...; None when that is open.

    Raises
    ------
    PlanError
        If it is no number of a probe.
    """
    return _changed(plan, name, lambda p: replace(p, order=order))


def set_colour(plan: Plan, name: str, colour: int | None) -> Plan:
    """Give a probe a colour of the theme; None takes that of its place in the plan.

    Raises
    ------
    PlanError
        If the theme has no such colour.
    """
    return _changed(plan, name, lambda p: replace(p, colour=colour))


def set_note(plan: Plan, name: str, note: str) -> Plan:
    """Write a note on a probe or a tool.

    Raises
    ------
    PlanError
        If it is longer than 300 characters or cannot be printed.
    """
    return changed_shaft(plan, name, lambda p: replace(p, note=note.strip()))


def shaft(plan: Plan, name: str) -> Probe | Tool:
    """Return the probe or tool of that name.

    Raises
    ------
    PlanError
        If there is none.
    """
    return next((t for t in plan.tools if t.name == name), None) or plan.probe(name)


def changed_shaft(plan: Plan, name: str, change: ShaftChange) -> Plan:
    """Return the plan with one probe or tool changed.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    shaft(plan, name)
    return replace(
        plan,
        probes=tuple(change(p) if p.name == name else p for p in plan.probes),
        tools=tuple(change(t) if t.name == name else t for t in plan.tools),
    )


def require_free(plan: Plan, name: str) -> None:
    """Refuse to move what is locked.

    Raises
    ------
    PlanError
        If the probe or tool is locked, or there is none of that name.
    """
    if shaft(plan, name).locked:
        kind = "Probe" if any(p.name == name for p in plan.probes) else "Tool"
        raise PlanError(f"{kind} {name} is locked.", "Unlock it first (L).", code="probe-locked", place=name)


def _changed(plan: Plan, name: str, change: Callable[[Probe], Probe]) -> Plan:
    plan.probe(name)
    return replace(plan, probes=tuple(change(p) if p.name == name else p for p in plan.probes))


def _moved(plan: Plan, name: str, change: ShaftChange) -> Plan:
    require_free(plan, name)
    return changed_shaft(plan, name, change)


def _thermocouple_changed(plan: Plan, name: str, change: Callable[[Thermocouple], Thermocouple]) -> Plan:
    if all(t.name != name for t in plan.thermocouples):
        raise PlanError(
            f"There is no thermocouple {name!r}.",
            "Choose one of the plan's thermocouples.",
            code="thermocouple-unknown",
            place=name,
        )
    changed = tuple(change(t) if t.name == name else t for t in plan.thermocouples)
    return replace(plan, thermocouples=changed)


def taken_names(plan: Plan) -> set[str]:
    """Return the names of all probes, thermocouples and tools."""
    return {name for things in (plan.probes, plan.thermocouples, plan.tools) for name in _names(things)}


def _names(things: Sequence[Probe] | Sequence[Thermocouple] | Sequence[Tool]) -> list[str]:
    return [thing.name for thing in things]


def free_name(prefix: str, taken: set[str]) -> str:
    """Return the prefix with the lowest number that is no name yet."""
    number = 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def lps_point(values: npt.ArrayLike) -> Point:
    """Return a point.

    Raises
    ------
    PlanError
        If it is not three finite numbers.
    """
    try:
        return as_point(values)
    except (TypeError, ValueError) as error:
        raise PlanError(
            "A position is not three finite numbers.",
            "Give x, y and z in LPS millimetres.",
            code="position",
            place="position",
        ) from error


def _rotation(axis: npt.ArrayLike, by_deg: float) -> npt.NDArray[np.float64]:
    """Return the 3 x 3 rotation by an angle about a direction (Rodrigues)."""
    x, y, z = unit(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(by_deg)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)
