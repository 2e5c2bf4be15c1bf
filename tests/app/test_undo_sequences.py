"""A thousand random sequences of all that can be done to structures are undone to the start, and redone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from cryoplan import workflow
from cryoplan.app.outline_tools import Tool, ToolSettings
from cryoplan.app.outlining import Outlining
from cryoplan.case.structure import Role
from cryoplan.image.outlining.forming import Combination
from cryoplan.plan.edits import nudge
from tests.support.desk import Desk
from tests.support.scenes import TUMOUR_MM, grid_around, make_case, make_plan, turned

EXAMPLES = 1000
LONGEST = 8
EXAMPLES_A_FILE = 25
"""Histories of thousands of entries are what other tests are about."""

CORE = (80.0, 64.0, 56.0)
NORMALS = tuple(map(tuple, np.eye(3)))
X, Y, Z = TUMOUR_MM

PLACES = st.tuples(
    st.integers(int(X) - 36, int(X) + 36),
    st.integers(int(Y) - 28, int(Y) + 28),
    st.integers(int(Z) - 24, int(Z) + 24),
)
LENGTHS = st.integers(2, 20)
WHICH = st.integers(0, 3)

STROKE = st.tuples(
    st.just("stroke"),
    st.lists(PLACES, min_size=1, max_size=3),
    st.sampled_from([Tool.BRUSH, Tool.ERASER]),
    LENGTHS,
    st.booleans(),
    st.sampled_from([(None, None), (-150.0, 30.0)]),
    st.sampled_from(NORMALS),
)
MOVES = st.one_of(
    STROKE,
    STROKE,
    st.tuples(st.just("lasso"), st.lists(PLACES, min_size=3, max_size=5), st.booleans()),
    st.tuples(st.just("grow"), PLACES, st.sampled_from([5.0, 60.0])),
    st.tuples(st.just("marks"), PLACES, PLACES),
    st.tuples(st.just("threshold"), PLACES, PLACES, st.sampled_from(NORMALS)),
    st.tuples(st.just("ellipsoid"), PLACES, st.tuples(LENGTHS, LENGTHS, LENGTHS)),
    st.tuples(st.sampled_from(["fill", "largest", "between"])),
    st.tuples(st.just("smooth"), LENGTHS),
    st.tuples(st.just("margin"), st.integers(-8, 8)),
    st.tuples(st.just("combine"), WHICH, st.sampled_from(list(Combination))),
    st.tuples(st.sampled_from(["new", "delete", "draw on", "rename"]), WHICH),
    st.tuples(st.just("role"), WHICH, st.sampled_from([Role.TUMOUR, Role.ORGAN, Role.VESSEL])),
    st.tuples(st.just("probe"), st.integers(-5, 5)),
    st.tuples(st.sampled_from(["undo", "undo", "undo", "redo", "reopen"])),
)


class Player:
    """A desk that plays moves and knows what state it is in."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk()
        self.workspace = self.desk.workspace
        # Neither straight nor cubic: what holds here holds for other scans.
        grid = grid_around(TUMOUR_MM, CORE, (4.0, 5.0, 7.0), turned((9.0, -6.0, 14.0)))
        self.desk.open(make_case(grid), make_plan())
        self.path = folder / "case.cryoplan"
        self.workspace.keeper.move(self.path).result(20)
        self.outlining = Outlining.of(self.workspace)
        self.examples = 0
        self._names = count(1)

    def state(self) -> Any:
        """Return all of the case and the plan that a step can change."""
        case = self.workspace.case
        rows = [(s.name, s.role, s.tissue, s.source, s.role_is_guess) for s in case.structures]
        return case.digest(), rows, case.target_name, case.findings, self.workspace.plan

    def settle(self) -> None:
        """Let everything that is under way arrive."""
        while self.outlining.is_busy or self.workspace._travel.is_under_way:
            QApplication.processEvents()
        self.outlining.finish()
        assert self.workspace.keeper.settle(20.0)

    def steps(self) -> int:
        return self.workspace.keeper.undo_count

    def play(self, move: tuple[Any, ...], begun: int) -> None:
        """Do one thing, and let it arrive."""
        name, *given_ = move
        if name == "undo" and self.steps() <= begun:
            return  # no further back than this example began
        act: Callable[..., object] = getattr(self, f"_{name.replace(' ', '_')}")
        act(*given_)
        self.settle()

    def go(self, way: str) -> None:
        """Undo or redo one step."""
        getattr(self.workspace, way)()
        self.settle()

    def reopen(self) -> None:
        """Close the case, and open it from its file as the program does after a restart."""
        self._reopen()
        self.settle()

    def must_agree(self) -> None:
        """Compare what is drawn on with what the case has."""
        o = self.outlining
        if o.subject is None:
            return
        there = [s for s in self.workspace.case.structures if s.name == o.subject.name]
        assert o.live.count == np.count_nonzero(o.live.values)
        assert np.array_equal(o.live.values, there[0].mask.values) if there else not o.live.count

    # Moves ------------------------------------------------------------------------------------------

    def _subject(self) -> None:
        if self.outlining.subject is None:
            named = [s.name for s in self.workspace.case.structures if s.role is not Role.BODY]
            assert self.outlining.begin(named[0]) if named else self.outlining.begin_new()

    def _one(self, which: int) -> str:
        names = [s.name for s in self.workspace.case.structures]
        return names[which % len(names)]

    def _stroke(self, points, tool, radius, is_ball, limits, normal) -> None:
        self._subject()
        low, high = limits
        self.outlining.settings = ToolSettings(radius_mm=radius, is_ball=is_ball, low=low, high=high)
        self.outlining.take(tool)
        self.outlining.press(points[0], normal)
        for point in points[1:]:
            self.outlining.move(point)
        self.outlining.release()
        self.outlining.settings = ToolSettings()

    def _lasso(self, corners, turn) -> None:
        self._subject()
        flat = [(x, y, Z) for x, y, _ in corners]
        self.outlining.lasso(flat, NORMALS[2], turn=turn)

    def _grow(self, *given_) -> None:
        self._subject()
        if len(given_) == 2:
            point, tolerance = given_
            self.outlining.take(Tool.GROW)
            self.outlining.grow_from(point)
            self.settle()
            self.outlining.settings = ToolSettings(tolerance=tolerance)
            self._accept()

    def _marks(self, inside, outside) -> None:
        self._subject()
        self.outlining.settings = ToolSettings(radius_mm=8.0)
        for tool, point in ((Tool.INSIDE, inside), (Tool.OUTSIDE, outside)):
            self.outlining.take(tool)
            self.outlining.press(point, NORMALS[2])
            self.outlining.release()
        self.outlining.contest()
        self._accept()
        self.outlining.clear_marks()

    def _threshold(self, corner, other, normal) -> None:
        self._subject()
        self.outlining.take(Tool.BOX)
        self.outlining.threshold(corner, other, normal)
        self._accept()

    def _accept(self) -> None:
        self.settle()
        self.outlining.accept()
        self.outlining.discard()

    def _ellipsoid(self, centre, diameters) -> None:
        self._subject()
        self.outlining.ellipsoid(centre, diameters)

    def _fill(self) -> None:
        self._subject()
        self.outlining.fill()

    def _largest(self) -> None:
        self._subject()
        self.outlining.largest_island()

    def _between(self) -> None:
        self._subject()
        self.outlining.interpolate()

    def _smooth(self, radius) -> None:
        self._subject()
        self.outlining.smooth(radius)

    def _margin(self, by) -> None:
        self._subject()
        self.outlining.margin(float(by))

    def _combine(self, which, how) -> None:
        self._subject()
        self.outlining.combine(self._one(which), how)

    def _new(self, which) -> None:
        self.outlining.begin_new(f"drawn {next(self._names)}", [Role.TUMOUR, Role.VESSEL][which % 2])
        self.outlining.ellipsoid((X + 4.0 * which, Y, Z), (16.0, 12.0, 14.0))

    def _draw_on(self, which) -> None:
        self.outlining.begin(self._one(which))

    def _delete(self, which) -> None:
        if len(self.workspace.case.structures) > 1:
            self.workspace.delete_structure(self._one(which))

    def _rename(self, which) -> None:
        self.workspace.rename_structure(self._one(which), f"renamed {next(self._names)}")

    def _role(self, which, role) -> None:
        name = self._one(which)
        self._change(name, f"{name}: role", role=role, tissue="tumour" if role is Role.TUMOUR else "liver")

    def _change(self, which: str, text: str, **fields: Any) -> None:
        self.outlining.finish()
        case = self.workspace.case
        new = tuple(replace(s, **fields) if s.name == which else s for s in case.structures)
        target = fields.get("name", which) if case.target_name == which else case.target_name
        self.workspace.take_case(text, case.changed(structures=new, target_name=target))

    def _probe(self, by) -> None:
        self.workspace.edit("Probe 1 moved", nudge(self.workspace.plan, "1", (float(by), 0.0, 0.0)))

    def _undo(self) -> None:
        self.go("undo")

    def _redo(self) -> None:
        self.go("redo")

    def _reopen(self) -> None:
        before = self.state()
        self.settle()
        self.workspace.set_case(None)
        saved = workflow.open_case(self.path)
        assert saved.findings == ()
        self.workspace.set_case(saved.case, saved.plan, file=self.path, memory=saved.memory)
        assert self.state() == before


