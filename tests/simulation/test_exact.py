"""Closed forms against the published tables of the validation folder."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cryoplan.simulation.exact import (
    LineSink,
    NeumannPlanar,
    SteadyCylinder,
    SteadySphere,
    TwoPhase,
    pennes_point,
)


@pytest.fixture(scope="module")
def table(data_root: Path):
    folder = data_root.parent / "reference" / "validation"
    if not folder.is_dir():
        pytest.skip("the validation tables are not beside the real images")

    def read(name: str) -> list[dict[str, str]]:
        with (folder / f"analytic_{name}.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


def _medium(row: dict[str, str]) -> TwoPhase:
    return TwoPhase(
        k_s=float(row["k_frozen"]), k_l=float(row["k_unfrozen"]), c_s=float(row["c_frozen"]),
        c_l=float(row["c_unfrozen"]), rho=float(row["rho"]), latent=float(row["L_J_per_kg"]),
        melt_degc=float(row["T_melt_C"]), start_degc=float(row["T_initial_C"]),
    )  # fmt: skip


def test_planar_neumann_equals_the_table(table):
    rows = table("neumann_planar")
    assert len(rows) == 48
    for row in rows:
        exact = NeumannPlanar(medium=_medium(row), wall_degc=float(row["T_wall_C"]))
        time = float(row["time_s"])
        assert exact.front_factor == pytest.approx(float(row["lambda"]), abs=1e-7)
        assert exact.front_m(time) * 1000 == pytest.approx(float(row["front_mm"]), abs=1e-3)
        t = float(exact.temperature(float(row["x_mm"]) / 1000, time))
        assert t == pytest.approx(float(row["T_C"]), abs=2e-3)


def test_line_sink_equals_the_table(table):
    rows = table("line_sink")
    assert len(rows) == 48
    for row in rows:
        exact = LineSink(medium=_medium(row), sink_w_m=float(row["q_W_per_m"]))
        time = float(row["time_s"])
        assert exact.front_m(time) * 1000 == pytest.approx(float(row["front_radius_mm"]), abs=1e-3)
        t = float(exact.temperature(float(row["r_mm"]) / 1000, time))
        assert t == pytest.approx(float(row["T_C"]), abs=2e-3)


@pytest.mark.parametrize(("name", "kind"), [("cylinder", SteadyCylinder), ("sphere", SteadySphere)])
def test_steady_probes_equal_the_tables(table, name, kind):
    for row in table(f"steady_{name}"):
        w = float(row["W_kW_m3K"]) * 1e3
        exact = kind(
            k_s=float(row["k_frozen"]), k_l=float(row["k_unfrozen"]), w=w, probe_degc=float(row["T_probe_C"]),
            melt_degc=float(row["T_freeze_C"]),
            blood_degc=float(row["T_blood_C"]) + float(row["Q_m_W_m3"]) / w,
            probe_m=float(row["probe_radius_mm"]) / 1000,
        )  # fmt: skip
        assert exact.front_m * 1000 == pytest.approx(float(row["front_radius_mm"]), abs=1e-3)
        heat = exact.heat_w_m if kind is SteadyCylinder else exact.heat_w
        assert heat == pytest.approx(float(row["heat"]), rel=1e-4)
        t = float(exact.temperature(float(row["r_mm"]) / 1000))
        assert t == pytest.approx(float(row["T_C"]), abs=2e-3)


def test_pennes_point_equals_the_table(table):
    for row in table("pennes_point"):
        time = float("inf") if row["time_s"] == "steady" else float(row["time_s"])
        change = float(
            pennes_point(
                float(row["r_mm"]) / 1000, time, q_w=float(row["q_W_sink"]), k=float(row["k"]),
                rho_c=float(row["rho"]) * float(row["c"]), w=float(row["W_kW_m3K"]) * 1e3,
            )
        )  # fmt: skip
        assert change == pytest.approx(float(row["dT_C"]), abs=1e-4)
