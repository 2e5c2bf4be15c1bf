"""File type: what is written opens case files by double click, as the desktop's own tools judge."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan import workflow
from cryoplan.app import file_type
from cryoplan.app.file_type import Opener
from cryoplan.app.file_type_linux import MIME_TYPE, LinuxRegistrar, data_home, desktop_entry, exec_line
from cryoplan.app.file_type_windows import CLASS, CLASSES, WindowsRegistrar, command_line
from cryoplan.core.errors import CryoplanError, StoreError
from tests.support.desk import small_case
from tests.support.scenes import make_plan

WORDS = ("/usr/bin/python3", "-P", "-m", "cryoplan", "gui")
HARD_NAME = """a b"c'd`e$f\\g%h;i&j(k)l*m?n#o~p|q<r>s ł"""
"""Every character that the specification reserves, and a letter beyond ASCII."""

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the desktop entry is for Linux")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def ask(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def make_case(path: Path) -> Path:
    workflow.save_case(path, small_case(), make_plan())
    return path


def saved_files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- Linux --------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    "words", [WORDS, (f"/{HARD_NAME}/python", "-m"), ("sh", "-c", 'P="$0" exec "$@"', "/x")]
)
def test_desktop_entry_passes_the_validator(tmp_path, words):
    path = tmp_path / "cryoplan.desktop"
    path.write_text(desktop_entry(words), encoding="utf-8")
    done = subprocess.run(
        [tool("desktop-file-validate"), str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@linux
@pytest.mark.usefixtures("home")
def test_the_desktop_knows_a_case_by_its_ending_and_by_its_content(tmp_path, monkeypatch):
    gio = tool("gio")
    tool("update-mime-database")
    LinuxRegistrar().register(WORDS)
    case = make_case(tmp_path / "one.cryoplan")
    unnamed = tmp_path / "attachment"
    shutil.copy(case, unnamed)
    other = tmp_path / "other"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    for path, is_case in ((case, True), (unnamed, True), (other, False)):
        told = ask(gio, "info", "-a", "standard::content-type", path)
        assert (MIME_TYPE in told) is is_case, told
    xdg_mime = tool("xdg-mime")
    # Outside of any desktop it asks `file`, which knows no user's types.
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    assert ask(xdg_mime, "query", "filetype", case) == MIME_TYPE


@linux
@pytest.mark.usefixtures("home")
def test_the_program_is_what_opens_that_type():
    for name in ("update-mime-database", "update-desktop-database"):
        tool(name)
    assert LinuxRegistrar().register(("/bin/sh", "-c", "true")) == ()
    assert ask(tool("xdg-mime"), "query", "default", MIME_TYPE) == "cryoplan.desktop"
    assert "cryoplan.desktop" in ask(tool("gio"), "mime", MIME_TYPE)


@linux
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("folder", ["plain", HARD_NAME, "a=b"])
def test_gio_starts_the_program_with_the_case_from_any_folder(tmp_path, folder):
    gio = tool("gio")
    for name in ("update-mime-database", "update-desktop-database"):
        tool(name)
    place = tmp_path / folder
    place.mkdir()
    heard = tmp_path / "heard"
    os.mkfifo(heard)
    program = place / "program"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {shlex.quote(str(heard))}\n", encoding="utf-8")
    program.chmod(0o755)
    case = make_case(place / "it's a case.cryoplan")
    LinuxRegistrar().register((str(program), HARD_NAME, "gui"))
    # The program holds what gio inherited until it is heard, so gio's words cannot be waited for.
    subprocess.run([gio, "open", str(case)], stdout=subprocess.DEVNULL, check=True, timeout=60)
    assert heard.read_text(encoding="utf-8").splitlines() == [HARD_NAME, "gui", str(case)]


@linux
def test_another_time_changes_nothing_and_taking_back_leaves_nothing(home):
    tool("update-mime-database")
    system = LinuxRegistrar()
    assert system.opener(WORDS) is Opener.NOBODY
    system.register(WORDS)
    once = saved_files(home)
    assert system.opener(WORDS) is Opener.THIS
    system.register(WORDS)
    assert saved_files(home) == once
    assert system.opener((*WORDS, "--other")) is Opener.OTHER
    system.remove()
    assert system.opener(WORDS) is Opener.NOBODY
    left = saved_files(home)
    assert not [name for name, content in left.items() if "cryoplan" in name or b"cryoplan" in content]
    system.remove()


@linux
@pytest.mark.usefixtures("home")
def test_a_desktop_without_the_tools_is_told_which_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    lacks = LinuxRegistrar().register(WORDS)
    assert [line.split(" ")[0] for line in lacks] == ["update-mime-database", "update-desktop-database"]
    assert "install shared-mime-info" in lacks[0]


@linux
@pytest.mark.parametrize("act", ["register", "remove"])
def test_a_menu_entry_made_by_hand_is_left_alone(home, act):
    entry = data_home() / "applications" / "cryoplan.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nName=mine\n", encoding="utf-8")
    system = LinuxRegistrar()
    assert system.opener(WORDS) is Opener.NOBODY
    with pytest.raises(StoreError) as caught:
        system.register(WORDS) if act == "register" else system.remove()
    assert caught.value.code == "foreign-desktop-entry"
    assert saved_files(home) == {".local/share/applications/cryoplan.desktop": entry.read_bytes()}


@linux
def test_a_data_folder_that_may_not_be_written_is_an_error_with_a_remedy(home):
    (home / ".local").write_text("", encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        LinuxRegistrar().register(WORDS)
    assert caught.value.remedy


@linux
def test_a_relative_data_folder_is_ignored(home, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "here")
    assert data_home() == home / ".local" / "share"


def test_a_path_that_is_no_text_is_refused():
    with pytest.raises(StoreError, match="no valid text"):
        desktop_entry((os.fsdecode(b"/usr/\xff/python"),))


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=1, max_size=4))
def test_a_shell_reads_back_every_word_of_the_exec_line(words):
    line = exec_line(("/bin/p", *words))
    # The string layer, then the quoting layer, then field codes; desktops do these one after another.
    unescaped = line.replace("\\\\", "\\")
    read = shlex.split(unescaped)
    assert read[-1] == "%f"
    # shlex keeps the backslash before ` and $, which a shell and GLib take off; so only words without one.
    back = [word.replace("%%", "%") for word in read[:-1]]
    assert len(back) == len(words) + 1
    for word, again in zip(words, back[1:], strict=True):
        if not set(word) & set("`$"):
            assert again == word


