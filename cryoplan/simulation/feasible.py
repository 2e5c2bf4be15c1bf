"""Feasible: what is refused before any work - probes that cannot be, blocks that do not fit into memory."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import k0e, k1e

from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import segment_to_segment_mm
from cryoplan.core.grid import Grid
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import ProbeSource

BYTES_PER_CELL = 90.0
BYTES_PER_FRAME_CELL = 4.0
"""Memory of a solve: state, faces and maps of a cell, and one float32 for each frame that is kept."""

ASSUMED_MEMORY = 4e9
"""Bytes taken as free where the system does not say."""

USABLE = 0.8
"""Part of the free memory that a solve may take."""

COARSEST_RADII = 2.8
"""Largest cell edge in probe radii.

The ring of faces around a probe degenerates on coarser grids (solver notes section 3: at 3.75 radii by 6 mm).
A 1.47 mm probe on the 2 mm preview grid, 2.72 radii, draws the exact steady heat within 1 percent and puts
the steady front within 3 percent for any position of its axis in the cell.
"""

FREE_RIM_MM = 12.0
"""Unfrozen tissue that an estimate of the ice leaves to the border of the block.

A border 3 mm beyond the outermost sensor instead of 25 mm moved the isotherm of 0 degC by 0.25 mm (physics
section 3); the estimate itself errs towards more ice.
"""

LARGEST_MARGIN_MM = 60.0


def check_axes(sources: Sequence[ProbeSource]) -> None:
    """Refuse probes whose active zones run into one another.

    Raises
    ------
    SimulationError
        Naming both: two probes cannot be in one place, and their faces would be corrected twice.
    """
    for n, a in enumerate(sources):
        for b in sources[n + 1 :]:
            ends = [_ends_mm(s) for s in (a, b)]
            gap = segment_to_segment_mm(ends[0][0], ends[0][1], ends[1][0], ends[1][1])
            if gap < 1000.0 * (a.radius_m + b.radius_m) - 1e-6:
                raise SimulationError(
                    f"Probes {a.name} and {b.name} are in one place: their axes are {gap:.1f} mm apart.",
                    "Move or remove one of them.",
                    code="probes-overlap",
                    place=f"{a.name}, {b.name}",
                )


def check_block(sources: Sequence[ProbeSource], grid: Grid, settings: SolverSettings) -> None:
    """Refuse a block that does not hold the active zones, or cells too coarse for a probe.

    Raises
    ------
    SimulationError
        Naming the probe.
    """
    for source in sources:
        if not grid.contains_mm(np.array(_ends_mm(source))).all():
            raise SimulationError(
                f"The active zone of probe {source.name} leaves the computed block.",
                "Move the probe, or use a larger block.",
                code="probe-outside-block",
                place=source.name,
            )
        if grid.spacing_mm[0] > COARSEST_RADII * source.radius_m * 1000.0 + 1e-9:
            raise SimulationError(
                f"A grid of {settings.spacing_mm:g} mm is too coarse for probe {source.name} of "
                f"{2000 * source.radius_m:g} mm.",
                f"Use {np.floor(1e4 * COARSEST_RADII * source.radius_m) / 10:.1f} mm or less.",
                code="grid-too-coarse",
                place=source.name,
            )


def check_memory(
    plan: Plan, grid: Grid, settings: SolverSettings, *, free_bytes: float | None = None
) -> None:
    """Refuse a grid that would not fit into memory.

    Raises
    ------
    SimulationError
        With the memory that is needed and that there is.
    """
    duration = plan.protocol.duration_s
    frames = math.ceil(duration / settings.frames_every_s) if settings.frames_every_s else 0
    # The end of each phase, a moment after its begin, and the start.
    frames += 2 * len(plan.protocol.phases) + len(settings.extra_times_s) + 1
    cells = float(np.prod(grid.size, dtype=float))
    needed = cells * (BYTES_PER_CELL + BYTES_PER_FRAME_CELL * frames)
    free = available_bytes() if free_bytes is None else free_bytes
    if needed > USABLE * free:
        raise SimulationError(
            f"The problem has {cells / 1e6:.0f} million cells and needs {needed / 1e9:.1f} GB; "
            f"{free / 1e9:.1f} GB are free.",
            "Use a coarser grid, a smaller margin or fewer frames.",
            code="too-many-cells",
            place="spacing_mm",
        )


def available_bytes() -> float:
    """Return the memory that this machine has free, 4 GB where it cannot be told."""
    try:
        if sys.platform == "win32":
            return _free_on_windows()
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return 1024.0 * float(line.split()[1])
    except (OSError, ValueError, AttributeError, IndexError):
        pass
    try:
        # macOS tells the size only; half of it is taken as free.
        return 0.5 * float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))
    except (OSError, ValueError, AttributeError):
        return ASSUMED_MEMORY


def _free_on_windows() -> float:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("free", ctypes.c_ulonglong),
            ("others", ctypes.c_ulonglong * 5),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    windows = getattr(ctypes, "windll")  # noqa: B009  # it exists there only
    if not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return ASSUMED_MEMORY
    return float(status.free)


def void_findings(
    sources: Sequence[ProbeSource], grid: Grid, void: npt.NDArray[np.bool_] | None
) -> list[Finding]:
    """Say which active zones lie partly outside the body.

    Raises
    ------
    SimulationError
        If more than half of one does.
    """
    if void is None:
        return []
    findings = []
    for source in sources:
        along = np.linspace(0.0, source.length_m, 200)
        points = (np.asarray(source.begin_m) + along[:, None] * np.asarray(source.back)) * 1000.0
        i, j, k = np.rint(grid.mm_to_index(points)).astype(int).T
        share = float(void[k, j, i].mean())
        if share > 0.5:
            raise SimulationError(
                f"The active zone of probe {source.name} lies outside the body.",
                "Place it deeper.",
                code="probe-outside-body",
                place=source.name,
            )
        if share > 0.0:
            findings.append(
                Finding(
                    level=Level.WARN,
                    code="active-zone-in-air",
                    text=f"{1000 * share * source.length_m:.0f} mm of the active zone of probe {source.name} "
                    "lie outside the body; they were computed as insulated.",
                    place=source.name,
                )
            )
    return findings


def ice_reach_mm(source: ProbeSource, freeze_s: float, perfusion: float) -> float:
    """Return about how far from its axis one probe freezes, erring towards more, mm.

    The smaller of two radii of a cylinder of ice whose wall is as cold as the coolant allows: that which
    freezes in the time (quasi-steady, no heat from outside: ``r^2 (2 ln(r/r_p) - 1) / 4 = k dT t / L``), and
    that at which unfrozen tissue with blood supplies as much heat as the ice carries off (steady cylinder,
    physics section 9).

    Parameters
    ----------
    source : ProbeSource
    freeze_s : float
        Time of all freezes together.
    perfusion : float
        W/(m3 K).
    """
    k_ice, k_soft, latent, body = 2.2, 0.5, 2.5e8, 37.0
    r_p, cold = source.radius_m, source.freeze.end_degc
    if cold >= 0.0:
        return 1000.0 * r_p
    # The wall is warmer than the coolant by the drop in the contact, in series with ice of 10 mm.
    through = math.log(max(0.01 / r_p, 1.5)) / k_ice
    wall = cold * through / (through + 1.0 / (source.freeze.coefficient * r_p))
    radii = np.linspace(r_p * 1.01, 0.08, 800)
    time_s = latent * radii**2 * (2.0 * np.log(radii / r_p) - 1.0) / (4.0 * k_ice * -wall)
    in_time = radii[time_s <= freeze_s]
    reach = float(in_time[-1]) if len(in_time) else r_p
    if perfusion > 0.0:
        m = math.sqrt(perfusion / k_soft)
        given = k_soft * m * body * k1e(m * radii) / k0e(m * radii) * radii
        taken = k_ice * -wall / np.log(radii / r_p)
        held = radii[taken >= given]
        reach = min(reach, float(held[-1]) if len(held) else r_p)
    return 1000.0 * reach


def wider_margin_mm(
    sources: Sequence[ProbeSource], plan: Plan, perfusion: float, settings: SolverSettings
) -> float:
    """Return the margin that the expected ice needs, at least that of the settings and at most 60 mm."""
    freeze_s = sum(end - start for start, end, phase in plan.protocol.spans() if phase.kind.value == "freeze")
    reach = max((ice_reach_mm(s, freeze_s, perfusion) for s in sources), default=0.0)
    return min(max(settings.margin_mm, reach + FREE_RIM_MM), max(LARGEST_MARGIN_MM, settings.margin_mm))


def _ends_mm(source: ProbeSource) -> tuple[tuple[float, ...], tuple[float, ...]]:
    begin = 1000.0 * np.asarray(source.begin_m)
    end = begin + 1000.0 * source.reach_m * np.asarray(source.back)
    return tuple(map(float, begin)), tuple(map(float, end))
