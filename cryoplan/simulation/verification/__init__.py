"""Verification: how right the solver is, each error beside the bound that it must keep.

Closed forms, an independent reference in (r, z), refinement and balances, and published experiments. Light to
import; everything that computes is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryoplan.core.progress import SILENT, Progress
from cryoplan.simulation.verification.check import Check
from cryoplan.simulation.verification.curve import Curve, Line

if TYPE_CHECKING:
    from cryoplan.simulation.verification.suite import Verification

__all__ = ["Check", "Curve", "Line", "run_checks", "run_verification"]


def run_checks(quick: bool = True, progress: Progress = SILENT) -> tuple[Check, ...]:
    """Run the checks and return their lines; see `suite.run_verification`."""
    return run_verification(quick, progress).checks


def run_verification(quick: bool = True, progress: Progress = SILENT) -> Verification:
    """Run the checks; see `suite.run_verification`."""
    from cryoplan.simulation.verification import suite

    return suite.run_verification(quick, progress)
