"""Panels: one for each step of the rail, in its order."""

from cryoplan.gui.panels.freeze import FreezePanel
from cryoplan.gui.panels.images import ImagesPanel
from cryoplan.gui.panels.probes import ProbesPanel
from cryoplan.gui.panels.report import ReportPanel
from cryoplan.gui.panels.review import ReviewPanel
from cryoplan.gui.panels.structures import StructuresPanel

__all__ = ["FreezePanel", "ImagesPanel", "ProbesPanel", "ReportPanel", "ReviewPanel", "StructuresPanel"]
