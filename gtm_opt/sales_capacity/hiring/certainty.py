"""Cost against probability, with a line that no plan can beat at a stated confidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, percent_text
from gtm_opt.sales_capacity.hiring.certain import most_hires, plan_with_confidence
from gtm_opt.sales_capacity.hiring.scenario_model import draw_lives, scenario_model
from gtm_opt.sales_capacity.hiring.stages import relax, solve_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.mip import Options
    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["CertaintyCurve", "certainty_curve", "guaranteed_rank", "statistical_bound"]


@dataclass(frozen=True, eq=False)
class CertaintyCurve:
    """What certainty costs.

    Attributes
    ----------
    table : DataFrame
        One row per probability: ``probability``, ``cost``, ``status``, ``bound`` (no plan that keeps the promise in
        these scenarios costs less: proven), ``bound_true`` (no plan that keeps it in truth costs less, with confidence
        `level`, for each probability by itself; ``-inf``: too few replications to say), ``measured``, ``low``,
        ``high`` (on fresh paths), ``kept``.
    level : float
    replications : int
    """

    table: pd.DataFrame
    level: float
    replications: int

    def __repr__(self) -> str:
        rows = zip(self.table["probability"], self.table["cost"], self.table["bound_true"], strict=True)
        parts = ", ".join(f"{percent_text(p)} {c:,.0f} (at least {b:,.0f})" for p, c, b in rows)
        return f"CertaintyCurve: {parts}; lower line at {percent_text(self.level)} confidence"


def certainty_curve(
    problem: HiringProblem,
    confidence: Confidence,
    probabilities: Sequence[float],
    options: Options,
    backend: str = "highs",
    *,
    replications: int = 10,
    level: float = 0.95,
) -> CertaintyCurve:
    """Plan for each probability; see `HiringPlan.certainty_curve`."""
    rows = []
    for p in sorted(float(v) for v in probabilities):
        spec = replace(confidence, probability=p)
        plan = plan_with_confidence(problem, spec, options, backend)
        true = statistical_bound(problem, spec, options, backend, replications=replications, level=level)
        odds = plan.odds
        measured = (np.nan, np.nan, np.nan) if odds is None else odds.promised
        kept = None if odds is None else odds.is_kept
        rows.append((p, plan.objective, plan.status.value, plan.bound, true, *measured, kept))
    columns = ["probability", "cost", "status", "bound", "bound_true", "measured", "low", "high", "kept"]
    return CertaintyCurve(pd.DataFrame(rows, columns=columns), level, replications)


def statistical_bound(
    problem: HiringProblem,
    confidence: Confidence,
    options: Options,
    backend: str = "highs",
    *,
    replications: int = 10,
    level: float = 0.95,
    relaxed: bool = True,
) -> float:
    """Return a cost that, with confidence ``level``, no plan that keeps the promise in truth undercuts.

    Parameters
    ----------
    problem, confidence, options, backend
    replications : int
        Independent scenario models of ``confidence.scenarios`` paths each.
    level : float
        In (0, 1).
    relaxed : bool
        Bound each model by its linear relaxation, which is quick; else by solving it within the options.

    Returns
    -------
    float
        ``-inf`` where so few replications cannot say anything at this level.

    Notes
    -----
    The best true plan keeps the promise in a model of N paths with probability at least theta = P(Bin(N, 1 - p) <= k),
    k the paths that may miss; then that model's bound is below its cost. Of M independent models at least L are so with
    the probability P(Bin(M, theta) >= L); the L-th smallest bound with the largest L for which this reaches the
    level is returned (Luedtke and Ahmed 2008, doi:10.1137/070702928). Holds for the method "scenarios".
    """
    if not 0 < level < 1 or replications < 1:
        raise DataError(f"`level` must lie in (0, 1) and `replications` be at least 1, got {level} and {replications}.")
    spec = replace(confidence, method="scenarios")
    rank = guaranteed_rank(spec, len(problem.targets), replications, level)
    if rank == 0:
        return -np.inf
    most = most_hires(problem)
    bounds = []
    for number in range(replications):
        form = scenario_model(problem, spec, draw_lives(problem, spec, most, 2 * number + 2))
        if relaxed:
            bounds.append(relax(form, form.objectives["least_cost"]).bound)
        else:
            bounds.append(solve_stages(form, ("least_cost",), options, backend)[0][0].bound)
    return float(np.sort(bounds)[rank - 1])


def guaranteed_rank(confidence: Confidence, n_targets: int, replications: int, level: float) -> int:
    """Return the largest L such that at least L of the models admit the best true plan, with probability ``level``."""
    from scipy.stats import binom  # late: keeps `import gtm_opt` quick

    theta = float(binom.cdf(confidence.may_miss, confidence.scenarios, 1.0 - confidence.probability))
    if not confidence.jointly:
        theta = max(0.0, 1.0 - n_targets * (1.0 - theta))
    ranks = np.arange(1, replications + 1)
    return int(np.sum(binom.sf(ranks - 1, replications, theta) >= level))