# --- Windows ------------------------------------------------------------------------------------------------


class Registry:
    """The user's part of a Windows registry in memory, with the calls of ``winreg`` that are used."""

    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = "HKCU", 2, 1

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, str]] = {}

    def CreateKeyEx(self, root, path, _reserved, _access):  # noqa: N802
        assert root == self.HKEY_CURRENT_USER
        parts = path.split("\\")
        for count in range(1, len(parts) + 1):
            self.keys.setdefault("\\".join(parts[:count]), {})
        return _Key(self.keys[path])

    def OpenKey(self, _root, path, _reserved=0, _access=0):  # noqa: N802
        if path not in self.keys:
            raise FileNotFoundError(path)
        return _Key(self.keys[path], sum(k.startswith(path + "\\") for k in self.keys))

    def SetValueEx(self, key, name, _reserved, kind, value):  # noqa: N802
        assert kind == self.REG_SZ
        key.values[name] = value

    def QueryValueEx(self, key, name):  # noqa: N802
        if name not in key.values:
            raise FileNotFoundError(name)
        return key.values[name], self.REG_SZ

    def QueryInfoKey(self, key):  # noqa: N802
        return key.below, len(key.values), 0

    def DeleteValue(self, key, name):  # noqa: N802
        if name not in key.values:
            raise FileNotFoundError(name)
        del key.values[name]

    def DeleteKey(self, _root, path):  # noqa: N802
        if path not in self.keys:
            raise FileNotFoundError(path)
        if any(k.startswith(path + "\\") for k in self.keys):
            raise PermissionError(13, "has keys below")
        del self.keys[path]


class _Key:
    def __init__(self, values: dict[str, str], below: int = 0) -> None:
        self.values, self.below = values, below

    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def registry(monkeypatch) -> Registry:
    made = Registry()
    monkeypatch.setitem(sys.modules, "winreg", made)
    return made


