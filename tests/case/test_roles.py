"""Names become roles: those of real label files, and those that are made to mislead."""

from __future__ import annotations

import json

import pytest

from cryoplan.case import roles
from cryoplan.case.roles import guess, tissue_of_role
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError


@pytest.mark.parametrize(
    ("name", "role", "tissue", "certain"),
    [
        ("liver", "organ", "liver", True),
        ("kidney_left", "organ", "kidney", True),
        ("Right Kidney", "organ", "kidney", True),
        ("RightKidney", "organ", "kidney", True),
        ("liver (parenchyma outside the targets)", "organ", "liver", False),
        ("Liver segment VI", "organ", "liver", True),
        ("gallbladder", "gallbladder", "bile", True),
        ("urinary_bladder", "bladder", "fluid", True),
        ("small_bowel", "bowel", "small-bowel", True),
        ("duodenum", "bowel", "small-bowel", True),
        ("colon", "bowel", "large-bowel", True),
        ("hepatic flexure", "bowel", "large-bowel", True),
        ("portal_vein_and_splenic_vein", "vessel", "blood", True),
        ("inferior_vena_cava", "vessel", "blood", True),
        ("Hepatic veins", "vessel", "blood", True),
        ("liver vessels", "vessel", "blood", False),
        ("common bile duct", "bile-duct", "bile", True),
        ("spinal_cord", "spinal-cord", "spinal-cord", True),
        ("vertebrae_L1", "bone", "bone-cancellous", True),
        ("rib_left_6", "bone", "bone-cancellous", True),
        ("gluteus_maximus_left", "muscle", "muscle", True),
        ("autochthon_right", "muscle", "muscle", True),
        ("lung_lower_lobe_left", "lung", "lung-inflated", True),
        ("heart_atrium_left", "heart", "heart", True),
        ("kidney_cyst_left", "fluid", "fluid", True),
        ("subcutaneous fat", "fat", "fat", True),
        ("skin", "skin", "skin", True),
        ("BODY", "body", "soft-tissue", True),
        ("Tumour", "tumour", "tumour", True),
        ("target_1", "tumour", "tumour", True),
        ("GTV_Mass_CT", "tumour", "tumour", False),
        ("liver tumor", "tumour", "tumour", False),
        ("lung_nodules", "tumour", "tumour-lung", True),
        ("HCC", "tumour", "tumour-hcc", True),
        ("renal mass", "tumour", "tumour-rcc", True),
        ("metastasis 3", "tumour", "tumour", True),
        ("something else", "other", "soft-tissue", False),
        ("collateral", "other", "soft-tissue", False),  # holds "colla", "lateral": words only count whole
        ("123", "other", "soft-tissue", False),
        ("", "other", "soft-tissue", False),
    ],
)
def test_a_name_says_role_and_tissue(name, role, tissue, certain):
    assert guess(name) == (Role(role), tissue, certain)


@pytest.mark.parametrize(
    "name",
    [
        "target_1 segment VI, near gallbladder, right kidney and hepatic flexure",
        "target_3 dome, segment VIII, small, below the diaphragm",
        "lesion near portal vein",
        "tumour in kidney",
        "nodule beside aorta",
        "metastasis of colon cancer",
    ],
)
def test_a_tumour_stays_one_whatever_lies_beside_it(name):
    role, tissue, certain = guess(name)
    assert (role, tissue) == (Role.TUMOUR, "tumour")
    assert not certain


@pytest.mark.parametrize("name", ["kidney near tumour", "liver without tumour", "colon (beside the target)"])
def test_what_lies_beside_a_tumour_is_none(name):
    assert guess(name)[0] is not Role.TUMOUR


def test_every_label_of_the_real_files_has_a_role(data_root):
    names: list[str] = []
    for path in sorted(data_root.glob("*/labels.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        table = table.get("labels", table)
        rows = [v for k, v in table.items() if k.isdigit()]
        names += [v["name"] if isinstance(v, dict) else v for v in rows]
    assert len(names) > 60
    unknown = {n for n in names if guess(n)[0] is Role.OTHER}
    assert unknown == {"intervertebral_discs"}
    tumours = {n.split()[0] for n in names if guess(n)[0] is Role.TUMOUR}
    assert tumours == {"target_1", "target_2", "target_3", "target_4", "lung"}


def test_every_tissue_of_the_table_is_one_of_the_tissue_table():
    import tomllib

    from cryoplan.core.resources import resource

    tissues = tomllib.loads(resource("tissues", "default.toml").read_text(encoding="utf-8"))
    used = {p.tissue for p in roles._table().phrases} | set(tissue_of_role().values())
    assert used <= set(tissues)


def test_every_role_has_a_tissue_and_an_unnamed_organ_gets_no_livers_perfusion():
    assert set(tissue_of_role()) == set(Role)
    assert tissue_of_role()[Role.ORGAN] == "soft-tissue"
    assert tissue_of_role()[Role.VESSEL] == "blood"


def test_a_broken_table_says_so(tmp_path, monkeypatch):
    bad = tmp_path / "roles.toml"
    bad.write_text("phrases = 5", encoding="utf-8")
    monkeypatch.setattr(roles, "resource", lambda *_: bad)
    roles._table.cache_clear()
    try:
        with pytest.raises(StoreError, match=r"roles\.toml"):
            guess("liver")
    finally:
        roles._table.cache_clear()
