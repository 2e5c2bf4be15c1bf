"""Style: every colour, width and dash, read once from ``resources/theme.toml`` into frozen records."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.units import show_degc

_HEX = re.compile(r"^#[0-9a-f]{6}$")


def rgb(colour: str) -> tuple[float, float, float]:
    """Return ``#rrggbb`` as red, green, blue, 0 to 1."""
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStyle:
    """How one kind of line is drawn.

    Attributes
    ----------
    label : str
        What the legend says.
    colour : str
        ``#rrggbb``.
    width_px : float
        Screen pixels at 100 %.
    dash : tuple of float
        Lengths on, off, on, off ... in screen pixels at 100 %; empty for a solid line.
    """

    label: str
    colour: str
    width_px: float
    dash: tuple[float, ...] = ()

    @property
    def qt_dash(self) -> list[float]:
        """Dash in units of the line's width, as ``QPen.setDashPattern`` wants it."""
        return [length / self.width_px for length in self.dash]

    @property
    def matplotlib_dash(self) -> tuple[float, tuple[float, ...]] | str:
        """Dash in units of the line's width, as matplotlib's ``linestyle`` wants it."""
        return (0.0, tuple(self.qt_dash)) if self.dash else "solid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one look of the window (dark or light); all ``#rrggbb``."""

    name: str
    window: str
    panel: str
    card: str
    selected: str
    border: str
    border_selected: str
    text: str
    text_muted: str
    accent: str
    button: str
    button_text: str
    canvas: str
    canvas_3d_top: str
    canvas_3d_bottom: str
    ok: str
    warn: str
    fail: str
    preview: str
    stale: str
    freeze: str
    thaw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStyle:
    """Probes on slices and in 3D."""

    colours: tuple[str, ...]
    shaft_px: float
    active_px: float
    selected: str
    halo: str
    shaft_3d: str
    active_3d: str
    grip_tip: str
    grip_entry: str
    grip_whole: str

    def colour(self, index: int) -> str:
        """Return the colour of the probe at place `index` (from 0) of the plan."""
        return self.colours[index % len(self.colours)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkStyle:
    """Letters, crosshair, scale bar and text chips on the images."""

    letters: str
    text: str
    crosshair: str
    crosshair_opacity: float
    scale_bar: str
    thermocouple: str
    chip: str
    chip_opacity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleStyle:
    """What everything of an out-of-date result is greyed to."""

    line: str
    shell: str
    text: str
    opacity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStyle:
    """What isotherms of a preview have of the width, opacity and shell of final ones."""

    width: float
    opacity: float
    shell: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginStyle:
    """Colours of the tumour surface by its margin to an isotherm."""

    below_0: str
    from_0_to_5: str
    pale: str
    light: str
    from_5_up: str
    left_out: str

    def colours(self, classes: int) -> tuple[str, ...]:
        """Return the colours of two to five classes, the worst first."""
        between = {
            2: (),
            3: (self.from_0_to_5,),
            4: (self.from_0_to_5, self.light),
            5: (self.from_0_to_5, self.pale, self.light),
        }[classes]
        return (self.below_0, *between, self.from_5_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """All looks.

    Attributes
    ----------
    dark, light : Palette
        The window.
    tumour, role_line : LineStyle
        Outline of the target; width and dash of all other outlines.
    isotherms : mapping of float to LineStyle
        By threshold in degC. Use `isotherm`, which also answers for thresholds of the user.
    shells : mapping of float to float
        Opacity of one wall of an isotherm's shell in 3D.
    surfaces : mapping of str to float
        Opacity of other surfaces in 3D.
    roles : mapping of str to str
        Colour by role.
    """

    dark: Palette
    light: Palette
    tumour: LineStyle
    role_line: LineStyle
    isotherms: Mapping[float, LineStyle]
    other_isotherm: LineStyle
    shells: Mapping[float, float]
    other_shell: float
    surfaces: Mapping[str, float]
    roles: Mapping[str, str]
    probes: ProbeStyle
    marks: MarkStyle
    stale: StaleStyle
    preview: PreviewStyle
    margin: MarginStyle

    def isotherm(self, threshold_degc: float, *, stale: bool = False, preview: bool = False) -> LineStyle:
        """Return the line of an isotherm; greyed, with its dash kept, when `stale`, thin in a `preview`."""
        line = self.isotherms.get(float(threshold_degc))
        if line is None:
            line = replace(self.other_isotherm, label=show_degc(threshold_degc))
        if preview:
            line = replace(line, width_px=line.width_px * self.preview.width)
        return replace(line, colour=self.stale.line) if stale else line

    def shell(
        self, threshold_degc: float, *, stale: bool = False, preview: bool = False
    ) -> tuple[str, float]:
        """Return colour and opacity of an isotherm's shell in 3D."""
        if stale:
            return self.stale.shell, self.surfaces["stale"]
        opacity = self.shells.get(float(threshold_degc), self.other_shell)
        if preview:
            opacity *= self.preview.shell
        return self.isotherm(threshold_degc).colour, opacity

    def outline(self, role: Role) -> LineStyle:
        """Return the outline of a structure on slices."""
        if role is Role.TUMOUR:
            return self.tumour
        return replace(self.role_line, label=role.value, colour=self.roles[role.value])

    def surface(self, role: Role) -> tuple[str, float]:
        """Return colour and opacity of a structure in 3D."""
        kind = {
            Role.TUMOUR: "tumour",
            Role.VESSEL: "vessel",
            Role.SKIN: "skin",
            Role.BODY: "skin",
            Role.BONE: "bone",
        }.get(role, "structure")
        return self.roles[role.value], self.surfaces[kind]


@cache
def theme() -> Theme:
    """Return the theme of this installation."""
    # theme.toml lies beside the probe folder, which is what resource_root looks for.
    return load_theme(resource("theme.toml"))


def load_theme(path: Path) -> Theme:
    """Read a theme file.

    Raises
    ------
    StoreError
        If the file cannot be read, or a table, colour or number in it is missing, unknown or wrong.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != 1:
            raise ValueError(f"schema {data['schema']} is not 1")
        return _theme(data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The theme {path.name} cannot be used: {error}.",
            "Put the delivered file back.",
            code="bad-resource",
            place=path.name,
        ) from error


def _theme(data: Mapping[str, Any]) -> Theme:
    known = {
        "schema", "lines", "isotherms", "shells", "surfaces", "roles", "role_line", "probes", "marks",
        "stale", "preview", "margin", "dark", "light",
    }  # fmt: skip
    if set(data) != known:
        raise ValueError(f"tables {sorted(set(data) ^ known)} are missing or unknown")
    roles = {str(k): _colour(v, f"roles.{k}") for k, v in data["roles"].items()}
    if set(roles) != {role.value for role in Role}:
        raise ValueError(f"roles {sorted(set(roles) ^ {r.value for r in Role})} are missing or unknown")
    isotherms = dict(data["isotherms"])
    shells = dict(data["shells"])
    return Theme(
        dark=Palette(name="dark", **_colours(data["dark"], "dark")),
        light=Palette(name="light", **_colours(data["light"], "light")),
        tumour=_line(data["lines"]["tumour"], "lines.tumour"),
        role_line=_line({"label": "", "colour": "#ffffff", **data["role_line"]}, "role_line"),
        other_isotherm=_line(isotherms.pop("other"), "isotherms.other"),
        isotherms=MappingProxyType({float(k): _line(v, f"isotherms.{k}") for k, v in isotherms.items()}),
        other_shell=_opacity(shells.pop("other"), "shells.other"),
        shells=MappingProxyType({float(k): _opacity(v, f"shells.{k}") for k, v in shells.items()}),
        surfaces=MappingProxyType({k: _opacity(v, f"surfaces.{k}") for k, v in data["surfaces"].items()}),
        roles=MappingProxyType(roles),
        probes=ProbeStyle(**_colours(data["probes"], "probes")),
        marks=MarkStyle(**_colours(data["marks"], "marks")),
        stale=StaleStyle(**_colours(data["stale"], "stale")),
        preview=PreviewStyle(**{k: _opacity(v, f"preview.{k}") for k, v in data["preview"].items()}),
        margin=MarginStyle(**_colours(data["margin"], "margin")),
    )


def _colours(table: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Check a table of colours, lists of colours and positive numbers."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, str):
            result[key] = _colour(value, f"{place}.{key}")
        elif isinstance(value, list) and value:
            result[key] = tuple(_colour(v, f"{place}.{key}") for v in value)
        else:
            result[key] = _positive(value, f"{place}.{key}")
    return result


def _line(table: Mapping[str, Any], place: str) -> LineStyle:
    if set(table) != {"label", "colour", "width_px", "dash"}:
        raise ValueError(f"{place} needs label, colour, width_px and dash")
    dash = tuple(_positive(length, f"{place}.dash") for length in table["dash"])
    if len(dash) % 2:
        raise ValueError(f"{place}.dash needs pairs of on and off")
    return LineStyle(
        label=str(table["label"]),
        colour=_colour(table["colour"], f"{place}.colour"),
        width_px=_positive(table["width_px"], f"{place}.width_px"),
        dash=dash,
    )


def _colour(value: object, place: str) -> str:
    if not isinstance(value, str) or not _HEX.match(value):
        raise ValueError(f"{place} is {value!r}, not a colour like #1f77b4")
    return value


def _positive(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1000.0:
        raise ValueError(f"{place} is {value!r}, not a positive number")
    return float(value)


def _opacity(value: object, place: str) -> float:
    number = _positive(value, place)
    if number > 1.0:
        raise ValueError(f"{place} is {number:g}, more than 1")
    return number
