"""Card rows: what the card of a structure says, in short and in full."""

from __future__ import annotations

from dataclasses import replace

from cryoplan.app.carding import Carded
from cryoplan.case.card import StructureCard
from cryoplan.case.diameters import Length
from cryoplan.case.surroundings import REACH_MM, Gap, Relation
from cryoplan.core.finding import Finding
from cryoplan.core.units import show_ml
from cryoplan.gui.numbers import Shown
from cryoplan.gui.parts import short_name
from cryoplan.gui.standing import local_time

_SIZE = (
    "Longest diameter in an axial slice (as RECIST 1.1 measures it), the extent across it in the same slice, "
    "and the extent from head to feet."
)
_VOXELS = "± is what the voxels leave open; how well it was outlined is not in it."


def short_rows(card: StructureCard) -> list[Shown]:
    """Return size, depth and the nearest neighbour, in whole millimetres."""
    d = card.diameters
    size = " × ".join(f"{length.mm:.0f}" for length in (d.longest, d.across, d.cranio_caudal))
    rows = [Shown(name="Size", value=f"{size} mm", tip=_SIZE, point=d.middle_mm)]
    rows += [_depth(gap, whole=False) for gap in (card.skin, card.capsule) if gap is not None]
    if card.neighbours:
        rows.append(_neighbour(card.neighbours[0], whole=False))
    return rows


def whole_rows(card: StructureCard) -> list[Shown]:
    """Return all that was measured, each length with what the voxels leave open."""
    d = card.diameters
    rows = [
        Shown(name="Longest", value=_open(d.longest), tip=f"{_SIZE}\n{_VOXELS}", point=d.middle_mm),
        Shown(name="Across it", value=_open(d.across), tip=f"{_SIZE}\n{_VOXELS}", point=d.middle_mm),
        Shown(name="Head to feet", value=_open(d.cranio_caudal), tip=f"{_SIZE}\n{_VOXELS}"),
    ]
    rows += [_depth(gap, whole=True) for gap in (card.skin, card.capsule) if gap is not None]
    rows += [_neighbour(gap, whole=True) for gap in card.neighbours]
    if not card.neighbours:
        rows.append(Shown(name="Neighbours", value=f"none within {REACH_MM:.0f} mm"))
    pieces = card.pieces
    more = f" (smaller: {show_ml(pieces.smaller_ml)})" if pieces.islands > 1 else ""
    rows.append(Shown(name="Pieces", value=f"{pieces.islands}{more}"))
    holes = f"{pieces.holes} ({show_ml(pieces.holes_ml)})" if pieces.holes else "none"
    rows.append(Shown(name="Holes", value=holes, tip="Holes that another structure fills are not counted."))
    rows.append(Shown(name="Voxels", value=f"{card.voxels:,}".replace(",", "\N{THIN SPACE}")))
    return rows


def origin(carded: Carded) -> str:
    """Return where the outline came from and since when it is in the case."""
    source = f"From {carded.case.structure(carded.card.name).source}."
    if carded.since is None:
        return source
    step = carded.since.text.removeprefix(f"{carded.card.name}: ")
    return f"{source} As it is since {local_time(carded.since.at)}: {step}."


def findings_of(card: StructureCard) -> tuple[Finding, ...]:
    """Return what is odd about it without its name, which stands above them and may be long."""
    begin = f"{card.name} "
    return tuple(
        replace(f, text=f"It {f.text.removeprefix(begin)}") if f.text.startswith(begin) else f
        for f in card.findings
    )


def _depth(gap: Gap, *, whole: bool) -> Shown:
    if gap.name == "skin":
        return Shown(
            name="Under the skin",
            value=_far(gap, whole),
            tip=f"Least distance of its outline from the skin.\n{_VOXELS}",
            point=gap.point_mm,
        )
    value = "at it" if gap.relation is not Relation.APART else _far(gap, whole)
    return Shown(
        name=f"Under the capsule: {short_name(gap.name)}",
        value=value,
        tip=f"Least distance of its outline from the surface of {gap.name}, its tumours included.\n{_VOXELS}",
        point=gap.point_mm,
    )


def _neighbour(gap: Gap, *, whole: bool) -> Shown:
    value = _far(gap, whole) if gap.relation is Relation.APART else gap.relation.value
    name = f"To {short_name(gap.name)}"
    return Shown(
        name=name,
        value=value,
        tip=f"Least distance between its outline and that of {gap.name}.\n{_VOXELS}",
        point=gap.point_mm,
    )


def _far(gap: Gap, whole: bool) -> str:
    return _open(gap.length) if whole else f"{gap.length.mm:.0f} mm"


def _open(length: Length) -> str:
    return f"{length.mm:.1f} ± {length.within_mm:.1f} mm"
