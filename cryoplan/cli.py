"""Commands: thin argparse over `cryoplan.workflow`; findings and errors set the exit code (contract)."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryoplan import RESEARCH_USE, __version__
from cryoplan.cli_console import Console
from cryoplan.cli_convert import add_convert_command
from cryoplan.cli_export import add_export_commands, words
from cryoplan.cli_probes import add_probe_commands
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Level
from cryoplan.core.progress import Cancelled

DONE, USAGE, REFUSED, CANCELLED, INTERNAL = 0, 2, 3, 4, 5

COMMANDS = (
    "gui",
    "demo",
    "info",
    "run",
    "structures",
    "paths",
    "report",
    "sheet",
    "export",
    "convert",
    "verify",
    "calibrate",
    "bench",
    "probes",
    "codes",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 usage, 3 refused, 4 cancelled, 5 internal error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
        words.insert(0, "gui")
    try:
        options = _parser().parse_args(words)
    except SystemExit as stop:  # argparse has said what is wrong
        return int(stop.code or 0)
    as_json = bool(getattr(options, "json", False))
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except CryoplanError as error:
        _refuse(error, as_json)
        return REFUSED
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled; nothing was changed.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:  # the reader of our output has gone, `| head` for example
        sys.stderr.close()
        return DONE
    except Exception as error:
        return _internal(error, as_json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryoplan",
        description=f"Planning desk for percutaneous cryoablation. {RESEARCH_USE}.",
        epilog="Exit codes: 0 done, 2 wrong usage, 3 input refused, 4 cancelled, 5 internal error. "
        "What the code of a finding or an error means: cryoplan codes CODE.",
    )
    parser.add_argument("--version", action="version", version=f"cryoplan {__version__}. {RESEARCH_USE}.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    gui = commands.add_parser("gui", help="open the window, on a saved case if one is named")
    gui.add_argument("case", nargs="?", type=Path, metavar="CASE")
    gui.set_defaults(command=_gui)

    demo = commands.add_parser("demo", help="the built-in synthetic case, in the window or without a display")
    demo.add_argument("--out", type=Path, metavar="DIR", help="solve it and write the files here instead")
    demo.set_defaults(command=_demo)

    info = commands.add_parser("info", help="what an image file or folder is")
    info.add_argument("path", type=Path, metavar="PATH")
    info.add_argument("--json", action="store_true")
    info.set_defaults(command=_info)

    _add_run(commands)
    _add_readers(commands)
    add_export_commands(commands)
    add_convert_command(commands)
    _add_checks(commands)
    add_probe_commands(commands, Console)

    codes = commands.add_parser("codes", help="what the codes of findings and errors mean, and what to do")
    codes.add_argument(
        "words", nargs="*", metavar="CODE", help="a code or words to look for; all if left out"
    )
    codes.add_argument("--json", action="store_true")
    codes.set_defaults(command=_codes)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser("run", help="image to assessment, pictures, PDF and files")
    source = run.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", type=Path, metavar="PATH", help="image file or DICOM folder")
    source.add_argument("--phantom", metavar="MATERIAL[:DEGC]", help="a homogeneous block instead")
    run.add_argument("--series", metavar="UID", help="which series of the folder")
    run.add_argument("--structures", type=Path, nargs="+", action="extend", default=[], metavar="PATH")
    run.add_argument(
        "--mesh-axes", choices=("LPS", "RAS"), default="", help="axes of meshes that do not state theirs"
    )
    run.add_argument("--target", metavar="NAME", help="the tumour that margins are measured on")
    run.add_argument("--plan", type=Path, required=True, metavar="plan.json")
    run.add_argument("--out", type=Path, required=True, metavar="DIR")
    run.add_argument("--accept", action="append", default=[], metavar="CODE")
    run.add_argument("--spacing", type=float, metavar="MM", help="solver grid, 0.5 to 2 mm")
    run.add_argument("--preview", action="store_true", help="coarse and quick")
    run.add_argument("--times", type=_times, default=(), metavar="S,S,...", help="extra times to keep")
    run.add_argument("--size", type=float, default=140.0, metavar="MM", help="edge of the block")
    run.add_argument("--skin", choices=("air", "warm-bag", "insulated"), help="what lies on the skin")
    run.add_argument(
        "--check-convergence",
        action="store_true",
        help="solve on another grid and with half the step too, and tell what that changes",
    )
    run.add_argument(
        "--export", type=words, default=(), metavar="KIND,...", help="also write these, see export --help"
    )
    run.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    run.set_defaults(command=_run)


def _add_readers(commands: Any) -> None:
    """Add what reads a patient and solves nothing."""
    masks = commands.add_parser("structures", help="every structure as a mask, and what is found by itself")
    _image_options(masks, "the tumour that the planning grid lies around")
    masks.add_argument(
        "--auto", type=words, default=(), metavar="PART,PART,...", help="skin, bone, lung, air, fat, vessel"
    )
    masks.add_argument("--planning-grid", action="store_true", help="masks on the planning grid")
    masks.add_argument("--out", type=Path, required=True, metavar="DIR")
    masks.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    masks.set_defaults(command=_structures)

    paths = commands.add_parser("paths", help="what each needle passes, how near it comes, angles, pairs")
    _image_options(paths, "the tumour that probes are meant for")
    paths.add_argument("--plan", type=Path, required=True, metavar="plan.json")
    paths.add_argument("--json", action="store_true", help="all of it as one JSON object")
    paths.set_defaults(command=_paths)


def _add_checks(commands: Any) -> None:
    """Add what tells how good and how fast the program itself is."""
    verify = commands.add_parser("verify", help="how accurate the solver is, error beside bound")
    verify.add_argument("--quick", action="store_true", help="the short list, about a minute")
    verify.add_argument("--out", type=Path, metavar="DIR", help="also write verify.html and its numbers here")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(command=_verify)

    calibrate = commands.add_parser("calibrate", help="fit the probes' heat exchange to published data again")
    calibrate.add_argument("--probe", metavar="ID", help="only this model")
    calibrate.add_argument("--spacing", type=float, default=1.0, metavar="MM", help="solver grid, 1 or 2 mm")
    calibrate.add_argument("--json", action="store_true")
    calibrate.set_defaults(command=_calibrate)

    bench = commands.add_parser("bench", help="how fast the solver, loading and drawing are")
    bench.add_argument("--full", action="store_true", help="also what takes minutes and 4 GB")
    bench.add_argument("--only", action="append", default=[], metavar="NAME", help="one figure of the table")
    bench.add_argument("--json", action="store_true")
    bench.set_defaults(command=_bench)


def _image_options(parser: argparse.ArgumentParser, target: str) -> None:
    parser.add_argument(
        "--image", type=Path, required=True, metavar="PATH", help="image file or DICOM folder"
    )
    parser.add_argument("--series", metavar="UID", help="which series of the folder")
    parser.add_argument("--structures", type=Path, nargs="+", action="extend", default=[], metavar="PATH")
    parser.add_argument(
        "--mesh-axes", choices=("LPS", "RAS"), default="", help="axes of meshes that do not state theirs"
    )
    parser.add_argument("--target", metavar="NAME", help=target)
    parser.add_argument("--accept", action="append", default=[], metavar="CODE")


def _gui(options: argparse.Namespace) -> int:
    # Imported here and nowhere else, so that every other command runs with no Qt installed.
    from cryoplan.gui.start import start_window

    return int(start_window(case_path=options.case, demo=False))


def _demo(options: argparse.Namespace) -> int:
    if options.out is None and _has_display():
        from cryoplan.gui.start import start_window

        return int(start_window(case_path=None, demo=True))
    from cryoplan import workflow
    from cryoplan.workflow.run import solve_and_write

    out: Path = options.out or Path("cryoplan-demo")
    case = workflow.built_in_case()
    plan = workflow.built_in_plan(case)
    with Console(as_json=False) as progress:
        summary = solve_and_write(case, plan, workflow.catalogue(), out, progress=progress)
    _say_result(summary.files, out)
    return DONE


def _info(options: argparse.Namespace) -> int:
    from cryoplan import workflow

    with Console(as_json=False) as progress:
        found = workflow.list_series(options.path, apart=True, progress=progress)
    print(json.dumps(found.to_json(), indent=1) if options.json else found.to_text())
    return DONE


def _run(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.simulation.settings import PREVIEW, STANDARD
    from cryoplan.workflow.run import run_block, run_case

    settings = PREVIEW if options.preview else STANDARD
    settings = settings.changed(
        spacing_mm=options.spacing, extra_times_s=tuple(options.times), skin=options.skin
    )
    if options.phantom is not None:
        _refuse_for_block(options)
    probes = workflow.catalogue()
    with Console(as_json=options.json) as progress:
        if options.phantom is not None:
            material, degc = _material(options.phantom)
            summary = run_block(
                material=material,
                baseline_degc=degc,
                size_mm=options.size,
                plan_path=options.plan,
                out=options.out,
                probes=probes,
                settings=settings,
                progress=progress,
            )
        else:
            summary = run_case(
                image=options.image,
                structures=options.structures,
                plan_path=options.plan,
                out=options.out,
                probes=probes,
                series_uid=options.series,
                target=options.target,
                accept=options.accept,
                mesh_axes=options.mesh_axes,
                settings=settings,
                converge=options.check_convergence,
                export=options.export,
                progress=progress,
            )
    if options.json:
        print(
            json.dumps(
                {
                    "result": summary.assessment.to_json(),
                    "files": list(summary.files),
                    "findings": [f.to_json() for f in summary.findings],
                }
            )
        )
    else:
        for finding in summary.findings:
            if finding.level is not Level.OK or finding.code == "convergence":
                print(f"{finding.level.value}: {finding.text}")
        _say_result(summary.files, options.out)
    return DONE


def _refuse_for_block(options: argparse.Namespace) -> None:
    """Refuse what makes sense of a patient only."""
    if options.check_convergence:
        raise CryoplanError(
            "A block cannot be checked for convergence with run.",
            "Run it twice with another --spacing, or see verify; leave --check-convergence out.",
            code="converge-block",
            place="--check-convergence",
        )
    if options.export:
        raise CryoplanError(
            "A block has no patient, so there is nothing to export of it.",
            "Its temperatures are in the folder already; leave --export out.",
            code="export-block",
            place="--export",
        )


def _structures(options: argparse.Namespace) -> int:
    from cryoplan.workflow.structures_out import structures_out

    with Console(as_json=options.json) as progress:
        written = structures_out(
            image=options.image,
            out=options.out,
            structures=options.structures,
            auto=options.auto,
            on_planning_grid=options.planning_grid,
            series_uid=options.series,
            target=options.target,
            accept=options.accept,
            mesh_axes=options.mesh_axes,
            progress=progress,
        )
    if options.json:
        print(json.dumps({"result": written.record, "files": list(written.files)}))
    else:
        for finding in written.findings:
            if finding.level is not Level.OK:
                print(f"{finding.level.value}: {finding.text}")
        _say_result(written.files, options.out)
    return DONE


def _paths(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.workflow.paths_out import paths_text, read_paths

    found = read_paths(
        image=options.image,
        structures=options.structures,
        plan_path=options.plan,
        probes=workflow.catalogue(),
        series_uid=options.series,
        target=options.target,
        accept=options.accept,
        mesh_axes=options.mesh_axes,
    )
    print(json.dumps(found.to_json()) if options.json else paths_text(found))
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from cryoplan.workflow.verifying import verify, write_verification

    with Console(as_json=options.json) as progress:
        found = verify(options.quick, progress)
    files = () if options.out is None else write_verification(found, options.out)
    if options.json:
        answer = {"checks": [c.to_json() for c in found.checks], "files": [p.name for p in files]}
        print(json.dumps(answer))
    else:
        width = max(len(c.name) for c in found.checks)
        for check in found.checks:
            word = "    " if not check.judged else "ok  " if check.passed else "FAIL"
            print(f"{word}  {check.name:<{width}}  {check.to_text()}")
        print(f"{found.summary()} {RESEARCH_USE}.")
        if files:
            print(f"Wrote {' and '.join(p.name for p in files)} to {options.out}.")
    return DONE if found.passed else INTERNAL


def _calibrate(options: argparse.Namespace) -> int:
    from cryoplan.workflow.calibrating import run_calibration

    with Console(as_json=options.json) as progress:
        found = run_calibration(probe=options.probe, spacing_mm=options.spacing, progress=progress)
    print(json.dumps(found.to_json()) if options.json else f"{found.to_text()}\n{RESEARCH_USE}.")
    return DONE


def _bench(options: argparse.Namespace) -> int:
    from cryoplan.workflow.benchmark import run_benchmark

    with Console(as_json=options.json) as progress:
        found = run_benchmark(full=options.full, only=options.only, progress=progress, **_window_benches())
    print(json.dumps(found.to_json()) if options.json else f"{found.to_text()} {RESEARCH_USE}.")
    return DONE


def _window_benches() -> dict[str, Any]:
    with contextlib.suppress(ImportError):  # there are none without Qt
        from cryoplan.gui import drag_bench, stroke_bench

        return {"stroke_times": stroke_bench.stroke_times, "drag_times": drag_bench.drag_times}
    return {}


def _codes(options: argparse.Namespace) -> int:
    from cryoplan import workflow

    words = " ".join(options.words)
    found = workflow.find_meanings(words)
    if not found:
        raise CryoplanError(
            f"No code and no sentence of the help holds {words!r}.",
            "Leave it out to list all codes.",
            code="code-unknown",
            place="codes",
        )
    if options.json:
        print(json.dumps([m.to_json() for m in found]))
    else:
        print("\n\n".join(m.to_text() for m in found))
    return DONE


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _times(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _material(text: str) -> tuple[str, float | None]:
    name, colon, degc = text.partition(":")
    if not colon:
        return name, None
    try:
        return name, float(degc)
    except ValueError:
        raise CryoplanError(
            f"The temperature {degc!r} of the block is not a number.",
            "Write for example gel:37.",
            code="block-temperature",
            place="--phantom",
        ) from None


def _say_result(files: Sequence[str], out: Path) -> None:
    print(f"Wrote {len(files)} files to {out}. {RESEARCH_USE}.")


def _refuse(error: CryoplanError, as_json: bool) -> None:
    if as_json:
        finding = {"level": "fail", "code": error.code, "text": str(error), "place": error.place}
        print(json.dumps({"error": str(error), "findings": [finding]}))
    place = f"{error.place}: " if error.place and error.place not in error.what else ""
    print(f"{place}{error}".replace("\n", " "), file=sys.stderr)


def _internal(error: Exception, as_json: bool) -> int:
    # Loaded when something went wrong only: no command waits for it.
    from cryoplan.app import crash

    path = crash.write_down(error, "in a command")
    text = (
        f"cryoplan failed with an error of its own ({type(error).__name__}); nothing was written, and "
        f"{path} says where it happened."
    )
    if as_json:
        finding = {"level": "fail", "code": "internal-error", "text": text, "place": ""}
        print(json.dumps({"error": text, "findings": [finding]}))
    print(text, file=sys.stderr)
    return INTERNAL
