"""Published experiments: read with their sources, measured alike, and met by the shipped probes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.errors import StoreError
from cryoplan.core.geometry import unit
from cryoplan.core.grid import Grid
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.simulation.exact import LineSink, TwoPhase
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material
from cryoplan.simulation.verification import experiments, published
from cryoplan.simulation.verification.check import Check
from cryoplan.simulation.verification.curve import Curve
from cryoplan.simulation.verification.experiments import published_experiments, shaft_trace
from cryoplan.simulation.verification.hydrogel import DEGREES, INNER_RANGE_MM, crystal_traces
from cryoplan.simulation.verification.radial import solve_radial
from cryoplan.simulation.verification.rig import shipped
from cryoplan.simulation.verification.single_probe import BACK, isotherm_size


@pytest.mark.parametrize("table", published.tables())
def test_every_published_figure_names_its_source_and_how_it_was_read(table):
    rows = published.figures(table)
    assert rows
    for row in rows:
        assert len(row.source) > 10
        assert row.how
        assert row.value is not None or row.quantity == "qualitative"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "other columns"),
        (",".join(published.COLUMNS) + "\nonly,three,cells\n", "Line 2"),
        (",".join(published.COLUMNS) + "\n" + "," * (len(published.COLUMNS) - 1) + "\n", "Line 2"),
    ],
)
def test_a_damaged_table_is_refused_by_name(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=said) as caught:
        published.read_figures(path)
    assert "mine.csv" in caught.value.place
    with pytest.raises(StoreError, match="cannot be read"):
        published.read_figures(tmp_path / "none.csv")


def test_a_figure_that_is_not_there_or_not_alone_is_not_guessed():
    with pytest.raises(KeyError, match="0 figures"):
        published.figure("littrup2009_single", "littrup2009_2p4mm_1probe_39C", "colour")
    with pytest.raises(KeyError, match="3 figures"):
        published.figure("hinshaw2010_pig_lung", "hinshaw2010_pig_lung", "isotherm_diameter")
    with pytest.raises(KeyError, match="no curve"):
        published.trace("littrup2009_single", "temperature")


def test_a_trace_comes_in_time_order():
    times, degrees = published.trace("icesphere_shaft_trace", "shaft_temperature")
    assert len(times) == 38
    assert np.all(np.diff(times) > 0.0)
    assert degrees[0] > 30.0
    assert degrees.min() < -80.0


def _ellipsoid(back: np.ndarray, spacing_mm: float) -> tuple[Volume, ProbeSource]:
    """A field that is 0 degC on an ellipsoid of 30 mm across and 44 mm along the probe, cold inside."""
    n = round(70.0 / spacing_mm)
    origin = -0.5 * (n - 1) * spacing_mm + 0.13
    grid = Grid(size=(n, n, n), spacing_mm=(spacing_mm,) * 3, origin_mm=(origin,) * 3)
    z, y, x = np.meshgrid(*(grid.coordinates_mm(a) for a in (2, 1, 0)), indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    along = points @ back
    across2 = (points**2).sum(axis=-1) - along**2
    field = 40.0 * (np.sqrt(across2 / 15.0**2 + along**2 / 22.0**2) - 1.0)
    source = ProbeSource(
        name="1", begin_m=tuple(-0.01 * back), back=tuple(back), length_m=0.018, taper_m=0.002,
        radius_m=0.0008, freeze=Drive(end_degc=-150.0, coefficient=1000.0, tau_s=5.0),
    )  # fmt: skip
    return Volume(grid=grid, values=field.astype(np.float32)), source


@pytest.mark.parametrize(
    "back", [BACK, unit((0.0, 0.0, 1.0)), unit((-1.0, 0.7, -0.2)), unit((0.0, -1.0, 0.0))]
)
@pytest.mark.parametrize("spacing_mm", [1.0, 2.0])
def test_width_and_length_of_a_known_ellipsoid(back, spacing_mm):
    field, source = _ellipsoid(back, spacing_mm)
    size = isotherm_size(field, source, 0.0)
    assert size.width_mm == pytest.approx(30.0, abs=0.1 * spacing_mm)
    assert size.length_mm == pytest.approx(44.0, abs=0.15 * spacing_mm)
    smaller = isotherm_size(field, source, -20.0)
    assert smaller.width_mm == pytest.approx(15.0, abs=0.15 * spacing_mm)
    assert isotherm_size(field, source, -60.0) == replace(smaller, width_mm=0.0, length_mm=0.0)


def test_the_radial_solution_follows_the_closed_form_of_a_line_sink():
    medium = TwoPhase(
        k_s=2.0, k_l=0.52, c_s=1800.0, c_l=3600.0, rho=1050.0, latent=238_095.238, melt_degc=-1.0,
        start_degc=37.0,
    )  # fmt: skip
    exact = LineSink(medium=medium, sink_w_m=500.0)
    material = Material(
        name="check", t_u=-0.75, t_l=-1.25, latent=medium.rho * medium.latent, c_u=medium.rho * medium.c_l,
        cf_a=medium.rho * medium.c_s, cf_b=0.0, k_u=medium.k_l, k_l=medium.k_s,
    )  # fmt: skip
    times = np.concatenate([[0.0], np.geomspace(0.5, 300.0, 60)])
    inner = np.array([37.0, *(float(exact.temperature(np.array([1.5e-3]), t)[0]) for t in times[1:])])
    radii = np.array([3.0, 5.0, 12.0, 20.0])
    found = solve_radial(
        material, inner_mm=1.5, time_s=times, inner_degc=inner, start_degc=37.0, at_mm=radii
    )[-1]
    assert np.abs(found - exact.temperature(radii / 1000.0, 300.0)).max() < 0.5


def test_sensors_in_hydrogel_are_predicted_with_one_nuisance_radius():
    traces = crystal_traces()
    low, high = INNER_RANGE_MM
    assert low < traces.inner_mm < high
    assert traces.rmse_degc <= DEGREES
    assert traces.at_mm.min() == 4.4
    assert traces.measured_degc.shape == traces.computed_degc.shape == (45, 6)


@pytest.fixture(scope="module")
def in_saline():
    return experiments.icesphere_in_saline(shipped(2.0)).run()


def test_a_sensor_on_the_metal_reads_the_metal_and_one_outside_reads_warmer_ice(in_saline):
    bare, outside = shaft_trace(in_saline, 0.0), shaft_trace(in_saline, 0.4)
    curve = in_saline.result.probes[0]
    assert np.allclose(bare.computed_degc, np.interp(bare.time_s, curve.time_s, curve.shaft_degc), atol=0.02)
    freezing = (bare.time_s > 20.0) & (bare.time_s < 190.0)
    assert np.all(outside.computed_degc[freezing] > bare.computed_degc[freezing] + 5.0)
    best = shaft_trace(in_saline)
    assert experiments.BEAD_RANGE_MM[0] <= best.bead_mm <= experiments.BEAD_RANGE_MM[1]
    assert best.rmse_degc <= min(bare.rmse_degc, outside.rmse_degc) + 1e-6


def test_the_shipped_probes_meet_every_judged_experiment():
    found = list(published_experiments(rig=shipped(2.0), judged_only=True))
    checks = [c for c in found if isinstance(c, Check)]
    plots = [c for c in found if isinstance(c, Curve)]
    assert [len(plot.lines) for plot in plots] == [3, 12]
    assert all(len(line.x) == len(line.y) > 30 for plot in plots for line in plot.lines)
    judged = [c for c in checks if c.judged]
    assert [f"{c.name}: {c.to_text()}; {c.note}" for c in judged if not c.passed] == []
    names = " ".join(c.name for c in judged)
    for part in ("IceSphere ice", "shaft trace", "PerCryo 2.4", "AccuProbe", "hydrogel", "Lard"):
        assert part in names
    assert all(c.source and c.note for c in checks)


def test_what_is_only_compared_never_fails_and_says_so():
    lines = [c for _, part in experiments.JUDGED[2:3] for c in part(shipped(2.0))]
    compared = [c for c in lines if not c.judged]
    assert compared
    assert all(c.passed and "for comparison" in c.to_text() for c in compared)


def test_experiments_can_be_cancelled():
    class Cancel:
        def report(self, report) -> None:
            del report

        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        list(published_experiments(Cancel()))
