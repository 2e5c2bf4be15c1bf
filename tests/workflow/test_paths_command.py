"""`cryoplan paths`: the contract's keys, numbers that can be checked, on made and on real images."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cryoplan.cli import main
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from tests.support.grids import grid_of, places

WHERE = grid_of((100, 100, 60), (1.0, 1.0, 1.0))
PLAN = {
    "schema": 1,
    "name": "two",
    "probes": [
        {"name": "1", "model": "generic-15g", "tip_mm": [0, 20, 0], "entry_mm": [0, -38, 0]},
        {"name": "2", "model": "generic-15g", "tip_mm": [15, 20, 0], "entry_mm": [15, -38, 6]},
    ],
    "protocol": [{"phase": "freeze", "duration_s": 600}],
    "tools": [
        {"name": "TC1", "kind": "thermocouple", "tip_mm": [-15, 0, 0], "entry_mm": [-15, -38, 0],
         "diameter_mm": 1.3, "length_mm": 150}
    ],
    "room": {"position": "HFS"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A block of soft tissue with a slab of liver, a ball of tumour in it and a bowel beside."""
    path = tmp_path_factory.mktemp("paths")
    at = places(WHERE) - WHERE.centre_mm()
    body = np.abs(at).max(axis=-1) <= 38.0 + 0.5
    hu = np.where(body, 40, -1000).astype(np.int16)
    labels = np.where(body & (at[..., 1] > -10.0), 1, 0)
    labels[np.linalg.norm(at - [0, 5, 0], axis=-1) <= 12.0] = 2
    labels[np.linalg.norm(at - [26, -20, 0], axis=-1) <= 6.0] = 3
    write_volume(Volume(grid=WHERE, values=hu), path / "ct.nii.gz")
    write_volume(Volume(grid=WHERE, values=labels.astype(np.uint8)), path / "labels.nii.gz")
    names = {
        "1": {"name": "liver", "role": "organ"},
        "2": {"name": "tumour", "role": "tumour"},
        "3": {"name": "colon", "role": "bowel"},
    }
    (path / "labels.json").write_text(json.dumps({"labels": names}), encoding="utf-8")
    shift = WHERE.centre_mm()
    plan = json.loads(json.dumps(PLAN))
    for row in (*plan["probes"], *plan["tools"]):
        for end in ("tip_mm", "entry_mm"):
            row[end] = list(np.add(row[end], shift))
    (path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    return path


def command(folder, *more):
    files = ("--image", folder / "ct.nii.gz", "--structures", folder / "labels.nii.gz")
    return main(["paths", *map(str, files), "--plan", str(folder / "plan.json"), *more])


def test_the_json_holds_the_keys_of_the_contract_and_right_numbers(folder, capsys):
    assert command(folder, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    first, second = found["probes"]
    for one in found["probes"]:
        assert {
            "name", "depth_mm", "depth_to_active_mm", "in_plane_deg", "cranio_caudal_deg", "gantry_tilt_deg",
            "passes", "clearances", "findings",
        } <= set(one)  # fmt: skip
        assert sum(p["length_mm"] for p in one["passes"]) == pytest.approx(one["depth_mm"])
    assert first["depth_mm"] == pytest.approx(58.0)
    assert [p["structure"] for p in first["passes"]] == ["unlabelled", "liver", "tumour", "liver"]
    assert [p["length_mm"] for p in first["passes"]] == pytest.approx([28.0, 3.0, 24.0, 3.0], abs=0.5)
    assert first["overshoot_mm"] == pytest.approx(3.0, abs=0.3)
    assert first["gantry_tilt_deg"] == 0.0
    assert second["cranio_caudal_deg"] == pytest.approx(np.degrees(np.arctan(-6 / 58)))
    colon = {c["structure"]: c for c in second["clearances"]}["colon"]
    # The axis passes (15, -20) at z = 4.14: from the middle of the ball 11 mm aside and that much up.
    gap = np.hypot(11.0, 4.14 * np.cos(np.arctan(6 / 58))) - 6.0 - 0.5 * 1.83
    assert colon["mm"] == pytest.approx(gap, abs=0.3)
    (pair,) = found["pairs"]
    assert set(pair) == {"a", "b", "tip_mm", "middle_mm", "back_mm", "angle_deg", "closest_mm"}
    assert pair["tip_mm"] == pytest.approx(15.0)
    assert [t["name"] for t in found["tools"]] == ["TC1"]
    assert found["tools"][0]["depth_to_active_mm"] is None
    assert found["position"] == "HFS"


def test_the_text_reads_as_it_is_dictated(folder, capsys):
    assert command(folder) == 0
    text = capsys.readouterr().out
    assert text.startswith("Research use")
    assert "Probe 1: 58.0 mm deep" in text
    assert (
        "passes soft tissue (not outlined) 28, liver 3, tumour 24, liver 3 mm; pleura crossed: no lung"
        in text
    )
    assert "Tool TC1: 38.0 mm deep" in text
    assert "1 and 2: 15.0" in text
    assert "none needed: within one slice" in text


def test_a_plan_that_cannot_be_read_is_refused_with_its_place(folder, tmp_path, capsys):
    bad = tmp_path / "plan.json"
    bad.write_text(json.dumps(PLAN | {"room": {"position": "up"}}), encoding="utf-8")
    files = ["--image", str(folder / "ct.nii.gz"), "--plan", str(bad)]
    assert main(["paths", *files]) == 3
    assert "room.position" in capsys.readouterr().err


def test_the_paths_of_the_real_liver(data_root, tmp_path, capsys):
    folder = data_root / "liver_ct_crlm1006"
    tip, entry = [-75.4, 35.0, -294.1], [-141.55, 35.0, -294.1]
    plan = {"schema": 1, "probes": [{"name": "1", "model": "generic-15g", "tip_mm": tip, "entry_mm": entry}],
            "protocol": PLAN["protocol"]}  # fmt: skip
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    words = ["--structures", str(folder / "labels.nii.gz"), "--target", "target_1", "--json"]
    assert main(["paths", "--image", str(folder), "--plan", str(tmp_path / "plan.json"), *words]) == 0
    (probe,) = json.loads(capsys.readouterr().out)["probes"]
    names = [p["structure"] for p in probe["passes"]]
    assert names[-3][:8] == "liver (p"
    assert names[-2].startswith("target_1")
    assert probe["passes"][0]["looks_like"] == "fat"
    assert probe["overshoot_mm"] > 5.0
    assert probe["gantry_tilt_deg"] == 0.0
