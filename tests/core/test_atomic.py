"""Files are whole or not there, whatever goes wrong."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from cryoplan.core.atomic import replace_when_written, sweep, write_atomic
from cryoplan.core.errors import StoreError


def test_a_written_file_has_the_bytes_and_leaves_no_other_file(tmp_path: Path):
    write_atomic(tmp_path / "a.json", b"one")
    write_atomic(tmp_path / "a.json", b"two")
    assert (tmp_path / "a.json").read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_a_written_file_has_the_mode_of_an_ordinary_file(tmp_path: Path):
    (tmp_path / "plain").write_bytes(b"")
    write_atomic(tmp_path / "a", b"one")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.NII.GZ", "plan.json", "noending"])
def test_the_temporary_file_keeps_the_ending(tmp_path: Path, name: str):
    with replace_when_written(tmp_path / name) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(name[4:] if "." in name else "")
        temporary.write_bytes(b"x")
    assert (tmp_path / name).read_bytes() == b"x"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EROFS, "not-writable"),
        (errno.EACCES, "not-writable"),
        (errno.EIO, "not-written"),
        (errno.EISDIR, "is-a-folder"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_each_failing_system_call_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, call: str
):
    target = tmp_path / "plan.json"
    target.write_bytes(b"old")

    def fail(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"cryoplan.core.atomic.os.{call}", fail)
    with pytest.raises(StoreError) as caught:
        write_atomic(target, b"new")
    monkeypatch.undo()
    assert caught.value.code == code
    assert "plan.json" in caught.value.what
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_a_real_full_disk_is_a_store_error():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(StoreError) as caught, replace_when_written(Path("plan.json")), full.open("wb") as f:
        f.write(b"x" * 100_000)
    assert caught.value.code == "disk-full"
    assert not Path("plan.json").exists()


def test_a_missing_folder_is_a_store_error(tmp_path: Path):
    with pytest.raises(StoreError) as caught:
        write_atomic(tmp_path / "nowhere" / "plan.json", b"x")
    assert caught.value.code == "folder-missing"


def test_an_error_of_the_block_flies_and_leaves_the_old_file(tmp_path: Path):
    target = tmp_path / "plan.json"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with replace_when_written(target) as temporary:
            temporary.write_bytes(b"half")
            raise KeyError("interrupted")

    with pytest.raises(KeyError):
        interrupted()
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_sweep_removes_old_leftovers_and_nothing_else(tmp_path: Path):
    old, young = tmp_path / ".cryoplan-0123456789ab.json", tmp_path / ".cryoplan-ba9876543210.json"
    for path in (old, young, tmp_path / "plan.json"):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    os.utime(tmp_path / "plan.json", (0, 0))
    assert sweep(tmp_path) == 1
    assert {p.name for p in tmp_path.iterdir()} == {young.name, "plan.json"}
