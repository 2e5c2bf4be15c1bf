"""The checks that a user can run are those of the suite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cryoplan.core.progress import Cancelled
from cryoplan.simulation import verify
from cryoplan.simulation.exact import SteadyCylinder
from cryoplan.simulation.run import Run
from cryoplan.simulation.sources import ProbeSource
from cryoplan.simulation.verify import run_checks

CYLINDER = SteadyCylinder(
    k_s=2.0, k_l=0.52, w=20e3, probe_degc=-140.0, melt_degc=-1.0, blood_degc=37.0, probe_m=0.9e-3
)


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


@pytest.mark.parametrize("radius_mm", [0.735, 0.9, 1.2])
def test_the_preview_grid_holds_every_probe_of_the_catalogue(radius_mm):
    exact = replace(CYLINDER, probe_m=radius_mm / 1000)
    material = verify.sharp(verify.TISSUE, w=exact.w, latent=5e3)
    slab = (None, None, None, None, 37.0, 37.0)
    for offset in ((0.0, 0.0), (0.5, 0.5), (0.5, 0.1), (0.31, 0.17)):
        source = ProbeSource(
            name="1",
            begin_m=(offset[0] * 0.002, offset[1] * 0.002, -1.0),
            back=(0.0, 0.0, 1.0),
            length_m=2.0,
            taper_m=0.0,
            radius_m=exact.probe_m,
            freeze=verify.STIFF,
        )
        run = Run(verify.block((44, 44, 2), 2.0, material, 37.0, slab, probes=(source,), end_s=4000.0))
        run.begin(0.0, "freeze")
        for step in (*(0.2 * 1.15**n for n in range(35)), *[30.0] * 120):
            run.step(step)
        heat = -float(run.power[0]) / 0.004
        assert heat == pytest.approx(exact.heat_w_m, rel=0.015)
