"""The background process itself: order, cancel, failure, death and close; real processes, quick tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from cryoplan.app.jobs import JobCancelled, JobDone, JobFailed, JobProgress
from cryoplan.app.worker import Worker
from tests.support.worker_tasks import FALLS, PAUSES_FILE

TASKS = "tests.support.worker_tasks"
WAIT_MS = 30_000

pytestmark = pytest.mark.usefixtures("qapp")


class Answers(QObject):
    """Everything that a worker said, and on which thread it was heard."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.threads: set[object] = set()
        self.restarts = 0
        worker.answered.connect(self.hear)
        worker.restarted.connect(self.hear_restart)

    @Slot(object)
    def hear(self, answer: object) -> None:
        self.threads.add(QThread.currentThread())
        self.heard.append(answer)

    @Slot()
    def hear_restart(self) -> None:
        self.restarts += 1

    def final(self, job: int) -> object:
        """Return the last word on a job, None as long as there is none."""
        last = [a for a in self.heard if a.id == job and not isinstance(a, JobProgress)]
        return last[0] if last else None

    def began(self, job: int) -> bool:
        return any(isinstance(a, JobProgress) and a.id == job for a in self.heard)


@pytest.fixture
def worker():
    one = Worker(TASKS)
    yield one
    one.close()


@pytest.fixture
def answers(worker):
    return Answers(worker)


def test_jobs_are_answered_in_their_order_on_the_windows_thread(worker, answers, qtbot, qapp):
    jobs = [worker.submit("echo", value=n) for n in range(3)]
    qtbot.waitUntil(lambda: answers.final(jobs[-1]) is not None, timeout=WAIT_MS)
    assert [a.value for a in answers.heard if isinstance(a, JobDone)] == [0, 1, 2]
    assert [type(a) for a in answers.heard] == [JobProgress, JobDone] * 3
    assert answers.threads == {qapp.thread()}


def test_cancel_stops_one_job_and_no_other(worker, answers, qtbot):
    endless, waiting, wanted = (
        worker.submit("endless"),
        worker.submit("endless"),
        worker.submit("echo", value=7),
    )
    qtbot.waitUntil(lambda: answers.began(endless), timeout=WAIT_MS)
    worker.cancel(waiting)  # has not begun
    worker.cancel(endless)
    qtbot.waitUntil(lambda: answers.final(wanted) is not None, timeout=WAIT_MS)
    assert isinstance(answers.final(endless), JobCancelled)
    assert isinstance(answers.final(waiting), JobCancelled)
    assert not answers.began(waiting)
    assert answers.final(wanted).value == 7


def test_what_is_done_in_a_pause_ends_when_a_job_comes_and_begins_again_after_it(
    tmp_path, monkeypatch, qtbot
):
    notes = tmp_path / "pauses"
    notes.touch()
    monkeypatch.setenv(PAUSES_FILE, str(notes))
    worker = Worker(TASKS)
    try:
        answers = Answers(worker)
        for number in (1, 2):
            wanted = ["begun", "ended"] * (number - 1) + ["begun"]
            qtbot.waitUntil(lambda w=wanted: notes.read_text("ascii").split() == w, timeout=WAIT_MS)
            job = worker.submit("echo", value=number)
            qtbot.waitUntil(lambda j=job: answers.final(j) is not None, timeout=WAIT_MS)
            assert answers.final(job).value == number
            assert notes.read_text("ascii").split()[: 2 * number] == ["begun", "ended"] * number
        assert {a.id for a in answers.heard} == {1, 2}
    finally:
        worker.close()


def test_an_error_in_work_that_nobody_asked_for_ends_no_process(tmp_path, monkeypatch, qtbot):
    notes = tmp_path / "pauses"
    notes.touch()
    monkeypatch.setenv(PAUSES_FILE, str(notes))
    monkeypatch.setenv(FALLS, "1")
    worker = Worker(TASKS)
    try:
        answers = Answers(worker)
        for number in (1, 2):
            wanted = ["begun"] * number
            qtbot.waitUntil(lambda w=wanted: notes.read_text("ascii").split() == w, timeout=WAIT_MS)
            job = worker.submit("echo", value=number)
            qtbot.waitUntil(lambda j=job: answers.final(j) is not None, timeout=WAIT_MS)
            assert answers.final(job).value == number
        assert answers.restarts == 0
    finally:
        worker.close()


