"""Every role reaches everything that roles drive: layers, paths, tissue, limits, colours, surfaces."""

from __future__ import annotations

import tomllib

import pytest

from cryoplan.case.layers import LAYERS, in_layers
from cryoplan.case.roles import tissue_of_role
from cryoplan.case.structure import Role
from cryoplan.core.finding import Level
from cryoplan.core.resources import resource
from cryoplan.margins.limits import load_limits
from cryoplan.plan.limits import placement_limits
from cryoplan.plan.path import owners
from cryoplan.plan.rules import clearance_level
from cryoplan.scene.style import theme
from cryoplan.workflow import find_meanings
from tests.support import bodies

# What stands for a thin or living wall; ice or a shaft in any of these is never just passed over.
AT_RISK = {
    Role.BOWEL, Role.STOMACH, Role.GALLBLADDER, Role.BILE_DUCT, Role.URETER, Role.URETHRA, Role.BLADDER,
    Role.NERVE, Role.SPINAL_CORD, Role.HEART, Role.DIAPHRAGM,
}  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_place_among_layers_and_owners_a_tissue_and_a_colour(role):
    ball = bodies.ball("x", role, tissue_of_role()[role], (0.0, 10.0, 0.0), 8.0)
    assert sum(role in roles for roles in LAYERS) == (0 if role is Role.BODY else 1)
    assert in_layers((ball,)) == ([] if role is Role.BODY else [ball])
    assert owners((ball,)) == [ball]
    tissues = tomllib.loads(resource("tissues", "default.toml").read_text(encoding="utf-8"))
    assert tissue_of_role()[role] in tissues
    assert theme().outline(role).colour.startswith("#")
    assert 0.0 < theme().surface(role)[1] <= 1.0


def test_what_is_at_risk_has_a_limit_of_temperature_and_a_rule_for_shafts():
    limits, placement = load_limits(), placement_limits()
    for role in AT_RISK:
        assert limits.organ(role.value) is not None, role
        assert clearance_level(role, -1.0, placement) is not Level.OK, role
    assert limits.organ(Role.SKIN.value) is not None
    for role in (Role.LUNG, Role.PLEURA, Role.BONE, Role.VESSEL):
        assert clearance_level(role, -1.0, placement) is Level.WARN, role


def test_organs_that_hold_tumours_may_freeze_and_be_passed():
    for role in (Role.ORGAN, Role.KIDNEY, Role.LUNG, Role.TUMOUR):
        assert load_limits().organ(role.value) is None
    for role in (Role.ORGAN, Role.KIDNEY, Role.TUMOUR, Role.FAT, Role.MUSCLE):
        assert clearance_level(role, -1.0, placement_limits()) is Level.OK


def test_a_kidney_lies_with_the_organs_and_the_pleura_over_the_lung():
    layer = {role: number for number, roles in enumerate(LAYERS) for role in roles}
    assert layer[Role.KIDNEY] == layer[Role.ORGAN]
    assert layer[Role.LUNG] < layer[Role.PLEURA]
    assert tissue_of_role()[Role.KIDNEY] == "kidney"


def test_a_path_through_any_role_is_explained():
    assert find_meanings("path-through-pleura")
    assert find_meanings("path-through-kidney")
