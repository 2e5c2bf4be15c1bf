"""Own probes: the user's models, a TOML file each in a folder of the user's, written whole or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import platformdirs

from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import StoreError
from cryoplan.plan.catalogue import Catalogue, is_model_id, read_model
from cryoplan.plan.model_text import model_to_toml
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel

FOLDER_VARIABLE = "CRYOPLAN_PROBES"
"""Environment variable that names another folder, one of the department for example."""


def own_folder() -> Path:
    """Return the folder of the user's probe files; it need not be there."""
    given = os.environ.get(FOLDER_VARIABLE, "").strip()
    if given:
        return Path(given)
    return Path(platformdirs.user_config_path("cryoplan", appauthor=False)) / "probes"


def folder_stamp(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return names, times, sizes and places of the probe files: with another stamp they are read again."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".toml"):
                    facts = entry.stat()
                    # A file that replaces another within a tick of the clock has another place.
                    found.append((entry.name, facts.st_mtime_ns, facts.st_size, facts.st_ino))
    except OSError:
        return ()
    return tuple(sorted(found))


def save_model(model: ProbeModel, catalogue: Catalogue, folder: Path, *, overwrite: bool) -> Path:
    """Write a model of the user; return its file.

    Parameters
    ----------
    overwrite : bool
        True to change a model of the user that is there.

    Raises
    ------
    StoreError
        If the id is no id, a built-in model's (``probe-built-in``) or taken (``probe-id-taken``), if a number
        breaks a rule, or if the file cannot be written; what was there before is unchanged.
    """
    path = folder / f"{model.id}.toml"
    if not is_model_id(model.id):
        raise StoreError(
            f"{model.id!r} is not a model id.",
            "Use small letters, digits, dots and hyphens, beginning with a letter or digit.",
            code="probe-id",
            place="id",
        )
    if model.id in catalogue and model.id not in catalogue.own:
        raise StoreError(
            f"{model.id} is a built-in probe, which stays as it is.",
            "Copy it under an id of your own.",
            code="probe-built-in",
            place="id",
        )
    if not overwrite and (model.id in catalogue or path.exists()):
        raise StoreError(
            f"There is a probe {model.id} already.",
            "Choose another id, or say that it shall be replaced.",
            code="probe-id-taken",
            place="id",
        )
    text = model_to_toml(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder of your probes cannot be made ({error.strerror or type(error).__name__}).",
            f"Make {folder.name} by hand, or name another folder in {FOLDER_VARIABLE}.",
            code="not-writable",
            place=folder.name,
        ) from error
    write_atomic(path, text.encode())
    return path


def delete_model(name: str, catalogue: Catalogue, folder: Path, *, plan: Plan | None = None) -> None:
    """Delete a model of the user.

    Raises
    ------
    PlanError
        If there is none of that id.
    StoreError
        If it is built in, if `plan` uses it (``probe-in-use``), or if the file cannot be removed.
    """
    model = catalogue.model(name)
    if name not in catalogue.own:
        raise StoreError(
            f"{model.name} is a built-in probe and cannot be deleted.",
            "Take it off the stock list where you have none.",
            code="probe-built-in",
            place=name,
        )
    users = [probe.name for probe in plan.probes if probe.model == name] if plan is not None else []
    if users:
        raise StoreError(
            f"{model.name} is used by the open plan (probe {', '.join(users)}).",
            "Give these probes another model first, or close the case.",
            code="probe-in-use",
            place=name,
        )
    path = folder / f"{name}.toml"
    try:
        path.unlink()
    except OSError as error:
        raise StoreError(
            f"{path.name} could not be deleted ({error.strerror or type(error).__name__}).",
            "Check the rights of the folder of your probes.",
            code="not-writable",
            place=path.name,
        ) from error


def copy_of(model: ProbeModel, catalogue: Catalogue) -> ProbeModel:
    """Return a copy with a free id and name, as the start of a model of one's own."""
    number = 1
    while (name := f"{model.id[:50]}-own{'' if number == 1 else number}") in catalogue:
        number += 1
    return replace(
        model,
        id=name,
        name=f"{model.name} (own{'' if number == 1 else f' {number}'})",
        calibration="",
        note=f"Copied from {model.name}. {model.note}".strip(),
    )


def import_model(
    path: Path, catalogue: Catalogue, folder: Path, *, name: str = "", overwrite: bool = False
) -> ProbeModel:
    """Read a probe file strictly and keep it among the user's; `name` gives it another id.

    Raises
    ------
    StoreError
        If the file is refused (its message names the value), or if its id is taken.
    """
    model = read_model(path)
    if name:
        model = replace(model, id=name)
    save_model(model, catalogue, folder, overwrite=overwrite)
    return model


def export_model(name: str, catalogue: Catalogue, path: Path, *, overwrite: bool = False) -> Path:
    """Write any model of the catalogue to a file that `import_model` reads.

    Raises
    ------
    PlanError
        If there is no such model.
    StoreError
        If the file name cannot be an id, the file is there (``file-exists``) or it cannot be written.
    """
    model = catalogue.model(name)
    if path.suffix.lower() != ".toml" or not is_model_id(path.stem):
        raise StoreError(
            f"{path.name} cannot be a probe file: its name is the probe's id.",
            f"Name it for example {name}.toml (small letters, digits, dots and hyphens).",
            code="probe-id",
            place=path.name,
        )
    if path.exists() and not overwrite:
        raise StoreError(
            f"{path.name} is there already.", "Choose another name.", code="file-exists", place=path.name
        )
    write_atomic(path, model_to_toml(model).encode())
    return path
