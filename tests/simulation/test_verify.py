"""The checks that a user can run are those of the suite."""

from __future__ import annotations

import pytest

from cryoplan.core.progress import Cancelled
from cryoplan.simulation.verify import run_checks


def test_quick_checks_pass_and_cover_the_closed_forms():
    checks = run_checks(quick=True)
    names = " ".join(c.name for c in checks)
    for part in ("Planar", "Line sink", "Steady cylinder", "Oblique", "sphere", "Point sink", "Energy"):
        assert part in names
    failed = [f"{c.name}: {c.error:.2e} > {c.bound:g} {c.unit}" for c in checks if not c.passed]
    assert failed == []
    assert all(c.passed == (abs(c.error) <= c.bound) for c in checks)


def test_checks_can_be_cancelled():
    class Cancel:
        def report(self, report) -> None:
            del report

        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        run_checks(progress=Cancel())
