"""Fairness against change: the best worst ratio for every limit on how far quotas may move from last year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, InfeasibleError
from gtm_opt.model.frames import takes_tables
from gtm_opt.quota.fairness.fair_quotas import fair_quotas
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.weights import read_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["fairness_frontier"]


@takes_tables("metrics", "bounds", either=("prior",))
def fairness_frontier(
    tree: TreeLike,
    target: float,
    *,
    prior: str | pd.Series[float] | Mapping[str, float],
    limits: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    by: str | pd.Series[float] = "share",
    metrics: pd.DataFrame | None = None,
    bounds: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return how fair quotas can be if no seat moves by more than a fraction of last year's quota.

    Parameters
    ----------
    tree, target, by, metrics, bounds, **options
        As for `fair_quotas`; `bounds` hold at every point as well.
    prior : str, Series or mapping
        Last year's quota of every seat: a column of `metrics`, or amounts by seat id. Seats with 0 or nothing are new
        and may get anything.
    limits : sequence of float
        Largest change of any seat's quota, as a fraction; > 0.

    Returns
    -------
    DataFrame
        One row per limit, ascending, and one without (``inf``): ``limit_frac``, ``status`` ("optimal", "infeasible"),
        ``worst_ratio``, ``bound`` (proven: no allocation within the limit has a lower worst ratio; equal to it),
        ``largest_change_frac``, ``changed_seats``, ``reason``.

    Raises
    ------
    DataError
        With every finding in the arguments.
    """
    found = Findings()
    layers = Layers.of(tree)
    asked = []
    for limit in limits:
        if isinstance(limit, bool) or not isinstance(limit, int | float | np.number) or not 0 < float(limit) < np.inf:
            found.add("limits", "must be fractions above 0", got=repr(limit))
        else:
            asked.append(float(limit))
    seats = np.flatnonzero(layers.is_leaf)
    names = [layers.ids[s] for s in seats]
    if isinstance(prior, str):
        before = pd.Series(read_metric(prior, layers, prior, metrics, found)[seats], index=names)
    else:
        before = pd.to_numeric(pd.Series(prior, dtype=object), errors="coerce")
        before.index = before.index.map(str)
        unknown = before.index.difference(pd.Index(names))
        if len(unknown):
            found.add("prior", "must only name seats of the tree", rows=unknown, kind="seat")
        before = before[~before.index.duplicated()].reindex(names).fillna(0.0).astype(np.float64)
    if bounds is not None and {"prior", "max_up_frac", "max_down_frac"} & set(bounds.columns):
        found.add("bounds", "must not limit changes as well", remedy="Leave prior and its limits to `prior`, `limits`.")
    found.raise_if_any()
    rows = []
    for limit in [*sorted(set(asked)), np.inf]:
        held = bounds if limit == np.inf else _limit(bounds, before[before > 0], limit)
        try:
            fair = fair_quotas(tree, target, by=by, metrics=metrics, bounds=held, **options)
        except InfeasibleError as error:
            rows.append((limit, "infeasible", np.nan, np.nan, np.nan, -1, error.reasons[0]))
            continue
        quota = fair.quotas.table.set_index("node_id")["quota"].reindex(names).to_numpy(dtype=np.float64)
        moved = quota - before.to_numpy()
        old = before.to_numpy() > 0
        largest = float(np.max(np.abs(moved[old]) / before.to_numpy()[old], initial=0.0))
        rows.append((limit, "optimal", fair.worst_ratio, fair.worst_ratio, largest, int((moved != 0).sum()), ""))
    columns = ["limit_frac", "status", "worst_ratio", "bound", "largest_change_frac", "changed_seats", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _limit(bounds: pd.DataFrame | None, prior: pd.Series[float], limit: float) -> pd.DataFrame:
    """Return the bounds with a largest change for every seat that had a quota."""
    change = pd.DataFrame(
        {
            "node_id": prior.index,
            "prior": prior.to_numpy(),
            "max_down_frac": min(limit, 1.0),
            "max_up_frac": limit,
        }
    )
    if bounds is None or bounds.empty:
        return change
    table = bounds.reset_index() if "node_id" not in bounds.columns else bounds
    return table.assign(node_id=table["node_id"].astype(str)).merge(change, on="node_id", how="outer")
