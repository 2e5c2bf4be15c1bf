"""Movie: the growing ice as a series of pictures, one a kept minute, and as an animated GIF."""

from __future__ import annotations

from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled
from cryoplan.core.units import show_clock
from cryoplan.scene.movie import animation, ice_movie
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.folder import write_json

FOLDER = "movie"
ANIMATION = "ice.gif"
LIST_NAME = "pictures.json"


def write_movie(subject: Subject, folder: Path, progress: Progress) -> None:
    """Write the pictures, the animation, and a list of which picture is which minute.

    Raises
    ------
    Cancelled
        If `progress` says so.
    """
    here = folder / FOLDER
    here.mkdir()
    count = len(subject.result.frames) + 1
    frames = []
    rows: list[dict[str, object]] = []
    movie = ice_movie(subject.case, subject.plan, subject.probes, subject.result)
    for number, frame in enumerate(movie):
        check_cancelled(progress)
        text = f"Ice at {show_clock(frame.time_s)} min"
        progress.report(ProgressReport(fraction=number / count, text=text))
        name = f"ice_{number:03d}_{frame.time_s:05.0f}s.png"
        (here / name).write_bytes(frame.png())
        rows.append({"file": name, "time_s": frame.time_s, "phase": frame.phase})
        frames.append(frame)
    check_cancelled(progress)
    (here / ANIMATION).write_bytes(animation(frames))
    record: dict[str, object] = {
        "research_use": RESEARCH_USE,
        "what": "isotherms of the temperature at each time on three slices through the middle of the target",
        "animation": ANIMATION,
        "pictures": rows,
    }
    write_json(here / LIST_NAME, record)
