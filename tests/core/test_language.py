"""Language: holes are filled, names are kept, and what is not known stays English as a whole."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.errors import StoreError
from cryoplan.core.language import HOLE, Name, Translator, is_numeric, languages, say, speaking, table
from cryoplan.core.resources import resource

OTHERS = [language for language in languages() if language != "en"]


def groups(language: str) -> list[tuple[str, dict[str, str]]]:
    """Return every group of every table of a language, with the table's name before its own."""
    return [
        (f"{path.stem}.{name}", sentences)
        for path in sorted(resource("translations", language).glob("*.toml"))
        for name, sentences in tomllib.loads(path.read_text("utf-8")).items()
    ]


def test_english_comes_first_and_there_is_another():
    assert languages()[0] == "en"
    assert "de" in languages()


@pytest.mark.parametrize("language", OTHERS)
def test_holes_of_a_sentence_and_its_translation_are_the_same(language):
    for _, sentences in groups(language):
        for english, said in sentences.items():
            assert sorted(HOLE.findall(english)) == sorted(HOLE.findall(said)), english
            assert len(set(HOLE.findall(english))) == len(HOLE.findall(english)), english


@pytest.mark.parametrize("language", OTHERS)
def test_figures_units_and_ends_of_sentences_are_kept(language):
    for english, said in table(language).items():
        figures = re.findall(r"\d+(?:\.\d+)?", HOLE.sub("", english))
        other = [f.replace(",", ".") for f in re.findall(r"\d+(?:[.,]\d+)?", HOLE.sub("", said))]
        assert sorted(figures) == sorted(other), english
        assert english.endswith(".") == said.endswith(".") or said.endswith(("angen.)",)), english


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_stands_in_two_groups(language):
    keys = [english for _, sentences in groups(language) for english in sentences]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Gantry tilt", "Kippung"),
        ("+6.1 mm (caudal-anterior)", "+6,1 mm (kaudal-anterior)"),
        ("1 fail, 2 warn, 9 ok", "1 Fehler, 2 Warnung, 9 ok"),
        ("HFS (head first, supine)", "HFS (Kopf voran, Rückenlage)"),
        ("Probe 2a enters 3.5 mm above the skin: its depth is wrong. Put the entry on the skin.",
         "Sonde 2a tritt 3,5 mm über der Haut ein: Ihre Tiefe stimmt nicht. Eintritt auf die Haut setzen."),
        ("Probe 1 has its active zone 12.0 mm away from freeze.",
         "Die aktive Zone von Sonde 1 liegt 12,0 mm von freeze entfernt."),
        ("Lowest temperature of gut: −13.3 °C at 25:00, below 5 °C from 7:40 on; wanted at least 5.0 °C.",
         "Tiefste Temperatur von gut: −13,3 °C bei 25:00, unter 5 °C ab 7:40; gefordert mindestens 5,0 °C."),
        ("16.0 mm target 4, tiny, 66 mm deep", "16,0 mm target 4, tiny, 66 mm tief"),
        ("A sentence that nobody knows, of 3.5 mm.", "A sentence that nobody knows, of 3.5 mm."),
    ],
)  # fmt: skip
def test_sentences_are_said_in_german(english, german):
    assert Translator("de").say(english) == german
    assert Translator("en").say(english) == english


@pytest.mark.parametrize(
    "name", ["Target", "freeze", "1.5 mm", "Liver, Segment 6", "left", "Ziel; Tumour", "a-b"]
)
def test_names_that_look_like_words_of_the_program_stay(name):
    german = Translator("de", frozenset({name}))
    assert german.say(name) == name
    assert german.say(Name(name)) == name
    assert name in german.say(f"Probe 1 has its active zone 2.0 mm away from {name}.")
    assert german.say_around(name) == name
    assert german.say_around(f"{name} (50 % computed)") == f"{name} (50 % berechnet)"
    assert name in german.say(
        f"ice edge (0 °C), worst margin of {name}: +1.0 mm (left); wanted at least 2.0 mm."
    )


def test_value_that_is_a_name_is_never_translated_even_if_nobody_listed_it():
    assert Translator("de").say(Name("Skin")) == "Skin"


@given(st.text(max_size=60))
def test_any_text_is_said_without_failing_and_known_names_stay(text):
    said = Translator("de", frozenset({text})).say(text)
    assert said == text
    assert isinstance(Translator("de").say(text), str)


def test_language_is_spoken_within_its_block_only():
    assert say("Slices") == "Slices"
    with speaking("de", ["Slices of a"]):
        assert say("Slices") == "Schichten"
        with speaking("en"):
            assert say("Slices") == "Slices"
        assert say("Slices") == "Schichten"
    assert say("Slices") == "Slices"


def test_unknown_language_is_refused():
    with pytest.raises(StoreError) as caught, speaking("tlh"):
        pass
    assert caught.value.code == "unknown-language"


@pytest.mark.parametrize(
    "text", ["12.3 mm", "L\u00a012.3 · P\u00a04.5", "7.5 W/(m²·K)", "10-5-10 min", "z −302.0 mm"]
)
def test_figures_with_units_are_numeric(text):
    assert is_numeric(text)
    assert "." not in Translator("de").say(text)
