"""DrawnStructure: the structure that is drawn, by which tool, and each stroke as a step of the history."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from enum import Enum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from cryoplan.app.jobs import Failure
from cryoplan.app.live_mask import Change, LiveMask
from cryoplan.app.newest import Newest, Then, Work
from cryoplan.app.outline_commits import Commit, Commits
from cryoplan.app.outline_tools import Subject, Tool, ToolSettings, unit_of
from cryoplan.app.workspace import Workspace
from cryoplan.case.build import clean_name
from cryoplan.case.outlined import free_name, with_structure
from cryoplan.case.roles import tissue_of_role
from cryoplan.case.structure import Role, Structure
from cryoplan.core.box import VoxelBox
from cryoplan.core.errors import CryoplanError, StructureError
from cryoplan.core.geometry import Point
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.outlining import forming
from cryoplan.image.outlining.strokes import Patch, brush, lasso
from cryoplan.image.resample import mask_to_grid

DRAWN = "drawn in this case"
CORRECTED = "corrected by hand"
ONE_MOMENT = "One moment: the last tool is still at work (Esc stops it)"


class Working(Enum):
    """What is worked out beside the window."""

    PREVIEW = "preview"
    FORM = "form"
    RESAMPLE = "resample"


class DrawnStructure(QObject):
    """Subject, tool, live mask and strokes; `Outlining` adds what is worked out.

    Signals
    -------
    changed
        Structure, tool, settings, preview or what is under way is different.
    drawn : VoxelBox or None
        Voxels of the live mask, the marks or the preview in this box are different; None: anywhere.
    """

    changed = Signal()
    drawn = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._subject: Subject | None = None
        self._tool: Tool | None = None
        self._settings = ToolSettings()
        self._image: Volume | None = None
        self._base: Volume | None = None
        self._stroke: list[Change] | None = None
        self._last_mm: Point | None = None
        self._erases = False
        self._normal: npt.NDArray[np.float64] | None = None
        self._note = ""
        self._empty = Grid(size=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0))
        self.live = LiveMask(self._empty)
        self.marks = {Tool.INSIDE: LiveMask(self._empty), Tool.OUTSIDE: LiveMask(self._empty)}
        self._work: Working | None = None
        self._commits = Commits(self)
        self._commits.ready.connect(self._take_ready)
        self._newest = Newest("outlining", self)
        self._newest.failed.connect(self._fail)
        self._newest.changed.connect(self.changed)
        workspace.finish_strokes = self.finish
        workspace.case_changed.connect(self._case_changed)

    # What there is ----------------------------------------------------------------------------------

    @property
    def subject(self) -> Subject | None:
        """What is outlined; None while nothing is."""
        return self._subject

    @property
    def tool(self) -> Tool | None:
        """The tool in hand; None when the left button moves the crosshair as ever."""
        return self._tool if self._subject is not None else None

    @property
    def settings(self) -> ToolSettings:
        """How the tools are set."""
        return self._settings

    @settings.setter
    def settings(self, value: ToolSettings) -> None:
        if value == self._settings:
            return
        old, self._settings = self._settings, value
        self.changed.emit()
        self._follow(old)

    @property
    def is_drawing(self) -> bool:
        """True while the button is down."""
        return self._stroke is not None

    @property
    def is_busy(self) -> bool:
        """True while something is worked out."""
        return self._newest.is_busy

    @property
    def busy_text(self) -> str:
        """What is worked out, empty when nothing is."""
        return self._newest.text if self._newest.is_busy else ""

    @property
    def unit(self) -> str:
        """Unit of the voxels, with its space."""
        case = self._workspace.case
        return "" if case is None else unit_of(case.scan)

    @abstractmethod
    def discard(self) -> None:
        """Give up what is shown but not yet drawn."""

    @abstractmethod
    def _follow(self, old: ToolSettings) -> None:
        """Find again what depends on settings that are others now."""

    def _ask(self, kind: Working, work: Work, then: Then, text: str) -> None:
        self._work = kind
        self._newest.ask(work, then, text)

    # Beginning and end ------------------------------------------------------------------------------

    def begin(self, name: str) -> bool:
        """Outline an existing structure; tell whether it may be.

        A mask on another grid than the scan's is resampled to it first, beside the window.
        """
        case = self._workspace.case
        if case is None or not self._workspace.may_edit():
            return False
        if self._subject is not None and self._subject.name == name:
            return True
        structure = case.structure(name)
        self.stop()
        source = structure.source
        if CORRECTED not in source and DRAWN not in source:
            source = f"{source}, {CORRECTED}"
        self._begin(
            Subject(
                name=name,
                role=structure.role,
                tissue=structure.tissue,
                source=source,
                role_is_guess=structure.role_is_guess,
            )
        )
        return True

    def begin_new(self, name: str = "", role: Role = Role.TUMOUR) -> bool:
        """Outline something new; it becomes a structure with its first stroke. Tell whether it may be.

        Raises
        ------
        StructureError
            If there is a structure of that name.
        """
        case = self._workspace.case
        if case is None or not self._workspace.may_edit():
            return False
        name = clean_name(name) or free_name(case, role.value)
        if name.casefold() in {s.name.casefold() for s in case.structures}:
            raise StructureError(
                f"There is a structure called {name} already.",
                "Choose it in the list, or give another name.",
                code="structure-name-twice",
                place=name,
            )
        self.stop()
        self._begin(Subject(name=name, role=role, tissue=tissue_of_role()[role], source=DRAWN))
        return True

    def _begin(self, subject: Subject) -> None:
        self._subject = subject
        self._load()
        self.changed.emit()
        self.drawn.emit(None)

    def stop(self) -> None:
        """Outline nothing any more; what was drawn stays."""
        if self._subject is None:
            return
        self.finish()
        self._newest.cancel()
        self.discard()
        self._subject, self._tool = None, None
        for mask in (self.live, *self.marks.values()):
            mask.load(None)
        self._base = None
        self.changed.emit()
        self.drawn.emit(None)

    def take(self, tool: Tool | None) -> None:
        """Take a tool in hand; None puts it down. A preview of another tool is given up."""
        if tool is not self._tool:
            self.cancel_stroke()
            self.discard()
            self._tool = tool
            self.changed.emit()

    # Strokes ----------------------------------------------------------------------------------------

    def press(self, point_mm: Point, normal: npt.ArrayLike, *, turn: bool = False) -> bool:
        """Begin a stroke of a round tool; tell whether it began.

        Parameters
        ----------
        normal : array_like (3,)
            Across the slice that is drawn on.
        turn : bool
            The brush erases and the eraser paints.
        """
        tool = self.tool
        if tool is None or not tool.is_round or not self._may_draw():
            return False
        self._erases = (tool is Tool.ERASER) is not turn
        self._normal = None if self._settings.is_ball else np.asarray(normal, float)
        self._stroke, self._last_mm = [], None
        self.move(point_mm)
        return True

    def move(self, point_mm: Point) -> None:
        """Go on with the stroke."""
        if self._stroke is None:
            return
        path = [point_mm] if self._last_mm is None else [self._last_mm, point_mm]
        self._last_mm = point_mm
        self._dab(brush(self._canvas.grid, path, self._settings.radius_mm, normal=self._normal))

    def release(self) -> None:
        """End the stroke: it becomes a step of the history, unless it changed nothing."""
        stroke, self._stroke = self._stroke, None
        if stroke and self._canvas is self.live:
            self._keep(stroke, "eraser" if self._erases else "brush")
        self.changed.emit()

    def cancel_stroke(self) -> None:
        """Give the stroke up: everything is as it was before."""
        stroke, self._stroke = self._stroke, None
        for change in reversed(stroke or []):
            self._canvas.turn(change)
            self.drawn.emit(change.box)
        if stroke is not None:
            self.changed.emit()

    def lasso(self, outline_mm: npt.ArrayLike, normal: npt.ArrayLike, *, turn: bool = False) -> None:
        """Add what a closed line surrounds in a slice; with `turn`, take it away."""
        if self._subject is None or not self._may_draw():
            return
        patch = lasso(self.live.grid, outline_mm, normal)
        self._put(patch, "lasso taken away" if turn else "lasso", erase=turn, limited=True)

    def ellipsoid(self, centre_mm: Point, diameters_mm: tuple[float, float, float]) -> None:
        """Add an ellipsoid along the patient axes, from three measured diameters."""
        if self._subject is None or not self._may_draw():
            return
        size = " x ".join(f"{d:g}" for d in diameters_mm)
        self._put(forming.ellipsoid(self.live.grid, centre_mm, diameters_mm), f"ellipsoid {size} mm")

    def _put(self, patch: Patch | None, text: str, *, erase: bool = False, limited: bool = False) -> None:
        """Draw a patch on the structure itself as one step, whatever tool is in hand."""
        if patch is None:
            self._workspace.message.emit("There is no voxel of the scan in it.")
            return
        allowed = self._allowed(patch.box) if limited else None
        change = self.live.paint(patch, erase=erase, allowed=allowed)
        if change is None:
            self._workspace.message.emit("That changes nothing.")
            return
        self.drawn.emit(change.box)
        self._keep([change], text)

    @property
    def _canvas(self) -> LiveMask:
        return self.live if self._tool is None else self.marks.get(self._tool, self.live)

    def _may_draw(self) -> bool:
        if self._newest.is_busy and self._work is not Working.PREVIEW:
            self._workspace.message.emit(ONE_MOMENT)
            return False
        return self._workspace.may_edit()

    def _dab(self, patch: Patch | None) -> None:
        if patch is not None and self._stroke is not None:
            allowed = self._allowed(patch.box) if self._canvas is self.live else None
            change = self._canvas.paint(patch, erase=self._erases, allowed=allowed)
            if change is not None:
                self._stroke.append(change)
                self.drawn.emit(change.box)

    def _allowed(self, box: VoxelBox) -> npt.NDArray[np.bool_] | None:
        """Return which voxels of a box are within the limits; None without limits."""
        low, high, image = self._settings.low, self._settings.high, self._image
        if image is None or (low is None and high is None):
            return None
        values = image.values[box.place]
        allowed = np.ones(box.shape, bool)
        if low is not None:
            allowed &= values >= low
        if high is not None:
            allowed &= values <= high
        return allowed

    def _keep(self, stroke: list[Change], text: str) -> None:
        """Make a step of what was drawn on the live mask."""
        box = stroke[0].box
        for change in stroke[1:]:
            box = box.with_box(change.box)
        self._commits.stroke(self.live.grid, box, self.live.values[box.place].copy(), self._sentence(text))

    def _sentence(self, text: str) -> str:
        assert self._subject is not None
        note, self._note = self._note, ""
        return f"{self._subject.name}: {note}{text}"

    # Steps of the history ---------------------------------------------------------------------------

    def finish(self) -> None:
        """Make steps of all that was drawn, now; a stroke that is being drawn is given up."""
        self.cancel_stroke()
        if self._work is Working.FORM:
            self._newest.cancel()
        while (commit := self._commits.take(wait=True)) is not None:
            self._commit(commit)

    @Slot()
    def _take_ready(self) -> None:
        while (commit := self._commits.take()) is not None:
            self._commit(commit)

    def _commit(self, commit: Commit) -> None:
        subject, case = self._subject, self._workspace.case
        error = commit.mask.exception()
        if subject is None or case is None:
            return
        if error is not None:
            self._fail(error)
            self._load()
            return
        mask = commit.mask.result()
        if mask is None:
            self._refuse_nothing(subject)
            return
        structure = Structure(
            name=subject.name,
            role=subject.role,
            tissue=subject.tissue,
            mask=mask,
            source=subject.source,
            role_is_guess=subject.role_is_guess,
        )
        before, self._base = self._base, mask
        if not self._workspace.take_case(commit.text, with_structure(case, structure)):
            self._base = before
            self._load()

    def _refuse_nothing(self, subject: Subject) -> None:
        # Strokes that were drawn after it go with it: they were drawn on nothing.
        self._load()
        self._workspace.message.emit(f"Put back: nothing of {subject.name} would be left.")

    def _load(self) -> None:
        """Bring the live mask to what the case has."""
        case, subject = self._workspace.case, self._subject
        if case is None or subject is None:
            return
        grid = case.scan.volume.grid
        self._image = case.scan.volume
        if self.live.grid is not grid:
            self.live = LiveMask(grid)
            self.marks = {tool: LiveMask(grid) for tool in self.marks}
        mask = next((s.mask for s in case.structures if s.name == subject.name), None)
        self._note = ""
        self._base = mask
        if mask is not None and mask.grid != grid:
            self._resample(mask, grid)
            return
        self.live.load(mask)
        self._commits.start(mask)
        self.drawn.emit(None)

    def _resample(self, mask: Volume, grid: Grid) -> None:
        assert self._subject is not None
        name = self._subject.name
        self.live.load(None)
        self._commits.start(None)

        def then(value: object) -> None:
            assert isinstance(value, Volume)
            self._note = "resampled to the scan's grid, "
            self.live.load(value)
            self._commits.start(value)
            self._base = value
            self._workspace.message.emit(
                f"{name} was outlined on another grid: it is resampled to the scan's with the first change."
            )
            self.drawn.emit(None)

        self._ask(
            Working.RESAMPLE,
            lambda _progress: mask_to_grid(mask, grid),
            then,
            "Resampling to the scan's grid",
        )

    @Slot()
    def _case_changed(self) -> None:
        case, subject = self._workspace.case, self._subject
        if subject is None:
            return
        if case is None or case.scan.volume is not self._image:
            self._subject, self._tool, self._stroke, self._image = None, None, None, None
            self._newest.cancel()
            self._commits.start(None)
            self._base = None
            self.discard()
            self.live = LiveMask(self._empty)
            self.marks = {tool: LiveMask(self._empty) for tool in self.marks}
            self.changed.emit()
            self.drawn.emit(None)
            return
        there = next((s for s in case.structures if s.name == subject.name), None)
        mask = None if there is None else there.mask
        if there is not None:
            # Another role may have been given, or taken back, meanwhile: a stroke must not bring the old one.
            self._subject = replace(
                subject, role=there.role, tissue=there.tissue, role_is_guess=there.role_is_guess
            )
        if mask is not self._base and not (self._note and mask is not None):
            self._load()
        self.changed.emit()

    @Slot(object)
    def _fail(self, error: BaseException) -> None:
        self.discard()
        if not isinstance(error, CryoplanError):
            raise error
        self._workspace.failed.emit(
            Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
        )
