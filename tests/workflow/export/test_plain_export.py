"""What is neither DICOM nor paper, through the one way out: whole, in the axes asked for, or not at all."""

from __future__ import annotations

import json

import pytest

from cryoplan.cli import main
from cryoplan.core.errors import StoreError
from cryoplan.core.progress import Cancelled
from cryoplan.workflow import save_case
from cryoplan.workflow.export import KINDS, export_case
from cryoplan.workflow.export.plain import PLAIN_KINDS, write_plain
from tests.support.exports import make_subject, subject


class Heard:
    """Keeps what is reported, and stops when it has been asked often enough."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.reports = []
        self._left = stop_after

    def report(self, report):
        self.reports.append(report)

    def cancelled(self):
        self._left -= 1
        return self._left < 0


def test_every_kind_that_is_neither_dicom_nor_paper_is_written_here():
    others = {name for name, kind in KINDS.items() if kind.is_dicom} | {"pdf", "sheet"}
    assert set(PLAIN_KINDS) == set(KINDS) - others


def test_every_kind_writes_into_the_folder_that_it_states(tmp_path):
    for kind in PLAIN_KINDS:
        export_case(subject(), tmp_path / kind, only=[kind])
        assert [p.name for p in (tmp_path / kind).iterdir()] == list(KINDS[kind].files)


def test_axes_that_are_asked_for_reach_surfaces_and_markups(tmp_path):
    done = export_case(subject(), tmp_path / "out", only=["stl", "markups"], axes="RAS")
    assert all("_RAS.stl" in name for name in done.files if name.endswith(".stl"))
    text = (tmp_path / "out" / "markups" / "probe_1.mrk.json").read_text(encoding="utf-8")
    assert json.loads(text)["markups"][0]["coordinateSystem"] == "RAS"


def test_the_command_exports_a_saved_case(tmp_path, capsys):
    s = subject()
    save_case(tmp_path / "a.cryoplan", s.case, s.plan, s.result)
    command = ["export", str(tmp_path / "a.cryoplan"), "--out", str(tmp_path / "out"), "--only", "ply,csv"]
    assert main([*command, "--axes", "RAS"]) == 0
    assert "Research use" in capsys.readouterr().out
    assert (tmp_path / "out" / "ply" / "tumour-1_RAS.ply").is_file()
    assert (tmp_path / "out" / "numbers" / "margins.csv").is_file()
    assert main(command) == 3
    assert "already" in capsys.readouterr().err
    assert main([*command, "--axes", "ASL"]) == 2


def test_progress_rises_to_the_end(tmp_path):
    heard = Heard()
    write_plain(subject(), PLAIN_KINDS, tmp_path, heard)
    fractions = [r.fraction for r in heard.reports]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] < 0.1
    assert 0.9 < fractions[-1] <= 1.0
    assert all(r.text for r in heard.reports)


@pytest.mark.parametrize("stop_after", [0, 1, 5, 12, 30, 50])
def test_a_cancelled_export_leaves_nothing_behind(tmp_path, stop_after):
    with pytest.raises(Cancelled):
        export_case(subject(), tmp_path / "out", only=PLAIN_KINDS, progress=Heard(stop_after))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["nifti", "csv", "obj", "movie"])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch, kind):
    from pathlib import Path

    written = []
    plain_text, plain_bytes = Path.write_text, Path.write_bytes

    def fails(write):
        def instead(path, *data, **options):
            written.append(path)
            if len(written) == 3:
                raise OSError(28, "No space left on device")
            return write(path, *data, **options)

        return instead

    monkeypatch.setattr(Path, "write_text", fails(plain_text))
    monkeypatch.setattr(Path, "write_bytes", fails(plain_bytes))
    with pytest.raises(StoreError):
        export_case(subject(), tmp_path / "out", only=[kind])
    assert list(tmp_path.iterdir()) == []


def test_the_same_case_gives_the_same_bytes(tmp_path):
    made = []
    for name in ("a", "b"):
        export_case(make_subject(), tmp_path / name, only=PLAIN_KINDS)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        made.append({str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files})
    assert len(made[0]) > 100
    assert [name for name, data in made[0].items() if made[1].get(name) != data] == []


def test_a_kind_that_belongs_elsewhere_is_refused(tmp_path):
    with pytest.raises(ValueError, match="seg"):
        write_plain(subject(), ["seg"], tmp_path)
    assert list(tmp_path.iterdir()) == []
