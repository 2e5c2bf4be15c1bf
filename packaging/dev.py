"""Set up cryoplan in ``.venv`` and run it or its tests: the two commands of the README.

    python3 packaging/dev.py demo [arguments of `cryoplan demo`]
    python3 packaging/dev.py test [arguments of pytest]
    python3 packaging/dev.py setup | check | lock

It needs Python 3.11 or newer and nothing but its standard library, works from any folder on Linux,
Windows and macOS, and takes the user's own configuration of pip as it is.

* ``setup`` makes ``.venv`` and installs ``requirements.lock`` into it: only wheels, each checked by its
  hash. The stamp that says so is written last, so an interrupted set-up is begun again and a finished one
  costs nothing. A changed lock, another Python or a moved checkout rebuild it. A ``.venv`` that somebody
  else made is used if it holds the locked versions, and is never deleted.
* ``test`` runs three rounds of pytest and adds them up in its last line: the house rules (ruff, mypy and
  the import rule are tests there); then everything below ``app`` with Qt blocked from import and no
  display, which proves at no extra cost that the science needs neither; then the window on a virtual
  display. With arguments it is one plain pytest with these, for work on one thing.
* ``check`` is the first of these rounds alone. ``lock`` renews the lock file (for maintainers; needs uv).

The syntax is kept old on purpose: an older Python must get as far as the sentence that refuses it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import system_libraries

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOCK = ROOT / "packaging" / "requirements.lock"
OLDEST = (3, 11)
NEWEST_TRIED = 14
OURS = "made-by-cryoplan-dev"
STAMP = "cryoplan-stamp.json"

HOUSE = ("tests/test_house.py", "tests/packaging")
WINDOW = ("tests/app", "tests/gui", "tests/e2e")
LONGEST_TEST_S = 1200


class SetupError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


# The interpreter ------------------------------------------------------------------------------------


def newer_python() -> str:
    """Return a Python on the search path that is new enough, or an empty text."""
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)  # noqa: UP031
        if found:
            return found
    return ""


def hand_over_to_newer_python() -> None:
    """Go on in a newer Python if this one is too old and there is one; otherwise say so."""
    if sys.version_info[:2] >= OLDEST:
        return
    found = newer_python()
    if not found:
        raise SetupError(
            "cryoplan needs Python 3.11 or newer, and this is Python {}.{}. Install one and run this file "
            "with it, for example: python3.12 packaging/dev.py demo".format(*sys.version_info[:2])
        )
    sys.exit(subprocess.run([found, *sys.argv], check=False).returncode)


def make_sure_of_venv_module() -> None:
    """Debian and Ubuntu keep the part of Python that makes environments in a package of its own."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return
    name = "python{}.{}-venv".format(*sys.version_info[:2])
    if system_libraries.package_manager() == "apt":
        done = system_libraries.install([name], "apt")
        if done and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return
        line = system_libraries.install_line([name], "apt")
        raise SetupError(f"This Python lacks its venv module. Run this line, then try again:\n    {line}")
    raise SetupError(
        "This Python lacks its venv or ensurepip module. Use a complete one, for example of python.org."
    )


# The environment ------------------------------------------------------------------------------------


def python_of(venv: Path) -> Path:
    """Return the path of an environment's interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def version_of(python: Path) -> str:
    """Return the full version text of an interpreter, or an empty text if it does not run."""
    try:
        done = subprocess.run(
            [str(python), "-c", "import sys; print(sys.version)"], capture_output=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def wanted_stamp(python_version: str) -> dict[str, str]:
    """Return what the stamp of a finished set-up says now."""
    return {
        "root": str(ROOT),
        "python": python_version,
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
    }


def read_stamp(venv: Path) -> dict[str, str]:
    """Return the stamp of an environment; empty if set-up never came to its end."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def locked_versions(lock_text: str) -> dict[str, dict[str, bool]]:
    """Return, by normalised name, the versions that a lock allows and whether each is bound to a marker."""
    versions: dict[str, dict[str, bool]] = {}
    for line in lock_text.splitlines():
        if "==" in line and not line[:1].isspace() and not line.startswith("#"):
            pin, _, marker = line.rstrip("\\ ").partition(";")
            name, _, version = pin.partition("==")
            versions.setdefault(name.strip().lower(), {})[version.strip()] = bool(marker.strip())
    return versions


def misfits(python: Path) -> list[str]:
    """Return the locked distributions that an environment lacks or has in another version."""
    script = (
        "import importlib.metadata as m, json, re;"
        "have = {re.sub('[-_.]+', '-', d.metadata['Name']).lower(): d.version for d in m.distributions()};"
        "print(json.dumps(have))"
    )
    done = subprocess.run([str(python), "-c", script], capture_output=True, check=False)
    if done.returncode != 0:
        return ["a Python that runs"]
    have = json.loads(done.stdout)
    wrong = []
    for name, versions in locked_versions(LOCK.read_text(encoding="utf-8")).items():
        bound = all(versions.values())
        if name == "setuptools" or (name not in have and bound) or have.get(name) in versions:
            continue
        wrong.append(f"{name} {' or '.join(versions)}")
    return wrong


