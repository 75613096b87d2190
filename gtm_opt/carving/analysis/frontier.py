"""Balance against disruption (or any preference): the trade-off curve, without dominated points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from gtm_opt.carving.carve import carve, resolve_hierarchy
from gtm_opt.carving.centers.scope import ALL_CENTERS
from gtm_opt.carving.options import CarveOptions
from gtm_opt.carving.progress import progress_over
from gtm_opt.carving.segments import Segments
from gtm_opt.errors import DataError
from gtm_opt.measures import check
from gtm_opt.model import Balance, Count, KeepOwner, Limit, MaxMoved, Mix
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.problem import require_problem
from gtm_opt.model.renamed import accept_renamed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from gtm_opt.carving.options import CarveKeywords
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray
    from gtm_opt.model import CarvingProblem, Criterion, Hierarchy, Preference

__all__ = ["Frontier", "frontier", "knee"]

POINT_OPTIONS = CarveOptions(effort=0.1, max_gap=0.01)
"""Of each point: it begins from its neighbor's plan, and ends where it is proven good enough to see the curve."""


@dataclass(frozen=True, eq=False)
class Frontier:
    """The trade-off between balance and a preference.

    Attributes
    ----------
    over : str
        Name of the preference.
    table : DataFrame
        One row per point, from the most even to the least: stretch (worst deviation in units of
        its tolerance), one column per criterion with its worst deviation, score (of the
        preference, 0 best), moved (share of accounts that change owner), bound (no plan that
        even has a lower score), status, knee.
    carvings : tuple of Carving
        The plan of each point; None for "move nothing", which is not carved.
    """

    over: str
    table: pd.DataFrame
    carvings: tuple[Carving | None, ...]

    @property
    def knee(self) -> pd.Series:
        """The point after which more disruption buys little balance."""
        return self.table[self.table["knee"]].iloc[0]

    def __repr__(self) -> str:
        shown = self.table[["stretch", "score", "moved", "bound", "knee"]].to_string(index=False, float_format="%.4g")
        return f"Frontier of balance against '{self.over}':\n{shown}"


@accept_renamed(given="fixed_nodes")
@takes_tables(either=("fixed_nodes",))
def frontier(
    problem: CarvingProblem,
    *,
    over: str = "moved",
    points: int = 9,
    hierarchy: Hierarchy | Segments | Literal["flat"] | None = None,
    fixed_nodes: pd.Series | Mapping[str, str] | None = None,
    options: CarveOptions | None = None,
    **keywords: Unpack[CarveKeywords],
) -> Frontier:
    """Return the trade-off curve of balance against disruption, or against another preference.

    Parameters
    ----------
    problem : CarvingProblem
    over : str
        ``"moved"``: the problem's `KeepOwner` (or one by its `previous` column). Else the name of one of
        its preferences. The others are left out: a curve has two axes.
    points : int
        At least 2; points that coincide are merged.
    hierarchy, fixed_nodes
        As in `gtm_opt.carve`.
    options : CarveOptions, optional
        ``time_limit`` is for each point; ``on_infeasible`` is always ``"nearest"``. ``progress=True`` shows one bar
        over the points. Default: an effort of 0.1 and a gap of 1 %, as a curve has many points.
    **keywords
        Fields of `CarveOptions`, in place of those of ``options``.

    Returns
    -------
    Frontier
        A ``cancel`` switch ends it early, with the points found until then.
        Its ends are "carve freely" (as even as possible, then the least disruption) and "move
        nothing" (or the best score without any band).

    Raises
    ------
    DataError
        When there is no such preference, nothing to balance, or a `MaxMoved` rule that would cut the curve.

    Notes
    -----
    Each point scales all tolerances by one factor, the stretch, and minimises the preference within
    them; each starts from its tighter neighbor's plan, so scores never rise with the stretch. The
    knee is the point farthest from the chord (Satopaa et al. 2011).

    References
    ----------
    Satopaa, V., et al. (2011). Finding a "Kneedle" in a haystack. ICDCS Workshops.
    doi:10.1109/ICDCSW.2011.20
    """
    require_problem(problem)
    preference = _preference(problem, over)
    if points < 2:
        raise DataError(f"`points` must be at least 2, got {points}.")
    if any(isinstance(rule, MaxMoved) for rule in problem.rules):
        raise DataError(
            "A frontier over disruption needs a problem without MaxMoved: drop the rule, then read off the curve."
        )
    if not any(not isinstance(c, Limit) for c in problem.balance):
        raise DataError("A frontier needs something to balance. Add Balance('your column') or Count().")
    chosen = CarveOptions.of(options or POINT_OPTIONS, keywords).replace(on_infeasible="nearest")
    if isinstance(hierarchy, Segments) or fixed_nodes is not None:
        # segments and levels made by hand become rules and targets of the problem, for every point the same
        problem, hierarchy = resolve_hierarchy(problem, hierarchy, fixed_nodes, chosen.tree.max_buckets)
    base = problem.replace(prefer=(preference,), objective="preferences")
    rows: list[dict[str, Any]] = []
    carvings: list[Carving] = []
    with progress_over(chosen.progress, points + 2, "carve", "frontier") as (callback, count):
        # the bar counts carves: those inside draw none of their own
        inner = chosen.replace(progress=False if callback is None else callback)

        def plan_at(stretched: CarvingProblem, start: Carving | None = None) -> Carving:
            begin = None if start is None else start.labels
            plan = carve(stretched, hierarchy=hierarchy, start=begin, options=inner)
            if count is not None:
                count("frontier")
            return plan

        tightest = plan_at(base.replace(objective="even"))
        loosest = plan_at(_stretched(base, np.inf))
        low, high = _stretch(base, tightest), _stretch(base, loosest)
        begin: Carving = tightest
        for factor in _factors(low, high, points):
            if carvings and chosen.cancel is not None and chosen.cancel.is_set():
                break
            begin = loosest if factor >= high else plan_at(_stretched(base, factor), begin)
            rows.append(_row(base, begin, _is_capped(base, factor) and factor < high))
            carvings.append(begin)
    table, kept = _without_dominated(pd.DataFrame(rows))
    table["knee"] = np.arange(len(table)) == knee(table["stretch"].to_numpy(), table["score"].to_numpy())
    return Frontier(preference.name, table, tuple(carvings[i] for i in kept))


