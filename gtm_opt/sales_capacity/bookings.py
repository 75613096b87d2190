"""The bookings model a sales leader reads: heads by tenure, capacity, judgment, plan, quotas, pipeline, by quarter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.result import Capacity

__all__ = ["bookings_model", "heads_by_tenure"]


def heads_by_tenure(capacity: Capacity, bands_m: Sequence[int] = (3, 6, 9, 12)) -> pd.DataFrame:
    """Return heads by quarter and tenure band; see `Capacity.heads_by_tenure`."""
    found = Findings()
    edges = [int(b) for b in bands_m]
    if edges != list(bands_m) or edges != sorted(set(edges)) or not edges or edges[0] < 1:
        found.add("bands_m", "must be increasing whole months", got=repr(bands_m), remedy="For example (3, 6, 9, 12).")
        found.raise_if_any()
    table = capacity.table[(capacity.table["quota_type"] != "overlay") & (capacity.table["employed_frac"] > 0)]
    labels = [f"{begin + 1}-{end}" for begin, end in zip([0, *edges[:-1]], edges, strict=True)] + [f"over {edges[-1]}"]
    tenure = table["tenure_m"].astype("Float64").fillna(edges[-1] + 1).to_numpy(dtype=np.float64)
    band = np.searchsorted(np.array(edges, dtype=np.float64), tenure, side="left")
    wide = table["employed_frac"].groupby([table["quarter"], band]).sum().unstack(fill_value=0)
    wide = wide.reindex(index=capacity.calendar.quarters, columns=range(len(labels)), fill_value=0.0)
    periods = np.bincount(capacity.calendar.quarter_of_month)
    out = wide.div(periods, axis=0)
    out.columns = pd.Index(labels)
    return out.rename_axis("quarter").reset_index()


def bookings_model(
    capacity: Capacity,
    *,
    prior: Sequence[float] | None = None,
    over_assignment: float = 0.0,
    newbiz_share: float = 1.0,
    pipeline_coverage: float = 3.0,
    sources: Mapping[str, float] | None = None,
    bands_m: Sequence[int] = (3, 6, 9, 12),
) -> pd.DataFrame:
    """Return a capacity as the bookings model that a sales leader reads: one row per line, one column per quarter.

    Parameters
    ----------
    capacity : Capacity
        With its judgment; the plan is capacity plus judgment.
    prior : sequence of float, optional
        Bookings of the quarters of the year before: gives growth over a year and over a quarter.
    over_assignment : float
        Quotas of the street over capacity, minus 1: 0.2 for 20 %. At least 0.
    newbiz_share : float
        Part of the quotas that is new business, which needs pipeline, 0 to 1.
    pipeline_coverage : float
        Pipeline wanted per unit of new-business quota.
    sources : mapping of str to float, optional
        What part of the pipeline comes from where; sums to 1.
    bands_m : sequence of int
        Last tenure months of the bands of heads.

    Returns
    -------
    DataFrame
        Index ``line``; the quarters, and ``total`` (NaN where a sum means nothing; heads at the end: the last
        quarter's; turnover: leavers over heads at the start).

    Raises
    ------
    DataError
        With every finding.

    References
    ----------
    D. Kellogg (2020). How to make and use a proper sales bookings productivity and quota capacity model.
    https://kellblog.com/2020/02/15/how-to-make-and-use-a-proper-sales-bookings-productivity-and-quota-capacity-model
    """
    quarters = list(capacity.calendar.quarters)
    before = _check(prior, over_assignment, newbiz_share, pipeline_coverage, sources)
    lines: dict[str, tuple[NDArray[np.float64], float]] = {}

    def add(name: str, values: Any, total: float | None = None) -> NDArray[np.float64]:
        row = np.asarray(values, dtype=np.float64)
        lines[name] = (row, float(row.sum()) if total is None else total)
        return row

    tenure = capacity.heads_by_tenure(bands_m)
    for band in tenure.columns[1:]:
        add(f"heads, tenure month {band}", tenure[band], math.nan)
    heads = capacity.heads(period="quarter")
    for column in ("start", "joined", "left", "end"):
        stock = {"start": float(heads["start"].iloc[0]), "end": float(heads["end"].iloc[-1])}
        add(f"heads {column}", heads[column], stock.get(column))
    start = float(heads["start"].iloc[0])
    add("turnover", heads["left"] / start if start else np.full(len(heads), math.nan))
    sums = capacity.summary().set_index("quarter").reindex(quarters).fillna(0.0)
    add("ramped-rep equivalents", sums["rre"], math.nan)
    able = add("capacity", sums["capacity"])
    add("judgment", sums["judgment"])
    plan = add("plan", sums["adjusted"])
    add("linearity", _ratio(plan, np.full(len(plan), plan.sum())))
    if before is not None:
        earlier = np.concatenate([before, plan])[: len(plan)]
        add("growth on the year", _ratio(plan, earlier) - 1.0, math.nan)
        add("growth on the quarter", _ratio(plan, np.append(before[-1], plan[:-1])) - 1.0, math.nan)
    street = add("street quota", able * (1.0 + over_assignment))
    newbiz = add("new-business quota", street * newbiz_share)
    pipeline = add("pipeline", newbiz * pipeline_coverage)
    for name, share in (sources or {}).items():
        add(f"pipeline, {name}", pipeline * share)
    table = pd.DataFrame({name: row for name, (row, _) in lines.items()}, index=quarters).T
    table["total"] = [total for _, total in lines.values()]
    return table.rename_axis("line")


def _check(
    prior: Sequence[float] | None,
    over_assignment: float,
    newbiz_share: float,
    pipeline_coverage: float,
    sources: Mapping[str, float] | None,
) -> NDArray[np.float64] | None:
    found = Findings()
    for name, value, top in (
        ("over_assignment", over_assignment, math.inf),
        ("newbiz_share", newbiz_share, 1.0),
        ("pipeline_coverage", pipeline_coverage, math.inf),
    ):
        if not _is_number(value) or not 0 <= value <= top:
            rule = "must lie between 0 and 1" if top == 1.0 else "must be a finite number, not negative"
            found.add(name, rule, got=repr(value))
    if sources is not None:
        shares = list(sources.values())
        if not all(_is_number(s) and s >= 0 for s in shares) or abs(math.fsum(shares) - 1) > 1e-9:
            found.add("sources", "must be shares that sum to 1", got=repr(dict(sources)))
    before = None
    if prior is not None:
        before = np.array([v if _is_number(v) else math.nan for v in prior], dtype=np.float64)
        if len(before) != 4 or not np.isfinite(before).all():
            found.add("prior", "must be four finite amounts, those of the quarters of the year before", got=repr(prior))
    found.raise_if_any()
    return before


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(above, below, out=np.full(len(above), math.nan), where=below != 0))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
