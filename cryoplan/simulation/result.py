"""ThermalResult: everything one solve found, with units, in one record."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.simulation.settings import SolverSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The temperature field at one protocol time.

    Attributes
    ----------
    time_s : float
        Protocol time.
    label : str
        ``end_freeze_1`` and so on, ``asked`` for extra times, empty for frames of the time slider, of which
        the first is the start of the protocol.
    temperature_degc : Volume
        float32, degC, on the solver grid.
    """

    time_s: float
    label: str
    temperature_degc: Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThermocoupleTrace:
    """Curve of one virtual thermocouple; arrays of one length, s and degC.

    Attributes
    ----------
    position_mm : tuple of float or None
        Where it was read, LPS; None in results of older programs.
    from_frames : bool
        True when it was read from the kept fields, a minute apart, and not at every step of the solver.
    """

    name: str
    time_s: npt.NDArray[np.float64]
    temperature_degc: npt.NDArray[np.float64]
    position_mm: Point | None = None
    from_frames: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeTrace:
    """Curves of one probe: mean shaft surface temperature and heat drawn from the tissue."""

    name: str
    time_s: npt.NDArray[np.float64]
    shaft_degc: npt.NDArray[np.float64]
    heat_w: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyLedger:
    """Where the heat went, joules, over the whole protocol; summed in float64.

    ``stored = probes + perfusion + metabolic + boundary + vessels + skin + warmers`` within `residual`; each
    right-hand term is heat *into* the tissue, the left one the change of its enthalpy. The boundary includes
    what comes from tissue around the active region, which is still within 0.1 degC of its start. Blood
    that fills lung at the first thaw brings enthalpy of its own, which counts on neither side.
    """

    stored_j: float
    probes_j: float
    perfusion_j: float
    metabolic_j: float
    boundary_j: float
    vessels_j: float = 0.0
    skin_j: float = 0.0
    warmers_j: float = 0.0

    @property
    def residual(self) -> float:
        """Relative error of the balance, against the largest term."""
        terms = (
            self.probes_j, self.perfusion_j, self.metabolic_j, self.boundary_j, self.vessels_j, self.skin_j,
            self.warmers_j,
        )  # fmt: skip
        scale = max(abs(self.stored_j), *(abs(t) for t in terms))
        return abs(self.stored_j - sum(terms)) / scale if scale > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThermalResult:
    """Temperatures and what they rest on.

    Attributes
    ----------
    key : str
        Digest of case, physics part of the plan, tables and settings: what this result is the answer to.
    grid : Grid
        Solver grid; all volumes here live on it.
    minimum_degc : Volume
        float32, lowest temperature of the whole protocol.
    minimum_at_s : Volume
        float32, protocol time at which it was reached.
    frames : tuple of Frame
        In time order; always holds the end of each phase.
    thermocouples, probes : tuple
        Curves.
    ledger : EnergyLedger
        Energy balance.
    settings : SolverSettings
        What it was solved with.
    time_below : tuple of (threshold degC, Volume)
        float32, seconds that each cell spent below the threshold, over the whole protocol.
    freezes_below : tuple of (threshold degC, Volume)
        uint8, in how many freezes each cell came below the threshold.
    steps, stages : int
        Super-steps and stages.
    cell_stages : float
        Cells advanced, summed over the stages: the work done.
    wall_s : float
        Wall time of the solve, without compiling.
    findings : tuple of Finding
        What the problem builder and the solver noticed (assumed tissue, ice near the border, ...).
    """

    key: str
    grid: Grid
    minimum_degc: Volume
    minimum_at_s: Volume
    frames: tuple[Frame, ...]
    thermocouples: tuple[ThermocoupleTrace, ...] = ()
    probes: tuple[ProbeTrace, ...] = ()
    ledger: EnergyLedger
    settings: SolverSettings
    time_below: tuple[tuple[float, Volume], ...] = ()
    freezes_below: tuple[tuple[float, Volume], ...] = ()
    steps: int = 0
    stages: int = 0
    cell_stages: float = 0.0
    wall_s: float = 0.0
    findings: tuple[Finding, ...] = field(default=())

    def end_of_freeze(self, number: int) -> Frame:
        """Return the frame at the end of freeze `number`, counted from 1."""
        for frame in self.frames:
            if frame.label == f"end_freeze_{number}":
                return frame
        raise KeyError(f"there is no freeze {number}")

    def frame_near(self, time_s: float) -> Frame:
        """Return the frame whose time is nearest."""
        return min(self.frames, key=lambda f: abs(f.time_s - time_s))
