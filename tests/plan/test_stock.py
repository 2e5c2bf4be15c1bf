"""Stock: what is on the shelf comes first, what is not is a warning, and a locked list stays as it is."""

from __future__ import annotations

import pytest

from cryoplan.core import atomic
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Level
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.stock import (
    STOCK_VARIABLE,
    load_stock,
    ordered,
    stock_findings,
    stock_path,
    with_stocked,
    write_stock,
)
from tests.support.scenes import make_plan

CATALOGUE = load_catalogue()


def test_without_a_list_every_probe_is_offered_alike_and_nothing_is_warned_of(tmp_path):
    stock = load_stock(tmp_path / "stock.toml")
    assert stock.models is None
    assert [m.id for m, has in ordered(CATALOGUE, stock) if has] == list(CATALOGUE)
    assert stock_findings(make_plan(), CATALOGUE, stock) == ()


def test_a_list_is_written_read_and_removed(tmp_path):
    empty = load_stock(tmp_path / "folder" / "stock.toml")
    stock = write_stock(empty, with_stocked(empty, ["icesphere-17g", "gone"], True))
    assert stock.models == {"icesphere-17g", "gone"}
    stock = write_stock(stock, with_stocked(stock, ["gone"], False))
    assert load_stock(stock.path).models == {"icesphere-17g"}
    rows = ordered(CATALOGUE, stock)
    assert (rows[0][0].id, rows[0][1]) == ("icesphere-17g", True)
    assert not any(has for _, has in rows[1:])
    assert [m.id for m, _ in rows[1:]] == [n for n in CATALOGUE if n != "icesphere-17g"]
    assert write_stock(stock, None).models is None
    assert write_stock(load_stock(stock.path), ()).models == frozenset()


def test_a_plan_with_a_probe_that_is_not_there_is_warned_of_once_a_model(tmp_path):
    stock = write_stock(load_stock(tmp_path / "stock.toml"), ["icesphere-17g"])
    found = stock_findings(make_plan(), CATALOGUE, stock)
    assert [(f.code, f.level, f.place) for f in found] == [
        ("probe-not-in-stock", Level.WARN, "probes 1 and 2")
    ]
    assert "Generic 15G (probes 1, 2) is not on the stock list." in found[0].text
    assert stock_findings(Plan(), CATALOGUE, stock) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 1\nmodels = [1]", "list of ids"),
        ("schema = 1", "list of ids"),
        ("schema = 2\nmodels = []", "schema"),
        ("schema = true\nmodels = []", "schema"),
        ("schema = 1\nmodels = []\nshelf = 2", "shelf"),
        ("models = ", "cannot be read"),
        ("#" * 200_000, "100 kB"),
    ],
)
def test_a_damaged_list_is_said_and_never_written_over(tmp_path, text, words):
    path = tmp_path / "stock.toml"
    path.write_text(text, encoding="utf-8")
    stock = load_stock(path)
    assert stock.models is None
    assert words in stock.fault
    assert [f.code for f in stock_findings(make_plan(), CATALOGUE, stock)] == ["stock-damaged"]
    with pytest.raises(StoreError) as caught:
        write_stock(stock, ["x"])
    assert caught.value.code == "stock-damaged"
    assert path.read_text(encoding="utf-8") == text


def test_a_list_of_the_department_is_locked(tmp_path, monkeypatch):
    path = tmp_path / "department.toml"
    write_stock(load_stock(path), ["icesphere-17g"])
    monkeypatch.setenv(STOCK_VARIABLE, str(path))
    assert stock_path() == path
    stock = load_stock()
    assert stock.models == {"icesphere-17g"}
    assert "department" in stock.locked
    with pytest.raises(StoreError) as caught:
        write_stock(stock, [])
    assert caught.value.code == "stock-locked"
    monkeypatch.setenv(STOCK_VARIABLE, str(tmp_path / "none.toml"))
    assert "not there" in load_stock().fault


def test_a_read_only_list_is_locked(tmp_path):
    stock = write_stock(load_stock(tmp_path / "stock.toml"), ["icesphere-17g"])
    stock.path.chmod(0o444)
    assert "read-only" in load_stock(stock.path).locked
    stock.path.chmod(0o644)
    assert load_stock(stock.path).locked == ""


def test_a_write_that_fails_leaves_the_old_list(tmp_path, monkeypatch):
    stock = write_stock(load_stock(tmp_path / "stock.toml"), ["icesphere-17g"])

    def full(*_words):
        raise OSError(28, "injected")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(StoreError):
        write_stock(stock, [])
    monkeypatch.undo()
    assert load_stock(stock.path).models == {"icesphere-17g"}
    assert [p.name for p in tmp_path.iterdir()] == ["stock.toml"]
