"""gtm_opt: from accounts, a sales team and a revenue target to a defensible go-to-market plan.

The public names are loaded when they are first used, so that importing the package is quick
and loads no solver.
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gtm_opt import datasets
    from gtm_opt.assignment import (
        Matching,
        Overcarve,
        Rank,
        RoundRobin,
        Skills,
        Span,
        Staffing,
        Timeline,
        TimelineProof,
        assign,
        carve_support,
        match_people,
        overcarve,
        support_heads,
    )
    from gtm_opt.carving import (
        Carving,
        Explanation,
        Frontier,
        Level,
        Segments,
        carve,
        changes,
        compare_trees,
        frontier,
        recarve,
        recarve_subtree,
    )
    from gtm_opt.errors import (
        DataError,
        Finding,
        GtmOptError,
        GtmOptWarning,
        InfeasibleError,
        MeasureError,
        SolverError,
        SolverNotAvailableError,
    )
    from gtm_opt.measures import Check, check
    from gtm_opt.model import (
        Balance,
        Calendar,
        CarvingProblem,
        Count,
        Fit,
        Forbid,
        Hierarchy,
        KeepApart,
        KeepOwner,
        KeepTogether,
        Limit,
        MaxMoved,
        Mix,
        Near,
        Pin,
        Ramp,
        Role,
        Roles,
        SeatStatus,
        Territories,
        Within,
        parse_numbers,
        ramp_loss,
    )
    from gtm_opt.plan import Book, Plan, Policy, Trigger, build_plan
    from gtm_opt.quota import Quotas, cascade
    from gtm_opt.reporting import plot_balance, plot_capacity, plot_frontier, plot_map, plot_moves, report
    from gtm_opt.sales_capacity import Capacity, capacity
    from gtm_opt.solvers import (
        Progress,
        SolveStatus,
        Termination,
        get_solver,
        register_solver,
        solver_names,
        solver_table,
    )

__all__ = [
    "Balance",
    "Book",
    "Calendar",
    "Capacity",
    "Carving",
    "CarvingProblem",
    "Check",
    "Count",
    "DataError",
    "Explanation",
    "Finding",
    "Fit",
    "Forbid",
    "Frontier",
    "GtmOptError",
    "GtmOptWarning",
    "Hierarchy",
    "InfeasibleError",
    "KeepApart",
    "KeepOwner",
    "KeepTogether",
    "Level",
    "Limit",
    "Matching",
    "MaxMoved",
    "MeasureError",
    "Mix",
    "Near",
    "Overcarve",
    "Pin",
    "Plan",
    "Policy",
    "Progress",
    "Quotas",
    "Ramp",
    "Rank",
    "Role",
    "Roles",
    "RoundRobin",
    "SeatStatus",
    "Segments",
    "Skills",
    "SolveStatus",
    "SolverError",
    "SolverNotAvailableError",
    "Span",
    "Staffing",
    "Termination",
    "Territories",
    "Timeline",
    "TimelineProof",
    "Trigger",
    "Within",
    "__version__",
    "assign",
    "build_plan",
    "capacity",
    "carve",
    "carve_support",
    "cascade",
    "changes",
    "check",
    "compare_trees",
    "datasets",
    "frontier",
    "get_solver",
    "match_people",
    "overcarve",
    "parse_numbers",
    "plot_balance",
    "plot_capacity",
    "plot_frontier",
    "plot_map",
    "plot_moves",
    "ramp_loss",
    "recarve",
    "recarve_subtree",
    "register_solver",
    "report",
    "solver_names",
    "solver_table",
    "support_heads",
]

# public name -> module that holds it
_PUBLIC = {
    "Balance": "model",
    "Calendar": "model",
    "Capacity": "sales_capacity",
    "Carving": "carving",
    "CarvingProblem": "model",
    "Check": "measures",
    "Count": "model",
    "DataError": "errors",
    "Explanation": "carving",
    "Finding": "errors",
    "Fit": "model",
    "Forbid": "model",
    "Frontier": "carving",
    "GtmOptError": "errors",
    "GtmOptWarning": "errors",
    "Hierarchy": "model",
    "InfeasibleError": "errors",
    "KeepApart": "model",
    "KeepOwner": "model",
    "KeepTogether": "model",
    "Level": "carving",
    "Limit": "model",
    "Matching": "assignment",
    "RoundRobin": "assignment",
    "carve_support": "assignment",
    "support_heads": "assignment",
    "Overcarve": "assignment",
    "overcarve": "assignment",
    "MaxMoved": "model",
    "MeasureError": "errors",
    "Mix": "model",
    "Near": "model",
    "Pin": "model",
    "Book": "plan",
    "Plan": "plan",
    "Policy": "plan",
    "Trigger": "plan",
    "Progress": "solvers",
    "Quotas": "quota",
    "Ramp": "model",
    "Role": "model",
    "Roles": "model",
    "SeatStatus": "model",
    "Segments": "carving",
    "SolveStatus": "solvers",
    "SolverError": "errors",
    "SolverNotAvailableError": "errors",
    "Rank": "assignment",
    "Skills": "assignment",
    "Span": "assignment",
    "Staffing": "assignment",
    "Timeline": "assignment",
    "TimelineProof": "assignment",
    "Termination": "solvers",
    "Territories": "model",
    "Within": "model",
    "assign": "assignment",
    "build_plan": "plan",
    "capacity": "sales_capacity",
    "carve": "carving",
    "cascade": "quota",
    "changes": "carving",
    "check": "measures",
    "compare_trees": "carving",
    "datasets": "datasets",
    "frontier": "carving",
    "get_solver": "solvers",
    "match_people": "assignment",
    "parse_numbers": "model",
    "plot_balance": "reporting",
    "plot_capacity": "reporting",
    "plot_frontier": "reporting",
    "plot_map": "reporting",
    "plot_moves": "reporting",
    "ramp_loss": "model",
    "recarve": "carving",
    "recarve_subtree": "carving",
    "register_solver": "solvers",
    "report": "reporting",
    "solver_names": "solvers",
    "solver_table": "solvers",
}


try:
    __version__ = version("gtm-opt")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module = import_module(f"{__name__}.{_PUBLIC[name]}")
    value = module if _PUBLIC[name] == name == "datasets" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
