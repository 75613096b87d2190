"""The smallest conflicting set: which requirements cannot hold together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.feasibility.assess import assess, is_small
from gtm_opt.errors import percent_text
from gtm_opt.model import Count
from gtm_opt.solvers import Run
from gtm_opt.solvers.lagrangian import solve_prices

if TYPE_CHECKING:
    from gtm_opt.instance import Instance
    from gtm_opt.model import CarvingProblem, Criterion, Rule

NODES = 2_000
"""Branch-and-bound nodes of one question, where a problem is small."""

__all__ = ["conflict", "conflict_text", "why_infeasible"]


def conflict(problem: CarvingProblem) -> list[Criterion | Rule]:
    """Return a smallest set of criteria and rules that cannot hold together, by proof.

    Parameters
    ----------
    problem : CarvingProblem

    Returns
    -------
    list
        Elements of ``problem.balance`` and ``problem.rules``: impossible together, and possible (as
        far as the proof reaches) when any one of them is dropped. Empty when no proof is found.

    Notes
    -----
    Deletion filter [1]_ over the requirements: each is dropped in turn and stays out if the rest is
    still impossible. Impossible means: by a cheap check, by an exact model where the problem is small, or by an
    unbounded dual of the LP relaxation. One model or price ascent per requirement.

    References
    ----------
    .. [1] Chinneck, J. W., Dravnieks, E. W. (1991). Locating minimal infeasible constraint sets in
       linear programs. ORSA Journal on Computing 3(2), 157-168. doi:10.1287/ijoc.3.2.157
    """
    # a band with a penalty may be violated at its price: it is in no conflict
    balance: list[Criterion] = [c for c in problem.balance if getattr(c, "penalty", None) is None]
    rules = list(problem.rules)
    if not _impossible(problem, balance, rules):
        return []
    for rule in list(rules):
        trial = [r for r in rules if r is not rule]
        if _impossible(problem, balance, trial):
            rules = trial
    for criterion in list(balance):
        others = [c for c in balance if c is not criterion]
        if _impossible(problem, others, rules):
            balance = others
    return [*balance, *rules]


def _impossible(problem: CarvingProblem, balance: list[Criterion], rules: list[Rule]) -> bool:
    asked = tuple(balance) or (Count(tolerance=1.0, penalty=1.0),)
    compiled = compile_problem(problem.replace(balance=asked, rules=tuple(rules), objective="preferences"))
    if assess(compiled).impossible:
        return True
    hard = _hard(compiled.instance)
    if is_small(hard):
        from gtm_opt.solvers.exact.lexicographic import find_nearest

        found = find_nearest(hard, Run(), nodes=NODES, stages=1 + bool(hard.side))
        return found.infeasible or found.rules_impossible
    return solve_prices(hard, Run()).proved_infeasible


def _hard(instance: Instance) -> Instance:
    """Return the instance as a pure feasibility question, all bands of one tier."""
    return replace(instance, evenness=None, tier=np.ones(instance.n_criteria, dtype=np.int64))


def conflict_text(elements: list[Criterion | Rule]) -> str:
    """Return the conflict as a reason in planner's words."""
    names = []
    for element in elements:
        tolerance = getattr(element, "tolerance", None)
        band = "" if tolerance is None else f" within {percent_text(tolerance)}"
        names.append(f"'{element.name}'{band}")
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    if len(elements) == 1:
        return f"{listed} cannot be met at all, whatever else is asked for: loosen it."
    return (
        f"These requirements cannot hold together: {listed}. Dropping or loosening any one of them resolves this "
        "conflict."
    )


def why_infeasible(problem: CarvingProblem, by: str = "exact models") -> str:
    """Return why a request is impossible that was proven so ``by`` a solver over whole accounts."""
    elements = conflict(problem)
    if elements:
        return conflict_text(elements)
    return f"The bands and rules cannot all hold: proven by {by} over whole accounts. Loosen a tolerance or a rule."
