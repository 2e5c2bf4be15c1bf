"""Find: the parts that were asked for, each from those that it needs, with progress and cancel between."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.body import body_blocks, find_body, find_body_of_signal
from cryoplan.image.anatomy.bone import bone_blocks, find_bone
from cryoplan.image.anatomy.fat import fat_blocks, find_fat
from cryoplan.image.anatomy.found import Found, Part
from cryoplan.image.anatomy.lung import find_gas, find_lung, lung_and_gas_blocks
from cryoplan.image.anatomy.vessels import find_vessels

SMALLEST = 8
"""An image needs this many voxels along each axis but that of the slices, of which it needs two."""


def parts_of(*, has_hounsfield: bool) -> tuple[Part, ...]:
    """Return what can be found: all in a CT; the body alone where values have no unit."""
    return tuple(Part) if has_hounsfield else (Part.BODY,)


def find_anatomy(
    image: Volume,
    which: Collection[Part] = tuple(Part),
    *,
    has_hounsfield: bool = True,
    progress: Progress = SILENT,
) -> tuple[Found, ...]:
    """Find parts of the anatomy.

    Parameters
    ----------
    image : Volume
        The scan, any orientation; HU where `has_hounsfield`.
    which : collection of Part
        What to look for.
    has_hounsfield : bool
        Whether the values are Hounsfield units.
    progress : Progress
        Told what is being looked for; asked between parts whether to go on.

    Returns
    -------
    tuple of Found
        One for each part asked for, in the order of `Part`, with an empty mask where there is none.

    Raises
    ------
    ImageError
        If something needs Hounsfield units and there are none (``anatomy-needs-ct``), or the image is too
        small to hold shapes (``image-too-small``).
    Cancelled
        If `progress` says so.
    """
    wanted = [part for part in Part if part in which]
    refused = [part.value for part in wanted if part not in parts_of(has_hounsfield=has_hounsfield)]
    if refused:
        raise ImageError(
            f"This image has no Hounsfield units, so {', '.join(refused)} cannot be found in it by value.",
            "Outline them by hand or read them from a file; only the body is found in an MR.",
            code="anatomy-needs-ct",
        )
    small, middle, _ = sorted(image.grid.size)
    if small < 2 or middle < SMALLEST:
        raise ImageError(
            "The image is too small to find anatomy in it.",
            "Outline by hand.",
            code="image-too-small",
        )
    stages = _Stages(progress, len(wanted) + 1)
    stages.next("Averaging the image")
    blocks = Blocks.of(image)
    if not has_hounsfield:
        stages.next("Looking for the body")
        return tuple(find_body_of_signal(blocks) for _ in wanted)
    found: list[Found] = []
    body, left_out_ml = body_blocks(blocks)
    whole, whole_body = blocks, body
    blocks, body = blocks.around(body)
    lung = gas = bone = None
    share = 0.0
    for part in wanted:
        stages.next(f"Looking for {part.value}")
        if part in (Part.LUNG, Part.GAS, Part.FAT, Part.VESSEL) and lung is None:
            lung, gas, share = lung_and_gas_blocks(blocks, body)
            check_cancelled(progress)
        if part in (Part.BONE, Part.FAT, Part.VESSEL) and bone is None:
            bone = bone_blocks(blocks, body)
            check_cancelled(progress)
        if part is Part.BODY:
            found.append(find_body(whole, whole_body, left_out_ml))
            continue
        if part is Part.BONE:
            assert bone is not None
            found.append(find_bone(blocks, bone))
            continue
        assert lung is not None
        assert gas is not None
        if part is Part.LUNG:
            found.append(find_lung(blocks, lung, share))
        elif part is Part.GAS:
            found.append(find_gas(blocks, gas))
        else:
            assert bone is not None
            air = np.asarray(lung | gas)
            if part is Part.FAT:
                found.append(find_fat(blocks, fat_blocks(blocks, body, air, bone)))
            else:
                found.append(find_vessels(blocks, body, air, bone))
    check_cancelled(progress)
    progress.report(ProgressReport(fraction=1.0, text="Looked through the image"))
    return tuple(found)


class _Stages:
    """Says which of so many stages begins, and stops when the caller wishes."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress, self._count, self._done = progress, count, 0

    def next(self, text: str) -> None:
        check_cancelled(self._progress)
        self._progress.report(ProgressReport(fraction=self._done / self._count, text=text))
        self._done += 1
