"""Surroundings: what touches the tissue besides the probes - vessels, skin, warmers, blood that floods lung.

Plain records in SI; `cryoplan.simulation.problem` holds them and the lattice turns them into arrays. Cells
are flat indices of ``[k, j, i]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchange:
    """Heat that single cells exchange with something of a known temperature.

    Attributes
    ----------
    kind : str
        ``vessel``, ``skin`` or ``warmer``: the line of the energy ledger.
    cells : int64 (n,)
        Flat indices of the cells.
    rate : float64 (n,)
        W/(m3 K), per volume of the cell.
    degc : float64 (n,)
        Temperature on the other side.
    """

    kind: str
    cells: npt.NDArray[np.int64]
    rate: npt.NDArray[np.float64]
    degc: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if not len(self.cells) == len(self.rate) == len(self.degc):
            raise ValueError("cells, rate and degc belong together")
        sound = np.all(np.isfinite(self.rate)) and np.all(np.isfinite(self.degc))
        if not sound or np.any(self.rate < 0.0):
            raise ValueError("rates are finite and not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """Lung that fills with blood: materials that change at a time, in and around the ice so far.

    At `at_s` every cell of a first material of `changes` that was ever colder than 0 degC, or lies within
    `rim_mm` of such a cell, becomes the second material; where it is unfrozen it takes the temperature of the
    blood (physics section 4).
    """

    at_s: float
    rim_mm: float
    changes: tuple[tuple[int, int], ...]
