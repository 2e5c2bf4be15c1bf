"""Gas: what flows through each probe from event to event - coolant curve and strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.sources import Drive, ProbeSource

Float64s = npt.NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Gas:
    """Coolant curve of one probe: exponential from where the shaft was towards the drive's end."""

    drive: Drive | None = None
    since_s: float = 0.0
    from_degc: float = 0.0

    def at(self, time_s: npt.ArrayLike) -> Float64s:
        """Return T_c in degC at protocol times."""
        if self.drive is None:
            return np.full(np.shape(time_s), self.from_degc)
        gone = 1.0 - np.exp(-(np.asarray(time_s, float) - self.since_s) / self.drive.tau_s)
        return np.asarray(self.from_degc + (self.drive.end_degc - self.from_degc) * gone)

    @property
    def strength(self) -> float:
        """W/(m2 K); zero when nothing flows."""
        return self.drive.coefficient if self.drive else 0.0

    def switched(self, probe: ProbeSource, time_s: float, kind: str, shaft_degc: float) -> Gas:
        """Return what flows after the event at `time_s` in a stage of `kind`.

        The line starts from what it has: its own temperature when it flowed, else that of the shaft.
        """
        drive = probe.drive(time_s, kind)
        if drive is self.drive:
            return self
        now = float(self.at(time_s)) if self.drive is not None else shaft_degc
        return Gas(drive=drive, since_s=time_s, from_degc=now)
