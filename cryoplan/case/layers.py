"""Layers: which structure counts where two overlap."""

from __future__ import annotations

from cryoplan.case.structure import Role, Structure

LAYERS = (
    (Role.OTHER,),
    (Role.SKIN,),
    (Role.FAT,),
    (Role.MUSCLE,),
    (Role.BONE,),
    (Role.LUNG,),
    (Role.ORGAN, Role.KIDNEY, Role.HEART),
    (Role.BOWEL, Role.STOMACH, Role.GALLBLADDER, Role.BLADDER, Role.DIAPHRAGM, Role.PLEURA),
    (Role.BILE_DUCT, Role.URETER, Role.URETHRA, Role.NERVE, Role.SPINAL_CORD),
    (Role.FLUID, Role.GAS),
    (Role.VESSEL,),
    (Role.TUMOUR,),
)
"""Later layers are drawn over earlier ones. The body only says where the patient ends."""


def in_layers(structures: tuple[Structure, ...]) -> list[Structure]:
    """Return the structures that make tissue, bottom layer first; within a layer in their own order."""
    return [s for roles in LAYERS for s in structures if s.role in roles]


def counts_over(a: Structure, b: Structure) -> bool:
    """Tell whether `a` counts where it overlaps `b`, which comes earlier among the structures."""
    ranks = [next((n for n, roles in enumerate(LAYERS) if s.role in roles), -1) for s in (a, b)]
    return ranks[0] >= ranks[1]
