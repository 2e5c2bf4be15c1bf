"""The sentence as functions: load > build > simulate > assess > report.

Window, commands and tests call these and nothing else. Nothing here needs Qt, not even
indirectly, so the whole program also runs without a screen.
"""

from cryoplan.case.asked_roles import unsure, with_roles
from cryoplan.core.meanings import find_meanings, meaning_of
from cryoplan.margins.case_limits import describe_limit, limits_of, with_limit, without_limit
from cryoplan.margins.case_sides import describe_sides, with_side
from cryoplan.workflow.casefile import CaseFile, standing, stored_result
from cryoplan.workflow.converging import ConvergenceReport, check_convergence, margin_uncertainty
from cryoplan.workflow.loading import (
    add_structures,
    built_in_case,
    built_in_plan,
    choose_target,
    list_series,
    load_case,
    load_plan,
    save_plan,
)
from cryoplan.workflow.opening import patient_names, survey
from cryoplan.workflow.other_program import (
    Offer,
    Offers,
    Outlined,
    add_outlines,
    find_offers,
    outlines_case,
    run_ai,
)
from cryoplan.workflow.partner import Partner, check_partner, load_partner, read_partner
from cryoplan.workflow.previewing import Preview, prepare_preview, preview, preview_key
from cryoplan.workflow.proposing import (
    Proposal,
    accept_proposals,
    can_propose,
    propose_structures,
    with_free_names,
)
from cryoplan.workflow.protecting import inflate_pocket, nearest_skin
from cryoplan.workflow.reporting import make_pictures, write_report
from cryoplan.workflow.room_sheet import write_room_sheet
from cryoplan.workflow.saving import SavedCase, open_case, recall, save_case
from cryoplan.workflow.solving import (
    assess,
    catalogue,
    check,
    judge_again,
    offered_sides,
    prepare,
    sense_again,
    simulate,
    simulation_key,
    tissues,
)
from cryoplan.workflow.timing import TumourTimes, curves_csv, measure_times, write_curves

__all__ = [
    "CaseFile",
    "ConvergenceReport",
    "Offer",
    "Offers",
    "Outlined",
    "Partner",
    "Preview",
    "Proposal",
    "SavedCase",
    "TumourTimes",
    "accept_proposals",
    "add_outlines",
    "add_structures",
    "assess",
    "built_in_case",
    "built_in_plan",
    "can_propose",
    "catalogue",
    "check",
    "check_convergence",
    "check_partner",
    "choose_target",
    "curves_csv",
    "describe_limit",
    "describe_sides",
    "find_meanings",
    "find_offers",
    "inflate_pocket",
    "judge_again",
    "limits_of",
    "list_series",
    "load_case",
    "load_partner",
    "load_plan",
    "make_pictures",
    "margin_uncertainty",
    "meaning_of",
    "measure_times",
    "nearest_skin",
    "offered_sides",
    "open_case",
    "outlines_case",
    "patient_names",
    "prepare",
    "prepare_preview",
    "preview",
    "preview_key",
    "propose_structures",
    "read_partner",
    "recall",
    "run_ai",
    "save_case",
    "save_plan",
    "sense_again",
    "simulate",
    "simulation_key",
    "standing",
    "stored_result",
    "survey",
    "tissues",
    "unsure",
    "with_free_names",
    "with_limit",
    "with_roles",
    "with_side",
    "without_limit",
    "write_curves",
    "write_report",
    "write_room_sheet",
]
