"""Edits: pure functions from a plan to the next plan, and the words that undo shows for them.

Each takes a plan and returns a new one; the old one stays as it was, so undo keeps whole plans and there is
no inverse to get wrong. A probe that is locked does not move: such an edit raises `PlanError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import Point, angle_deg, as_point, distance_mm, unit
from cryoplan.core.units import show_clock, show_mm
from cryoplan.plan.names import checked_name
from cryoplan.plan.placement import clock_direction
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Protocol

_Thing = TypeVar("_Thing", Probe, Thermocouple)


class Grip(StrEnum):
    """What of a probe a gesture holds."""

    TIP = "tip"
    ENTRY = "entry"
    WHOLE = "whole"


def next_probe_name(plan: Plan) -> str:
    """Return the lowest number that no probe has as its name."""
    return _free_name("", [p.name for p in plan.probes])


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
    probe = Probe(name=called, model=model, tip_mm=_point(tip_mm), entry_mm=_point(entry_mm))
    return replace(plan, probes=(*plan.probes, probe))


def remove_probe(plan: Plan, name: str) -> Plan:
    """Remove a probe.

    Raises
    ------
    PlanError
        If there is none of that name, or it is locked.
    """
    _unlocked(plan, name)
    return replace(plan, probes=tuple(p for p in plan.probes if p.name != name))


def move_tip(plan: Plan, name: str, tip_mm: npt.ArrayLike) -> Plan:
    """Put the tip of a probe elsewhere; its entry stays.

    Raises
    ------
    PlanError
        If the probe is unknown or locked, or the tip would be at the entry. So for all moves below.
    """
    return _moved(plan, name, lambda p: replace(p, tip_mm=_point(tip_mm)))


def move_entry(plan: Plan, name: str, entry_mm: npt.ArrayLike) -> Plan:
    """Put the entry of a probe elsewhere; its tip stays."""
    return _moved(plan, name, lambda p: replace(p, entry_mm=_point(entry_mm)))


def move_probe(plan: Plan, name: str, by_mm: npt.ArrayLike) -> Plan:
    """Shift a whole probe by a vector, parallel to itself."""
    return nudge(plan, name, by_mm, grip=Grip.WHOLE)


def nudge(plan: Plan, name: str, by_mm: npt.ArrayLike, *, grip: Grip = Grip.WHOLE) -> Plan:
    """Shift the tip, the entry or the whole of a probe by a vector."""
    by = np.asarray(_point(by_mm))

    def moved(probe: Probe) -> Probe:
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

    def turned(probe: Probe) -> Probe:
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
    """Lock a probe so that nothing moves or removes it, or unlock it."""
    return _changed(plan, name, lambda p: replace(p, locked=locked))


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
    taken = [t.name for t in plan.thermocouples]
    called = _free_name("T", taken) if name is None else checked_name(name, what="The new thermocouple")
    new = Thermocouple(name=called, position_mm=_point(position_mm))
    return replace(plan, thermocouples=(*plan.thermocouples, new))


def move_thermocouple(plan: Plan, name: str, position_mm: npt.ArrayLike) -> Plan:
    """Put a thermocouple elsewhere.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    return _thermocouple_changed(plan, name, lambda t: replace(t, position_mm=_point(position_mm)))


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


def describe_change(old: Plan, new: Plan) -> str:
    """Return what happened between two plans in a few words, such as ``Probe 2: tip moved 3.1 mm``.

    Several changes are joined by ``; ``, many are counted. Equal plans give an empty text.
    """
    parts: list[str] = []
    if old.name != new.name:
        parts.append(f"Plan renamed {new.name}")
    parts += _things_changed("Probe", old.probes, new.probes, _probe_words)
    if old.protocol != new.protocol:
        parts.append(f"Protocol {new.protocol.describe()}")
    parts += _things_changed("Thermocouple", old.thermocouples, new.thermocouples, _thermocouple_words)
    return "; ".join(parts) if len(parts) <= 2 else f"{len(parts)} changes: {parts[0]}, ..."


def _things_changed(
    kind: str, old: tuple[_Thing, ...], new: tuple[_Thing, ...], words: Callable[[_Thing, _Thing], str]
) -> list[str]:
    before, after = {t.name: t for t in old}, {t.name: t for t in new}
    gone = [t for t in old if t.name not in after]
    come = [t for t in new if t.name not in before]
    if len(gone) == len(come) == 1 and replace(gone[0], name=come[0].name) == come[0]:
        return [f"{kind} {gone[0].name} renamed {come[0].name}"]
    parts = [f"{kind} {t.name} removed" for t in gone] + [f"{kind} {t.name} added" for t in come]
    same = [(before[t.name], t) for t in new if t.name in before]
    return parts + [f"{kind} {b.name}: {words(a, b)}" for a, b in same if a != b]


def _probe_words(old: Probe, new: Probe) -> str:
    words: list[str] = []
    tip, entry = np.subtract(new.tip_mm, old.tip_mm), np.subtract(new.entry_mm, old.entry_mm)
    tip_by, entry_by = float(np.linalg.norm(tip)), float(np.linalg.norm(entry))
    if tip_by > 0.0 and entry_by > 0.0:
        if float(np.linalg.norm(tip - entry)) < 1e-6:
            words.append(f"moved {show_mm(tip_by)}")
        else:
            words.append(f"moved and turned {angle_deg(old.direction, new.direction):.1f}°")
    elif tip_by > 0.0:
        along = float(tip @ old.direction)
        if abs(abs(along) - tip_by) < 1e-6:
            words.append(f"{show_mm(tip_by)} {'deeper' if along > 0.0 else 'less deep'}")
        else:
            words.append(f"tip moved {show_mm(tip_by)}")
    elif entry_by > 0.0:
        words.append(f"entry moved {show_mm(entry_by)}")
    if old.model != new.model:
        words.append(f"model {new.model}")
    if old.intensity != new.intensity:
        words.append(f"power {100.0 * new.intensity:.0f} %")
    if (old.start_s, old.stop_s) != (new.start_s, new.stop_s):
        until = "the end" if new.stop_s is None else show_clock(new.stop_s)
        words.append(f"on from {show_clock(new.start_s)} to {until}")
    if old.locked != new.locked:
        words.append("locked" if new.locked else "unlocked")
    return ", ".join(words)


def _thermocouple_words(old: Thermocouple, new: Thermocouple) -> str:
    return f"moved {show_mm(distance_mm(old.position_mm, new.position_mm))}"


def _changed(plan: Plan, name: str, change: Callable[[Probe], Probe]) -> Plan:
    plan.probe(name)
    return replace(plan, probes=tuple(change(p) if p.name == name else p for p in plan.probes))


def _moved(plan: Plan, name: str, change: Callable[[Probe], Probe]) -> Plan:
    _unlocked(plan, name)
    return _changed(plan, name, change)


def _unlocked(plan: Plan, name: str) -> None:
    if plan.probe(name).locked:
        raise PlanError(f"Probe {name} is locked.", "Unlock it first (L).", code="probe-locked", place=name)


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


def _free_name(prefix: str, taken: list[str]) -> str:
    number = 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def _point(values: npt.ArrayLike) -> Point:
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
