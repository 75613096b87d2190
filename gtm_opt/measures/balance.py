"""The balance of a plan: every territory against its target, every criterion summed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.measures.criteria import compile_criteria
from gtm_opt.measures.spread import coefficient_of_variation, forced_deviation, gini, share_outside

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.measures.criteria import CriterionColumn
    from gtm_opt.model import CarvingProblem

__all__ = ["balance_table", "criterion_table", "territory_positions"]

SLACK = 1e-9
"""Relative slack granted to floating-point sums when a band is checked."""


def territory_positions(problem: CarvingProblem, assignment: pd.Series) -> IntArray:
    """Return the territory position of each account, in the order of the account table.

    Parameters
    ----------
    problem : CarvingProblem
    assignment : Series
        Territory name per account id.
    """
    names = pd.Index(problem.territories.names)
    return names.get_indexer(pd.Index(assignment.reindex(problem.resolved.ids).to_numpy())).astype(np.int64)


def _totals(column: CriterionColumn, at: IntArray, k: int) -> FloatArray:
    values = column.values if column.values.ndim == 1 else column.values[np.arange(len(at)), at]
    totals: FloatArray = np.bincount(at, weights=values, minlength=k).astype(np.float64)
    return totals


def balance_table(problem: CarvingProblem, at: IntArray) -> pd.DataFrame:
    """Return one row per territory and criterion.

    Parameters
    ----------
    problem : CarvingProblem
    at : ndarray of int, shape (n_accounts,)
        Territory position of each account (see `territory_positions`).

    Returns
    -------
    DataFrame
        criterion, priority, territory, total, target, deviation (fraction), lower, upper, within.
        ``target`` and ``deviation`` are empty for absolute limits.
    """
    names = list(problem.territories.names)
    frames = []
    for column in compile_criteria(problem, problem.territories):
        total = _totals(column, at, len(names))
        slack = SLACK * np.maximum(column.target, 1e-12)
        within = (total >= column.lower - slack) & (total <= column.upper + slack)
        target = np.full(len(names), np.nan) if column.limit else column.target
        frames.append(
            pd.DataFrame(
                {
                    "criterion": column.name,
                    "priority": column.priority,
                    "territory": names,
                    "total": total,
                    "target": target,
                    "deviation": total / target - 1.0,
                    "lower": column.lower,
                    "upper": column.upper,
                    "within": within,
                }
            )
        )
    columns = ["criterion", "priority", "territory", "total", "target", "deviation", "lower", "upper", "within"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def criterion_table(problem: CarvingProblem, at: IntArray) -> pd.DataFrame:
    """Return one row per criterion: how uneven it is, and how much of that is avoidable.

    Returns
    -------
    DataFrame
        criterion, priority, tolerance, within (all territories), worst_deviation (fraction),
        worst_territory, forced_deviation (no plan can do better because of single accounts or
        families), avoidable_deviation, cv, gini, outside_15 (fraction of territories more than
        15 % off).
    """
    names = problem.territories.names
    family = problem.resolved.family
    rows = []
    for column in compile_criteria(problem, problem.territories):
        total = _totals(column, at, len(names))
        slack = SLACK * np.maximum(column.target, 1e-12)
        within = bool(((total >= column.lower - slack) & (total <= column.upper + slack)).all())
        row = {"criterion": column.name, "priority": column.priority, "tolerance": column.tolerance, "within": within}
        if not column.limit:
            deviation = total / column.target - 1.0
            worst = int(np.abs(deviation).argmax())
            ratio = total / column.target
            forced = _forced(column, family)
            row |= {
                "worst_deviation": float(deviation[worst]),
                "worst_territory": names[worst],
                "forced_deviation": forced,
                "avoidable_deviation": max(0.0, float(abs(deviation[worst])) - forced),
                "cv": coefficient_of_variation(ratio),
                "gini": gini(ratio),
                "outside_15": share_outside(total, column.target),
            }
        rows.append(row)
    columns = ["criterion", "priority", "tolerance", "within", "worst_deviation", "worst_territory"]
    columns += ["forced_deviation", "avoidable_deviation", "cv", "gini", "outside_15"]
    return pd.DataFrame(rows, columns=columns)


def _forced(column: CriterionColumn, family: IntArray) -> float:
    if column.values.ndim == 2:
        return 0.0
    return forced_deviation(np.bincount(family, weights=column.values).astype(np.float64), column.target)
