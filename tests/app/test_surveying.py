"""A look at a path runs beside the window: told in order, given up at once, and its errors are sentences."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from cryoplan.app.surveying import Surveying
from cryoplan.core.errors import ImageError
from cryoplan.image.series import PathDescription, describe
from cryoplan.image.survey import Thumbnail
from tests.support import trees

WAIT_MS = 30_000


@pytest.fixture
def make(qapp):
    del qapp
    made: list[Surveying] = []

    def surveying(path: Path, **more) -> Surveying:
        made.append(Surveying(path, **more))
        return made[-1]

    yield surveying
    for one in made:
        one.stop()
        one.wait(10.0)
        assert not one.is_running


def test_what_a_child_process_finds_is_told_on_this_thread_in_order(make, tmp_path, qtbot):
    trees.phases(tmp_path / "in")
    look, heard, threads = make(tmp_path / "in"), [], set()

    def hear(value: object) -> None:
        heard.append(value)
        threads.add(threading.get_ident())

    look.found.connect(hear)
    with qtbot.waitSignal(look.finished, timeout=WAIT_MS):
        look.start()
    kinds = [type(one) for one in heard if isinstance(one, PathDescription | Thumbnail)]
    assert kinds == [PathDescription] + [Thumbnail] * 3
    assert threads == {threading.get_ident()}


def test_names_come_only_when_they_are_asked_for(make, tmp_path, qtbot):
    trees.phases(tmp_path / "in")
    look, named = make(tmp_path / "in"), []
    look.named.connect(named.append)
    with qtbot.waitSignal(look.finished, timeout=WAIT_MS):
        look.start()
    assert named == []
    (code,) = {s.patient_code for s in describe(tmp_path / "in").series}
    with qtbot.waitSignal(look.named, timeout=WAIT_MS):
        look.ask_names({code})
    assert named == [{code: "NameA, Given (A)"}]


def test_a_path_with_no_image_fails_with_its_sentence(make, tmp_path, qtbot):
    look = make(tmp_path)
    with qtbot.waitSignal(look.failed, timeout=WAIT_MS) as failed:
        look.start()
    assert failed.args[0].code == "no-images"


def test_a_look_that_is_given_up_tells_nothing_more(make, tmp_path, qtbot):
    began, go_on, heard = threading.Event(), threading.Event(), []

    def slow(_path, found, *, progress):
        began.set()
        go_on.wait(10.0)
        assert progress.cancelled()
        found("late")
        raise ImageError("What.", "Remedy.")

    look = make(tmp_path, look=slow)
    for signal in (look.found, look.failed):
        signal.connect(heard.append)
    look.start()
    began.wait(10.0)
    look.stop()
    go_on.set()
    look.wait(10.0)
    qtbot.wait(20)
    assert heard == []


def test_an_error_of_our_own_is_told_without_values(make, tmp_path, qtbot):
    def broken(_path, _found, *, progress):
        del progress
        raise ZeroDivisionError("Kowalska")

    look = make(tmp_path, look=broken)
    with qtbot.waitSignal(look.failed, timeout=WAIT_MS) as failed:
        look.start()
    assert "Kowalska" not in repr(failed.args[0])
    assert "ZeroDivisionError" in failed.args[0].what


def test_a_child_that_is_given_up_while_it_reads_is_gone(make, tmp_path):
    trees.phases(tmp_path / "in", count=60)
    look = make(tmp_path / "in")
    look.start()
    look.stop()
    look.wait(20.0)
    assert not look.is_running
    assert multiprocessing.active_children() == []