def _preference(problem: CarvingProblem, over: str) -> Preference:
    if over == "moved":
        keep = next((p for p in problem.prefer if isinstance(p, KeepOwner)), None)
        if keep is not None:
            return keep
        if problem.previous is not None:
            return KeepOwner(problem.previous)
        raise DataError("`over='moved'` needs today's owners: add KeepOwner('your owner column') to the problem.")
    for preference in problem.prefer:
        if preference.name == over:
            return preference
    names = ", ".join(f"'{p.name}'" for p in problem.prefer) or "none"
    raise DataError(f"`over` must be 'moved' or one of the problem's preferences ({names}), got '{over}'.")


def _stretched(problem: CarvingProblem, factor: float) -> CarvingProblem:
    """Return the problem with all tolerances times ``factor``; without bands for infinity."""
    if np.isinf(factor):
        return problem.replace(balance=tuple(c for c in problem.balance if isinstance(c, Limit)))

    def one(criterion: Criterion) -> Criterion:
        if isinstance(criterion, Balance | Count | Mix):
            return replace(criterion, tolerance=min(1.0, criterion.tolerance * factor), penalty=None)
        return criterion

    return problem.replace(balance=tuple(one(c) for c in problem.balance))


def _stretch(problem: CarvingProblem, plan: Carving) -> float:
    """Return the smallest factor on the tolerances that this plan keeps."""
    table = check(problem, plan.labels).criteria
    table = table[np.isfinite(table["tolerance"]) & (table["tolerance"] > 0)]
    return float((table["worst_deviation"].abs() / table["tolerance"]).max())


def _factors(low: float, high: float, points: int) -> FloatArray:
    """Return stretches from ``low`` to ``high``: even ratios from a tenth of the tolerances on, 1 among them."""
    if high <= low * (1 + 1e-9) or points == 2:
        return np.unique([low, high])
    begin = max(low * (1 + 1e-6), 0.1 * min(1.0, high))
    factors = np.geomspace(begin, high, points - 1)
    if begin < 1.0 < high:
        # the tolerances asked for are the one point everybody looks at
        factors[1 + np.abs(np.log(factors[1:-1])).argmin() if points > 3 else 0] = 1.0
    return np.unique(np.concatenate([[low], factors]))


def _is_capped(problem: CarvingProblem, factor: float) -> bool:
    """Whether some tolerance would be above 100 %, where it is capped: a bound would then leave plans out."""
    return any(c.tolerance * factor > 1.0 for c in problem.balance if isinstance(c, Balance | Count | Mix))


def _row(problem: CarvingProblem, plan: Carving, capped: bool) -> dict[str, Any]:
    found = check(problem, plan.labels)
    row: dict[str, Any] = {"stretch": _stretch(problem, plan)}
    bands = found.criteria[np.isfinite(found.criteria["tolerance"])]
    row |= dict(zip(bands["criterion"], bands["worst_deviation"].abs(), strict=True))
    accounts = found.moved[found.moved["measure"] == "accounts"]
    row["score"] = found.score / float(found.preferences["weight"].iloc[0])
    row["moved"] = float(accounts["share_moved"].iloc[0]) if len(accounts) else np.nan
    bound = plan.certificate.bound / problem.n_accounts / float(found.preferences["weight"].iloc[0])
    # the carve at this stretch must have been that very question: bands neither capped nor moved
    asked = plan.compiled.instance.evenness is None and not capped and plan.carved is None
    # and its bound must be about all plans, not about those with the centers found
    asked = asked and plan.certificate.bound_scope == ALL_CENTERS
    row["bound"] = bound if asked else -np.inf
    row["status"] = plan.status.value
    return row


def _without_dominated(table: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    order = table.sort_values(["stretch", "score"], kind="stable").index
    kept, best = [], np.inf
    for at in order:
        if table.loc[at, "score"] < best - 1e-12:
            kept.append(int(at))
            best = float(table.loc[at, "score"])
    return table.loc[kept].reset_index(drop=True), kept


def knee(x: FloatArray, y: FloatArray) -> int:
    """Return the position of the point farthest below the chord from first to last.

    Examples
    --------
    >>> knee(np.array([0.0, 1.0, 10.0]), np.array([10.0, 1.0, 0.0]))
    1
    """
    if len(x) < 3:
        return 0
    across = (x - x[0]) / max(x[-1] - x[0], 1e-300)
    down = (y - y[-1]) / max(y[0] - y[-1], 1e-300)
    return int(np.argmax(1.0 - across - down))
