"""Comparisons: published experiments that leave too much open to be judged, shown beside what is computed.

Which probe, at what distance, for how long or in whom is not stated in what could be read; each line says
what was taken for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cryoplan.simulation.verification.check import Check, comparison
from cryoplan.simulation.verification.published import figure
from cryoplan.simulation.verification.rig import COMPARED, Rig, beside, bloodless, living, spread_of, value_of


def _lung(rig: Rig) -> Iterator[Check]:
    case = ("hinshaw2010_pig_lung", "hinshaw2010_pig_lung", "isotherm_diameter")
    # Air first and blood from the first thaw on lies between lung that is one or the other throughout;
    # and the tabulated perfusion, all of the heart's output, between itself and none.
    states = {
        "air": living("lung-inflated"),
        "blood": living("lung-flooded"),
        "air, no flow": bloodless("lung-inflated"),
        "blood, no flow": bloodless("lung-flooded"),
    }
    phases = (("freeze", 600.0), ("passive", 300.0), ("freeze", 600.0))
    runs = {name: rig.setup("endocare-2.4mm", lung, 37.0, *phases).run() for name, lung in states.items()}
    for degc in (0.0, -20.0, -40.0):
        found = figure(*case, degc)
        widths = {name: outcome.size(degc).width_mm for name, outcome in runs.items()}
        low, high = min(widths.values()), max(widths.values())
        away = min(high - value_of(found), 0.0) + max(low - value_of(found), 0.0)
        yield comparison(
            f"PerCryo 2.4 mm, {degc:g} degC diameter, pig lung", away, spread_of(found), "mm",
            "computed "
            + ", ".join(f"{mm:.1f} ({name})" for name, mm in widths.items())
            + f", published {found.value:g} +- {spread_of(found):g} mm (10-5-10 min assumed)",
            group=COMPARED, source=found.source,
        )  # fmt: skip


def _kidney(rig: Rig) -> Iterator[Check]:
    found = figure("young2011_kidney_time_to_minus20", "young2011_kidney_minus20", "qualitative")
    outcome = rig.setup("icesphere-17g", living("kidney"), 37.0, ("freeze", 600.0)).run()
    radius = 0.5 * outcome.size(-20.0).width_mm
    yield comparison(
        "-20 degC in pig kidney after 10 min, radius", max(radius - 10.0, 0.0), 0.0, "mm",
        f"computed {radius:.1f} mm (IceSphere); published: -20 degC not reached at 10 mm in most parenchyma",
        group=COMPARED, source=found.source,
    )  # fmt: skip


def _small_target(rig: Rig) -> Iterator[Check]:
    for organ in ("liver", "kidney"):
        outcome = rig.setup("prosense-10g-ln2", living(organ), 37.0, ("freeze", 240.0)).run()
        size = outcome.size(-20.0)
        for what, mm in (("width", size.width_mm), ("length", size.length_mm)):
            found = figure("visica2_pig_small_target", f"visica2_{organ}_1cm", f"necrosis_{what}")
            yield comparison(
                f"Nitrogen needle, 4 min, pig {organ}, {what} of necrosis", mm - value_of(found),
                spread_of(found), "mm",
                beside(mm, found, "ProSense and -20 degC taken for the Visica2 and its necrosis"),
                group=COMPARED, source=found.source,
            )  # fmt: skip


def _largest_single(rig: Rig) -> Iterator[Check]:
    case = "silverman2000_1needle"
    long = figure("silverman2000_liver_one_needle", case, "max_iceball_extent_1")
    wide = figure("silverman2000_liver_one_needle", case, "max_iceball_extent_2")
    size = rig.setup("icesphere-17g", living("liver"), 37.0, ("freeze", 900.0)).run().size(0.0)
    for found, mm, what in ((wide, size.width_mm, "width"), (long, size.length_mm, "length")):
        yield comparison(
            f"One argon needle in human liver, ice {what}", mm - value_of(found), 0.0, "mm",
            beside(mm, found, "largest of 15; needle and time not stated (IceSphere, 15 min)"),
            group=COMPARED, source=found.source,
        )  # fmt: skip


COMPARISONS: tuple[tuple[str, Callable[[Rig], Iterator[Check]]], ...] = (
    ("Pig lung", _lung),
    ("Pig kidney", _kidney),
    ("Small targets", _small_target),
    ("One needle in liver", _largest_single),
)
"""Title and lines of every comparison."""
