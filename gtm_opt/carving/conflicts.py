"""The smallest conflicting set: which wishes cannot hold together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.compile import compile_problem
from gtm_opt.carving.impossible import impossible
from gtm_opt.errors import percent_text
from gtm_opt.solvers import Run
from gtm_opt.solvers.lagrangian import solve_prices

if TYPE_CHECKING:
    from gtm_opt.instance import Instance
    from gtm_opt.model import CarvingProblem, Criterion, Rule

__all__ = ["conflict", "conflict_text"]


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
    Deletion filter [1]_ over the wishes: each is dropped in turn and stays out if the rest is
    still impossible. Impossible means: by a cheap check, or by an unbounded dual of the LP
    relaxation. One price ascent per wish.

    References
    ----------
    .. [1] Chinneck, J. W., Dravnieks, E. W. (1991). Locating minimal infeasible constraint sets in
       linear programs. ORSA Journal on Computing 3(2), 157-168. doi:10.1287/ijoc.3.2.157
    """
    balance, rules = list(problem.balance), list(problem.rules)
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
    if not balance:
        return False
    compiled = compile_problem(problem.replace(balance=tuple(balance), rules=tuple(rules), objective="preferences"))
    if impossible(compiled):
        return True
    return solve_prices(_hard(compiled.instance), Run()).proved_infeasible


def _hard(instance: Instance) -> Instance:
    """Return the instance as a pure feasibility question."""
    return replace(instance, evenness=None, penalty=np.full(instance.n_criteria, np.inf))


def conflict_text(elements: list[Criterion | Rule]) -> str:
    """Return the conflict as a reason in planner's words."""
    names = []
    for element in elements:
        tolerance = getattr(element, "tolerance", None)
        band = "" if tolerance is None else f" within {percent_text(tolerance)}"
        names.append(f"'{element.name}'{band}")
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    if len(elements) == 1:
        return (
            f"{listed} cannot be met at all, whatever the other wishes: loosen it, or ask for on_infeasible='nearest'."
        )
    return (
        f"These wishes cannot hold together: {listed}. Dropping or loosening any one of them resolves this conflict; "
        "or ask for on_infeasible='nearest'."
    )