WINDOWS_WORDS = ("C:\\Program Files\\cryoplan\\pythonw.exe", "-P", "-m", "cryoplan", "gui")


def test_windows_starts_the_program_with_program_and_case_in_quotes(registry):
    WindowsRegistrar().register(WINDOWS_WORDS)
    assert registry.keys[f"{CLASSES}\\.cryoplan"][""] == CLASS
    line = registry.keys[f"{CLASSES}\\{CLASS}\\shell\\open\\command"][""]
    assert line == '"C:\\Program Files\\cryoplan\\pythonw.exe" -P -m cryoplan gui "%1"'
    icon = registry.keys[f"{CLASSES}\\{CLASS}\\DefaultIcon"][""].strip('"')
    assert Path(icon).read_bytes()[:4] == b"\0\0\1\0"


def test_windows_forgets_all_but_what_other_programs_wrote(registry):
    system = WindowsRegistrar()
    assert system.opener(WINDOWS_WORDS) is Opener.NOBODY
    system.register(WINDOWS_WORDS)
    once = {path: dict(values) for path, values in registry.keys.items()}
    system.register(WINDOWS_WORDS)
    assert registry.keys == once
    assert system.opener(WINDOWS_WORDS) is Opener.THIS
    assert system.opener(("D:\\other.exe",)) is Opener.OTHER
    registry.keys[f"{CLASSES}\\.cryoplan\\OpenWithProgids"]["other.program"] = ""
    system.remove()
    assert registry.keys == {
        "Software": {},
        CLASSES: {},
        f"{CLASSES}\\.cryoplan": {},
        f"{CLASSES}\\.cryoplan\\OpenWithProgids": {"other.program": ""},
    }
    system.remove()
    del registry.keys[f"{CLASSES}\\.cryoplan\\OpenWithProgids"]["other.program"]
    system.register(WINDOWS_WORDS)
    system.remove()
    assert registry.keys == {"Software": {}, CLASSES: {}}


def test_an_ending_that_another_program_took_stays_with_it(registry):
    system = WindowsRegistrar()
    system.register(WINDOWS_WORDS)
    registry.keys[f"{CLASSES}\\.cryoplan"][""] = "other.program"
    assert system.opener(WINDOWS_WORDS) is Opener.NOBODY
    system.remove()
    assert registry.keys[f"{CLASSES}\\.cryoplan"][""] == "other.program"


def test_a_registry_that_may_not_be_written_is_an_error_with_a_remedy(registry, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "access denied")

    monkeypatch.setattr(registry, "CreateKeyEx", refuse)
    with pytest.raises(StoreError) as caught:
        WindowsRegistrar().register(WINDOWS_WORDS)
    assert caught.value.code == "registry-refused"


def test_a_percent_sign_that_windows_would_expand_is_refused():
    with pytest.raises(StoreError, match="percent"):
        command_line(("C:\\100%\\python.exe",))


# --- any system ---------------------------------------------------------------------------------------------


def test_macos_is_told_that_it_needs_a_bundle(monkeypatch):
    monkeypatch.setattr(file_type, "sys", SimpleNamespace(platform="darwin"))
    with pytest.raises(CryoplanError, match="bundle") as caught:
        file_type.registrar()
    assert caught.value.code == "double-click-needs-bundle"


def test_the_program_starts_from_any_folder_by_its_words(tmp_path):
    (tmp_path / "numpy.py").write_text(
        "raise SystemExit('taken from the folder of the case')", encoding="utf-8"
    )
    words = [word for word in file_type.starting_words() if word != "gui"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [*words, "info", "--help"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "usage: cryoplan info" in done.stdout


def test_a_copy_that_windows_could_not_start_is_refused(monkeypatch):
    monkeypatch.setattr(file_type, "_package_found_by", lambda _: None)
    monkeypatch.setattr(file_type, "os", SimpleNamespace(name="nt", environ={}))
    with pytest.raises(CryoplanError) as caught:
        file_type.starting_words()
    assert caught.value.code == "double-click-not-installed"


def test_a_frozen_program_starts_itself(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert file_type.starting_words() == (sys.executable, "gui")
