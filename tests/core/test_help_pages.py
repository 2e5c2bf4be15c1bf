"""Help pages: every panel, word and stop stands in every language, and nothing stands there twice."""

from __future__ import annotations

import pytest

from cryoplan.core import help_pages
from cryoplan.core.errors import StoreError
from cryoplan.core.help_pages import glossary, panel_pages, tour_stops
from cryoplan.core.language import languages

ALL = languages()


@pytest.mark.parametrize("language", ALL)
def test_every_language_has_the_same_panels_and_stops(language):
    english, said = panel_pages("en"), panel_pages(language)
    assert [page.id for page in said] == [page.id for page in english]
    assert [len(page.how) for page in said] == [len(page.how) for page in english]
    ours, theirs = tour_stops("en"), tour_stops(language)
    assert [(s.at, s.step) for s in theirs] == [(s.at, s.step) for s in ours]
    assert len(glossary(language)) == len(glossary("en"))


@pytest.mark.parametrize("language", ALL)
def test_the_glossary_is_in_order_without_doubles_and_each_word_has_a_source(language):
    names = [term.name.casefold() for term in glossary(language)]
    assert names == sorted(set(names))
    assert all(term.text.endswith(".") and term.source for term in glossary(language))


def test_languages_do_not_share_their_sentences():
    for language in ALL[1:]:
        ours = {page.what_for for page in panel_pages("en")} | {stop.text for stop in tour_stops("en")}
        theirs = {page.what_for for page in panel_pages(language)}
        theirs |= {stop.text for stop in tour_stops(language)}
        assert not ours & theirs


@pytest.mark.parametrize("content", [None, "[[page]\n", "[[other]]\n"])
def test_a_damaged_or_missing_file_is_named(content, tmp_path, monkeypatch):
    path = tmp_path / "panels.toml"
    if content is not None:
        path.write_text(content, "utf-8")
    monkeypatch.setattr(help_pages, "resource", lambda *_parts: path)
    panel_pages.cache_clear()
    try:
        with pytest.raises(StoreError, match=r"en/panels\.toml") as caught:
            panel_pages("en")
        assert caught.value.code == "help-file"
    finally:
        panel_pages.cache_clear()
