"""Archive: a `ThermalResult` as bytes and back, bit for bit where a number is ever printed.

The lowest temperature, its time and the ends of the phases keep their float32 values. Frames that only feed
the time slider are rounded to 0.01 degC, which halves the file and cannot be seen. No pickle: the format is
numpy's own ``.npz`` beside a JSON header.
"""

from __future__ import annotations

import io
import json
import struct
import tokenize
import zipfile
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import CryoplanError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.geometry import as_point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.simulation.result import EnergyLedger, Frame, ProbeTrace, ThermalResult, ThermocoupleTrace
from cryoplan.simulation.settings import SolverSettings

SCHEMA = 2
STEPS_PER_DEGC = 100.0
"""Slider frames are int16 in hundredths of a degree: -327 to +327 degC."""

_DAMAGE = (
    AttributeError,
    CryoplanError,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,  # numpy takes a header that it cannot read for one of Python 2
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading an archive of which any byte is another one may raise, from the zip down to the records."""


def pack(result: ThermalResult) -> bytes:
    """Return `result` as the bytes of one ``.npz`` archive."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "minimum_degc": result.minimum_degc.values,
        "minimum_at_s": result.minimum_at_s.values,
    }
    for number, frame in enumerate(result.frames):
        values = frame.temperature_degc.values
        exact = bool(frame.label)
        arrays[f"frame_{number}"] = values if exact else np.rint(values * STEPS_PER_DEGC).astype(np.int16)
    for name in ("time_below", "freezes_below"):
        for number, (_, volume) in enumerate(getattr(result, name)):
            arrays[f"{name}_{number}"] = volume.values
    for number, curve in enumerate(result.thermocouples):
        arrays[f"thermocouple_{number}"] = np.stack([curve.time_s, curve.temperature_degc])
    for number, trace in enumerate(result.probes):
        arrays[f"probe_{number}"] = np.stack([trace.time_s, trace.shaft_degc, trace.heat_w])
    header = {
        "schema": SCHEMA,
        "key": result.key,
        "grid": asdict(result.grid),
        "frames": [{"time_s": f.time_s, "label": f.label} for f in result.frames],
        "thermocouples": [t.name for t in result.thermocouples],
        "thermocouple_places": [t.position_mm for t in result.thermocouples],
        "thermocouple_each_minute": [t.from_frames for t in result.thermocouples],
        "probes": [p.name for p in result.probes],
        "time_below": [degc for degc, _ in result.time_below],
        "freezes_below": [degc for degc, _ in result.freezes_below],
        "ledger": asdict(result.ledger),
        "settings": asdict(result.settings),
        "steps": result.steps,
        "stages": result.stages,
        "cell_stages": result.cell_stages,
        "wall_s": result.wall_s,
        "findings": [f.to_json() for f in result.findings],
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> ThermalResult:
    """Return the result that `pack` wrote.

    Raises
    ------
    StoreError
        If the bytes are damaged or of a newer version.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            if header["schema"] < SCHEMA:
                raise StoreError(
                    "The stored temperatures are those of an older version of the solver.",
                    "Solve again.",
                    code="result-older",
                )
            if header["schema"] != SCHEMA:
                raise StoreError(
                    f"The stored temperatures have version {header['schema']}, this program knows {SCHEMA}.",
                    "Open the case with a newer cryoplan, or solve again.",
                    code="result-newer",
                )
            return _rebuild(header, archive)
    except StoreError:
        raise
    except _DAMAGE as error:
        raise StoreError(
            "The stored temperatures are damaged.", "Solve again.", code="result-damaged"
        ) from error


def _rebuild(header: dict[str, Any], archive: Any) -> ThermalResult:
    grid = Grid(**{k: tuple(v) for k, v in header["grid"].items()})
    settings = dict(header["settings"])
    settings["extra_times_s"] = tuple(settings["extra_times_s"])

    def volume(values: npt.NDArray[Any]) -> Volume:
        if values.dtype == np.int16:
            values = values.astype(np.float32) / np.float32(STEPS_PER_DEGC)
        return Volume(grid=grid, values=values)

    def below(name: str) -> tuple[tuple[float, Volume], ...]:
        found = enumerate(header[name])
        return tuple((float(degc), volume(archive[f"{name}_{number}"])) for number, degc in found)

    # Archives of older programs do not say where their thermocouples were.
    places = header.get("thermocouple_places") or [None] * len(header["thermocouples"])
    each_minute = header.get("thermocouple_each_minute") or [False] * len(places)
    return ThermalResult(
        key=str(header["key"]),
        grid=grid,
        minimum_degc=volume(archive["minimum_degc"]),
        minimum_at_s=volume(archive["minimum_at_s"]),
        frames=tuple(
            Frame(
                time_s=frame["time_s"],
                label=frame["label"],
                temperature_degc=volume(archive[f"frame_{number}"]),
            )
            for number, frame in enumerate(header["frames"])
        ),
        thermocouples=tuple(
            ThermocoupleTrace(
                name=name,
                time_s=archive[f"thermocouple_{number}"][0],
                temperature_degc=archive[f"thermocouple_{number}"][1],
                position_mm=None if at is None else as_point(at),
                from_frames=bool(each_minute[number]),
            )
            for number, (name, at) in enumerate(zip(header["thermocouples"], places, strict=True))
        ),
        probes=tuple(
            ProbeTrace(
                name=name,
                time_s=archive[f"probe_{number}"][0],
                shaft_degc=archive[f"probe_{number}"][1],
                heat_w=archive[f"probe_{number}"][2],
            )
            for number, name in enumerate(header["probes"])
        ),
        time_below=below("time_below"),
        freezes_below=below("freezes_below"),
        ledger=EnergyLedger(**header["ledger"]),
        settings=SolverSettings(**settings),
        steps=int(header["steps"]),
        stages=int(header["stages"]),
        cell_stages=float(header["cell_stages"]),
        wall_s=float(header["wall_s"]),
        findings=tuple(
            Finding(level=Level(f["level"]), code=f["code"], text=f["text"], place=f["place"])
            for f in header["findings"]
        ),
    )
