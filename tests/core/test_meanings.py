import re
import shutil
from pathlib import Path

import pytest

from cryoplan.core.errors import StoreError
from cryoplan.core.meanings import find_meanings, load_meanings, meaning_of, read_meanings
from tests.support.said_codes import Said, said_codes

PACKAGE = Path(__file__).parents[2] / "cryoplan"


@pytest.fixture(scope="module")
def said() -> Said:
    return said_codes(PACKAGE)


def unexplained(said: Said) -> list[str]:
    known = {m.code for m in load_meanings()}
    return [f"{code}: {places[0]}" for code, places in said.places.items() if code not in known]


def unsaid(said: Said) -> list[str]:
    return [m.code for m in load_meanings() if m.code not in said.codes]


# The program against its help -----------------------------------------------------------------------


def test_every_code_that_the_program_can_say_is_in_the_help(said: Said):
    assert unexplained(said) == []


def test_no_code_of_the_help_is_one_that_nothing_says(said: Said):
    assert unsaid(said) == []


def test_every_code_can_be_followed_from_where_it_is_said_to_its_literal(said: Said):
    assert said.lost == []


def test_every_literal_that_is_written_as_a_code_was_found(said: Said):
    # A cruder reader that knows nothing of helpers: it may find less, never more.
    written = re.compile(r"\bcode=\"([a-z0-9]+(?:-[a-z0-9]+)+)\"")
    crude = {c for p in PACKAGE.rglob("*.py") for c in written.findall(p.read_text(encoding="utf-8"))}
    assert len(crude) > 150
    assert crude - said.codes == set()


def test_codes_are_in_kebab_case(said: Said):
    kebab = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(-\*)?")
    assert [code for code in said.codes if not kebab.fullmatch(code)] == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("image/read.py", 'code="nan-voxels"', 'code="nan-in-voxels"'),  # at an error
        ("plan/rules.py", '"shaft-short"', '"shaft-scant"'),  # through a helper, by position
        ("case/store_file.py", '"case-place-gone"', '"case-place-lost"'),  # through a table of tuples
        ("case/fitness.py", '"metal"', '"iron"'),  # through a helper that puts words before it
        ("plan/plan.py", '("thermocouple", [', '("sensor", ['),  # in an f-string over a loop
        ("plan/rules.py", "path-through-{", "path-across-{"),  # with a member of an enum in it
        ("image/dicom_geometry.py", '"missing-slice", usual', '"absent-slice", usual'),  # in a variable
        ("workflow/partner.py", '= "another-patient"', '= "other-patient"'),  # in a constant
    ],
)
def test_a_code_that_is_changed_somewhere_is_missed_in_the_help(
    tmp_path: Path, file: str, old: str, new: str
):
    tree = tmp_path / "cryoplan"
    shutil.copytree(PACKAGE, tree, ignore=shutil.ignore_patterns("__pycache__"))
    changed = tree / file
    text = changed.read_text(encoding="utf-8")
    assert old in text
    changed.write_text(text.replace(old, new), encoding="utf-8")
    missed = unexplained(said_codes(tree))
    module = f"cryoplan.{file.removesuffix('.py').replace('/', '.')}"
    assert missed
    assert all(f": {module}:" in line for line in missed)


def test_a_code_that_nothing_says_any_more_is_noticed_and_so_is_one_made_up_at_run_time(tmp_path: Path):
    tree = tmp_path / "cryoplan"
    (tree / "core").mkdir(parents=True)
    (tree / "core" / "finding.py").write_text(
        "class Finding: ...\ndef say(code): return Finding(code=code)\nsay('single-slice')\nsay(input())\n",
        encoding="utf-8",
    )
    found = said_codes(tree)
    assert found.codes == {"single-slice"}
    assert "missing-slice" in unsaid(found)
    assert found.lost == ["cryoplan.core.finding:4 input()"]


# What the help says ---------------------------------------------------------------------------------


def test_help_is_whole_sentences_of_a_readable_length():
    odd = []
    for meaning in load_meanings():
        for sentence in (meaning.means, meaning.remedy):
            whole = (
                sentence[0].isupper() and sentence.endswith(".") and sentence == " ".join(sentence.split())
            )
            if not whole or not 6 <= len(sentence) <= 190:
                odd.append(f"{meaning.code}: {sentence}")
    assert odd == []


def test_help_names_no_code_or_inner_word_in_its_sentences():
    inner = re.compile(r"\b(exception|traceback|pydicom|SimpleITK|ITK|SQLite|numpy|Qt|thread)\b", re.I)
    assert [m.code for m in load_meanings() if inner.search(f"{m.means} {m.remedy}")] == []


def test_help_follows_the_work_from_the_images_to_the_report():
    stages = list(dict.fromkeys(m.stage for m in load_meanings()))
    assert stages[:3] == ["Images", "Structures", "Plan"]
    assert stages.index("Solve") < stages.index("Margins and limits") < stages.index("Report")


def test_a_family_explains_each_of_its_members_and_nothing_beside_it():
    known = meaning_of("path-through-bowel")
    assert known is not None
    assert known.code == "path-through-*"
    assert meaning_of("path-through-") is None
    assert meaning_of("path") is None
    assert meaning_of("path-near-organ").code == "path-near-organ"


def test_a_code_leads_to_its_own_help_and_a_word_to_all_that_speak_of_it():
    assert [m.code for m in find_meanings("missing-slice")] == ["missing-slice"]
    assert [m.code for m in find_meanings(" Missing-Slice ")] == ["missing-slice"]
    found = find_meanings("SKIN deeper")
    assert {"active-zone-outside", "active-zone-near-skin"} <= {m.code for m in found}
    assert all("skin" in m.to_text().casefold() and "deeper" in m.to_text().casefold() for m in found)
    assert find_meanings("") == load_meanings()
    assert find_meanings("no such word at all") == ()


# A table with a mistake -----------------------------------------------------------------------------

GOOD = '[stages]\nimages = "Images"\n[images]\none = ["It is.", "Do it."]\n'


def test_a_good_table_is_read(tmp_path: Path):
    path = tmp_path / "codes.toml"
    path.write_text(GOOD, encoding="utf-8")
    (meaning,) = read_meanings(path)
    assert meaning.to_json() == {"code": "one", "stage": "Images", "means": "It is.", "remedy": "Do it."}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml", "cannot be read"),
        (GOOD.replace('"Do it."', ""), "does not give one a meaning"),
        (GOOD.replace('"Do it."', "3"), "does not give one a meaning"),
        (GOOD + "[plan]\n", "the same stages"),
        (GOOD.replace("[stages]", "plan = 1\n[stages]"), "the same stages"),
        (GOOD.replace("[images]", "[[images]]"), "has no table images"),
        (
            GOOD.replace("\n[images]", '\nplan = "Plan"\n[images]') + '[plan]\none = ["A.", "B."]\n',
            "one twice",
        ),
    ],
)
def test_a_table_with_a_mistake_is_refused_and_named(tmp_path: Path, text: str, said: str):
    path = tmp_path / "codes.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=r"codes\.toml") as caught:
        read_meanings(path)
    assert said in caught.value.what
    assert caught.value.code == "bad-resource"


def test_a_table_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(StoreError, match="cannot be read"):
        read_meanings(tmp_path / "codes.toml")
