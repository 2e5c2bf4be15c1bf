"""Words of an edit: what happened between two plans, as undo and the history show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from cryoplan.core.geometry import angle_deg, distance_mm
from cryoplan.core.units import show_clock, show_mm
from cryoplan.plan.mark import MARK_WORDS, Mark
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.room import POSITIONS, Room
from cryoplan.plan.tool import Tool
from cryoplan.plan.warmer import Warmer

_Thing = TypeVar("_Thing", Probe, Thermocouple, Tool, Warmer, Mark)


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
    parts += _things_changed("Tool", old.tools, new.tools, _tool_words)
    parts += _things_changed("Warmer", old.warmers, new.warmers, _warmer_words)
    parts += _things_changed("Skin mark", old.marks, new.marks, _mark_words)
    if old.flows != new.flows:
        parts += _flow_words(old, new)
    if old.room != new.room:
        parts.append(f"Room: {_room_words(old.room, new.room)}")
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
    words = _moved_words(old, new)
    if old.model != new.model:
        words.append(f"model {new.model}")
    if old.intensity != new.intensity:
        words.append(f"power {100.0 * new.intensity:.0f} %")
    if (old.start_s, old.stop_s) != (new.start_s, new.stop_s):
        until = "the end" if new.stop_s is None else show_clock(new.stop_s)
        words.append(f"on from {show_clock(new.start_s)} to {until}")
    if old.channel != new.channel:
        words.append(f"channel {new.channel}" if new.channel else "no channel")
    if old.order != new.order:
        words.append("no place in the order" if new.order is None else f"goes in as number {new.order}")
    if old.colour != new.colour:
        words.append("another colour")
    return ", ".join(words + _lock_and_note_words(old, new))


def _tool_words(old: Tool, new: Tool) -> str:
    words = _moved_words(old, new)
    if old.kind != new.kind:
        words.append(f"now a {new.kind.value}")
    if (old.diameter_mm, old.length_mm) != (new.diameter_mm, new.length_mm):
        words.append(f"{show_mm(new.diameter_mm)} thick, {show_mm(new.length_mm)} long")
    return ", ".join(words + _lock_and_note_words(old, new))


def _warmer_words(old: Warmer, new: Warmer) -> str:
    words = []
    if old.temperature_degc != new.temperature_degc:
        words.append(f"{new.temperature_degc:g} °C")
    if old.coefficient != new.coefficient:
        words.append(f"{new.coefficient:g} W/(m²·K)")
    if old.radius_mm != new.radius_mm:
        words.append(f"{show_mm(new.radius_mm)} around its middle")
    if (old.structure, old.centre_mm) != (new.structure, new.centre_mm):
        words.append(f"in {new.structure}" if new.structure else "elsewhere on the skin")
    if old.is_on != new.is_on:
        words.append("on" if new.is_on else "off")
    return ", ".join(words)


def _flow_words(old: Plan, new: Plan) -> list[str]:
    before = {f.structure: f.speed_m_s for f in old.flows}
    after = {f.structure: f.speed_m_s for f in new.flows}
    return [
        f"Flow in {name} {f'{after[name]:g} m/s' if name in after else 'as usual'}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _moved_words(old: Probe | Tool, new: Probe | Tool) -> list[str]:
    tip, entry = np.subtract(new.tip_mm, old.tip_mm), np.subtract(new.entry_mm, old.entry_mm)
    tip_by, entry_by = float(np.linalg.norm(tip)), float(np.linalg.norm(entry))
    if tip_by > 0.0 and entry_by > 0.0:
        if float(np.linalg.norm(tip - entry)) < 1e-6:
            return [f"moved {show_mm(tip_by)}"]
        return [f"moved and turned {angle_deg(old.direction, new.direction):.1f}°"]
    if tip_by > 0.0:
        along = float(tip @ old.direction)
        if abs(abs(along) - tip_by) < 1e-6:
            return [f"{show_mm(tip_by)} {'deeper' if along > 0.0 else 'less deep'}"]
        return [f"tip moved {show_mm(tip_by)}"]
    return [f"entry moved {show_mm(entry_by)}"] if entry_by > 0.0 else []


def _lock_and_note_words(old: Probe | Tool, new: Probe | Tool) -> list[str]:
    words = []
    if old.locked != new.locked:
        words.append("locked" if new.locked else "unlocked")
    if old.note != new.note:
        words.append("note changed" if new.note else "note removed")
    return words


def _room_words(old: Room, new: Room) -> str:
    words = []
    if old.position != new.position:
        words.append(POSITIONS[new.position] if new.position else "as in the scan")
    if old.gantry_tilt_limit_deg != new.gantry_tilt_limit_deg:
        words.append(f"tilt up to {new.gantry_tilt_limit_deg:g}°")
    if old.bore_mm != new.bore_mm:
        words.append(f"bore {show_mm(new.bore_mm)}")
    if old.lift_mm != new.lift_mm:
        words.append(f"lifted {show_mm(new.lift_mm)}")
    return ", ".join(words)


def _mark_words(old: Mark, new: Mark) -> str:
    words = []
    if old.position_mm != new.position_mm:
        words.append(f"moved {show_mm(distance_mm(old.position_mm, new.position_mm))}")
    if old.kind != new.kind:
        words.append(f"now a {MARK_WORDS[new.kind]}")
    return ", ".join(words)


def _thermocouple_words(old: Thermocouple, new: Thermocouple) -> str:
    return f"moved {show_mm(distance_mm(old.position_mm, new.position_mm))}"
