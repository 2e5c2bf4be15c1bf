"""The set-up script: what it builds again, what it leaves alone, and how it counts."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "dev.py"


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import dev

    return dev


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import system_libraries

    return system_libraries


class Builder:
    """Stands for the two slow steps of set-up and keeps what was asked of it."""

    def __init__(self, dev: ModuleType, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev, self.venv, self.steps = dev, venv, list[str]()
        monkeypatch.setattr(dev, "VENV", venv)
        monkeypatch.setattr(dev, "make_venv", self.make_venv)
        monkeypatch.setattr(dev, "add_project", lambda: self.steps.append("project"))

    def make_venv(self) -> None:
        self.steps.append("venv")
        python = self.dev.python_of(self.venv)
        python.parent.mkdir(parents=True, exist_ok=True)
        (self.venv / self.dev.OURS).touch()
        if not python.exists():
            python.symlink_to(sys.executable)

    def set_up(self) -> list[str]:
        self.steps.clear()
        self.dev.set_up()
        return list(self.steps)


@pytest.fixture
def builder(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    if sys.platform == "win32":
        pytest.skip("making the symbolic link that stands for an interpreter needs rights on Windows")
    return Builder(dev, tmp_path / "venv", monkeypatch)


def test_second_set_up_does_nothing(builder: Builder):
    assert builder.set_up() == ["venv", "project"]
    assert builder.set_up() == []


def test_interrupted_set_up_begins_again(builder: Builder):
    builder.make_venv()  # and then the power went: no stamp
    assert builder.set_up() == ["venv", "project"]


def test_stamp_cut_short_counts_as_none(builder: Builder):
    builder.set_up()
    stamp = builder.venv / builder.dev.STAMP
    stamp.write_bytes(stamp.read_bytes()[:20])
    assert builder.set_up() == ["venv", "project"]


def test_environment_whose_python_is_gone_is_rebuilt(builder: Builder):
    builder.set_up()
    builder.dev.python_of(builder.venv).unlink()
    assert builder.set_up() == ["venv", "project"]


def test_changed_lock_rebuilds_everything(builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    builder.set_up()
    changed = tmp_path / "requirements.lock"
    changed.write_bytes(builder.dev.LOCK.read_bytes() + b"# another\n")
    monkeypatch.setattr(builder.dev, "LOCK", changed)
    assert builder.set_up() == ["venv", "project"]


def test_changed_project_file_adds_the_project_again_but_keeps_the_rest(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
):
    builder.set_up()
    real = builder.dev.wanted_stamp
    monkeypatch.setattr(builder.dev, "wanted_stamp", lambda python: {**real(python), "project": "another"})
    assert builder.set_up() == ["project"]


def test_failed_installation_leaves_no_stamp(builder: Builder, monkeypatch: pytest.MonkeyPatch):
    def fail() -> None:
        raise builder.dev.SetupError("no network")

    monkeypatch.setattr(builder.dev, "add_project", fail)
    with pytest.raises(builder.dev.SetupError):
        builder.set_up()
    assert builder.dev.read_stamp(builder.venv) == {}


def test_somebody_elses_environment_is_refused_but_never_deleted(builder: Builder):
    builder.venv.mkdir()
    (builder.venv / "precious.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(builder.dev.SetupError, match="not made by this script"):
        builder.set_up()
    assert (builder.venv / "precious.txt").read_text(encoding="utf-8") == "mine"


def test_somebody_elses_environment_with_the_locked_versions_is_used(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
):
    builder.venv.mkdir()
    monkeypatch.setattr(builder.dev, "python_of", lambda _venv: Path(sys.executable))
    assert builder.set_up() == []


def test_misfits_name_what_has_another_version(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "numpy==0.0.1 \\\n    --hash=sha256:00\n"
        "no-such-thing==3 ; sys_platform == 'nowhere' \\\n    --hash=sha256:00\n"
        "no-such-other==4 \\\n    --hash=sha256:00\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(dev, "LOCK", lock)
    assert dev.misfits(Path(sys.executable)) == ["numpy 0.0.1", "no-such-other 4"]


def test_counts_are_those_of_pytest_and_a_crash_counts_as_failure(dev: ModuleType, tmp_path: Path):
    suite = tmp_path / "test_sample.py"
    suite.write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): pass\n"
        "def test_c(): assert False\n"
        "@pytest.mark.skip\ndef test_d(): pass\n"
        "@pytest.fixture\ndef broken(): raise ValueError\n"
        "def test_e(broken): pass\n",
        encoding="utf-8",
    )
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        str(suite),
    ]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    counted = dev.count(report)
    assert counted == {"passed": 2, "failed": 2, "skipped": 1}
    crashed = dev.count(tmp_path / "never-written.xml")
    assert crashed == {"passed": 0, "failed": 1, "skipped": 0}
    assert dev.closing_line([counted, crashed]) == "2 passed, 3 failed, 1 skipped"


def test_rounds_cover_every_test_folder_once(dev: ModuleType):
    house, headless, *window = dev.rounds()
    given = {*house[1], *(path for entry in window for path in entry[1])}
    ignored = {word.partition("=")[2] for word in headless[1] if word.startswith("--ignore=")}
    assert given <= ignored
    assert headless[1][0] == "tests"
    assert not house[2]
    assert not headless[2]
    assert all(entry[2] for entry in window)


def test_help_works_from_any_folder_and_names_the_commands(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("demo", "test", "setup", "check", "lock"))


def test_unknown_command_is_wrong_usage():
    done = subprocess.run([sys.executable, str(SCRIPT), "dance"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "dance" in done.stderr


def test_old_python_is_refused_with_a_sentence(dev: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dev.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(dev, "newer_python", lambda: "")
    with pytest.raises(dev.SetupError, match=r"needs Python 3\.11 or newer, and this is Python 3\.9"):
        dev.hand_over_to_newer_python()


def unreadable_for_python_3_7(text: str) -> str:
    """Return what Python 3.7 would not understand in a text; empty when it can read all of it."""
    try:
        ast.parse(text, feature_version=(3, 7))
    except SyntaxError as error:
        return str(error)
    return ""


def test_an_old_python_can_read_the_script():
    assert unreadable_for_python_3_7("print(line := 1)"), "this check can fail"
    for path in (SCRIPT, SCRIPT.with_name("system_libraries.py")):
        assert unreadable_for_python_3_7(path.read_text(encoding="utf-8")) == ""


def test_a_library_that_exists_is_found_and_one_that_does_not_is_missed(system: ModuleType):
    assert not system.is_there("lib:libnosuchthing.so.99")
    assert not system.is_there("program:no-such-program")
    if sys.platform.startswith("linux"):
        assert system.is_there("lib:libc.so.6")
        assert system.is_there("program:sh")


def test_the_printed_line_installs_exactly_what_is_missing(system: ModuleType):
    needs = [need for need in system.WINDOW if "xcb-shape" in need.test or "xcb-xkb" in need.test]
    line = system.install_line(system.packages(needs, "apt"), "apt")
    assert line.startswith("sudo apt-get update && sudo apt-get install")
    assert line.endswith("libxcb-shape0 libxcb-xkb1")
    # Fedora has both in one package, which is asked for once.
    assert system.install_line(system.packages(needs, "dnf"), "dnf") == "sudo dnf install -y libxcb"


def test_missing_libraries_that_cannot_be_installed_are_named_in_one_line(
    system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system, "package_manager", lambda: "apt")
    monkeypatch.setattr(system, "install", lambda _names, _manager: False)
    absent = system.Need("lib:libnosuchthing.so.99", "libnosuch99", "x", "x", "x")
    assert system.provide((absent,)) is False
    assert "sudo apt-get update && sudo apt-get install" in capsys.readouterr().err


def test_other_systems_are_asked_for_nothing(system: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(system.sys, "platform", "darwin")
    assert system.provide((system.Need("lib:libnosuchthing.so.99", "x", "x", "x", "x"),))


def test_a_second_opinion_is_installed_by_apt_and_its_absence_is_said_but_stops_nothing(
    system: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert "dcm2niix" in [need.apt for need in system.SECOND_OPINIONS]
    monkeypatch.setattr(system.sys, "platform", "linux")
    asked: list[tuple[list[str], str]] = []
    monkeypatch.setattr(system, "install", lambda names, manager: bool(asked.append((names, manager))))
    absent = (system.Need("program:no-such-program", "nosuch", "x", "x", ""),)
    for manager in ("apt", "pacman", ""):
        monkeypatch.setattr(system, "package_manager", lambda manager=manager: manager)
        assert system.offer(absent) is False
        assert "no-such-program. The tests that compare with it are skipped" in capsys.readouterr().err
    assert asked == [(["nosuch"], "apt")]


def test_exit_code_of_what_is_run_is_handed_back(dev: ModuleType):
    assert dev.carry_out([sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ)) == (3, False)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to hand on")
def test_a_request_to_terminate_is_handed_on_to_what_is_run():
    waiting = "import signal; print('up', flush=True); signal.pause()"
    outer = (
        f"import os, sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import dev\n"
        f"code, asked = dev.carry_out([sys.executable, '-c', {waiting!r}], dict(os.environ))\n"
        "sys.exit(code if asked else 99)"
    )
    with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM


@pytest.mark.skipif(sys.platform == "win32", reason="the lock is a POSIX one")
def test_two_set_ups_take_turns(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dev.tempfile, "gettempdir", lambda: str(tmp_path))
    second = (
        f"import sys, tempfile; sys.path.insert(0, {str(SCRIPT.parent)!r}); import dev\n"
        f"tempfile.gettempdir = lambda: {str(tmp_path)!r}\n"
        "with dev.alone():\n    print('inside', flush=True)"
    )
    with dev.alone():
        process = subprocess.Popen(
            [sys.executable, "-c", second], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        assert "Waiting" in process.stderr.readline()
        assert process.poll() is None
    said, _ = process.communicate(timeout=60)
    assert said == "inside\n"
    assert process.returncode == 0
