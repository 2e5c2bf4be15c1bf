"""Conditions: sourced numbers of what touches the tissue besides the probes - skin, vessels, flooded lung."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryoplan.core.digest import digest
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced

_BLOOD = {
    "conductivity": "W/(m K)",
    "viscosity": "m2/s",
    "prandtl": "1",
    "laminar_nusselt": "1",
    "turbulent_from": "1",
    "laminar_to": "1",
    "smallest": "mm",
    "held_above": "mm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SkinContact:
    """What lies on the skin: heat transfer coefficient, W/(m2 K), and temperature, degC."""

    title: str
    coefficient: Sourced
    temperature: Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class VesselKind:
    """A kind of vessel, told by words in its name, and the mean speed of its blood, m/s."""

    title: str
    words: tuple[str, ...]
    speed: Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class Blood:
    """Blood as a coolant of vessel walls; the keys are those of ``resources/surroundings``.

    Attributes
    ----------
    conductivity, viscosity, prandtl : Sourced
        W/(m K); kinematic, m2/s; dimensionless.
    laminar_nusselt, laminar_to, turbulent_from : Sourced
        Nusselt number of developed laminar flow, and the Reynolds numbers where it ends and where the
        correlation for turbulent flow begins.
    smallest : Sourced
        mm; narrower vessels are part of the perfusion.
    held_above : Sourced
        mm; wider lumen with flow is held at the temperature of the blood.
    """

    conductivity: Sourced
    viscosity: Sourced
    prandtl: Sourced
    laminar_nusselt: Sourced
    laminar_to: Sourced
    turbulent_from: Sourced
    smallest: Sourced
    held_above: Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All of it."""

    skin: tuple[tuple[str, SkinContact], ...]
    blood: Blood
    vessels: tuple[VesselKind, ...]
    flooded_rim: Sourced

    def contact(self, name: str) -> SkinContact | None:
        """Return what lies on the skin under that setting, None for *insulated*."""
        return dict(self.skin).get(name)

    def vessel_kind(self, name: str) -> VesselKind:
        """Return the kind of a vessel from its name; the last kind of the table fits all."""
        text = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
        return next(kind for kind in self.vessels if any(word in text for word in kind.words))

    def digest(self) -> str:
        """Return the SHA-256 of every number and source."""
        return digest(self)


def read_conditions(path: Path) -> Conditions:
    """Read a table of conditions.

    Raises
    ------
    StoreError
        If the file cannot be read, or an entry misses a number, a unit or a source.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        skin = tuple(
            (
                name,
                SkinContact(
                    title=str(entry["title"]),
                    coefficient=_number(entry["coefficient"], "W/(m2 K)", f"skin.{name}.coefficient"),
                    temperature=_number(entry["temperature"], "degC", f"skin.{name}.temperature"),
                ),
            )
            for name, entry in table["skin"].items()
        )
        blood = Blood(
            **{key: _number(table["blood"][key], unit, f"blood.{key}") for key, unit in _BLOOD.items()}
        )
        vessels = tuple(
            VesselKind(
                title=str(entry["title"]),
                words=tuple(entry["words"]),
                speed=_number(entry["speed"], "m/s", f"vessels.{entry['title']}.speed"),
            )
            for entry in table["vessels"]
        )
        if "" not in vessels[-1].words:
            raise ValueError("the last kind of vessel must fit every name")
        rim = _number(table["lung"]["flooded_rim"], "mm", "lung.flooded_rim")
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise StoreError(
            f"The table of surroundings {path.name} cannot be read ({error}).",
            "Restore the file.",
            code="bad-resource",
            place=path.name,
        ) from error
    return Conditions(skin=skin, blood=blood, vessels=vessels, flooded_rim=rim)


def _number(entry: object, unit: str, place: str) -> Sourced:
    if not isinstance(entry, Mapping):
        raise TypeError(f"{place} has no unit and source")
    number = Sourced.from_toml(entry, place=place)
    if number.unit != unit or not 0.0 <= number.value <= 1e6:
        raise ValueError(f"{place} is {number.value:g} {number.unit}; a number in {unit} is needed")
    return number


@lru_cache(maxsize=1)
def load_conditions() -> Conditions:
    """Return the table that comes with the program, ``resources/surroundings/default.toml``."""
    return read_conditions(resource("surroundings", "default.toml"))
