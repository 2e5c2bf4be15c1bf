"""Recent cases and the settings file: nothing is lost in silence, nothing is shown but the pseudonym."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryoplan.app.recent import MOST, Presence, RecentCases, presence_of
from cryoplan.app.settings import LARGEST_BYTES, Settings, settings_path

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "Kowalska Anna"


@pytest.fixture
def recent() -> RecentCases:
    return RecentCases(Settings())


def _note(recent: RecentCases, path: Path, code: str = "P-1", minutes: int = 0) -> None:
    recent.note(path, code, "draft", NOW + timedelta(minutes=minutes))


def test_a_new_user_has_no_cases_and_no_file_is_made(recent):
    assert recent.entries() == ()
    assert recent.remembers
    assert not settings_path().exists()


def test_the_list_survives_a_restart_newest_first(recent, tmp_path):
    for number in range(3):
        _note(recent, tmp_path / f"{number}.cryoplan", f"P-{number}", number)
    found = RecentCases(Settings()).entries()
    assert [e.code for e in found] == ["P-2", "P-1", "P-0"]
    assert found[0].opened_at == NOW + timedelta(minutes=2)
    assert found[0].status == "draft"
    assert found[0].path == tmp_path / "2.cryoplan"


def test_a_case_that_is_opened_again_moves_up_and_is_not_doubled(recent, tmp_path, monkeypatch):
    _note(recent, tmp_path / "a.cryoplan", "P-A")
    _note(recent, tmp_path / "b.cryoplan", "P-B")
    monkeypatch.chdir(tmp_path)
    recent.note(Path("a.cryoplan"), "P-A", "approved", NOW)
    assert [(e.code, e.status) for e in recent.entries()] == [("P-A", "approved"), ("P-B", "draft")]


def test_no_more_than_twenty_are_kept(recent, tmp_path):
    for number in range(MOST + 5):
        _note(recent, tmp_path / f"{number}.cryoplan", f"P-{number}")
    assert MOST == 20
    assert [e.code for e in recent.entries()] == [f"P-{n}" for n in range(MOST + 4, 4, -1)]


def test_missing_files_stay_on_the_list_and_are_told_from_those_out_of_reach(recent, tmp_path):
    here, gone, inside = tmp_path / "here", tmp_path / "gone" / "x", tmp_path / "here" / "x"
    here.write_text("")
    for path in (here, gone, inside, Path("a\0b")):
        _note(recent, path)
    told = [presence_of(e.path) for e in recent.entries()]
    assert told == [Presence.OUT_OF_REACH, Presence.MISSING, Presence.MISSING, Presence.HERE]
    assert len(recent.entries()) == 4


def test_switched_off_it_forgets_everything_and_remembers_nothing(recent, tmp_path):
    _note(recent, tmp_path / f"{NAME}.cryoplan")
    recent.remember(False)
    _note(recent, tmp_path / f"{NAME}.cryoplan")
    assert recent.entries() == ()
    assert not RecentCases(Settings()).remembers
    assert NAME not in settings_path().read_text("utf-8")
    recent.remember(True)
    _note(recent, tmp_path / "x")
    assert len(recent.entries()) == 1


def test_forget_and_clear_take_lines_and_never_files(recent, tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("case")
        _note(recent, tmp_path / name, name)
    recent.forget(tmp_path / "b")
    assert [e.code for e in recent.entries()] == ["c", "a"]
    recent.clear()
    assert recent.entries() == ()
    assert recent.remembers
    assert all((tmp_path / name).exists() for name in "abc")


def test_the_path_does_not_show_in_the_text_of_a_line(recent, tmp_path):
    _note(recent, tmp_path / f"{NAME}.cryoplan")
    (entry,) = recent.entries()
    assert NAME not in f"{entry} {entry!r}"
    assert NAME in str(entry.path)


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_only_the_user_may_read_the_list(recent, tmp_path):
    before = os.umask(0)
    try:
        _note(recent, tmp_path / "a")
        _note(recent, tmp_path / "b")
    finally:
        os.umask(before)
    assert settings_path().stat().st_mode & 0o777 == 0o600


# The file -------------------------------------------------------------------------------------------------

DAMAGED = [
    b"", b"{", b"[]", b"\xff\xfe", b'{"recent": 3}', b'{"recent": {"cases": [{"path": ""}]}}', b"[" * 100_000,
    b'{"recent": {"cases": [{"path": "a", "opened_at": "yesterday"}]}}', b" " * (LARGEST_BYTES + 1),
]  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_set_aside_with_a_notice_and_stops_nothing(data: bytes, tmp_path: Path):
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    kept = Settings()
    recent = RecentCases(kept)
    assert recent.entries() == ()
    assert kept.notice is not None
    assert kept.notice.code == "settings-damaged"
    (aside,) = path.parent.glob("settings-damaged-*.json")
    assert aside.read_bytes() == data
    _note(recent, tmp_path / "a")
    assert len(RecentCases(Settings()).entries()) == 1


def test_two_damaged_files_of_one_second_are_both_kept(tmp_path):
    path = tmp_path / "settings.json"
    for data in (b"first", b"second"):
        path.write_bytes(data)
        RecentCases(Settings(path)).entries()
    assert sorted(p.read_bytes() for p in tmp_path.glob("settings-damaged-*.json")) == [b"first", b"second"]


def test_a_damaged_file_that_cannot_be_moved_away_is_said_and_not_written_over(tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    path.write_bytes(b"{")
    real = Path.replace

    def stuck(self: Path, target: Path) -> Path:
        if self == path:
            raise PermissionError(13, "in use")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", stuck)
    kept = Settings(path)
    assert RecentCases(kept).entries() == ()
    assert kept.notice is not None
    assert "cannot be read or moved away" in kept.notice.text
    _note(RecentCases(kept), tmp_path / "a")
    assert kept.notice.code == "settings-not-written"
    assert path.read_bytes() == b"{"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.binary(max_size=200))
def test_no_bytes_whatever_stop_the_start(data: bytes, tmp_path: Path):
    path = tmp_path / "settings.json"
    path.write_bytes(data)
    assert RecentCases(Settings(path)).entries() == ()


def test_what_a_newer_version_keeps_is_carried_along(recent, tmp_path):
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_text('{"newer": {"a": [1, 2.5]}, "recent": {"remember": true, "later": 1}}')
    _note(recent, tmp_path / "a")
    assert json.loads(path.read_text())["newer"] == {"a": [1, 2.5]}
    assert len(recent.entries()) == 1


def test_two_windows_do_not_undo_what_the_other_wrote(tmp_path):
    first, second = RecentCases(Settings()), RecentCases(Settings())
    _note(first, tmp_path / "a", "P-A")
    _note(second, tmp_path / "b", "P-B")
    _note(first, tmp_path / "c", "P-C")
    assert [e.code for e in second.entries()] == ["P-C", "P-B", "P-A"]


def test_settings_that_cannot_be_written_are_told_and_stop_nothing(tmp_path):
    (tmp_path / "file").write_text("no folder")
    kept = Settings(tmp_path / "file" / "settings.json")
    _note(RecentCases(kept), tmp_path / "a")
    assert kept.notice is not None
    assert kept.notice.code == "settings-not-written"


def test_a_file_that_cannot_be_read_for_the_moment_is_not_written_over(recent, tmp_path, monkeypatch):
    _note(recent, tmp_path / "a", "P-A")
    with monkeypatch.context() as patch:

        def broken(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        patch.setattr(Path, "open", broken)
        assert recent.entries() == ()
        _note(recent, tmp_path / "b", "P-B")
    assert [e.code for e in recent.entries()] == ["P-A"]


def test_a_write_that_fails_leaves_the_old_list(recent, tmp_path, monkeypatch):
    _note(recent, tmp_path / "a", "P-A")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    _note(recent, tmp_path / "b", "P-B")
    assert [e.code for e in recent.entries()] == ["P-A"]
    assert list(settings_path().parent.iterdir()) == [settings_path()]
