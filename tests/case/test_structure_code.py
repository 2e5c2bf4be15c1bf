"""What a structure is called in SNOMED CT: by its name where that fits its role, else by its role."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.case.coded_roles import role_of_code
from cryoplan.case.structure import Role, Structure
from cryoplan.case.structure_code import code_of
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

MASK = Volume(
    grid=Grid(size=(2, 2, 2), spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0)),
    values=np.ones((2, 2, 2), bool),
)


def structure(name: str, role: Role, tissue: str) -> Structure:
    return Structure(name=name, role=role, tissue=tissue, mask=MASK, source="formula")


@pytest.mark.parametrize(
    ("name", "role", "tissue", "value"),
    [
        ("target_1", Role.TUMOUR, "tumour", "108369006"),
        ("Liver", Role.TUMOUR, "tumour", "108369006"),
        ("liver", Role.ORGAN, "liver", "10200004"),
        ("left_kidney", Role.KIDNEY, "kidney", "64033007"),
        ("portal_vein", Role.VESSEL, "blood", "32764006"),
        ("Duodenum", Role.BOWEL, "small-bowel", "38848004"),
        ("vertebra_L1", Role.BONE, "bone-cancellous", "272673000"),
    ],
)
def test_name_and_role_decide_the_code(name, role, tissue, value):
    code = code_of(structure(name, role, tissue))
    assert code is not None
    assert (code.value, code.scheme) == (value, "SCT")
    # Read back, the code gives the role and tissue again.
    assert role_of_code(f"SCT {value}") == (role, tissue)


def test_what_has_no_code_gets_none():
    assert code_of(structure("something", Role.OTHER, "soft-tissue")) is None