def use_foreign_venv() -> None:
    """Accept an environment that another tool made, if it holds what the tests were run with."""
    wrong = misfits(python_of(VENV)) if version_of(python_of(VENV)) else ["a Python that runs"]
    if wrong:
        raise SetupError(
            f"{VENV} was not made by this script and lacks {len(wrong)} of the locked versions "
            f"({', '.join(wrong[:4])}). Rename or delete it, then try again."
        )


def pip(*arguments: str) -> None:
    """Run pip in the environment, with the user's own configuration."""
    command = [
        str(python_of(VENV)),
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    if not sys.stderr.isatty():
        command.append("--quiet")
    # pip's words go to stderr: stdout belongs to what is run afterwards.
    done = subprocess.run(
        [*command, *arguments], stdin=subprocess.DEVNULL, stdout=sys.stderr, close_fds=False, check=False
    )
    if done.returncode != 0:
        raise SetupError(
            "pip could not install what cryoplan needs (its reason stands above). Then try again."
        )


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one set-up of this checkout work at a time; a second one waits for its end.

    pip inherits the lock, so one whose parent was killed cannot write into the environment that the next
    set-up builds. Windows has no such lock; two first runs at once are the user's own risk there.
    """
    if fcntl is None:
        yield
        return
    key = hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"cryoplan-set-up-{os.getuid()}-{key}.lock"
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Waiting for another set-up of this folder to end", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    """Build the environment from nothing."""
    make_sure_of_venv_module()
    print(f"Setting up {VENV} (once; some minutes and 2 GB)", file=sys.stderr, flush=True)
    try:
        if VENV.exists():
            shutil.rmtree(VENV)
        VENV.mkdir()
        (VENV / OURS).write_text("packaging/dev.py may delete and rebuild this folder.\n", encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"{VENV} cannot be made ({error.strerror}: {error.filename}). End the programs that use it and "
            "see that the folder may be written, then try again."
        ) from error
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], stdout=sys.stderr, close_fds=False, check=False
    )
    if done.returncode != 0:
        raise SetupError("Python could not make an environment (its reason stands above).")
    pip("--require-hashes", "--only-binary=:all:", "-r", str(LOCK))


def add_project() -> None:
    """Put the source tree itself into the environment, without fetching anything."""
    pip("--no-index", "--no-build-isolation", "--editable", str(ROOT))


def unmet() -> set[str]:
    """Return the parts of the stamp that do not say what they should; none if set-up is done."""
    stamp = read_stamp(VENV)
    wanted = wanted_stamp(version_of(python_of(VENV)))
    return {key for key, value in wanted.items() if stamp.get(key) != value}


def set_up() -> None:
    """Bring ``.venv`` to what the lock says; at once if it is there already."""
    if (VENV.exists() or VENV.is_symlink()) and not (VENV / OURS).exists():
        use_foreign_venv()
        return
    if not unmet():
        return
    start = time.monotonic()
    with alone():
        parts = unmet()  # asked again: another set-up may have done it meanwhile
        if parts - {"project"}:
            make_venv()
        if parts:
            add_project()
            unfinished = VENV / (STAMP + ".new")
            stamp = wanted_stamp(version_of(python_of(VENV)))
            unfinished.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
            unfinished.replace(VENV / STAMP)
    print(f"Set up in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def environment() -> dict[str, str]:
    """Return the environment variables of everything that is run here.

    numba sees no edits in other files than the one it compiles, so the cache folder bears the digest of
    all of the solver's sources, and folders of older sources go.
    """
    sources = sorted((ROOT / "cryoplan" / "simulation").glob("*.py"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    caches = VENV / "numba-cache"
    if caches.is_dir():
        for old in caches.iterdir():
            if old.name != digest:
                shutil.rmtree(old, ignore_errors=True)
    variables = dict(os.environ, QT_API="pyside6")
    variables.setdefault("NUMBA_CACHE_DIR", str(caches / digest))
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return variables


def carry_out(command: list[str], variables: dict[str, str], folder: Path | None = None) -> tuple[int, bool]:
    """Run what all this is for; return its exit code and whether somebody asked for an early end.

    Ctrl+C reaches the child from the terminal itself, and it may take its time to end well; a request to
    terminate reaches this process alone and is handed on. A child ended by a signal gives 128 and the number.
    """
    asked: list[int] = []
    child = subprocess.Popen(command, cwd=folder, env=variables)

    def on_signal(number: int, _frame: object) -> None:
        asked.append(number)
        if number == signal.SIGTERM:
            child.terminate()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    code = child.wait()
    for number, handler in before.items():
        signal.signal(number, handler)
    return (code if code >= 0 else 128 - code), bool(asked)


# The tests ------------------------------------------------------------------------------------------


def rounds() -> list[tuple[str, list[str], bool]]:
    """Return the rounds of the suite: name, arguments of pytest, whether Qt and a display are allowed."""
    elsewhere = [f"--ignore={path}" for path in (*HOUSE, *WINDOW)]
    window = [path for path in WINDOW if (ROOT / path).exists()]
    chosen = [("house rules", list(HOUSE), False), ("without Qt and display", ["tests", *elsewhere], False)]
    if window:
        chosen.append(("window", window, True))
    return chosen


def count(report: Path) -> dict[str, int]:
    """Return the passed, failed and skipped tests of a JUnit report; a missing one is one failure.

    Errors outside of tests (a file that cannot be imported, a fixture's end) count as failed.
    """
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return {"passed": 0, "failed": 1, "skipped": 0}
    total, failures, errors, skipped = (
        sum(int(suite.get(key, "0")) for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    )
    return {
        "passed": max(0, total - failures - errors - skipped),
        "failed": failures + errors,
        "skipped": skipped,
    }


def closing_line(counts: list[dict[str, int]]) -> str:
    """Return the last line of a test run, for people and for what reads CI logs."""
    passed, failed, skipped = (sum(part[key] for part in counts) for key in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def run_rounds(chosen: list[tuple[str, list[str], bool]]) -> int:
    """Run rounds of pytest one after another, all of them even if one fails; return the exit code."""
    counts: list[dict[str, int]] = []
    codes: list[int] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cryoplan-test-") as folder:
        for name, arguments, with_qt in chosen:
            print(f"\n=== {name} ===", flush=True)
            report = Path(folder) / f"{len(counts)}.xml"
            variables = environment()
            command = [
                str(python_of(VENV)),
                "-m",
                "pytest",
                f"--junitxml={report}",
                f"--timeout={LONGEST_TEST_S}",
            ]
            if not with_qt:
                command += ["-p", "no:pytest-qt", "-p", "no:xvfb", "-p", "tests.support.block_qt"]
                for display in ("DISPLAY", "WAYLAND_DISPLAY"):
                    variables.pop(display, None)
            code, asked_to_end = carry_out([*command, *arguments], variables, ROOT)
            codes.append(code)
            counts.append(count(report))
            if code not in (0, 1):
                print(f"The round '{name}' broke off with exit code {code}.", flush=True)
                counts[-1]["failed"] = max(1, counts[-1]["failed"])
            if asked_to_end:
                break
    print(f"\nAll rounds took {time.monotonic() - start:.0f} s: {', '.join(entry[0] for entry in chosen)}.")
    print(closing_line(counts), flush=True)
    return next((code for code in codes if code), 0)


# The commands ---------------------------------------------------------------------------------------


def demo(arguments: list[str]) -> int:
    """Set up and run ``cryoplan demo``."""
    set_up()
    system_libraries.provide(system_libraries.WINDOW)
    # Safe path: a folder of the user's that happens to be called like a library must not be imported.
    command = [str(python_of(VENV)), "-P", "-m", "cryoplan", "demo", *arguments]
    return carry_out(command, environment())[0]


def test(arguments: list[str]) -> int:
    """Set up and run the tests."""
    set_up()
    system_libraries.provide(system_libraries.WINDOW + system_libraries.TESTS)
    system_libraries.offer(system_libraries.SECOND_OPINIONS)
    if system_libraries.may_have_services():
        system_libraries.offer(system_libraries.ARCHIVE)
    if arguments:
        command = [str(python_of(VENV)), "-m", "pytest", *arguments]
        return carry_out(command, environment(), ROOT)[0]
    return run_rounds(rounds())


def check(arguments: list[str]) -> int:
    """Set up and run the house rules alone: style, types, imports."""
    set_up()
    return run_rounds([(name, [*paths, *arguments], qt) for name, paths, qt in rounds()[:1]])


def lock(arguments: list[str]) -> int:
    """Renew the lock file from the list beside it, for every system and every Python that is supported."""
    uv = shutil.which("uv")
    if uv is None:
        raise SetupError(
            "Renewing the lock needs uv; install it (for example: pipx install uv), then try again."
        )
    command = [uv, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "python3 packaging/dev.py lock"]
    files = ["packaging/requirements.in", "--output-file", "packaging/requirements.lock"]
    return subprocess.run([*command, *arguments, *files], cwd=ROOT, check=False).returncode


def main(argv: list[str]) -> int:
    """Carry out one command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["demo", "test", "setup", "check", "lock"])
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on as they are")
    given = parser.parse_args(argv)
    # Ended from outside, the children are to end too (subprocess.run kills its child on an exception).
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        hand_over_to_newer_python()
        if given.command == "setup":
            set_up()
            return 0 if system_libraries.provide(system_libraries.WINDOW + system_libraries.TESTS) else 1
        return {"demo": demo, "test": test, "check": check, "lock": lock}[given.command](given.arguments)
    except SetupError as reason:
        print(f"dev.py: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
