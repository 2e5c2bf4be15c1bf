"""Plans that several tests share, as the text of a plan file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

Point = Sequence[float]

TARGET_1 = "target_1 segment VI, near gallbladder, right kidney and hepatic flexure"


def plan_record(probes: Sequence[tuple[Point, Point]], **changes: object) -> dict[str, object]:
    """Return a 10-5-10 plan with one generic probe per (tip, entry)."""
    record: dict[str, object] = {
        "schema": 1,
        "name": "test",
        "probes": [
            {"name": str(n), "model": "generic-15g", "tip_mm": list(tip), "entry_mm": list(entry)}
            for n, (tip, entry) in enumerate(probes, start=1)
        ],
        "protocol": [
            {"phase": "freeze", "duration_s": 600},
            {"phase": "thaw", "duration_s": 300, "mode": "passive"},
            {"phase": "freeze", "duration_s": 600},
        ],
    }
    record.update(changes)
    return record


def three_lateral_probes() -> dict[str, object]:
    """Return three parallel probes from the patient's right through target 1 of the liver CT."""
    return plan_record(
        [
            ((-75.4, 35.0, -294.1), (-141.5, 35.0, -294.1)),
            ((-75.4, 28.0, -306.1), (-149.3, 28.0, -306.1)),
            ((-75.4, 42.0, -306.1), (-151.5, 42.0, -306.1)),
        ],
        name="three lateral",
        thermocouples=[{"name": "gallbladder", "position_mm": [-66.5, 6.6, -305.4]}],
    )


def write_record(folder: Path, record: object, name: str = "plan.json") -> Path:
    """Write a record as JSON and return its path."""
    path = folder / name
    path.write_text(json.dumps(record), encoding="utf-8")
    return path
