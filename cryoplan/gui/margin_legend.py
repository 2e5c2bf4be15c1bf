"""Margin legend: what the colours of the tumour mean, as swatches with words; grey when out of date."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy

from cryoplan.app.margin_shown import MarginShown, margin_of
from cryoplan.app.view import Display, ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc
from cryoplan.gui.parts import OUT_OF_DATE, palette
from cryoplan.gui.words import say
from cryoplan.margins.assessment import DEFAULT_THRESHOLDS_DEGC
from cryoplan.scene.style import theme

PLAIN = "plain"
LAYER = "margin"


def class_colours(shown: MarginShown) -> tuple[str, ...]:
    """Return the colours of the classes, the worst first; all greys, still told apart, when out of date."""
    colours = theme().margin.colours(len(shown.classes))
    return colours if shown.is_current else tuple(_grey(c) for c in colours)


def left_out_colour(shown: MarginShown) -> str:
    """Return the colour of what is left out."""
    colour = theme().margin.left_out
    return colour if shown.is_current else _grey(colour)


def _grey(colour: str) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    # Rec. 709 luma, with less contrast: greyed, but the classes can be told apart.
    level = round(60 + 0.55 * (0.2126 * red + 0.7152 * green + 0.0722 * blue))
    return f"#{level:02x}{level:02x}{level:02x}"


def legend_words(shown: MarginShown, *, with_shares: bool = False) -> list[tuple[str, str]]:
    """Return colour and words of each class, and of what is left out where there is such.

    Parameters
    ----------
    with_shares : bool
        With the share of the surface beside each name.
    """
    bars = shown.bars
    words = list(shown.classes.names)
    if with_shares:
        words = [f"{w} {_share(s)}" for w, s in zip(words, bars.class_fraction, strict=True)]
    rows = list(zip(class_colours(shown), words, strict=True))
    if bars.left_out > 0.0:
        # Of the whole surface; the others are shares of what margins are asked of.
        share = f" {_share(bars.left_out)} of all" if with_shares else ""
        rows.append((left_out_colour(shown), f"left out{share}"))
    return rows


def _share(fraction: float) -> str:
    percent = 100.0 * fraction
    if 0.0 < percent < 1.0:
        return "<1 %"
    return f"{min(percent, 99.0) if percent < 100.0 - 1e-9 else 100.0:.0f} %"


class LegendLine(QLabel):
    """Swatches with their words in a line that wraps.

    Parameters
    ----------
    on_canvas : bool
        It stands on the ground of the views, which is dark in every look.
    """

    def __init__(self, *, on_canvas: bool = False) -> None:
        super().__init__()
        self._on_canvas = on_canvas
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_words(self, rows: list[tuple[str, str]], tone: str = "text", title: str = "") -> None:
        """Show colours with their words, and what they are of before them."""
        colours = theme().dark if self._on_canvas else palette()
        plain = colours.stale if tone == "stale" else colours.text
        # Pale colours are lost on a light panel: there they stand on a chip.
        chip = f";background-color:{colours.text_muted}" if colours.name == "light" else ""
        parts = [
            f'<span style="color:{colour}{chip}">{"&nbsp;" if chip else ""}\N{BLACK SQUARE}&nbsp;</span>'
            f'<span style="color:{plain}">{"&nbsp;" if chip else ""}{_escaped(words)}</span>'
            for colour, words in rows
        ]
        if title:
            parts.insert(0, f'<span style="color:{colours.text_muted}">{_escaped(title)}</span>')
        self.setText(say(" &ensp;".join(parts)))
        said = ", ".join(words for _, words in rows)
        self.setAccessibleName(say(f"Colours of the margin: {title} {said}".replace("  ", " ")))


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(" ", "&nbsp;")


class MarginChoice(QObject):
    """For the 3D view: which margin colours the tumour, and what the colours mean.

    Both are there as soon as there are margins; the colours are never those of an earlier plan.
    """

    def __init__(self, workspace: Workspace, view: ViewState, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._view = workspace, view
        self._shown: tuple[MarginShown, bool, Display] | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(say("Colours of the tumour in 3D"))
        self.choice.setToolTip(
            say(
                "Colour the surface of the tumour by its distance to an isotherm of the lowest temperature, "
                "or leave it plain"
            )
        )
        self.choice.activated.connect(self._choose)
        self.legend = LegendLine(on_canvas=True)
        self.legend.setObjectName("canvasHead")
        self.legend.setContentsMargins(10, 0, 6, 4)
        for part in (self.choice, self.legend):
            part.hide()
        for signal in (workspace.result_changed, workspace.state_changed, workspace.plan_changed):
            signal.connect(self.refresh)
        view.changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Follow result and choice; costs nothing while neither changes."""
        shown = margin_of(self._workspace, self._view)
        self.choice.setVisible(shown is not None)
        if shown is None:
            self._shown = None
            self.legend.hide()
            return
        is_on = self._view.is_checked(LAYER)
        look = (is_on, self._view.display)
        if self._shown is not None and shown.is_drawn_like(self._shown[0]) and look == self._shown[1:]:
            return
        self._shown = (shown, *look)
        fill_thresholds(self.choice, shown, plain=True)
        self.choice.setCurrentIndex(self.choice.findData(shown.threshold_degc) if is_on else 0)
        self.legend.setVisible(is_on)
        if is_on and not shown.is_current:
            self.legend.show_words([(palette().stale, f"{OUT_OF_DATE}: no colours")], "stale")
        elif is_on:
            rows = [(colour, words.removesuffix(" mm")) for colour, words in legend_words(shown)]
            # Beside the ice of one minute it has to be said that these are of the lowest temperatures.
            when = ", whole protocol" if self._view.display is Display.NOW else ""
            self.legend.show_words(rows, title=f"mm to {show_degc(shown.threshold_degc)}{when}:")

    @Slot(int)
    def _choose(self, index: int) -> None:
        degc = self.choice.itemData(index)
        if degc is not None:
            self._view.margin_degc = degc
        self._view.set_layer(LAYER, degc is not None)


def fill_thresholds(box: QComboBox, shown: MarginShown | None, *, plain: bool = False) -> None:
    """Put the isotherms of the margins into a box, warmest first.

    Parameters
    ----------
    plain : bool
        Put no margin before them, and be short.
    """
    known = shown.margin_map.thresholds_degc if shown is not None else DEFAULT_THRESHOLDS_DEGC
    wanted = [PLAIN] * plain + [f"{'' if plain else 'margin '}to {show_degc(t)}" for t in known]
    if [box.itemText(n) for n in range(box.count())] == wanted:
        return
    box.clear()
    if plain:
        box.addItem(say(PLAIN), None)
    for text, degc in zip(wanted[plain:], known, strict=True):
        box.addItem(say(text), degc)
