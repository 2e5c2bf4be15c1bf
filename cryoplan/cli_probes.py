"""Commands of the catalogue: list, show, import, export and delete probes, and what is in stock."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cryoplan import RESEARCH_USE
from cryoplan.core.errors import PlanError
from cryoplan.core.progress import Progress

Console = Callable[..., AbstractContextManager[Progress]]


def add_probe_commands(commands: Any, console: Console) -> None:
    """Add ``probes`` and its commands; `console` makes what tells the progress."""
    probes = commands.add_parser("probes", help="the catalogue of probes: list, show, import, export, stock")
    probes.add_argument("--json", action="store_true")
    probes.set_defaults(command=_list)
    inner = probes.add_subparsers(metavar="WHAT")

    show = inner.add_parser("show", help="one probe: numbers with sources, and its ice beside the published")
    show.add_argument("id", metavar="ID")
    show.add_argument("--out", type=Path, metavar="picture.png|svg", help="also draw the ice in gel")
    show.add_argument("--json", action="store_true")
    show.set_defaults(command=lambda options: _show(options, console))

    taken = inner.add_parser("import", help="add a probe file to your own; it is read strictly")
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--as", dest="name", default="", metavar="ID", help="under another id")
    taken.add_argument("--replace", action="store_true", help="in place of your probe of that id")
    taken.set_defaults(command=_import)

    given = inner.add_parser("export", help="write one probe as a file that can be imported elsewhere")
    given.add_argument("id", metavar="ID")
    given.add_argument("file", type=Path, metavar="FILE")
    given.add_argument("--replace", action="store_true", help="write over a file that is there")
    given.set_defaults(command=_export)

    gone = inner.add_parser("delete", help="delete one of your own probes")
    gone.add_argument("id", metavar="ID")
    gone.set_defaults(command=_delete)

    stock = inner.add_parser("stock", help="say what is on the shelf")
    which = stock.add_mutually_exclusive_group(required=True)
    which.add_argument("--add", nargs="+", metavar="ID", default=[])
    which.add_argument("--remove", nargs="+", metavar="ID", default=[])
    which.add_argument("--clear", action="store_true", help="no list: every probe is offered alike")
    stock.set_defaults(command=_stock)


def _list(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.plan.stock import load_stock, ordered
    from cryoplan.workflow.probe_table import model_json, stock_words, table_text

    catalogue, stock = workflow.catalogue(), load_stock()
    if options.json:
        print(
            json.dumps(
                {
                    "probes": [model_json(model, catalogue, stock) for model, _ in ordered(catalogue, stock)],
                    "stock": {
                        "models": None if stock.models is None else sorted(stock.models),
                        "locked": bool(stock.locked),
                        "text": stock_words(stock),
                    },
                    "findings": [finding.to_json() for finding in catalogue.findings],
                },
                indent=1,
            )
        )
    else:
        print(f"{table_text(catalogue, stock)}\n{RESEARCH_USE}.")
    return 0


def _show(options: argparse.Namespace, console: Console) -> int:
    from cryoplan import workflow
    from cryoplan.plan.stock import load_stock
    from cryoplan.workflow import gel_shapes
    from cryoplan.workflow.probe_table import model_json, model_text

    catalogue, stock = workflow.catalogue(), load_stock()
    model = catalogue.model(options.id)
    solved: tuple[str, ...] = ()
    if options.out is not None:
        gel_shapes.checked_picture_path(options.out)
        if model.is_warmer:
            raise PlanError(
                f"{model.name} keeps tissue warm; it makes no ice to draw.",
                "Leave --out out.",
                code="probe-no-ice",
                place=options.id,
            )
        shape = gel_shapes.shipped_shape(model)
        if shape is None:
            with console(as_json=options.json) as progress:
                shape = gel_shapes.solve_shape(model, progress=progress)
            solved = gel_shapes.size_words(model, shape)
        gel_shapes.write_picture(model, shape, options.out)
    if options.json:
        print(json.dumps(model_json(model, catalogue, stock), indent=1))
        return 0
    print(model_text(model, catalogue, stock))
    if solved:
        print("\n".join([f"Ice: {gel_shapes.conditions_words(model)}", *(f"  {line}" for line in solved)]))
    if options.out is not None:
        print(f"Wrote {options.out}.")
    print(f"{RESEARCH_USE}.")
    return 0


def _import(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.plan.own_probes import import_model, own_folder

    model = import_model(
        options.file, workflow.catalogue(), own_folder(), name=options.name, overwrite=options.replace
    )
    print(f"{model.name} is in the catalogue as {options.name or model.id}.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.plan.own_probes import export_model

    export_model(options.id, workflow.catalogue(), options.file, overwrite=options.replace)
    print(f"Wrote {options.file}.")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.plan.own_probes import delete_model, own_folder

    delete_model(options.id, workflow.catalogue(), own_folder())
    print(f"{options.id} is deleted. Cases that use it cannot be opened until it is imported again.")
    return 0


def _stock(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.plan.stock import load_stock, with_stocked, write_stock
    from cryoplan.workflow.probe_table import stock_words

    stock, catalogue = load_stock(), workflow.catalogue()
    for name in options.add:
        catalogue.model(name)
    models = with_stocked(stock, options.add or options.remove, bool(options.add))
    print(stock_words(write_stock(stock, None if options.clear else models)))
    return 0
