"""The solver as a whole: what any right answer must satisfy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.errors import SimulationError
from cryoplan.core.progress import Cancelled
from cryoplan.simulation.run import Run
from cryoplan.simulation.solver import output_times, solve
from cryoplan.simulation.sources import Drive
from tests.support import blocks

CYCLE = blocks.cycle(180.0, 120.0)


@pytest.fixture(scope="module")
def cycled():
    problem = blocks.block(
        blocks.probe("1", (0.3, 0.2, 0.1)), blocks.probe("2", (11.0, 1.0, 0.0)), edge_cells=34, stages=CYCLE,
        extra_times_s=(77.0,),
    )  # fmt: skip
    problem = replace(problem, thermocouples=(("T1", (5.0, 0.0, 0.0)), ("far", (500.0, 0.0, 0.0))))
    seen = []
    return solve(problem, key="abc", on_frame=seen.append), seen


def test_colder_zones_lie_inside_warmer_ones(cycled):
    minimum = cycled[0].minimum_degc.values
    zero, twenty, forty = (minimum <= t for t in (0.0, -20.0, -40.0))
    assert forty.any()
    assert not (forty & ~twenty).any()
    assert not (twenty & ~zero).any()
    assert forty.sum() < twenty.sum() < zero.sum()


def test_energy_balance_closes(cycled):
    assert cycled[0].ledger.residual < 1e-5
    assert cycled[0].ledger.probes_j < -1000.0
    assert cycled[0].findings == ()


def test_frames_hold_the_start_every_phase_end_every_minute_and_what_was_asked(cycled):
    result, seen = cycled
    labels = {f.time_s: f.label for f in result.frames}
    assert labels == {
        0.0: "", 20.0: "", 60.0: "", 77.0: "asked", 120.0: "", 180.0: "end_freeze_1", 200.0: "", 240.0: "",
        300.0: "end_thaw_1", 320.0: "", 360.0: "", 420.0: "", 480.0: "end_freeze_2",
    }  # fmt: skip
    assert seen == list(result.frames)
    assert result.frames[0].temperature_degc.values == pytest.approx(37.0, abs=1e-4)
    assert result.key == "abc"


def test_lowest_temperature_is_lowest_and_is_dated(cycled):
    result, _ = cycled
    frames = np.stack([f.temperature_degc.values for f in result.frames])
    assert np.all(result.minimum_degc.values <= frames.min(axis=0) + 1e-4)
    at = result.minimum_at_s.values
    frozen = result.minimum_degc.values < 0.0
    assert at[frozen].min() > 0.0
    assert at.max() <= 480.0
    np.testing.assert_allclose(frames[-1][at == 480.0], result.minimum_degc.values[at == 480.0], atol=1e-4)


def test_passive_thaw_takes_no_heat_and_tissue_rewarms(cycled):
    result, _ = cycled
    trace = result.probes[0]
    thawing = (trace.time_s > 181.0) & (trace.time_s <= 300.0)
    np.testing.assert_array_equal(trace.heat_w[thawing], 0.0)
    assert np.all(trace.heat_w[(trace.time_s > 10.0) & (trace.time_s <= 180.0)] > 1.0)
    assert trace.shaft_degc[thawing][-1] > -10.0 > trace.shaft_degc[trace.time_s == 180.0][0]
    couple = result.thermocouples[0]
    assert [c.name for c in result.thermocouples] == ["T1"]
    ends = [float(np.interp(t, couple.time_s, couple.temperature_degc)) for t in (180.0, 300.0, 480.0)]
    assert ends[0] < ends[1] > ends[2]


def test_second_freeze_reaches_further(cycled):
    result, _ = cycled
    first, second = (blocks.ice_ml(result.end_of_freeze(n).temperature_degc.values, 2.0) for n in (1, 2))
    assert second > 1.02 * first


def test_probe_cells_show_the_shaft(cycled):
    result, _ = cycled
    field = result.end_of_freeze(1).temperature_degc
    at = np.rint(field.grid.mm_to_index([0.3, 0.2, 0.0])).astype(int)
    shaft = float(np.interp(180.0, result.probes[0].time_s, result.probes[0].shaft_degc))
    assert field.values[at[2], at[1], at[0]] == pytest.approx(shaft, abs=20.0)
    assert -150.0 < shaft < -70.0


def _stepped_whole(probe):
    """Return the field after a minute in float64, every cell stepped: what is active lies in rows along x."""
    run = Run(blocks.block(probe, stages=blocks.freeze(60.0), precision="double"))
    run.use_whole_block()
    run.begin(0.0, "freeze")
    for step_s in (0.2, 0.5, 1.3, 3.0, *[5.0] * 11):
        run.step(step_s)
    return run.field_degc().values


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1)])
def test_a_quarter_turn_of_probe_and_grid_turns_the_field(axes):
    straight = np.array([0.3, 0.4, 0.2]), np.array([0.2, 0.5, 1.0])
    turned = [v[list(axes)] for v in straight]
    fields = [_stepped_whole(blocks.probe(middle_mm=m, back=back)) for m, back in (straight, turned)]
    # Arrays run k, j, i = z, y, x: the same permutation, seen from the other end.
    order = [2 - axes[2 - axis] for axis in range(3)]
    assert fields[1].min() < -40.0
    np.testing.assert_allclose(np.transpose(fields[0], order), fields[1], atol=1e-5)


def test_mirrored_probe_mirrors_the_field():
    fields = [
        _stepped_whole(blocks.probe(middle_mm=(sign * 1.3, 0.4, 0.2), back=(sign * 0.3, 0.5, 1.0)))
        for sign in (1.0, -1.0)
    ]
    np.testing.assert_allclose(fields[0][:, :, ::-1], fields[1], atol=1e-5)


def test_two_probes_freeze_more_than_either_alone_and_than_both_apart():
    a, b = blocks.probe("1", (-5.0, 0.0, 0.0)), blocks.probe("2", (5.0, 0.0, 0.0))
    one, other, both = (
        blocks.ice_ml(solve(blocks.block(*p, edge_cells=30)).minimum_degc.values, 2.0, -20.0)
        for p in ((a,), (b,), (a, b))
    )
    assert both > one + other
    assert one == pytest.approx(other, rel=0.02)


def test_half_intensity_freezes_less():
    def volume(end: float) -> float:
        drive = replace(blocks.ARGON, end_degc=end)
        result = solve(blocks.block(blocks.probe(drive=drive)))
        return blocks.ice_ml(result.minimum_degc.values, 2.0)

    assert 0.0 < volume(37.0 - 0.5 * 187.0) < 0.8 * volume(-150.0)


def test_switching_times_of_a_probe_are_kept():
    probe = blocks.probe(start_s=45.0, stop_s=120.0)
    result = solve(blocks.block(probe, stages=blocks.freeze(180.0)))
    trace = result.probes[0]
    on = trace.heat_w != 0.0
    assert trace.time_s[on].min() > 45.0
    assert trace.time_s[on].max() == 120.0
    assert {45.0, 120.0, 180.0} <= set(trace.time_s)


def test_active_thaw_warms_faster_than_passive():
    gas = Drive(end_degc=20.0, coefficient=2500.0, tau_s=5.0)
    ends = []
    for kind in ("passive", "helium"):
        probe = blocks.probe(thaws=(("helium", gas),))
        result = solve(blocks.block(probe, stages=blocks.cycle(120.0, 60.0, kind)))
        thawed = next(f for f in result.frames if f.label == "end_thaw_1")
        ends.append(blocks.ice_ml(thawed.temperature_degc.values, 2.0))
        assert result.ledger.residual < 1e-5
    assert ends[1] < 0.9 * ends[0]


def test_a_vessel_keeps_its_side_warm():
    problem = blocks.block(blocks.probe(), edge_cells=28, stages=blocks.freeze(600.0))
    _, _, i = np.indices(problem.grid.shape)
    x = problem.grid.coordinates_mm(0)[i]
    vessel = (x > 9.0) & (x < 15.0)
    result = solve(replace(problem, held=vessel, held_degc=np.full(vessel.shape, 37.0, np.float32)))
    t = result.minimum_degc.values
    np.testing.assert_allclose(t[vessel], 37.0, atol=1e-4)
    k = j = 14
    left = t[k, j, np.abs(problem.grid.coordinates_mm(0) + 9.0).argmin()]
    right = t[k, j, np.abs(problem.grid.coordinates_mm(0) - 9.0).argmin()]
    assert right > left + 3.0
    assert result.ledger.vessels_j > 10.0
    assert result.ledger.residual < 1e-5


def test_blood_stays_away_where_it_was_colder_than_stasis():
    warm = {}
    for stasis in (-5.0, -100.0):
        problem = blocks.block(blocks.probe(), stages=blocks.cycle(180.0, 240.0), stasis_degc=stasis)
        result = solve(problem)
        thawed = next(f for f in result.frames if f.label == "end_thaw_1")
        warm[stasis] = float(thawed.temperature_degc.values[result.minimum_degc.values < -10.0].mean())
    assert warm[-5.0] < warm[-100.0]


def test_perfusion_holds_the_ice_back():
    dry = blocks.block(blocks.probe(), stages=blocks.freeze(400.0))
    dry = replace(dry, materials=(replace(dry.materials[0], w=0.0, q_m=0.0),))
    wet = blocks.block(blocks.probe(), stages=blocks.freeze(400.0))
    volumes = [blocks.ice_ml(solve(p).minimum_degc.values, 2.0) for p in (dry, wet)]
    assert volumes[0] > 1.15 * volumes[1]


def test_fat_makes_the_probe_colder_and_the_ice_smaller():
    results = [
        solve(blocks.block(blocks.probe(), tissue=t, stages=blocks.freeze(300.0))) for t in ("gel", "fat")
    ]
    shafts = [r.probes[0].shaft_degc[-1] for r in results]
    volumes = [blocks.ice_ml(r.minimum_degc.values, 2.0) for r in results]
    assert shafts[1] < shafts[0] - 5.0
    assert volumes[1] < volumes[0]


def test_a_finer_grid_changes_the_ice_little():
    radii = []
    for spacing in (2.0, 1.0):
        problem = blocks.block(
            blocks.probe(middle_mm=(0.3, 0.2, 0.1), back=(0.3, 0.2, 1.0)), edge_cells=round(44 / spacing),
            spacing_mm=spacing, stages=blocks.freeze(240.0),
        )  # fmt: skip
        minimum = solve(problem).minimum_degc.values
        # Cells within 4 K of 0 degC count in part, so that the figure is not one of rounding.
        volume = float(np.clip(0.5 - minimum / 8.0, 0.0, 1.0).sum()) * spacing**3
        radii.append((3 * volume / (4 * np.pi)) ** (1 / 3))
    assert radii[0] == pytest.approx(radii[1], abs=0.35)


def test_shorter_steps_change_the_ice_little():
    radii = []
    for step in (30.0, 2.0):
        minimum = solve(
            blocks.block(blocks.probe(), stages=blocks.freeze(300.0), step_max_s=step)
        ).minimum_degc
        volume = float(np.clip(0.5 - minimum.values / 8.0, 0.0, 1.0).sum()) * 8.0
        radii.append((3 * volume / (4 * np.pi)) ** (1 / 3))
    assert radii[0] == pytest.approx(radii[1], abs=0.1)


def test_the_active_box_changes_nothing_that_matters():
    problem = blocks.block(blocks.probe(), edge_cells=40, stages=blocks.freeze(240.0))
    fields = []
    for whole in (False, True):
        run = Run(problem)
        if whole:
            run.use_whole_block()
        run.begin(0.0, "freeze")
        for step in (0.2, 0.5, 1.0, 2.0, *[4.0] * 50):
            run.step(step)
        assert run.active.is_whole == whole
        fields.append(run.field_degc().values)
    assert (fields[1] < 0.0).sum() > 400  # there is ice that could differ
    # Outside, the field stands still until it would change by 0.2 degC; a cell at the front may freeze a
    # moment later for it.
    np.testing.assert_allclose(fields[0], fields[1], atol=0.5)
    for degc in (0.0, -20.0):
        few, all_ = (float(np.clip(0.5 + (degc - t) / 8.0, 0.0, 1.0).sum()) * 8.0 for t in fields)
        assert (3 * few / (4 * np.pi)) ** (1 / 3) == pytest.approx(
            (3 * all_ / (4 * np.pi)) ** (1 / 3), abs=0.02
        )


def test_an_oblique_probe_freezes_as_much_as_a_straight_one():
    volumes = []
    for back in ((0.0, 0.0, 1.0), (1.0, 0.7, 0.4), (1.0, 1.0, 0.0)):
        problem = blocks.block(
            blocks.probe(back=back), edge_cells=40, spacing_mm=1.0, stages=blocks.freeze(120.0)
        )
        minimum = solve(problem).minimum_degc.values
        volumes.append(float(np.clip(0.5 - minimum / 8.0, 0.0, 1.0).sum()))
    np.testing.assert_allclose(volumes[1:], volumes[0], rtol=0.03)


class CancelAt:
    """Progress that cancels at its n-th question."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.reports = []

    def report(self, report) -> None:
        self.reports.append(report)

    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_cancel_is_heard_at_every_chunk():
    problem = blocks.block(blocks.probe(), edge_cells=16, stages=blocks.freeze(20.0))
    listener = CancelAt(10**6)
    steps = solve(problem, progress=listener).steps
    asked = 10**6 - listener.left
    assert asked >= steps
    for n in range(asked):
        with pytest.raises(Cancelled):
            solve(problem, progress=CancelAt(n))


