"""Report: approve, print, save and open; what will be printed, and why not when it cannot."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton

from cryoplan import workflow
from cryoplan.app.approval import Approving
from cryoplan.app.jobs import Failure
from cryoplan.app.state import State
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.history import Status
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Finding
from cryoplan.gui.dialogs.approve import ask_approval
from cryoplan.gui.notes import Notes
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.paper import PaperSection
from cryoplan.gui.parts import DASH, OUT_OF_DATE, Heading, Text
from cryoplan.gui.rows import Findings, Rows
from cryoplan.gui.standing import STATUS_TONES, local_time, shown_status
from cryoplan.gui.words import say
from cryoplan.report.content import ReportContent, build_content

PDF_PARTS = (
    "First the decision (margins, coverage, organs, pictures), then the probes (places, paths, spacing), "
    "then the technique (protocol, temperatures by volume, tissues, sources)."
)


class ReportPanel(Panel):
    """Status and approval, the PDF and the files."""

    export_pdf_requested = Signal()
    sheet_requested = Signal()
    files_requested = Signal()
    save_case_requested = Signal()
    save_plan_requested = Signal()
    open_plan_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Report")
        self.add(Text("Report", bold=True, scale=1.08))
        self.export = QPushButton(say("Export PDF..."))
        self.export.setProperty("primary", True)
        self.export.setAccessibleName(say("Export PDF"))
        self.export.clicked.connect(self.export_pdf_requested)
        self.add(self.export)
        self.sheet = QPushButton(say("Room sheet..."))
        self.sheet.setAccessibleName(say("Print the sheet for the CT room"))
        self.sheet.clicked.connect(self.sheet_requested)
        self.files = QPushButton(say("Export files..."))
        self.files.setAccessibleName(say("Export files"))
        self.files.clicked.connect(self.files_requested)
        both = QHBoxLayout()
        both.addWidget(self.sheet)
        both.addWidget(self.files)
        self.add(both)
        self.why = Text("", "muted", wrap=True)
        self.add(self.why)
        self.paper = PaperSection(workspace)
        self.add(self.paper)
        self._add_status()
        self.add(Heading("Notes"))
        self.notes = Notes(workspace)
        self.add(self.notes)
        self.add(Heading("Files"))
        self.save_case = QPushButton(say("Save case..."))
        self.save_plan = QPushButton(say("Save plan..."))
        self.open_plan = QPushButton(say("Open plan..."))
        files = QGridLayout()
        for place, (button, signal, tip) in enumerate(
            (
                (
                    self.save_case,
                    self.save_case_requested,
                    "Scan, structures, plan and a current result in one file",
                ),
                (self.save_plan, self.save_plan_requested, "Probes and protocol as text"),
                (self.open_plan, self.open_plan_requested, "Put a saved plan in place; can be undone"),
            )
        ):
            button.setAccessibleName(say(button.text().rstrip(".")))
            button.setToolTip(say(tip))
            button.clicked.connect(signal)
            files.addWidget(button, place // 2, place % 2)
        self.add(files)
        self.add(Heading("What will be printed"))
        self.title = Text("", bold=True, wrap=True)
        self.add(self.title)
        self.subtitle = Text("", "muted", wrap=True)
        self.add(self.subtitle)
        self.cards = Rows(value_px=90, limit_px=0)
        self.add(self.cards)
        self.statements = Findings("")
        self.add(self.statements)
        self.parts = Text("", "muted", wrap=True)
        self.add(self.parts)

    def _add_status(self) -> None:
        self.approving = Approving(self.workspace, self)
        self.add(Heading("Status"))
        self.status = Text("", bold=True, wrap=True)
        self.add(self.status)
        self.approve = QPushButton(say("Approve plan..."))
        self.ready = QPushButton(say("Mark as ready"))
        self.treated = QPushButton(say("Mark as treated"))
        self.withdraw = QPushButton(say("Withdraw"))
        grid = QGridLayout()
        for place, (button, call) in enumerate(
            (
                (self.approve, self._approve),
                (self.ready, self._mark_ready),
                (self.treated, self._mark_treated),
                (self.withdraw, self._withdraw),
            )
        ):
            button.setAccessibleName(say(button.text().rstrip(".")))
            button.clicked.connect(call)
            grid.addWidget(button, place // 2, place % 2)
        self.withdraw.setAccessibleName(say("Withdraw approval"))
        self.add(grid)
        self.why_not_approved = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.why_not_approved)
        self.workspace.file_changed.connect(self._soon.ask)

    @Slot()
    def _approve(self) -> None:
        person = ask_approval(self.approving.words(), self.approving.person, self)
        if not person:
            return
        try:
            self.approving.approve(person)
        except CryoplanError as error:  # it became out of date while the dialog was open
            self.workspace.failed.emit(
                Failure(what=error.what, remedy=error.remedy, code=error.code, place=error.place)
            )

    @Slot()
    def _mark_ready(self) -> None:
        self.approving.mark(Status.READY if self._status != Status.READY else Status.DRAFT)

    @Slot()
    def _mark_treated(self) -> None:
        self.approving.mark(Status.TREATED)

    @Slot()
    def _withdraw(self) -> None:
        self.approving.mark(Status.DRAFT)

    @property
    def _status(self) -> str:
        kept = self.workspace.keeper.kept
        return shown_status(kept) if kept.path is not None else ""

    def _show_status(self) -> None:
        workspace, status = self.workspace, self._status
        kept = workspace.keeper.kept
        may = workspace.case is not None and bool(status)
        held = kept.history.approval if status in (Status.APPROVED, Status.TREATED) else None
        words = status.capitalize() or DASH
        if held is not None:
            treated = "Treated; approved" if status == Status.TREATED else "Approved"
            words = f"✓ {treated} by {held.entry.person}, {local_time(held.entry.at)}"
        self.status.say(words, STATUS_TONES.get(status, "muted"))
        refusal = self.approving.refusal
        self.approve.setEnabled(held is None and not refusal)
        why = refusal if held is None and workspace.case is not None else ""
        self.why_not_approved.say(why)
        self.why_not_approved.setVisible(bool(why))
        self.approve.setToolTip(say(refusal or "With a name and the time; any change withdraws it"))
        self.enable_edits(self.ready, when=may and held is None)
        self.ready.setText(say("Back to draft" if status == Status.READY else "Mark as ready"))
        self.ready.setAccessibleName(self.ready.text())
        self.ready.setToolTip(say("The plan is ready to be looked at and approved"))
        approved = may and held is not None
        self.enable_edits(self.treated, when=approved and status != Status.TREATED)
        self.treated.setToolTip(
            say(
                "The patient was treated by this plan"
                if held is not None
                else "Only an approved plan is treated"
            )
        )
        self.enable_edits(self.withdraw, when=approved)
        self.withdraw.setToolTip(say("The case is a draft again; the history keeps both"))

    def refresh(self) -> None:
        """Show what is possible."""
        workspace = self.workspace
        self._show_status()
        text, tone = self._reason()
        self.why.say(text, tone)
        for button, does in (
            (
                self.export,
                "Margins, coverage, organs and pictures; then the probes; then how it was computed",
            ),
            (self.sheet, "One page for the room: slice, skin mark, angles and depth of each probe"),
            (
                self.files,
                "DICOM SEG, RTSTRUCT and report; NIfTI, STL, 3D Slicer markups, CSV, the growing ice",
            ),
        ):
            button.setEnabled(workspace.can_export)
            button.setToolTip(say(does if workspace.can_export else text))
        self.save_case.setEnabled(workspace.case is not None)
        self.enable_edits(self.open_plan, when=workspace.case is not None)
        self.save_plan.setEnabled(bool(workspace.plan.probes))
        if not workspace.can_export:
            self._show_content(None)

    def _reason(self) -> tuple[str, str]:
        workspace = self.workspace
        if workspace.can_export:
            return "✓ The result is that of this plan.", "ok"
        if workspace.case is None:
            return "No case is open.", "muted"
        if not workspace.plan.probes:
            return "The plan has no probe.", "muted"
        if workspace.state is State.SOLVING:
            return "Solving; printing is possible when it is done.", "accent"
        if workspace.result is not None:
            return (
                f"! {OUT_OF_DATE}: the plan has changed since the solve. Solve again, then print or export.",
                "warn",
            )
        return "The plan has not been solved. Solve first, then print.", "muted"

    def refresh_slow(self) -> None:
        """Decide what the report says, without its pictures."""
        workspace = self.workspace
        case, result, assessment = workspace.case, workspace.result, workspace.assessment
        if not workspace.can_export or case is None or result is None or assessment is None:
            self._show_content(None)
            return
        self._show_content(
            build_content(
                case=case,
                plan=workspace.plan,
                catalogue=workspace.catalogue,
                tissues=workflow.tissues(),
                result=result,
                assessment=assessment,
                pictures=(),
                rules=workspace.rules,
            )
        )

    def _show_content(self, content: ReportContent | None) -> None:
        for part in (self.title, self.subtitle, self.cards, self.statements):
            part.setVisible(content is not None)
        if content is None:
            self.parts.say(PDF_PARTS)
            return
        self.title.say(content.title)
        self.subtitle.say(content.subtitle)
        for row, card in zip(self.cards.set_count(len(content.cards)), content.cards, strict=True):
            row.show_numbers(card.title, card.value, level=card.level, tip=card.verdict)
        self.statements.show_findings(
            Finding(level=s.level, code="printed", text=s.text) for s in content.statements
        )
        shown = (*content.decision_tables, *content.probe_tables, *content.technique_tables)
        tables = [t.title for t in shown]
        self.parts.say(f"Also: {'; '.join(tables)}; pictures of the views; sources.")
