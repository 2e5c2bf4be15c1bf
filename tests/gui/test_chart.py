"""The chart: round ticks, the nearest series is named, a click hides it, its CSV is what is shown."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from cryoplan import RESEARCH_USE
from cryoplan.gui.chart import Axis, Band, Chart, Kind, Level, Series
from cryoplan.gui.chart_axis import round_ticks, show_number
from cryoplan.scene.style import theme

TIME = Axis(title="time", unit="min")
DEGC = Axis(title="temperature", unit="°C")
FLAT = Series(name="skin", x=[0.0, 10.0], y=[30.0, 30.0], colour="#ff8000")
FALLING = Series(name="tumour", x=[0.0, 5.0, 10.0], y=[37.0, 0.0, -40.0], colour="#00ff00", dash=(6.0, 3.0))


@pytest.fixture
def chart(qtbot, qapp) -> Chart:
    del qapp
    chart = Chart("Curves")
    qtbot.addWidget(chart)
    chart.resize(278, 240)
    chart.show_series([FLAT, FALLING], x=TIME, y=DEGC)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def spot(chart: Chart, x: float, y: float) -> QPoint:
    px, py = chart.plot.to_px(np.array([x]), np.array([y]))
    return QPoint(round(float(px[0])), round(float(py[0])))


def hover(chart: Chart, at: QPoint) -> None:
    """Tell the plot that the mouse is there; what the platform does with a real one varies."""
    none = Qt.MouseButton.NoButton
    where = chart.plot.mapToGlobal(QPointF(at))
    move = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), where, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(chart.plot, move)


def colours(chart: Chart) -> set[str]:
    image = chart.plot.grab().toImage()
    return {
        QColor(image.pixel(x, y)).name() for x in range(image.width()) for y in range(image.height())
    }  # fmt: skip


def near(colour: str, seen: set[str]) -> bool:
    """Tell whether a colour is there; a slanted line is smoothed, and not every pixel of it is pure."""
    wanted = QColor(colour).getRgb()
    return any(max(abs(a - b) for a, b in zip(wanted, QColor(s).getRgb(), strict=True)) <= 24 for s in seen)


@given(
    st.floats(-1e6, 1e6, allow_nan=False), st.floats(1e-3, 1e6, allow_nan=False), st.integers(1, 12)
)  # fmt: skip
def test_ticks_are_round_within_the_ends_and_not_too_many(low, span, most):
    ticks, step = round_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= t <= low + span * (1.0 + 1e-6) for t in ticks)
    digit = f"{step:e}"[0]
    assert digit in "125"
    assert len({show_number(t, step) for t in ticks}) == len(ticks)


@given(st.floats(-100.0, 100.0, allow_nan=False), st.floats(0.01, 100.0, allow_nan=False))
def test_the_ends_that_data_need_hold_all_of_them(low, span):
    ends = Axis(title="x").span([low, low + span])
    assert ends[0] <= low + 1e-9 * span
    assert ends[1] >= low + span * (1.0 - 1e-9)
    assert Axis(title="x", low=-7.5, high=3.25).span([low]) == (-7.5, 3.25)


def test_one_value_alone_still_has_an_axis():
    low, high = Axis(title="x").span([5.0])
    assert low < 5.0 < high


def test_a_number_is_written_with_a_real_minus_and_never_as_minus_zero():
    assert show_number(-0.04, 0.1) == "0.0"
    assert show_number(-40.0, 10.0) == "\N{MINUS SIGN}40"


def test_series_whose_numbers_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Series(name="a", x=[0.0, 1.0], y=[1.0], colour="#ffffff")
    with pytest.raises(ValueError, match="do not fit"):
        Series(name="a", x=[0.0], y=[1.0], colour="#ffffff", kind=Kind.BARS)
    with pytest.raises(ValueError, match="rise"):
        Series(name="a", x=[1.0, 0.0], y=[1.0, 2.0], colour="#ffffff")


def test_two_series_of_one_name_are_refused(chart):
    with pytest.raises(ValueError, match="name of its own"):
        chart.show_series([FLAT, FLAT], x=TIME, y=DEGC)


def test_the_cursor_names_the_nearest_series_and_its_value_there(chart):
    hover(chart, spot(chart, 5.0, 2.0))
    assert chart.readout.startswith("tumour: ")
    value = float(chart.readout.split(": ")[1].split("\N{NO-BREAK SPACE}")[0].replace("\N{MINUS SIGN}", "-"))
    assert value == pytest.approx(0.0, abs=1.0)
    hover(chart, spot(chart, 8.0, 29.0))
    assert chart.readout.startswith("skin: 30")
    assert chart.readout.endswith("\N{NO-BREAK SPACE}min")


def test_beyond_the_end_of_a_series_no_value_is_made_up(chart):
    short = Series(name="short", x=[0.0, 2.0], y=[1.0, 1.0], colour="#ffffff")
    chart.show_series([short], x=Axis(title="time", unit="min", low=0.0, high=10.0), y=DEGC)
    hover(chart, spot(chart, 9.0, 1.0))
    assert "no value here" in chart.readout


def test_a_click_in_the_legend_hides_a_series_and_another_shows_it(chart, qtbot):
    entry = next(e for e in chart.legend.entries if e.series is FALLING)
    with qtbot.waitSignal(chart.hidden_changed):
        QTest.mouseClick(entry, Qt.MouseButton.LeftButton)
    assert chart.series == (FLAT,)
    assert FALLING.colour not in colours(chart)
    chart.show_series([FLAT, FALLING], x=TIME, y=DEGC)
    assert chart.series == (FLAT,)
    QTest.keyClick(entry, Qt.Key.Key_Space)
    assert chart.series == (FLAT, FALLING)
    assert FALLING.colour in colours(chart)


def test_the_csv_holds_each_number_once_and_leaves_gaps_empty(chart):
    lines = list(csv.reader(chart.to_csv().splitlines()))
    assert lines[0] == ["# Curves", RESEARCH_USE]
    assert lines[1] == ["time [min]", "skin: temperature [°C]", "tumour: temperature [°C]"]
    assert lines[2:] == [["0", "30", "37"], ["5", "", "0"], ["10", "30", "-40"]]


def test_the_csv_of_bars_names_both_edges(chart):
    bars = Series(name="tumour", x=[0.0, 5.0, 10.0], y=[1.0, 3.0], colour="#00ff00", kind=Kind.BARS)
    chart.show_series([bars], x=Axis(title="margin", unit="mm"), y=Axis(title="area", unit="%"))
    lines = list(csv.reader(chart.to_csv().splitlines()))
    assert lines[1:] == [
        ["margin [mm] from", "margin [mm] to", "tumour: area [%]"],
        ["0", "5", "1"],
        ["5", "10", "3"],
    ]
    hover(chart, spot(chart, 7.0, 2.0))
    assert chart.readout.startswith("tumour: 3")


def test_what_is_hidden_is_not_copied(chart):
    chart.set_hidden(["skin"])
    QTest.keyClick(chart.plot, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert "tumour" in copied
    assert "skin" not in copied


def test_an_out_of_date_chart_has_no_colour_and_says_so(chart):
    assert all(near(colour, colours(chart)) for colour in (FLAT.colour, FALLING.colour))
    chart.show_series([FLAT, FALLING], x=TIME, y=DEGC, stale=True)
    seen = colours(chart)
    assert not any(near(colour, seen) for colour in (FLAT.colour, FALLING.colour))
    assert theme().stale.line in seen
    assert "OUT OF DATE" in chart.to_csv().splitlines()[0]
    assert "OUT OF DATE" in chart.accessibleDescription()
    hover(chart, spot(chart, 5.0, 2.0))
    assert chart.readout.startswith("out of date: ")


def test_a_press_tells_the_place_and_the_series(chart, qtbot):
    with qtbot.waitSignal(chart.pressed) as caught:
        QTest.mouseClick(chart.plot, Qt.MouseButton.LeftButton, pos=spot(chart, 7.5, -20.0))
    assert caught.args[0] == pytest.approx(7.5, abs=0.1)
    assert caught.args[1] == "tumour"


def test_keys_choose_series_and_place(chart, qtbot):
    chart.plot.setFocus()
    QTest.keyClick(chart.plot, Qt.Key.Key_Right)
    assert chart.readout.startswith("skin: ")
    QTest.keyClick(chart.plot, Qt.Key.Key_Down)
    assert chart.readout.startswith("tumour: ")
    before = chart.readout
    QTest.keyClick(chart.plot, Qt.Key.Key_Right)
    assert chart.readout != before
    with qtbot.waitSignal(chart.pressed) as caught:
        QTest.keyClick(chart.plot, Qt.Key.Key_Return)
    assert caught.args[1] == "tumour"
    QTest.keyClick(chart.plot, Qt.Key.Key_Escape)
    assert chart.readout == ""


def test_a_reversed_axis_has_its_large_numbers_on_the_left(chart):
    chart.show_series([FALLING], x=Axis(title="time", unit="min", reverse=True), y=DEGC)
    assert spot(chart, 0.0, 0.0).x() > spot(chart, 10.0, 0.0).x()
    px = spot(chart, 2.5, 0.0).x()
    assert chart.plot.x_at(px) == pytest.approx(2.5, abs=0.05)


def test_levels_bands_and_the_mark_are_drawn(chart):
    plain = chart.plot.grab().toImage()
    chart.show_series(
        [FLAT, FALLING],
        x=TIME,
        y=DEGC,
        levels=[Level(at=10.0, label="limit", colour="#ff0000")],
        bands=[Band(first=0.0, last=5.0, colour="#0000ff", label="freeze")],
    )
    assert "#ff0000" in colours(chart)
    with_level = chart.plot.grab().toImage()
    assert with_level != plain
    chart.set_mark(4.0, "now")
    assert chart.plot.grab().toImage() != with_level


def test_a_gap_in_the_numbers_is_a_gap_in_the_line(chart):
    gap = Series(name="a", x=[0.0, 1.0, 2.0, 3.0], y=[0.0, np.nan, 0.0, 1.0], colour="#00ff00")
    chart.show_series([gap], x=TIME, y=DEGC)
    chart.plot.grab()
    assert chart.plot.nearest(QPointF(spot(chart, 2.5, 0.5))) is gap


def test_an_empty_chart_says_why_and_reads_nothing(chart):
    chart.show_series([], x=TIME, y=DEGC, empty="No target is chosen.")
    chart.plot.grab()
    hover(chart, QPoint(100, 60))
    assert chart.readout == ""
    assert "No target is chosen." in chart.accessibleDescription()
    assert not chart.menu().actions()[0].isEnabled()


@pytest.mark.parametrize("width", [130, 278, 700])
def test_the_legend_never_lies_over_the_plot_whatever_the_width(qtbot, width):
    names = [f"structure {n}" for n in range(7)]
    series = [Series(name=n, x=[0.0, 1.0], y=[0.0, 1.0], colour="#00ff00") for n in names]
    chart, holder = Chart("Curves"), QWidget()
    qtbot.addWidget(holder)
    column = QVBoxLayout(holder)
    column.addWidget(chart)
    column.addStretch(1)
    chart.show_series(series, x=TIME, y=DEGC)
    holder.resize(width, 600)
    holder.show()
    qtbot.waitExposed(holder)
    last = chart.legend.entries[-1]
    qtbot.waitUntil(lambda: chart.legend.rect().contains(last.geometry()))
    qtbot.waitUntil(lambda: not chart.legend.geometry().intersects(chart.plot.geometry()))
    assert chart.plot.height() >= 170
