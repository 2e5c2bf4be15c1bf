"""cryoplan probes: the catalogue on the command line, and and what is said of a probe that is gone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cryoplan import workflow
from cryoplan.cli import DONE, REFUSED, main
from cryoplan.core.errors import PlanError, StoreError
from cryoplan.plan import edits
from cryoplan.plan.own_probes import delete_model, own_folder, save_model
from cryoplan.plan.stock import load_stock
from tests.support.scenes import make_case, make_plan


def own(gauge: str = "15") -> None:
    """Keep a probe of the user's, or change it."""
    generic = workflow.catalogue()["generic-15g"]
    overwrite = "mine" in workflow.catalogue()
    save_model(
        replace(generic, id="mine", gauge=gauge), workflow.catalogue(), own_folder(), overwrite=overwrite
    )


def test_the_list_has_every_number_with_its_source(capsys):
    assert main(["probes", "--json"]) == DONE
    found = json.loads(capsys.readouterr().out)
    rows = {row["id"]: row for row in found["probes"]}
    assert rows.keys() == workflow.catalogue().keys()
    for row in rows.values():
        assert all(n["source"] and n["unit"] and "is_guess" in n for n in row["numbers"].values())
    ice = rows["icesphere-17g"]["ice"]
    assert ice["published"][0]["length_mm"] == 37.0
    assert ice["solved"][0] == pytest.approx({"degc": 0.0, "length_mm": 40.6, "width_mm": 29.2}, abs=0.3)
    assert rows["generic-15g"]["ice"]["published"] == []
    assert "ice" not in rows["urethral-warmer"]
    assert found["stock"]["models"] is None
    assert main(["probes"]) == DONE
    assert "generic-15g" in capsys.readouterr().out


def test_a_probe_is_shown_exported_imported_shown_as_own_and_deleted(tmp_path, capsys):
    assert main(["probes", "show", "icesphere-17g", "--out", str(tmp_path / "ice.png")]) == DONE
    assert "published 37 x 32 mm ±4/3" in capsys.readouterr().out
    assert (tmp_path / "ice.png").read_bytes().startswith(b"\x89PNG")
    file = str(tmp_path / "ours.toml")
    assert main(["probes", "export", "icesphere-17g", file]) == DONE
    assert main(["probes", "export", "icesphere-17g", file]) == REFUSED
    assert main(["probes", "import", file]) == DONE
    assert main(["probes", "import", file]) == REFUSED
    assert "ours already" in capsys.readouterr().err
    assert main(["probes", "import", file, "--replace"]) == DONE
    assert workflow.catalogue().own == {"ours"}
    assert main(["probes", "show", "ours"]) == DONE
    assert "your own probe" in capsys.readouterr().out
    assert main(["probes", "delete", "ours"]) == DONE
    assert main(["probes", "delete", "generic-15g"]) == REFUSED
    assert not workflow.catalogue().own


def test_the_stock_is_kept_and_shown(capsys):
    assert main(["probes", "stock", "--add", "icesphere-17g", "nonsense"]) == REFUSED
    assert load_stock().models is None
    assert main(["probes", "stock", "--add", "icesphere-17g"]) == DONE
    capsys.readouterr()
    assert main(["probes"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("icesphere-17g")
    assert "; in stock" in lines[0]
    assert "; not in stock" in lines[1]
    found = workflow.check(make_case(), make_plan(), workflow.catalogue())
    assert "probe-not-in-stock" in {f.code for f in found}
    assert main(["probes", "stock", "--clear"]) == DONE
    found = workflow.check(make_case(), make_plan(), workflow.catalogue())
    assert "probe-not-in-stock" not in {f.code for f in found}


@pytest.mark.parametrize(
    "words",
    [
        ["show", "nonsense"],
        ["show", "urethral-warmer", "--out", "x.png"],
        ["show", "generic-15g", "--out", "x.bmp"],
        ["import", "nothing.toml"],
        ["export", "nonsense", "x.toml"],
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert main(["probes", *words]) == REFUSED
    assert capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_probe_that_is_changed_on_the_disk_is_another_one_with_the_next_look():
    own()
    first = workflow.catalogue()
    assert workflow.catalogue() is first
    own("other")
    assert workflow.catalogue()["mine"].gauge == "other"
    (own_folder() / "mine.toml").unlink()
    assert "mine" not in workflow.catalogue()


def test_a_changed_probe_changes_the_key_of_its_plans_only():
    own()
    case, plan = make_case(), make_plan()
    mine = edits.set_model(plan, "1", "mine")
    before = [workflow.simulation_key(case, p, workflow.catalogue()) for p in (plan, mine)]
    own("other")
    after = [workflow.simulation_key(case, p, workflow.catalogue()) for p in (plan, mine)]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_a_case_whose_probe_is_missing_says_which_and_is_whole_once_it_is_imported(tmp_path):
    own()
    plan = edits.set_model(make_plan(), "1", "mine")
    path = tmp_path / "a.cryoplan"
    workflow.save_case(path, make_case(), plan)
    workflow.save_plan(plan, tmp_path / "plan.json")
    before = path.read_bytes()
    text = (own_folder() / "mine.toml").read_text(encoding="utf-8")
    delete_model("mine", workflow.catalogue(), own_folder())
    with pytest.raises(StoreError, match="mine") as caught:
        workflow.open_case(path)
    assert caught.value.code == "plan-in-case"
    assert "cryoplan probes import" in caught.value.remedy
    with pytest.raises(PlanError, match="mine"):
        workflow.load_plan(tmp_path / "plan.json", workflow.catalogue())
    assert path.read_bytes() == before
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert main(["probes", "import", str(tmp_path / "mine.toml")]) == DONE
    assert workflow.open_case(path).plan == plan


def test_an_open_case_file_follows_the_catalogue(tmp_path):
    workflow.save_case(tmp_path / "a.cryoplan", make_case(), make_plan())
    with workflow.CaseFile.open(tmp_path / "a.cryoplan") as file:
        own()
        file.record("Model", plan=edits.set_model(file.plan, "1", "mine"))
        file.undo()
        assert file.redo()[1].probes[0].model == "mine"