_PLAYERS: list[Player] = []


@pytest.fixture
def players(qapp, tmp_path) -> Iterator[Callable[[], Player]]:
    """One player for some examples: each leaves it as it found it."""
    del qapp
    folders = count()

    def player() -> Player:
        if _PLAYERS and _PLAYERS[0].examples >= EXAMPLES_A_FILE:
            _PLAYERS.pop().workspace.close()
        if not _PLAYERS:
            folder = tmp_path / str(next(folders))
            folder.mkdir()
            _PLAYERS.append(Player(folder))
        _PLAYERS[0].examples += 1
        return _PLAYERS[0]

    yield player
    while _PLAYERS:
        _PLAYERS.pop().workspace.close()


@pytest.mark.slow
def test_a_thousand_random_sequences_are_undone_to_the_start_and_redone_to_the_end(players):
    played = []

    @given(st.lists(MOVES, min_size=1, max_size=LONGEST), st.booleans())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def sequence(moves, reopens):
        player = players()
        try:
            played.append(_there_and_back(player, moves, reopens=reopens))
        except BaseException:
            # The next one must not begin where this one got lost.
            _PLAYERS.remove(player)
            with suppress(Exception):
                player.workspace.close()
            raise

    sequence()
    assert len(played) >= EXAMPLES
    assert sum(played) > EXAMPLES  # most of them did something


def _there_and_back(player: Player, moves: list[tuple[Any, ...]], *, reopens: bool) -> int:
    start, begun = player.state(), player.steps()
    for move in moves:
        player.play(move, begun)
        player.must_agree()
    end, steps = player.state(), player.steps() - begun
    assert steps >= 0
    if reopens:
        player.reopen()
    for _ in range(steps):
        player.go("undo")
        player.must_agree()
    assert player.state() == start
    if reopens:
        player.reopen()
    for _ in range(steps):
        player.go("redo")
    assert player.state() == end
    for _ in range(steps):
        player.go("undo")
    assert player.state() == start
    player.outlining.stop()
    return steps
