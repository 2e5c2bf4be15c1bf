"""Crash: every way an error can arrive is caught once, written down, and says nothing of a patient."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.app import crash
from cryoplan.app.log import LARGEST_BYTES, PrivateFormatter, log_folder, log_path, start_log, stop_log
from cryoplan.app.scrub import clean_trace, describe, scrub
from cryoplan.core.errors import StoreError
from cryoplan.core.grid import Grid

NAME = "Brzęczyszczykiewicz"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log():
    """The log, begun and closed again; gives its text."""
    start_log()
    yield lambda: log_path().read_text("utf-8") if log_path().exists() else ""
    stop_log()


@pytest.fixture
def heard(log):
    """All that a net tells."""
    del log
    told: list[crash.Unexpected] = []
    with crash.Net(told.append):
        yield told


def _fall(text: str) -> None:
    secret = f"{text} in a local variable"
    raise RuntimeError(f"cannot open {text} of {secret}")


def _caught(text: str) -> Exception:
    try:
        _fall(text)
    except RuntimeError as error:
        return error
    raise AssertionError("it did not fall")


# What may be said -------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(categories=["L", "M", "Nd", "Pd", "Zs"]), min_size=4, max_size=30))
def test_no_word_of_a_message_survives_that_the_program_does_not_know(name: str):
    marked = f"Zq{name}"  # a beginning that no technical word has
    said = scrub(f"File {marked}: could not be read")
    assert marked not in said
    assert said.startswith("File …")
    assert said.endswith("could not be read")


def test_numbers_and_dates_of_a_message_are_gone():
    assert scrub("shape 1950-02-03 and 4711") == "shape #-#-# and #"


def test_a_message_of_the_program_keeps_the_words_that_stand_in_its_code():
    try:
        Grid(size=(0, 1, 1), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0))
    except Exception as error:
        said = describe(error)
    assert "cryoplan/core/grid.py" in said or "core/grid.py" in said
    assert "size" in said
    assert str(ROOT) not in said


def test_errors_behind_an_error_are_told_without_their_words():
    try:
        try:
            {}[NAME]
        except KeyError as error:
            raise StoreError(f"{NAME} is gone.", "Look.", code="gone", place=NAME) from error
    except StoreError as error:
        said = describe(error)
    assert "StoreError: gone" in said
    assert "caught" not in said
    assert "caused by KeyError" in said
    assert NAME not in said


def test_a_file_error_says_its_number_but_not_its_file(tmp_path: Path):
    try:
        (tmp_path / NAME).read_bytes()
    except OSError as error:
        said = describe(error)
    assert "FileNotFoundError: errno 2" in said
    assert NAME not in said
    assert str(tmp_path) not in said


def test_a_group_and_a_ring_of_errors_end():
    first, second = ValueError(NAME), TypeError(NAME)
    first.__cause__, second.__cause__ = second, first
    said = describe(ExceptionGroup(NAME, [first, second]))
    assert said.count("ValueError") == 1
    assert NAME not in said


def test_a_deep_recursion_is_told_shortly():
    def down(depth: int) -> None:
        down(depth + 1)

    try:
        down(0)
    except RecursionError as error:
        lines = describe(error).splitlines()
    assert len(lines) < 60
    assert any("more ..." in line for line in lines)


def test_an_error_whose_text_cannot_be_made_is_still_told():
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError(NAME)

    assert "BrokenError" in describe(BrokenError())


# How it arrives ---------------------------------------------------------------------------------------


def test_main_thread_threads_and_finalisers_end_in_the_net(heard, log):
    sys.excepthook(RuntimeError, _caught(NAME), None)
    thread = threading.Thread(target=_fall, args=(NAME,), name=NAME)
    thread.start()
    thread.join()

    class Clears:
        def __del__(self) -> None:
            _fall(NAME)

    Clears()
    gc.collect()
    assert [h.where for h in heard] == ["in the main thread", "in a thread", "while clearing up"]
    for one in heard:
        assert one.kind == "RuntimeError"
        assert "test_crash.py" in one.details
        assert "cryoplan 0" in one.details
        assert "numpy" in one.details
    assert log().count("RuntimeError") == 3
    assert NAME not in log() + "".join(one.details for one in heard)


def test_hooks_are_given_back():
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    with crash.Net():
        assert sys.excepthook is not before[0]
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_the_same_error_is_counted_and_does_not_flood_the_log(heard, log):
    error = _caught("x")
    for _ in range(100):
        sys.excepthook(RuntimeError, error, error.__traceback__)
    assert [h.times for h in heard] == list(range(1, 101))
    assert log().count("RuntimeError") == 7  # 1, 2, 4, ... 64


def test_an_error_while_telling_is_not_told_for_ever(log):
    told = []

    def tell(found: crash.Unexpected) -> None:
        told.append(found)
        sys.excepthook(RuntimeError, _caught("again"), None)
        raise ValueError("the dialog is broken")

    with crash.Net(tell):
        sys.excepthook(RuntimeError, _caught("x"), None)
    assert len(told) == 1
    assert "RuntimeError" in log()


def test_an_interrupt_is_no_error():
    asked = []
    with crash.Net(interrupted=lambda: asked.append(True)):
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert asked == [True]


# The log ----------------------------------------------------------------------------------------------


def test_what_is_filled_into_a_line_is_scrubbed(log):
    logger = logging.getLogger("cryoplan.image")
    logger.info("image library: %s", f"/home/{NAME}/im01.dcm could not be read")
    try:
        _fall(NAME)
    except RuntimeError:
        logger.exception("the %s view could not be drawn", NAME)
    assert "could not be read" in log()
    assert "RuntimeError" in log()
    assert NAME not in log()
    assert "im01" not in log()


def test_the_log_is_rotated_and_only_its_owner_may_read_it(log):
    logger = logging.getLogger("cryoplan")
    for number in range(40):
        logger.error("%s", "window " * 60)
        logger.error("line %d", number)
    handler = next(h for h in logger.handlers if isinstance(h.formatter, PrivateFormatter))
    handler.maxBytes = 2000
    for number in range(200):
        logger.error("line %d", number)
    files = sorted(log_folder().glob("cryoplan.log*"))
    assert len(files) == 3
    assert all(path.stat().st_size <= LARGEST_BYTES for path in files)
    if os.name == "posix":
        assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert "line 199" in log()


def test_a_folder_that_cannot_be_written_stops_nothing(monkeypatch, tmp_path, capfd):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    start_log()
    session = crash.Session(crash.WINDOW)
    session.begin()
    logging.getLogger("cryoplan").error("hello %s", NAME)
    session.end()
    stop_log()
    assert crash.last_endings() == ()
    assert NAME not in "".join(capfd.readouterr())


# How a session ended ----------------------------------------------------------------------------------

SESSION = """
    import os, signal, sys, faulthandler
    from cryoplan.app import crash
    patient = "Brzęczyszczykiewicz"
    session = crash.Session(sys.argv[1])
    session.begin()
    print(session.path, flush=True)
    def deep(patient):
        exec(sys.argv[2])
    deep(patient)
    session.end()
