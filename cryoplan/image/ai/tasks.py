"""Tasks of TotalSegmentator that may be used by everybody, and what each costs: ``resources/ai``."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryoplan.core.errors import StoreError, StructureError
from cryoplan.core.grid import Grid
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced

_COSTS = ("cpu", "gpu", "memory", "gpu_memory")
_UNITS = {"cpu": "s", "gpu": "s", "memory": "GB", "gpu_memory": "GB"}
_MEASURED = {"volume": "l", "cores": "1", "start": "s", "least_memory": "GB", "least_gpu_memory": "GB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that TotalSegmentator can be asked for.

    Attributes
    ----------
    id : str
        Name of the entry.
    task : str
        TotalSegmentator's own name of the task.
    fast : bool
        Its 3 mm model.
    modality : str
        ``CT`` or ``MR``.
    title : str
        What the user reads.
    weights : tuple of int
        Numbers of the data sets whose weights it reads.
    download : str
        Command that fetches them.
    costs : dict
        ``cpu``, ``gpu`` (s), ``memory`` and ``gpu_memory`` (GB) of the measured image; empty where nobody has
        published them.
    """

    id: str
    task: str
    fast: bool
    modality: str
    title: str
    weights: tuple[int, ...]
    download: str
    costs: dict[str, Sourced]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a task will take, by rule of three from a measured image; good to a factor of about two.

    Attributes
    ----------
    seconds : float
        Wall time.
    memory_bytes : float
        Of this computer.
    gpu_bytes : float
        Of the graphics card, 0 without one.
    """

    seconds: float
    memory_bytes: float
    gpu_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """All tasks, what they were measured on, and the note on their licence."""

    tasks: tuple[Task, ...]
    measured: dict[str, Sourced]
    licence: str

    def task(self, task_id: str) -> Task:
        """Return a task.

        Raises
        ------
        StructureError
            If there is none of that name.
        """
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise StructureError(
            f"{task_id!r} is nothing that TotalSegmentator is asked for.",
            f"Choose from: {', '.join(t.id for t in self.tasks)}.",
            code="ai-unknown-task",
            place=task_id,
        )

    def cost(self, task: Task, grid: Grid, *, gpu: bool, cores: int | None = None) -> Cost | None:
        """Estimate time and memory for an image; None where nobody has published them for the task."""
        if not task.costs:
            return None
        numbers = {name: number.value for name, number in (*self.measured.items(), *task.costs.items())}
        voxels = grid.size[0] * grid.size[1] * grid.size[2]
        share = voxels * grid.voxel_volume_ml / 1000.0 / numbers["volume"]
        work = numbers["gpu"] * share
        if not gpu:
            work = numbers["cpu"] * share * numbers["cores"] / (cores or os.cpu_count() or 1)
        least, least_gpu = numbers["least_memory"], numbers["least_gpu_memory"]
        # The published peak holds the part that no image can make smaller.
        memory = least + max(numbers["memory"] - least, 0.0) * share
        gpu_memory = least_gpu + max(numbers["gpu_memory"] - least_gpu, 0.0) * share if gpu else 0.0
        return Cost(seconds=numbers["start"] + work, memory_bytes=memory * 1e9, gpu_bytes=gpu_memory * 1e9)


@lru_cache(maxsize=1)
def load_tasks() -> TaskTable:
    """Return the table of ``resources/ai/totalsegmentator.toml``."""
    return read_tasks(resource("ai", "totalsegmentator.toml"))


def read_tasks(path: Path) -> TaskTable:
    """Read a table of tasks.

    Raises
    ------
    StoreError
        If it cannot be read, or an entry is missing, unknown or of the wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        about, rows = content["about"], content["tasks"]
        measured = {key: _number(content["measured"][key], unit, key) for key, unit in _MEASURED.items()}
        if content["schema"] != 1 or set(content) != {"schema", "about", "measured", "tasks"}:
            raise ValueError("schema or sections are not those that are known")
        return TaskTable(
            tasks=tuple(_task(row) for row in rows), measured=measured, licence=str(about["licence"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The table of TotalSegmentator's tasks cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place=path.name,
        ) from error


def _task(row: dict[str, Any]) -> Task:
    known = {"id", "task", "fast", "modality", "title", "weights", "download", *_COSTS}
    if set(row) - known:
        raise ValueError(f"unknown keys {sorted(set(row) - known)}")
    given = [key for key in _COSTS if key in row]
    if given and given != list(_COSTS):
        raise ValueError(f"{row['id']} has some costs and lacks others")
    return Task(
        id=str(row["id"]),
        task=str(row["task"]),
        fast=bool(row["fast"]),
        modality=str(row["modality"]),
        title=str(row["title"]),
        weights=tuple(int(number) for number in row["weights"]),
        download=str(row["download"]),
        costs={key: _number(row[key], _UNITS[key], f"{row['id']}.{key}") for key in given},
    )


def _number(entry: Any, unit: str, place: str) -> Sourced:
    number = Sourced.from_toml(entry, place=place)
    if number.unit != unit or not number.value > 0.0:
        raise ValueError(f"{place} is not a number above 0 in {unit}")
    return number