def test_progress_grows_to_one_and_tells_the_time_left():
    listener = CancelAt(10**6)
    solve(blocks.block(blocks.probe(), edge_cells=16, stages=blocks.freeze(60.0)), progress=listener)
    fractions = [r.fraction for r in listener.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert listener.reports[-1].remaining_s == 0.0
    assert any(r.remaining_s for r in listener.reports)


def test_ice_at_the_border_is_said():
    problem = blocks.block(blocks.probe(), edge_cells=14, stages=blocks.freeze(120.0))
    codes = [f.code for f in solve(problem).findings]
    assert codes == ["ice-near-border"]


def test_a_broken_field_is_an_error_not_a_picture():
    problem = blocks.block(blocks.probe(), edge_cells=14)
    run = Run(problem)
    run.begin(0.0, "freeze")
    run.lattice.field.values[:, run.lattice.walls.cell[0]] = np.nan
    with pytest.raises(SimulationError, match="broke down"):
        run.step(1.0)


def test_asked_times_outside_the_protocol_are_left_out():
    problem = blocks.block(blocks.probe(), extra_times_s=(0.0, 50.0, 9999.0), frames_every_s=0.0)
    assert output_times(problem.stages, problem.settings) == {50.0: "asked", 180.0: "end_freeze_1"}
