"""Images: which scan this is, what the import noticed, and how to open another."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.fitness import Fitness
from cryoplan.gui.panels.looks import Looks
from cryoplan.gui.panels.second import Second
from cryoplan.gui.parts import DASH, Heading, Text
from cryoplan.gui.rows import Findings
from cryoplan.gui.words import say
from cryoplan.image.scan import Scan
from cryoplan.report.wording import plain, position
from cryoplan.scene.plane import axes_in_words


class ImagesPanel(Panel):
    """Facts of the scan; nothing that names the patient."""

    open_folder_requested = Signal()
    open_file_requested = Signal()
    demo_requested = Signal()
    add_second_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Images")
        self.add(Text("Images", bold=True, scale=1.08))
        buttons = QVBoxLayout()
        row = QHBoxLayout()
        self.open_folder = _button("Open folder...", "Open a folder or a disc with DICOM images (Ctrl+O)")
        self.open_file = _button(
            "Open file...",
            "Open a NIfTI, NRRD or MetaImage file, a zip, or the DICOMDIR of a disc (Ctrl+Shift+O)",
        )
        self.demo = _button("Open demonstration case", "A made-up patient to try everything on")
        row.addWidget(self.open_folder)
        row.addWidget(self.open_file)
        buttons.addLayout(row)
        buttons.addWidget(self.demo)
        self.add(buttons)
        self.open_folder.clicked.connect(self.open_folder_requested)
        self.open_file.clicked.connect(self.open_file_requested)
        self.demo.clicked.connect(self.demo_requested)
        # Up here, where a low window shows it without scrolling.
        self._second_heading = Heading("Second image")
        self.add(self._second_heading)
        self.second = Second(workspace, view)
        self.second.add_requested.connect(self.add_second_requested)
        self.add(self.second)
        self.add(Heading("Scan"))
        self._none = Text(
            "No scan is open. Open a folder or a file, or drop a folder, a file or a zip on the window.",
            "muted",
            wrap=True,
        )
        self.add(self._none)
        self._form_holder = QWidget()
        self._form = QFormLayout(self._form_holder)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(10)
        self._form.setVerticalSpacing(3)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.facts: dict[str, Text] = {}
        for name in FACTS:
            value = Text("", wrap=True)
            value.setAccessibleName(say(name))
            value.setTextInteractionFlags(value.textInteractionFlags())
            self._form.addRow(Text(name, "muted"), value)
            self.facts[name] = value
        self.add(self._form_holder)
        self._fit_heading = Heading("Fit for planning")
        self.add(self._fit_heading)
        self.fitness = Fitness()
        self.add(self.fitness)
        self._looks_heading = Heading("How the views show it")
        self.add(self._looks_heading)
        self.looks = Looks(workspace, view)
        self.add(self.looks)
        self._heading = Heading("What the import noticed")
        self.add(self._heading)
        self.findings = Findings("✓ Nothing unusual.")
        self.add(self.findings)

    def refresh(self) -> None:
        """Show the scan."""
        case = self.workspace.case
        seen = (
            self._form_holder, self._fit_heading, self.fitness, self._looks_heading, self.looks,
            self._second_heading, self.second, self._heading, self.findings,
        )  # fmt: skip
        for part in seen:
            part.setVisible(case is not None)
        self._none.setVisible(case is None)
        self.looks.refresh()
        self.second.refresh()
        self.fitness.show_case(case)
        if case is None:
            return
        for name, value in scan_facts(case.scan, case.code).items():
            self.facts[name].say(value or DASH)
        self.findings.show_findings(dict.fromkeys((*case.scan.facts.findings, *case.findings)))

    def layers_changed(self) -> None:
        """Follow windows, opacity and slab."""
        self.looks.refresh()
        self.second.refresh()


FACTS = (
    "Code", "Series", "Modality", "Voxels", "Pixel", "Slices", "Thickness", "Axes", "Position",
    "Gantry tilt", "Date",
)  # fmt: skip


def scan_facts(scan: Scan, code: str) -> dict[str, str]:
    """Return what is known about a scan by name; empty where the header says nothing."""
    facts, grid = scan.facts, scan.volume.grid
    i, j, k = grid.spacing_mm
    thickness, tilt = facts.slice_thickness_mm, facts.gantry_tilt_deg
    values = (
        code,
        facts.description,
        facts.modality or "unknown",
        " × ".join(str(n) for n in grid.size),
        f"{i:.2f} × {j:.2f} mm",
        f"{k:.2f} mm apart",
        "not in the header" if thickness is None else f"{thickness:g} mm",
        f"towards {axes_in_words(grid.axes)}",
        position(facts.patient_position),
        "not in the header" if tilt is None else f"{plain(tilt)}°",
        facts.acquired_on or "unknown",
    )
    return dict(zip(FACTS, values, strict=True))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(say(text))
    button.setAccessibleName(say(text.rstrip(".")))
    button.setToolTip(say(tip))
    return button
