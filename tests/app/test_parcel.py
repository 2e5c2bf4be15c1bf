"""What goes through the pipe to the background process, and what arrives there."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.app import tasks
from cryoplan.app.jobs import JobCancelled
from cryoplan.app.outlining import Outlining
from cryoplan.app.parcel import ChangedCase, Held, HeldCase
from cryoplan.case.outlined import with_structure
from cryoplan.case.reviews import reviews_of, with_reviewed
from cryoplan.case.structure import Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.forming import with_margin
from tests.support.scenes import TUMOUR_MM, make_case


def redrawn(case):
    old = case.structure("tumour 1")
    new = Structure(
        name=old.name, role=old.role, tissue=old.tissue, mask=with_margin(old.mask, 3.0), source=old.source
    )
    return with_structure(case, new)


def through_the_pipe(arguments):
    return pickle.loads(pickle.dumps(arguments))


def test_only_the_structure_that_was_drawn_is_sent_again_and_the_case_is_the_same_there():
    case, held = make_case(), Held()
    tasks._CASES.clear()
    first = tasks._case(through_the_pipe(held.shortened({"case": case}))["case"])
    held.took(case)
    changed = redrawn(case)
    sent = held.shortened({"case": changed})["case"]
    assert isinstance(sent, ChangedCase)
    assert [s if isinstance(s, str) else s.name for s in sent.structures] == ["body", "tumour 1"]
    assert isinstance(sent.structures[0], str)
    # Two hundred thousand voxels of image and two masks stay where they are.
    assert len(pickle.dumps(sent)) < 5_000
    there = tasks._case(through_the_pipe({"case": sent})["case"])
    assert there.digest() == changed.digest()
    assert there.scan is first.scan
    assert there.structure("body") is first.structure("body")
    assert isinstance(held.shortened({"case": case})["case"], HeldCase)
    tasks._CASES.clear()


def test_what_the_digest_leaves_out_is_told_of_a_case_that_the_process_holds():
    case, held = make_case(), Held()
    tasks._CASES.clear()
    tasks._case(through_the_pipe(held.shortened({"case": case}))["case"])
    held.took(case)
    sure = tuple(replace(s, role_is_guess=not s.role_is_guess, source="answered") for s in case.structures)
    asked = Finding(level=Level.OK, code="role-remembered", text="As you said before.")
    answered = case.changed(structures=sure, findings=(*case.findings, asked))
    answered = with_reviewed(answered, "tumour 1", True)
    assert answered.digest() == case.digest()
    sent = held.shortened({"case": answered})["case"]
    assert isinstance(sent, HeldCase)
    assert len(pickle.dumps(sent)) < 5_000
    there = tasks._case(through_the_pipe({"case": sent})["case"])
    assert there.findings == answered.findings
    assert reviews_of(there) == reviews_of(answered) != {}
    for mine, theirs in zip(there.structures, answered.structures, strict=True):
        for name in (f.name for f in fields(Structure) if f.name != "mask"):
            assert getattr(mine, name) == getattr(theirs, name)
    tasks._CASES.clear()


def test_a_process_that_began_anew_is_sent_the_whole_case():
    case, held = make_case(), Held()
    held.took(case)
    held.forget()
    changed = redrawn(case)
    assert held.shortened({"case": changed})["case"] is changed


def test_a_case_of_another_image_is_sent_whole():
    held = Held()
    held.took(make_case())
    other = make_case(with_target=False)
    assert held.shortened({"case": other})["case"] is other


@given(
    st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 7)), st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_mask_comes_through_the_pipe_as_it_was(size, seed, share):
    grid = Grid(size=size, spacing_mm=(1.0, 2.0, 3.0), origin_mm=(4.0, 5.0, 6.0))
    values = np.random.default_rng(seed).random(grid.shape) < share
    mask = Volume(grid=grid, values=values)
    digest = mask.digest()
    back = through_the_pipe(mask)
    assert back.values.dtype == bool
    assert np.array_equal(back.values, values)
    assert not back.values.flags.writeable
    assert back.grid == grid
    assert back.digest() == digest == Volume(grid=grid, values=values).digest()


def test_a_stroke_sends_the_background_process_next_to_nothing(desk):
    first = desk.worker.last("meshes")
    desk.worker.done("meshes", None)
    outlining = Outlining.of(desk.workspace)
    outlining.begin("tumour 1")
    outlining.ellipsoid((TUMOUR_MM[0] - 20.0, *TUMOUR_MM[1:]), (20.0, 20.0, 20.0))
    outlining.finish()
    job = desk.worker.last("meshes")
    assert isinstance(job.arguments["case"], ChangedCase)
    assert job.arguments["case"].base == first.arguments["case"].digest()
    # The next one stops it. What was sent with it may not have been looked at: the base is the same.
    outlining.ellipsoid((TUMOUR_MM[0] + 20.0, *TUMOUR_MM[1:]), (20.0, 20.0, 20.0))
    outlining.finish()
    assert desk.worker.cancelled == [job.id]
    assert desk.worker.last("meshes").arguments["case"].base == first.arguments["case"].digest()
    desk.worker.answered.emit(JobCancelled(id=job.id, kind="meshes"))
    desk.workspace.undo()
    assert isinstance(desk.worker.last("meshes").arguments["case"], ChangedCase)
