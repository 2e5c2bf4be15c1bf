"""Record: seconds and freezes below each threshold, counted again from finely spaced frames."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import pairwise

import numpy as np
import pytest

from cryoplan.core.errors import StoreError
from cryoplan.simulation import archive
from cryoplan.simulation.lattice import RECORDED_DEGC
from cryoplan.simulation.run import Run
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import Drive
from tests.support import blocks

EVERY_S = 1.0
FREEZE_S, THAW_S = 60.0, 90.0


def _problem():
    """A freeze, a thaw and a freeze with two probes of which one stops early, every second."""
    return blocks.block(
        blocks.probe("1", (0.3, 0.2, 0.1)),
        blocks.probe("2", (8.0, 1.0, 0.0), drive=Drive(end_degc=-120.0, coefficient=2000.0, tau_s=5.0),
                     stop_s=100.0),
        edge_cells=20, stages=blocks.cycle(FREEZE_S, THAW_S), frames_every_s=EVERY_S, step_max_s=1.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recorded():
    return solve(_problem(), threads=1)


@pytest.fixture(scope="module")
def of_probes() -> np.ndarray:
    """Cells that hold a probe; they show its wall."""
    lattice = Run(_problem(), threads=1).lattice
    inside = np.zeros(lattice.layout.size, bool)
    inside[lattice.probes.places] = True
    return lattice.layout.inner(inside)


def _frames(result) -> tuple[np.ndarray, np.ndarray]:
    times = np.array([f.time_s for f in result.frames])
    return times, np.stack([f.temperature_degc.values for f in result.frames]).astype(float)


def _recount_s(times: np.ndarray, degc: np.ndarray, threshold: float) -> np.ndarray:
    """Time below a threshold of the straight lines between frames, by their crossings."""
    total = np.zeros(degc.shape[1:])
    for n, length in enumerate(np.diff(times)):
        a, b = degc[n] - threshold, degc[n + 1] - threshold
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = np.clip(a / (a - b), 0.0, 1.0)
        part = np.where((a < 0.0) & (b < 0.0), 1.0, 0.0)
        part = np.where((a < 0.0) & (b >= 0.0), crossing, part)
        part = np.where((a >= 0.0) & (b < 0.0), 1.0 - crossing, part)
        total += length * part
    return total


@pytest.mark.parametrize("threshold", RECORDED_DEGC)
def test_seconds_below_agree_with_a_recount_from_the_frames(recorded, of_probes, threshold):
    times, degc = _frames(recorded)
    assert np.diff(times).max() == EVERY_S
    counted = _recount_s(times, degc, threshold)
    kept = dict(recorded.time_below)[threshold].values
    cold = counted > 0.0
    assert np.count_nonzero(cold) > 40
    assert kept.dtype == np.float32
    # The record follows every step, the recount every second: they differ by the bends in between only.
    off = np.abs(kept - counted)
    assert off[~of_probes].max() < 0.5 * EVERY_S
    assert off[~of_probes & cold].mean() < 0.05
    # The wall of a probe is taken as it is at the end of each step: a step more or less at every crossing.
    assert off[of_probes].max() < 4.0 * EVERY_S
    assert kept[recorded.minimum_degc.values > threshold].max() == 0.0
    assert kept.max() <= times[-1] + 1e-3
    # Some places are below it all the time, others for a part of it, so that both are tested.
    assert np.count_nonzero((kept > 5.0) & (kept < 100.0)) > 20


@pytest.mark.parametrize("threshold", RECORDED_DEGC)
def test_freezes_below_agree_with_a_recount_from_the_frames(recorded, threshold):
    times, degc = _frames(recorded)
    spans = ((0.0, FREEZE_S), (FREEZE_S + THAW_S, 2.0 * FREEZE_S + THAW_S))
    lowest = np.stack([degc[(times > a) & (times <= b)].min(axis=0) for a, b in spans])
    counted = (lowest < threshold).sum(axis=0)
    kept = dict(recorded.freezes_below)[threshold].values
    assert kept.dtype == np.uint8
    # Within a rounding of the threshold the two may differ.
    sure = np.all(np.abs(lowest - threshold) > 0.05, axis=0)
    np.testing.assert_array_equal(kept[sure], counted[sure])
    assert np.count_nonzero(sure) > 0.99 * sure.size
    assert set(np.unique(kept)) == {0, 1, 2}


def test_what_is_cold_only_while_it_thaws_is_no_freeze(recorded):
    # Beside the probe that stopped at 100 s only the first freeze counts, however long it stayed cold.
    twice = dict(recorded.freezes_below)[-40.0].values == 2
    once = dict(recorded.freezes_below)[-40.0].values == 1
    points = recorded.grid.index_to_mm(np.argwhere(np.ones(recorded.grid.shape, bool))[:, ::-1])
    x = points[:, 0].reshape(recorded.grid.shape)
    assert twice.any()
    assert once.any()
    assert x[once].mean() > x[twice].mean() + 2.0


def test_colder_thresholds_are_kept_for_a_shorter_time(recorded):
    rows = [v.values for _, v in recorded.time_below]
    assert [t for t, _ in recorded.time_below] == list(RECORDED_DEGC)
    for warmer, colder in pairwise(rows):
        assert np.all(colder <= warmer + 1e-4)
    counts = [v.values for _, v in recorded.freezes_below]
    for row, count in zip(rows, counts, strict=True):
        assert np.all(row[count > 0] > 0.0)


def test_both_records_come_back_from_the_archive_bit_for_bit(recorded):
    again = archive.unpack(archive.pack(recorded))
    for name in ("time_below", "freezes_below"):
        old, new = getattr(recorded, name), getattr(again, name)
        assert [t for t, _ in new] == [t for t, _ in old]
        for (_, a), (_, b) in zip(old, new, strict=True):
            assert b.values.dtype == a.values.dtype
            assert b.grid == a.grid
            np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(again.minimum_degc.values, recorded.minimum_degc.values)
    assert again.ledger == recorded.ledger
    assert (again.steps, again.stages, again.cell_stages) == (
        recorded.steps, recorded.stages, recorded.cell_stages,
    )  # fmt: skip


def _with_schema(data: bytes, schema: int) -> bytes:
    with np.load(io.BytesIO(data), allow_pickle=False) as whole:
        arrays = dict(whole)
    header = json.loads(arrays["header"].tobytes())
    header["schema"] = schema
    if schema < archive.SCHEMA:
        del header["time_below"], header["freezes_below"]
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("schema", "code", "remedy"),
    [(1, "result-older", "Solve again"), (archive.SCHEMA + 1, "result-newer", "newer cryoplan")],
)
def test_results_of_another_version_are_refused_by_name(recorded, schema, code, remedy):
    assert archive.SCHEMA == 2
    with pytest.raises(StoreError) as caught:
        archive.unpack(_with_schema(archive.pack(recorded), schema))
    assert caught.value.code == code
    assert remedy in caught.value.remedy


def test_an_array_whose_header_does_not_open_its_brackets_is_damage(recorded):
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive.pack(recorded))) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            # numpy then reads the header token by token, and finds a bracket that was never opened.
            new.writestr(name, old.read(name).replace(b"{'descr'", b"\x81'descr'", 1))
    with pytest.raises(StoreError) as caught:
        archive.unpack(packed.getvalue())
    assert caught.value.code == "result-damaged"


def test_an_archive_with_any_byte_changed_or_cut_off_is_refused_or_gives_the_same_numbers(recorded):
    data = archive.pack(recorded)
    places = np.random.default_rng(7).integers(0, len(data), 300)
    # The names and sizes at the end are where a zip is read from first.
    places = np.concatenate([places, np.arange(len(data) - 200, len(data))])
    refused: list[str] = []
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << int(place % 8)
        for spoilt in (bytes(changed), data[:place]):
            try:
                back = archive.unpack(spoilt)
            except StoreError as error:
                refused.append(error.code)
            else:
                assert back.minimum_degc.values.tobytes() == recorded.minimum_degc.values.tobytes()
                assert back.key == recorded.key
    assert set(refused) <= {"result-damaged", "result-older", "result-newer"}
    assert len(refused) > len(places), "what was cut off is never read as whole"
