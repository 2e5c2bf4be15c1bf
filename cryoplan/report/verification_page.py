"""Verification page: errors beside bounds, plots and sources, as one file that needs nothing else."""

from __future__ import annotations

from html import escape

from cryoplan import RESEARCH_USE, __version__
from cryoplan.report.plot_svg import bounds_svg, curve_svg
from cryoplan.simulation.verification.check import Check
from cryoplan.simulation.verification.suite import Verification

_STYLE = """
body { font-family: sans-serif; color: #222; background: #fff; max-width: 1000px; margin: 2em auto;
  padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; width: 100%; font-size: 0.9em; }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #eee; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; }
.ok { color: #1d6b3c; } .fail { color: #b02a1a; font-weight: bold; } .beside { color: #666; }
.note { color: #666; font-size: 0.9em; } .plots svg { max-width: 100%; height: auto; margin: 8px 8px 0 0; }
.use { font-weight: bold; color: #8a5a00; }
"""


def state_word(one: Check) -> str:
    """Return what became of a check, in a word."""
    if not one.judged:
        return "compared"
    return "ok" if one.passed else "missed"


def source_words(address: str) -> str:
    """Return what a link to a source says."""
    for start in ("https://doi.org/", "http://doi.org/"):
        if address.startswith(start):
            return "doi " + address.removeprefix(start)
    return address.removeprefix("https://").removeprefix("http://").split("/", maxsplit=1)[0]


def _linked(source: str) -> str:
    if not source:
        return "the program itself"
    if source.startswith(("https://", "http://")):
        return f'<a href="{escape(source, quote=True)}">{escape(source_words(source))}</a>'
    return escape(source)


def check_table(checks: tuple[Check, ...]) -> str:
    """Return one group's table as HTML."""
    rows = ["<tr><th></th><th>check</th><th>error (bound)</th><th>how</th><th>against</th></tr>"]
    for one in checks:
        kind = "beside" if not one.judged else "ok" if one.passed else "fail"
        rows.append(
            f'<tr><td class="{kind}">{state_word(one)}</td><td>{escape(one.name)}</td>'
            f'<td class="number">{escape(one.to_text())}</td><td class="note">{escape(one.note)}</td>'
            f"<td>{_linked(one.source)}</td></tr>"
        )
    return "<table>" + "".join(rows) + "</table>"


def group_plots(found: Verification, group: str) -> tuple[str, ...]:
    """Return the plots of one group as ``<svg>`` elements."""
    bars = bounds_svg([c for c in found.checks if c.group == group], "Error in percent of its bound")
    curves = [curve_svg(c) for c in found.curves if c.group == group]
    return tuple(p for p in (bars, *curves) if p)


def verification_page(found: Verification) -> str:
    """Return the whole page as HTML text.

    Parameters
    ----------
    found : Verification
        A quick or a whole run.
    """
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        f"<title>How accurate cryoplan is</title><style>{_STYLE}</style></head><body>",
        "<h1>How accurate cryoplan is</h1>",
        f'<p class="use">{escape(RESEARCH_USE)}.</p>',
        f"<p>cryoplan {escape(__version__)}, {'quick' if found.quick else 'whole'} run: "
        f"{escape(found.summary())} Errors are those of the solver on the named grid; a line marked "
        "“compared” stands beside a published figure whose conditions are open, and is not judged.</p>",
    ]
    for group in found.groups():
        checks = tuple(c for c in found.checks if c.group == group)
        parts.append(f"<h2>{escape(group)}</h2>{check_table(checks)}")
        parts.append(f'<div class="plots">{"".join(group_plots(found, group))}</div>')
    parts.append("</body></html>\n")
    return "".join(parts)
