"""A folder of results is whole or as it was; what is there is replaced only when that was said."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cryoplan.core.errors import StoreError
from cryoplan.workflow import folder as folder_module
from cryoplan.workflow.folder import all_or_nothing, refuse_existing


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def everything(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_new_folder_appears_whole_and_nothing_is_left_beside_it(tmp_path):
    with all_or_nothing(tmp_path / "out") as work:
        write(work, a="1", sub__b="2")
        assert not (tmp_path / "out").exists()
    assert everything(tmp_path) == {"out/a": "1", "out/sub/b": "2"}


@pytest.mark.skipif(os.name != "posix", reason="rights of folders are those of POSIX")
def test_others_may_read_a_new_folder_as_any_other_one(tmp_path):
    (tmp_path / "ordinary").mkdir()
    with all_or_nothing(tmp_path / "out") as work:
        write(work, a="1")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ordinary", "out")}
    assert len(modes) == 1


@pytest.mark.skipif(os.name != "posix", reason="rights of folders are those of POSIX")
def test_an_empty_folder_that_only_its_owner_may_enter_stays_so(tmp_path):
    (tmp_path / "out").mkdir(mode=0o700)
    with all_or_nothing(tmp_path / "out") as work:
        write(work, a="1")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert everything(tmp_path) == {"out/a": "1"}


@pytest.mark.parametrize("before", [{}, {"a": "old", "other": "kept"}])
def test_an_error_leaves_the_folder_as_it_was(tmp_path, before):
    out = tmp_path / "out"
    if before:
        out.mkdir()
        write(out, **before)
    with suppress(ZeroDivisionError), all_or_nothing(out) as work:
        write(work, a="new")
        raise ZeroDivisionError
    assert everything(tmp_path) == {f"out/{name}": text for name, text in before.items()}


def test_files_of_the_same_names_are_not_replaced_unasked(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    write(out, a="old", other="kept")
    with pytest.raises(StoreError) as raised, all_or_nothing(out, replace=False) as work:
        write(work, a="new", b="new")
    assert raised.value.code == "already-there"
    assert "a already" in raised.value.what
    assert everything(tmp_path) == {"out/a": "old", "out/other": "kept"}


def test_files_of_other_names_are_no_reason_to_refuse(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    write(out, other="kept")
    with all_or_nothing(out, replace=False) as work:
        write(work, a="new")
    assert everything(out) == {"a": "new", "other": "kept"}


@pytest.mark.parametrize("failing", [1, 2, 3, 4, 5, 6])
def test_what_was_replaced_is_put_back_when_a_move_fails(tmp_path, monkeypatch, failing):
    out = tmp_path / "out"
    out.mkdir()
    write(out, a="old a", c="old c", other="kept")
    moves = 0
    move = Path.replace

    def fail_once(self: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == failing:
            raise OSError(28, "No space left on device")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    try:
        with all_or_nothing(out) as work:
            write(work, a="new a", b="new b", c="new c")
    except StoreError:
        assert everything(tmp_path) == {"out/a": "old a", "out/c": "old c", "out/other": "kept"}
    else:
        # Five moves in all: the sixth never came.
        assert failing == 6
        assert everything(out) == {"a": "new a", "b": "new b", "c": "new c", "other": "kept"}


def test_what_a_killed_program_left_is_swept_and_a_running_one_is_left_alone(tmp_path):
    old, young = tmp_path / ".out.unfinished-old", tmp_path / ".out.unfinished-young"
    for leftover in (old, young):
        leftover.mkdir()
        write(leftover, a="1")
    before = time.time() - 2 * folder_module.LEFTOVER_S
    os.utime(old, (before, before))
    with all_or_nothing(tmp_path / "out") as work:
        write(work, a="1")
    assert not old.exists()
    assert young.exists()


def test_a_link_to_an_empty_folder_stays_a_link(tmp_path):
    (tmp_path / "true").mkdir()
    link = tmp_path / "link"
    try:
        link.symlink_to(tmp_path / "true")
    except OSError:
        pytest.skip("this system does not let us make links")
    with all_or_nothing(link) as work:
        write(work, a="1")
    assert link.is_symlink()
    assert everything(tmp_path / "true") == {"a": "1"}


def test_how_many_are_in_the_way_is_said(tmp_path):
    write(tmp_path, a="1", b="2")
    with pytest.raises(StoreError, match="holds a and 1 more already"):
        refuse_existing(tmp_path, ["a", "b", "c"])
