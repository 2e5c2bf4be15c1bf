"""Packed steps: what waits for a slow disk stays within a bound of memory, however much is drawn meanwhile.

On a disk that answers a step waits for some milliseconds and holds nothing that the window does not show.
While the disk hangs each stroke leaves a mask behind, of 79 MB on a scan of 512 x 512 x 300.
"""

from __future__ import annotations

from dataclasses import replace

from cryoplan.app.steps import State, Step
from cryoplan.case.case import Case
from cryoplan.core.packed_mask import PackedMask
from cryoplan.core.volume import Volume

UNPACKED_BYTES = 256 * 1024**2
"""Masks of steps that wait and that the window does not show any more may take this; others are packed."""


def bounded(steps: list[Step]) -> list[Step]:
    """Return steps that wait with their oldest masks packed as far as the bound asks for it.

    The first one is left alone, since it is being written, and so is what the last one shows. Cases and
    states that were one object are one afterwards too.
    """
    if len(steps) < 3:
        return steps
    shown = {id(m) for m in (*_masks(steps[-1].case), *_masks(steps[0].case), *_masks(steps[0].before[0]))}
    kept: dict[int, Volume] = {}
    for step in steps[1:]:
        for mask in (*_masks(step.before[0]), *_masks(step.case)):
            if id(mask) not in shown and not isinstance(mask, PackedMask):
                kept[id(mask)] = mask
    over = sum(mask.values.nbytes for mask in kept.values()) - UNPACKED_BYTES
    packed: dict[int, Volume] = {}
    for key, mask in kept.items():
        if over <= 0:
            break
        packed[key] = PackedMask(mask)
        over -= mask.values.nbytes
    if not packed:
        return steps
    cases: dict[int, Case] = {}
    states: dict[int, State] = {}
    made = [steps[0]]
    for step in steps[1:]:
        case, (before, plan) = step.case, step.before
        for one in (before, case):
            cases.setdefault(id(one), _with(one, packed))
        state = states.setdefault(
            id(step.before), step.before if cases[id(before)] is before else (cases[id(before)], plan)
        )
        made.append(replace(step, case=cases[id(case)], before=state))
    return made


def unpacked(case: Case) -> Case:
    """Return a case to work with: the same one if none of its masks is packed."""
    whole = {id(m): m.unpacked() for m in _masks(case) if isinstance(m, PackedMask)}
    return _with(case, whole) if whole else case


def _with(case: Case, masks: dict[int, Volume]) -> Case:
    """Return a case with other masks in the place of some; the same one if it has none of those."""
    if not any(id(mask) in masks for mask in _masks(case)):
        return case
    return case.changed(
        structures=tuple(
            replace(s, mask=masks[id(s.mask)]) if id(s.mask) in masks else s for s in case.structures
        )
    )


def _masks(case: Case) -> tuple[Volume, ...]:
    return tuple(s.mask for s in case.structures)
