"""The rules of the house: what a reader may rely on in every file, and what no release may contain."""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "cryoplan"
TOP_LEVEL = {"pyproject.toml", "cryoplan", "resources", "tests", "packaging", "README.md", "LICENSE"}
LONGEST_MODULE = 500
NEEDS_QT = ("app", "gui")
DATA_ENDINGS = {".png", ".jpg", ".ttf", ".gz", ".ico", ".icns", ".pdf", ".npz", ".dcm", ".cryoplan"}


def _ignored() -> list[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    return [line.strip("/") for line in lines if not line.startswith("#")]


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that belong to the project; git itself may be absent where the tests run."""
    ignored = [*_ignored(), ".git"]
    for entry in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(entry.name, pattern) for pattern in ignored):
            continue
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


def _texts() -> Iterator[tuple[str, str]]:
    for path in _files(ROOT):
        if path.suffix not in DATA_ENDINGS:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _modules() -> list[Path]:
    return [path for path in _files(PACKAGE) if path.suffix == ".py"]


def _lines_that_match(pattern: re.Pattern[str], *, beside: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in _texts()
        if name not in beside
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _assert_is_content(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"


def _tool(name: str) -> str:
    """Return the path of a tool of this very environment, whose scripts need not be on the search path."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is not installed in this environment"
    return found


# The tools ------------------------------------------------------------------------------------------


def test_ruff_finds_nothing():
    _assert_is_content(sys.executable, "-m", "ruff", "check", "--quiet", ".")


def test_every_file_is_formatted():
    _assert_is_content(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_types_hold_strictly_below_the_window():
    _assert_is_content(sys.executable, "-m", "mypy")


def test_types_hold_strictly_in_the_set_up():
    scripts = [path.as_posix() for path in (ROOT / "packaging").glob("*.py")]
    _assert_is_content(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", *sorted(scripts))


def test_imports_only_point_backwards_along_the_data_flow():
    _assert_is_content(_tool("lint-imports"), "--no-logo", "--no-cache")


# The tree -------------------------------------------------------------------------------------------


def test_top_level_holds_nothing_but_what_is_agreed():
    ignored = [*_ignored(), ".git"]
    there = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    strangers = {
        name for name in there if not any(fnmatch.fnmatch(name, rule) for rule in ignored)
    } - TOP_LEVEL
    assert not strangers
    assert there >= TOP_LEVEL


def test_no_module_is_longer_than_one_sitting():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in _modules()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_name_says_nothing():
    empty_names = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)($|_)")
    parts = {part for path in _modules() for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert sorted(part for part in parts if empty_names.search(part)) == []


def test_every_package_and_module_says_its_idea():
    silent = []
    for path in _modules():
        idea = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if not idea or len(idea.splitlines()[0]) < 20:
            silent.append(path.relative_to(ROOT).as_posix())
    assert silent == []


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in _modules()}
    assert sorted(folder.name for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_packaging_folder_does_not_hide_the_library_of_that_name():
    assert not (ROOT / "packaging" / "__init__.py").exists()
    import packaging.version

    assert ROOT / "packaging" not in Path(packaging.version.__file__).parents


# The texts ------------------------------------------------------------------------------------------


def test_nothing_is_left_to_be_done_later():
    # Put together here, so that this file does not find itself.
    words = ("TO" + "DO", "FIX" + "ME", "X" * 3, "raise NotImplemented" + "Error")
    assert _lines_that_match(re.compile(r"\b(" + "|".join(words) + r")\b")) == []


def test_no_text_names_a_machine():
    homes = ("home", "Users", "root", "work", "opt", "tmp")
    absolute = re.compile(r"(?<![\w.~$}:/*-])/(" + "|".join(homes) + r")/[\w.-]+")
    # The recipe for a bare system speaks of that system's own folders.
    assert _lines_that_match(absolute, beside=("packaging/bare_check.sh", "tests/test_house.py")) == []


def test_no_text_names_where_packages_are_fetched_from():
    hosts = re.compile(
        r"(pypi|pythonhosted|debian|ubuntu|npmjs|conda|anaconda)\.(org|com|net)\b", re.IGNORECASE
    )
    assert _lines_that_match(hosts) == []


def test_research_use_is_said_in_the_one_place_that_outputs_take_it_from():
    from cryoplan import RESEARCH_USE

    assert RESEARCH_USE == "Research use; not a medical device"
    assert RESEARCH_USE in (ROOT / "README.md").read_text(encoding="utf-8")


# Without Qt -----------------------------------------------------------------------------------------


def _below_app() -> list[str]:
    names = []
    for path in _modules():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] not in NEEDS_QT and parts[-1] != "__main__":
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def _without_qt(code: str) -> subprocess.CompletedProcess[str]:
    script = f"from tests.support.block_qt import block\nblock()\n{code}"
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        surroundings.pop(display, None)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_blocking_qt_really_blocks_it():
    done = _without_qt("import PySide6.QtCore")
    assert done.returncode != 0
    assert "PySide6 is blocked" in done.stderr


def test_every_module_below_the_window_imports_without_qt():
    names = _below_app()
    assert "cryoplan.core.grid" in names
    done = _without_qt(f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)")
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--version"], 0, "not a medical device"),
        (["--help"], 0, "Exit codes"),
        (["info", "no-such-folder"], 3, "no-such-folder"),
        (["run"], 2, "--plan"),
    ],
)
def test_command_line_answers_without_qt(words: list[str], code: int, said: str):
    done = _without_qt(f"import sys\nfrom cryoplan.cli import main\nsys.exit(main({words!r}))")
    assert done.returncode == code, done.stderr[-4000:]
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