def test_errors_cross_as_sentences_without_values_of_the_patient(worker, answers, qtbot):
    refused, fallen = worker.submit("refuse"), worker.submit("fall", patient="Jane Roe")
    qtbot.waitUntil(lambda: answers.final(fallen) is not None, timeout=WAIT_MS)
    sentence = answers.final(refused).failure
    assert (sentence.what, sentence.remedy) == ("Probe 2 is bent.", "Straighten it.")
    assert (sentence.code, sentence.place) == ("bent", "probe 2")
    ours = answers.final(fallen).failure
    assert ours.code == "internal-error"
    assert "worker_tasks.py" in ours.details
    assert "fall" in ours.details
    assert "ValueError" in ours.details
    assert "Jane" not in f"{ours.what} {ours.remedy} {ours.details}"


def test_a_killed_process_is_told_and_replaced(worker, answers, qtbot):
    endless, behind = worker.submit("endless"), worker.submit("echo", value=1)
    qtbot.waitUntil(lambda: answers.began(endless), timeout=WAIT_MS)
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: answers.final(behind) is not None, timeout=WAIT_MS)
    for job in (endless, behind):
        assert isinstance(answers.final(job), JobFailed)
        assert answers.final(job).failure.code == "worker-ended"
    assert answers.restarts == 1
    assert worker.pid != first
    again = worker.submit("echo", value="alive")
    qtbot.waitUntil(lambda: answers.final(again) is not None, timeout=WAIT_MS)
    assert answers.final(again).value == "alive"


def test_an_answer_that_cannot_be_read_is_told_and_the_process_replaced(worker, answers, qtbot):
    first = worker.pid
    garbled = worker.submit("garble")
    qtbot.waitUntil(lambda: answers.final(garbled) is not None, timeout=WAIT_MS)
    assert answers.final(garbled).failure.code == "worker-ended"
    assert worker.pid != first
    again = worker.submit("echo", value="alive")
    qtbot.waitUntil(lambda: answers.final(again) is not None, timeout=WAIT_MS)
    assert answers.final(again).value == "alive"


def test_sending_much_to_a_busy_process_does_not_wait_for_it(worker, answers, qtbot):
    endless = worker.submit("endless")
    qtbot.waitUntil(lambda: answers.began(endless), timeout=WAIT_MS)
    # A pipe holds some 100 kB: were this sent from the window's thread, it would stand until the job ends,
    # and the job ends only by the next line.
    big = worker.submit("size", block=bytes(20_000_000))
    worker.cancel(endless)
    qtbot.waitUntil(lambda: answers.final(big) is not None, timeout=WAIT_MS)
    assert answers.final(big).value == 20_000_000


def test_answers_are_prepared_beside_the_windows_thread_before_they_are_told(qtbot, qapp):
    prepared: list[tuple[object, bool]] = []

    def prepare(answer: object) -> None:
        prepared.append((answer, QThread.currentThread() is qapp.thread()))

    worker = Worker(TASKS, prepare=prepare)
    try:
        answers = Answers(worker)
        job = worker.submit("echo", value=1)
        qtbot.waitUntil(lambda: answers.final(job) is not None, timeout=WAIT_MS)
        assert [answer for answer, _ in prepared] == answers.heard
        assert not any(in_window for _, in_window in prepared)
    finally:
        worker.close()


def test_close_ends_a_busy_process_and_may_be_called_twice(qtbot):
    worker = Worker(TASKS)
    answers = Answers(worker)
    endless = worker.submit("endless")
    worker.submit("size", block=bytes(20_000_000))  # still being written
    qtbot.waitUntil(lambda: answers.began(endless), timeout=WAIT_MS)
    pid = worker.pid
    worker.close()
    worker.close()
    assert pid not in {p.pid for p in multiprocessing.active_children()}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert answers.final(endless) is None


def test_a_process_that_ends_while_the_window_closes_is_not_started_again(worker, answers, qtbot, qapp):
    job = worker.submit("echo", value=1)
    qtbot.waitUntil(lambda: answers.final(job) is not None, timeout=WAIT_MS)
    # As at a logout: all get the same signal, and the window hears of the other's end while it closes.
    os.kill(worker.pid, signal.SIGKILL)
    assert worker._reader.wait(WAIT_MS)
    worker.close()
    qapp.processEvents()
    assert answers.restarts == 0
    assert not multiprocessing.active_children()
