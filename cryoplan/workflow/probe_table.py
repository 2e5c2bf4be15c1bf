"""Probe table: the catalogue as it is printed, every number with unit, source and how it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from cryoplan.core.sourced import Sourced
from cryoplan.plan.catalogue import Catalogue, number_rules
from cryoplan.plan.probe import ProbeModel
from cryoplan.plan.stock import Stock, ordered
from cryoplan.workflow.gel_shapes import conditions_words, shipped_shape, size_words, trial

LABELS = {
    "outer_diameter": "Outer diameter",
    "active_length": "Active zone",
    "tip_offset": "Tip to active zone",
    "shaft_length": "Shaft, tip to hub",
    "taper": "Taper behind the active zone",
    "coolant_temperature": "Coolant, end value",
    "cooling_time_constant": "Cooling time constant",
    "exchange_coefficient": "Heat exchange while freezing",
    "active_thaw_temperature": "Gas thaw, temperature",
    "active_thaw_coefficient": "Gas thaw, heat exchange",
    "electric_thaw_temperature": "Electric thaw, temperature",
    "thaw_time_constant": "Thaw time constant",
}
"""What the numbers of a model are called, in the order of the form."""

_UNITS = {"degC": "°C", "W/(m2 K)": "W/(m²·K)"}


def shown_unit(unit: str) -> str:
    """Return a unit as it is printed."""
    return _UNITS.get(unit, unit)


def numbers_of(model: ProbeModel) -> Iterator[tuple[str, Sourced]]:
    """Yield the numbers that a model has, by key, in the order of the form."""
    for key in number_rules(model.kind):
        number = getattr(model, key)
        if number is not None:
            yield key, number


def number_words(number: Sourced) -> str:
    """Return a number with its range and unit, for example ``30 (20 to 40) mm, a guess``."""
    around = ""
    if number.low is not None or number.high is not None:
        low, high = (number.value if end is None else end for end in (number.low, number.high))
        around = f" ({low:g} to {high:g})".replace("-", "\N{MINUS SIGN}")
    value = f"{number.value:g}".replace("-", "\N{MINUS SIGN}")
    return f"{value}{around} {shown_unit(number.unit)}{', a guess' if number.is_guess else ''}"


def stock_words(stock: Stock) -> str:
    """Return in one line what is said of the stock."""
    if stock.fault:
        return f"The stock list was not used: {stock.fault}."
    if stock.models is None:
        return "No stock list: every probe is offered alike."
    locked = f" {stock.locked}" if stock.locked else ""
    return f"Stock list: {len(stock.models)} models.{locked}"


def table_text(catalogue: Catalogue, stock: Stock) -> str:
    """Return the list of the probes, those in stock first."""
    rows = ordered(catalogue, stock)
    width = max(len(model.id) for model, _ in rows)
    lines = []
    for model, stocked in rows:
        own = "own" if model.id in catalogue.own else "built-in"
        place = "" if stock.models is None else "; in stock" if stocked else "; not in stock"
        guess = "; geometry or exchange is a guess" if model.is_guess else ""
        lines.append(
            f"{model.id:<{width}}  {model.name}: {model.outer_diameter.value:g} mm, active "
            f"{model.active_length.value:g} mm, {model.coolant}; {own}{place}{guess}"
        )
    lines += [f"left out: {finding.text}" for finding in catalogue.findings]
    return "\n".join([*lines, stock_words(stock)])


def model_text(model: ProbeModel, catalogue: Catalogue, stock: Stock) -> str:
    """Return all that is known of one probe, with the sizes of its ice where they have been solved."""
    own = "your own probe" if model.id in catalogue.own else "built in"
    lines = [f"{model.name} ({model.id}), {own}"]
    if stock.models is not None:
        lines.append("in stock" if stock.has(model.id) else "not in stock")
    lines += [
        f"  {LABELS[key]}: {number_words(number)} [{number.how}: {number.source}]"
        for key, number in numbers_of(model)
    ]
    lines += [text for text in (model.note, model.calibration) if text]
    shape = None if model.is_warmer else shipped_shape(model)
    if shape is not None:
        lines += [f"Ice: {conditions_words(model)}", *(f"  {line}" for line in size_words(model, shape))]
        how = trial(model)
        lines += [f"  {text}" for text in (how.conditions, how.use, how.source) if text]
    return "\n".join(lines)


def model_json(model: ProbeModel, catalogue: Catalogue, stock: Stock) -> dict[str, object]:
    """Return one probe as plain values; ``in_stock`` is null where there is no list."""
    row: dict[str, object] = {
        "id": model.id,
        "name": model.name,
        "vendor": model.vendor,
        "gauge": model.gauge,
        "coolant": model.coolant,
        "kind": model.kind,
        "own": model.id in catalogue.own,
        "in_stock": None if stock.models is None else stock.has(model.id),
        "is_guess": model.is_guess,
        "note": model.note,
        "calibration": model.calibration,
        "numbers": {key: {**asdict(n), "is_guess": n.is_guess} for key, n in numbers_of(model)},
    }
    shape = None if model.is_warmer else shipped_shape(model)
    if shape is not None:
        how = trial(model)
        row["ice"] = {
            "conditions": conditions_words(model),
            "solved": [
                {"degc": one.degc, "length_mm": one.length_mm, "width_mm": one.width_mm}
                for one in shape.isotherms
            ],
            "published": [asdict(size) for size in how.sizes],
            "published_source": how.source,
            "published_conditions": how.conditions,
            "published_use": how.use,
        }
    return row
