"""Known roles: what the user has said that a name means, kept so that the same name is not asked again.

The names come from files of outlines and are kept in the user's own settings, which nobody else may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryoplan.app.settings import Settings
from cryoplan.case.asked_roles import unsure, with_roles
from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.errors import StructureError

PART = "roles"
MOST = 1000
"""Names that are kept; beyond that the oldest are asked anew."""


@dataclass
class Answers:
    """The part of the settings: role by name, the oldest first."""

    by_name: dict[str, str] = field(default_factory=dict)


class KnownRoles:
    """Answers of the user, by name in any case and spacing.

    Parameters
    ----------
    settings : Settings, optional
        Where they are kept; the user's own when left out.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()

    def role_of(self, name: str) -> Role | None:
        """Return what the user said that a name means, None where he was not asked."""
        return self._known().get(_key(name))

    def remember(self, roles: Mapping[str, Role]) -> bool:
        """Keep answers; False where the settings cannot be written."""
        kept = {name: role.value for name, role in self._known().items()}
        for name, role in roles.items():
            kept.pop(_key(name), None)
            kept[_key(name)] = role.value
        newest = list(kept.items())[-MOST:]
        return self._settings.write(PART, Answers(by_name=dict(newest)))

    def apply(self, case: Case) -> Case:
        """Return a case whose unsure structures have the roles that the user gave to their names before."""
        known = self._known()
        answers = {s.name: known[_key(s.name)] for s in unsure(case) if _key(s.name) in known}
        try:
            return with_roles(case, answers, remembered=True)
        except StructureError:
            return case  # two of them said to be the body: they are asked about

    def _known(self) -> dict[str, Role]:
        said = self._settings.read(PART, Answers).by_name
        # A newer version may know roles that this one does not.
        return {name: Role(role) for name, role in said.items() if role in set(Role)}


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
