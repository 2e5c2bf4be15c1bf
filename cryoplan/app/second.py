"""Second: the image shown over the first - asked for, agreed to, kept with the case, and read again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from cryoplan import workflow
from cryoplan.app.jobs import Asked, Failure
from cryoplan.case.case import Case
from cryoplan.case.second_image import SecondImage, image_name
from cryoplan.case.store_link import second_link
from cryoplan.image.scan import Scan

if TYPE_CHECKING:
    from cryoplan.app.workspace import Workspace

KEPT = 2
"""Second images whose voxels are kept, so that undo shows the one before at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """A second image that was read and may be shown once somebody agrees to what differs.

    Attributes
    ----------
    case : Case
        For which it was read.
    partner : Partner
        The image, and what differs.
    """

    case: Case
    partner: workflow.Partner

    @property
    def name(self) -> str:
        """What the views would call it."""
        facts = self.partner.scan.facts
        return image_name(facts.modality, facts.description)


class SecondShown(QObject):
    """What the case says about a second image, with its voxels as far as they are in memory.

    Signals
    -------
    changed
        There is another one, none, or its voxels have come.
    asked : Offer
        It differs from the first image in something; whoever agrees calls `agree`.
    """

    changed = Signal()
    asked = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._scans: OrderedDict[str, Scan] = OrderedDict()
        self._reading: Asked | None = None
        self._trouble: tuple[SecondImage, Failure] | None = None
        workspace.case_changed.connect(self.follow)

    # What there is ----------------------------------------------------------------------------------

    @property
    def link(self) -> SecondImage | None:
        """What the case says; None when it has no second image."""
        case = self._workspace.case
        return None if case is None else case.second

    @property
    def scan(self) -> Scan | None:
        """Its voxels; None while they are not there."""
        link = self.link
        return None if link is None else self._scans.get(link.sha256)

    @property
    def trouble(self) -> Failure | None:
        """Why the second image of the case is not shown; None when it is, or while it is being read."""
        link = self.link
        known = self._trouble
        return known[1] if known is not None and link is not None and known[0] == link else None

    # What can be done -------------------------------------------------------------------------------

    def add(self, path: Path, series_uid: str | None = None, accept: tuple[str, ...] = ()) -> None:
        """Read another image in the background and show it over the first one; one there was is replaced."""
        case = self._workspace.case
        if case is None:
            self._workspace.need_case()
            return
        self._workspace.errands.ask(
            "second", case=case, facts=case.scan.facts, path=path, series_uid=series_uid, accept=accept
        )

    def agree(self, offer: Offer) -> None:
        """Show an image although it differs from the first one; who agreed to what stays in the history."""
        case = self._workspace.case
        if case is None or case.scan is not offer.case.scan:
            self._workspace.message.emit(
                "The second image was not added, because the case changed meanwhile. Please repeat it."
            )
            return
        partner = offer.partner
        agreed = tuple(f.text for f in partner.differences)
        second = second_link(
            partner.scan, self._workspace.keeper.kept.path, accept=partner.accept, agreed=agreed
        )
        text = f"Second image added: {second.name}"
        if agreed:
            text += f", agreed to although: {' '.join(agreed)}"
        self._keep(partner.scan, second.sha256)
        if second != case.second:
            self._workspace.edit_second(text, second)
        else:
            self.changed.emit()

    def remove(self) -> None:
        """Show the first image alone, as one step that undo takes back."""
        link = self.link
        if link is not None:
            self._workspace.edit_second(f"Second image removed: {link.name}", None)

    def try_again(self) -> None:
        """Look once more for an image that was not where it should be."""
        self._trouble = None
        self.follow()

    # What comes back --------------------------------------------------------------------------------

    def take(self, asked: Asked, value: object) -> None:
        """Take what the background process has read."""
        case = self._workspace.case
        if asked.kind == "second":
            assert isinstance(value, workflow.Partner)
            offer = Offer(case=asked.arguments["case"], partner=value)
            if value.differences and case is not None and case.scan is offer.case.scan:
                self.asked.emit(offer)
            else:
                self.agree(offer)
            return
        assert isinstance(value, Scan)
        self._reading = None
        self._keep(value, asked.arguments["second"].sha256)
        self.follow()

    def give_up(self, asked: Asked, failure: Failure) -> None:
        """Say why the second image of the case cannot be shown."""
        self._reading = None
        self._trouble = (asked.arguments["second"], failure)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show the second image of the case as it stands, and read it where it is not in memory."""
        link = self.link
        if link is None:
            if self._workspace.case is None:
                self._scans.clear()
        elif self.scan is not None:
            self._scans.move_to_end(link.sha256)
        elif self.trouble is None and self._reading is None:
            path = self._workspace.keeper.kept.path
            self._reading = self._workspace.errands.ask("second-again", second=link, case_file=path)
        self.changed.emit()

    def _keep(self, scan: Scan, sha256: str) -> None:
        self._scans[sha256] = scan
        self._scans.move_to_end(sha256)
        while len(self._scans) > KEPT:
            self._scans.popitem(last=False)


CANCELLED = Failure(
    what="The second image is not shown: reading it was cancelled.",
    remedy="Read it again, or remove it.",
    code="second-image-cancelled",
)
