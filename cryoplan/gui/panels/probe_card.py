"""Probe card: one line a probe, and for the chosen one how it lies and the worst that the rules say."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from cryoplan.core.finding import Finding, Level, worst
from cryoplan.gui.parts import SIGNS, STALE, Name, Press, Swatch, Text
from cryoplan.gui.words import say
from cryoplan.plan.placement import Angles
from cryoplan.plan.probe import Probe
from cryoplan.report.wording import SINGLE_SLICE_DEG
from cryoplan.scene.style import theme


class ProbeCard(Press):
    """One probe in words; the chosen one in more of them."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self._number = Text("", bold=True)
        self._model = Name("")
        self._depth = Text("", "muted", scale=0.93)
        self._verdict = Text("", bold=True)
        self._lies = Text("", wrap=True, scale=0.9)
        self._worst = Text("", wrap=True, scale=0.9)
        head = QHBoxLayout()
        head.setSpacing(6)
        self._swatch = Swatch(theme().probes.colour(0))
        head.addWidget(self._swatch)
        head.addWidget(self._number)
        head.addWidget(self._model, 1)
        head.addWidget(self._depth)
        head.addWidget(self._verdict)
        column = QVBoxLayout()
        column.setContentsMargins(9, 4, 9, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._lies)
        column.addWidget(self._worst)
        self._worst.hide()
        self.add(column)

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Number, verdict, how it lies, the worst finding."""
        parts = (self._number, self._verdict, self._lies, self._worst)
        return tuple(part.text() for part in parts)

    @property
    def verdict_tone(self) -> str:
        """Tone of the verdict; ``stale`` while it is that of an earlier place."""
        return self._verdict.tone

    def show_probe(self, probe: Probe, colour: int, model: str, lie: Angles, *, chosen: bool) -> None:
        """Show name, model, depth and angles."""
        self.name = probe.name
        self._swatch.show_colour(theme().probes.colour(colour))
        self._number.say(probe.name)
        self._model.say(model)
        self._depth.say(f"{probe.depth_mm:.0f} mm{' locked' if probe.locked else ''}")
        power = "" if probe.intensity == 1.0 else f" · {100 * probe.intensity:.0f} % power"
        port = f" · port {probe.channel}" if probe.channel else ""
        order = f" · goes in as no. {probe.order}" if probe.order is not None else ""
        self._lies.say(f"{lie_words(lie)}{power}{port}{order}", "muted")
        self._lies.setVisible(chosen)
        self.set_selected(chosen)
        self._worst.setVisible(chosen and bool(self._worst.text()))
        self._name()

    def show_findings(self, findings: list[Finding]) -> None:
        """Show the worst that the rules say."""
        level = worst(findings)
        bad = [f for f in findings if f.level is not Level.OK]
        more = f" (+{len(bad) - 1})" if len(bad) > 1 else ""
        self._verdict.say(SIGNS[level], level.value)
        self._worst.say(f"{bad[0].text}{more}" if bad else "", level.value)
        self._worst.setVisible(self.is_selected and bool(bad))
        self.setToolTip(say("\n".join(f.text for f in bad)))
        self._name()

    def set_old(self, old: bool) -> None:
        """Grey what belongs to an earlier place of the probe."""
        if old:
            for part in (self._verdict, self._worst):
                part.say(part.text(), STALE)

    def _name(self) -> None:
        told = (f"Probe {self.name}", self._model.text(), self._depth.text(), self._lies.text())
        self.setAccessibleName(say(", ".join(filter(None, (*told, self._worst.text())))))


def lie_words(lie: Angles) -> str:
    """Return the angles of a probe in few words."""
    towards = f" to the {lie.in_plane_toward}" if lie.in_plane_toward else ""
    plane = f"in-plane {lie.in_plane_deg:.0f}°{towards}"
    if abs(lie.cranio_caudal_deg) < SINGLE_SLICE_DEG:
        return f"{plane} · within one slice"
    side = "head" if lie.cranio_caudal_deg > 0.0 else "feet"
    tilt = "tilt out of reach" if lie.gantry_tilt_deg is None else f"tilt {show_tilt(lie.gantry_tilt_deg)}"
    return f"{plane} · {abs(lie.cranio_caudal_deg):.0f}° to the {side} · {tilt}"


def show_tilt(degrees: float) -> str:
    """Return a gantry tilt with its sign."""
    return f"{degrees:+.0f}°".replace("-", "\N{MINUS SIGN}")
