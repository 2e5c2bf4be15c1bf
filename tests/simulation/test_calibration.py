"""Calibration: the same fit every time, ranges that mean something, probe files that say what was found."""

from __future__ import annotations

import math

import pytest

from cryoplan.core.errors import PlanError
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.simulation.verification import calibration
from cryoplan.simulation.verification.calibration import TARGETS, Residual, Target, calibrate
from cryoplan.workflow.calibrating import run_calibration


def _target(*figures: tuple[float, float, float]) -> Target:
    """A target whose figures are ``slope * ln(h)``; each is (slope, best h, scale)."""

    def residuals(rig):
        h = rig.models["endocare-2.4mm"].exchange_coefficient.value
        for slope, best, scale in figures:
            yield Residual(
                name="made", computed=slope * math.log(h), published=slope * math.log(best), scale=scale,
                unit="mm",
            )  # fmt: skip

    return Target(
        model="endocare-2.4mm", conditions="made", source="made for a test", setup=TARGETS[1].setup,
        residuals=residuals, isotherms=(0.0,), starts_degc=(35.0, 39.0),
    )  # fmt: skip


@pytest.mark.parametrize("best", [640.0, 960.0, 1800.0, 4700.0])
def test_one_figure_is_met_and_the_range_is_where_it_stays_within_its_scale(monkeypatch, best):
    monkeypatch.setattr(calibration, "TARGETS", (_target((10.0, best, 1.0)),))
    (fit,) = calibrate(sensitivity=False)
    assert fit.fitted == pytest.approx(best, abs=6.0)
    assert fit.cost < 1e-2
    assert fit.low == pytest.approx(max(best * math.exp(-0.1), 500.0), rel=0.02)
    assert fit.high == pytest.approx(min(best * math.exp(0.1), 6000.0), rel=0.02)


def test_two_figures_that_disagree_are_met_halfway_on_the_scale_of_each(monkeypatch):
    monkeypatch.setattr(calibration, "TARGETS", (_target((10.0, 1000.0, 1.0), (10.0, 2000.0, 1.0)),))
    (fit,) = calibrate(sensitivity=False)
    assert fit.fitted == pytest.approx(math.sqrt(2.0) * 1000.0, rel=0.01)
    # Neither stays within its scale: there is no range, and none is made up.
    assert fit.low == fit.high == fit.fitted


def test_a_figure_that_no_coefficient_can_meet_ends_at_the_edge_of_what_is_allowed(monkeypatch):
    monkeypatch.setattr(calibration, "TARGETS", (_target((10.0, 60_000.0, 1.0)),))
    (fit,) = calibrate(sensitivity=False)
    assert fit.fitted == 6000.0
    assert fit.cost > 100.0


def test_the_fit_of_a_real_probe_repeats_what_is_shipped():
    shipped = load_catalogue()["endocare-2.4mm"].exchange_coefficient
    (fit,) = calibrate(only="endocare-2.4mm", spacing_mm=2.0, sensitivity=False)
    (residual,) = fit.residuals
    assert residual.computed == pytest.approx(12.0, abs=0.1)
    # 2 mm instead of the 1 mm of the shipped number moves h by a few percent.
    assert fit.fitted == pytest.approx(shipped.value, rel=0.06)
    assert fit.low == pytest.approx(shipped.low, rel=0.08)
    assert fit.high == pytest.approx(shipped.high, rel=0.08)
    assert f"h = {fit.fitted:.0f}" in fit.to_text()
    assert fit.to_json()["fitted"] == fit.fitted


def test_the_sensitivity_of_the_agar_bath_has_the_signs_of_physics():
    from cryoplan.simulation.verification.rig import shipped
    from cryoplan.simulation.verification.sensitivity import sensitivities

    target = TARGETS[1]
    rows = list(
        sensitivities(
            target.setup(shipped(2.0)), isotherms_degc=(-30.0,), starts_degc=(35.0, 39.0), look=lambda _: None
        )
    )
    by_name = {row.number: row for row in rows}
    assert by_name["h"].at_low < by_name["h"].at_high
    assert by_name["T_c"].at_low > by_name["T_c"].at_high
    assert by_name["start and blood"].at_low > by_name["start and blood"].at_high
    assert by_name["active length"].at_low < by_name["active length"].at_high
    assert "degC diameter" in by_name["kappa"].to_text()


def test_a_model_without_data_is_refused_with_those_that_have_some():
    with pytest.raises(PlanError, match="Use one of: icesphere-17g") as caught:
        run_calibration(probe="generic-15g")
    assert caught.value.code == "no-calibration-data"


@pytest.mark.parametrize("name", [t.model for t in TARGETS])
def test_a_calibrated_probe_says_so_with_its_range_and_its_residual(name):
    model = load_catalogue()[name]
    h = model.exchange_coefficient
    assert h.how == "calibrated"
    assert h.low is not None
    assert h.high is not None
    assert 500.0 <= h.low < h.value < h.high <= 6000.0
    assert "omputed" in model.calibration


def test_the_generic_probe_is_interpolated_between_its_calibrated_neighbours():
    catalogue = load_catalogue()
    thin, thick = catalogue["icesphere-17g"], catalogue["endocare-2.4mm"]
    generic = catalogue["generic-15g"]
    part = (generic.outer_diameter.value - 1.5) / (2.4 - 1.5)
    h_thin, h_thick = thin.exchange_coefficient.value, thick.exchange_coefficient.value
    rule = h_thin ** (1.0 - part) * h_thick**part
    assert generic.exchange_coefficient.value == pytest.approx(rule, abs=51.0)
    assert "nterpolated" in generic.calibration
    assert generic.exchange_coefficient.low == h_thick
    assert generic.exchange_coefficient.high == h_thin


@pytest.mark.parametrize("name", list(load_catalogue()))
def test_every_probe_says_what_its_exchange_rests_on(name):
    model = load_catalogue()[name]
    assert len(model.calibration) > 20
    fitted = {t.model for t in TARGETS}
    assert (model.exchange_coefficient.how == "calibrated") == (name in fitted)


def test_a_thaw_has_the_time_constant_of_its_own_and_without_one_that_of_cooling():
    from dataclasses import replace

    from cryoplan.plan.probe import Probe
    from cryoplan.simulation.problem import probe_source

    model = load_catalogue()["icesphere-17g"]
    probe = Probe(name="1", model=model.id, tip_mm=(0.0, 0.0, 0.0), entry_mm=(0.0, 0.0, 90.0))
    source = probe_source(probe, model, 37.0)
    assert source.freeze.tau_s == model.cooling_time_constant.value
    assert {drive.tau_s for _, drive in source.thaws} == {model.thaw_time_constant.value}
    plain = probe_source(probe, replace(model, thaw_time_constant=None), 37.0)
    assert {drive.tau_s for _, drive in plain.thaws} == {model.cooling_time_constant.value}


def test_the_command_refuses_a_probe_without_data(capsys):
    from cryoplan.cli import REFUSED, main

    assert main(["calibrate", "--probe", "generic-15g"]) == REFUSED
    assert "Use one of: icesphere-17g" in capsys.readouterr().err
