"""About: version, what it is for and not for, and whose work it stands on."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE, __version__
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say

LICENCES = (
    ("Qt for Python (PySide6)", "LGPL-3.0"),
    ("VTK, PyVista, pyvistaqt", "BSD-3-Clause, MIT, MIT"),
    ("SimpleITK", "Apache-2.0"),
    ("pydicom, highdicom", "MIT"),
    ("NumPy, SciPy, Numba", "BSD"),
    ("Matplotlib, contourpy", "Matplotlib licence, BSD-3-Clause"),
    ("ReportLab", "BSD"),
    ("msgspec, platformdirs", "BSD-3-Clause, MIT"),
    ("DejaVu fonts", "Bitstream Vera licence"),
)


class AboutDialog(QDialog):
    """Version and licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("About cryoplan"))
        self.setMinimumWidth(440)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.addWidget(Text(f"cryoplan {__version__}", bold=True, scale=1.4))
        column.addWidget(Text("A planning desk for percutaneous cryoablation.", wrap=True))
        column.addWidget(Text(f"{RESEARCH_USE}.", "warn", bold=True, wrap=True))
        column.addWidget(
            Text(
                "Temperatures rest on tissue and probe numbers, some of them assumed; each says its source. "
                "Nothing leaves this computer.",
                "muted",
                wrap=True,
            )
        )
        column.addWidget(Text("BSD-3-Clause. It stands on:", wrap=True))
        for name, licence in LICENCES:
            column.addWidget(Text(f"{name}: {licence}", "muted", wrap=True, scale=0.93))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