"""


def _session(kind: str, then: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SESSION), kind, then],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_a_session_that_ends_in_order_leaves_nothing():
    assert _session(crash.WINDOW, "pass").returncode == 0
    assert list(log_folder().iterdir()) == []
    assert crash.last_endings() == ()


@pytest.mark.parametrize("kind", [crash.WINDOW, crash.BACKGROUND])
def test_a_native_crash_leaves_a_trace_that_the_next_start_finds_once(kind: str):
    then = "import json; json.loads('[1]', parse_int=lambda _: faulthandler._sigsegv())"
    assert _session(kind, then).returncode == -signal.SIGSEGV
    (ending,) = crash.last_endings()
    assert "Segmentation fault" in ending.trace
    assert "json/decoder.py" in ending.trace
    assert "Python" in ending.details
    assert str(ROOT) not in ending.details
    assert NAME not in ending.details
    assert ending.path is not None
    assert "Segmentation" in ending.path.read_text("utf-8")
    assert crash.last_endings() == ()


def test_a_killed_window_is_told_and_a_killed_background_process_is_not():
    for kind, told in ((crash.WINDOW, 1), (crash.BACKGROUND, 0)):
        assert _session(kind, "os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
        endings = crash.last_endings()
        assert len(endings) == told
        assert all("no trace" in ending.details for ending in endings)
    assert list(log_folder().glob("*.trace")) == []


def test_the_trace_of_a_session_that_still_runs_is_left_alone():
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SESSION), crash.WINDOW, "sys.stdin.read()"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        path = Path(child.stdout.readline().decode().strip())
        assert crash.last_endings() == ()
        assert path.exists()
    finally:
        child.communicate(b"")
    assert not path.exists()


def test_no_more_than_a_few_traces_are_kept():
    log_folder().mkdir(parents=True)
    for number in range(8):
        crash.trace_path(crash.WINDOW, 10_000_000 + number).write_text("Fatal Python error: Aborted\n")
        assert len(crash.last_endings()) == 1
    assert len(list(log_folder().glob("crash-*.txt"))) == crash.KEPT_TRACES


def test_a_trace_names_no_folder_outside_the_program():
    place = os.path.join(os.path.dirname(crash.__file__), "child.py")  # noqa: PTH118, PTH120
    said = clean_trace(
        f"Fatal Python error: Aborted\n\nThread 0x1 (most recent call first):\n"
        f'  File "{place}", line 3 in serve\n'
        f'  File "/home/{NAME}/script.py", line 9 in work\nExtension modules: {NAME} (total: 1)\n'
    )
    assert "app/child.py:3 in serve" in said
    assert "outside the program, line 9" in said
    assert NAME not in said
