"""The result of `capacity`: a table per seat and month, sums over it, coverage of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text
from gtm_opt.model.former_columns import AmountTable, with_former_names
from gtm_opt.model.json_form import JsonForm
from gtm_opt.model.renamed import accept_renamed, rename_columns, renamed_attribute
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.heads import count_heads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.expected import ExpectedCapacity

    ByPeriod = pd.DataFrame | pd.Series[float] | Mapping[str, float] | float

__all__ = ["Capacity", "read_by_period"]

_RENAMED = {"usd": "amount", "plan_usd": "target", "bookings_usd": "bookings"}

_TIME = ("month", "quarter", "fiscal_year")


@dataclass(frozen=True, eq=False)
class Capacity(JsonForm):
    """Capacity per seat and month.

    Attributes
    ----------
    table : DataFrame
        One row per stint and month in which it is there, and one per month in which a seat
        is empty: ``seat_id``, ``rep_id`` (None: nobody yet), ``month``, ``status``,
        ``tenure_m`` (NA: hired at an unknown date, ramped), ``ramp_frac``,
        ``employed_frac`` (part of the month in the seat), ``active_frac`` (without leave),
        ``vacant_frac``, ``rre`` (ramped-rep equivalents), ``capacity``, ``quarter``,
        ``fiscal_year``, ``role``, ``segment``, ``quota_type``, and what else the roster had.
    calendar : Calendar
    judgment : ndarray of shape (months,)
        Signed amount per month that a manager adds to the model; not part of ``table``.
    ramp_loss_m : dict of str to float
        Productive months lost to the ramp, by role: shows a mismatch of conventions at once.
    proration : str
        The rule for partial months that was used.
    currency : str
        Label of the amounts, for display only.
    stints : DataFrame or None
        One row per stint: ``seat_id, rep_id, role, segment, quota_type, first, last`` and what else the roster had.
    expected : ExpectedCapacity or None
        The same with people leaving and being replaced, where attrition was given.
    """

    table: pd.DataFrame
    calendar: Calendar
    judgment: NDArray[np.float64]
    ramp_loss_m: dict[str, float]
    proration: str = "days"
    currency: str = ""
    stints: pd.DataFrame | None = None
    expected: ExpectedCapacity | None = None

    total_usd = renamed_attribute("total_usd", "total")

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", AmountTable(self.table))

    @property
    def total(self) -> float:
        """Capacity of all direct roles over the horizon, without judgment."""
        return float(self._direct["capacity"].sum())

    @property
    def _direct(self) -> pd.DataFrame:
        # Overlay roles share credit for what direct roles book: counting both counts twice.
        return self.table[self.table["quota_type"] != "overlay"]

    @with_former_names
    def by(self, *keys: str, include_overlay: bool = False) -> pd.DataFrame:
        """Sum the table over everything but `keys`.

        Parameters
        ----------
        *keys : str
            Columns of `table`, for example ``"segment", "quarter"``.
        include_overlay : bool
            Also count roles that share credit with others.

        Returns
        -------
        DataFrame
            The keys; ``rre``, ``heads`` and ``ramping_heads`` (means over the months of
            the period), ``capacity`` (sum).
        """
        unknown = [k for k in keys if k not in self.table.columns]
        if unknown or not keys:
            got = repr(unknown[0]) if unknown else "nothing"
            hint = did_you_mean(unknown[0], self.table.columns) if unknown else 'Try by("quarter").'
            raise DataError(f"`by` must name columns of the table, got {got}. {hint}")
        rows = (self.table if include_overlay else self._direct).assign(
            heads=lambda t: t["employed_frac"],
            ramping_heads=lambda t: t["employed_frac"].where(t["ramp_frac"] < 1, 0.0),
        )
        stocks = ["rre", "heads", "ramping_heads"]
        out = rows.groupby(list(keys), sort=False, dropna=False, observed=True)[[*stocks, "capacity"]].sum()
        out = out.reset_index()
        out[stocks] = out[stocks].div(self._months_in(out), axis=0)
        return self._sorted(out, keys)

    @with_former_names
    def heads(self, *keys: str, period: str = "quarter") -> pd.DataFrame:
        """Return heads at the start and end of each period, and who joined and left.

        Parameters
        ----------
        *keys : str
            Columns of the roster to count by, for example ``"role"``.
        period : {"month", "quarter", "fiscal_year"}

        Returns
        -------
        DataFrame
            The period, the keys, ``start`` (at the close of the period before), ``joined``, ``left`` (last day
            in the period), ``end``: start + joined - left = end in every row. People in direct roles, and seats
            to be hired from their expected start on; a move between seats is neither a join nor a leave.

        Raises
        ------
        DataError
            For an unknown period or column, and for a capacity saved by an earlier release, which has no dates.
        """
        if self.stints is None:
            raise DataError("This capacity was saved without the dates of its stints. Compute it again.")
        return count_heads(self.stints, self.calendar, period, keys)

    @with_former_names
    @accept_renamed(plan_usd="target")
    def coverage(
        self,
        target: ByPeriod,
        *,
        quota: ByPeriod | None = None,
        pipeline: ByPeriod | None = None,
        booked: ByPeriod | None = None,
        win_rate: float | None = None,
    ) -> pd.DataFrame:
        """Compare capacity with a plan.

        Parameters
        ----------
        target : float, mapping, Series or DataFrame
            Bookings to make. A number is one fiscal year's plan, spread by the calendar's
            season; otherwise amounts by quarter or month (a DataFrame with quarter or month,
            and target or amount).
        quota, pipeline, booked : optional, like `target`
            Quotas of the street; open qualified pipeline; what is booked already.
        win_rate : float, optional
            Part of the pipeline that is won, in (0, 1]: gives the pipeline ratio that is required.

        Returns
        -------
        DataFrame
            Per quarter: ``target``, ``capacity``, ``judgment``, ``kappa_cap``
            (capacity / target), ``surplus`` (capacity - target; negative: a shortfall); the last row is the total.
            With attrition ``expected`` and ``kappa_expected``; where given ``kappa_quota`` (quotas / target),
            ``kappa_pipe`` (pipeline / target not yet booked) and ``kappa_pipe_required`` (1 / win rate).
            A target of zero has no ratio (NaN).

        Raises
        ------
        DataError
            For periods that the calendar does not know, non-numeric amounts, a win rate outside (0, 1].
        """
        if win_rate is not None and not 0 < win_rate <= 1:
            raise DataError(f"`win_rate` must lie in (0, 1], got {win_rate!r}. Write 22 % as 0.22.")
        months = self._plan_by_month(target)
        quarter = self.calendar.quarter_of_month
        sums = self.by("quarter").set_index("quarter")["capacity"].reindex(self.calendar.quarters).fillna(0.0)
        table = pd.DataFrame(
            {
                "quarter": [*self.calendar.quarters, "total"],
                "target": _with_total(np.bincount(quarter, months).astype(np.float64)),
                "capacity": _with_total(sums.to_numpy()),
                "judgment": _with_total(np.bincount(quarter, self.judgment).astype(np.float64)),
            }
        )
        table["kappa_cap"] = table["capacity"] / table["target"].where(table["target"] != 0)
        table["surplus"] = table["capacity"] - table["target"]
        if self.expected is not None:
            expected = self.expected.by("quarter").set_index("quarter")["expected"]
            table["expected"] = _with_total(expected.reindex(self.calendar.quarters).fillna(0.0).to_numpy())
            table["kappa_expected"] = table["expected"] / table["target"].where(table["target"] != 0)
        given = {k: v for k, v in {"quota": quota, "pipeline": pipeline, "booked": booked}.items() if v is not None}
        amounts = {
            name: _with_total(np.bincount(quarter, self._plan_by_month(v)).astype(np.float64))
            for name, v in given.items()
        }
        if "quota" in amounts:
            table["kappa_quota"] = amounts["quota"] / table["target"].where(table["target"] != 0)
        if "pipeline" in amounts:
            remaining = table["target"] - amounts.get("booked", np.zeros(len(table)))
            table["kappa_pipe"] = amounts["pipeline"] / remaining.where(remaining > 0)
        if win_rate is not None:
            table["kappa_pipe_required"] = 1.0 / win_rate
        return table

    def heads_by_tenure(self, bands_m: Sequence[int] = (3, 6, 9, 12)) -> pd.DataFrame:
        """Return average heads of direct roles per quarter and band of tenure months.

        Parameters
        ----------
        bands_m : sequence of int
            Last tenure months of the bands, increasing; the last band is everybody above, and who was hired at an
            unknown date.

        Returns
        -------
        DataFrame
            ``quarter`` and one column per band, ``"1-3"`` and so on, ``"over 12"``.
        """
        from gtm_opt.sales_capacity.bookings import heads_by_tenure

        return heads_by_tenure(self, bands_m)

    def bookings_model(self, **options: Any) -> pd.DataFrame:
        """Return the capacity as the bookings model a sales leader reads, line by line and quarter by quarter.

        Takes the options of `gtm_opt.sales_capacity.bookings_model`: ``prior``, ``over_assignment``,
        ``newbiz_share``, ``pipeline_coverage``, ``sources``, ``bands_m``.
        """
        from gtm_opt.sales_capacity.bookings import bookings_model

        return bookings_model(self, **options)

    @with_former_names
    def summary(self) -> pd.DataFrame:
        """Return RRE, heads and capacity per quarter, with judgment beside and a total below."""
        table = self.by("quarter")
        table["judgment"] = np.bincount(self.calendar.quarter_of_month, self.judgment)[
            pd.Index(self.calendar.quarters).get_indexer(pd.Index(table["quarter"]))
        ]
        table["adjusted"] = table["capacity"] + table["judgment"]
        total: dict[str, Any] = {c: table[c].sum() for c in ("capacity", "judgment", "adjusted")}
        total |= {c: table[c].mean() for c in ("rre", "heads", "ramping_heads")}
        return pd.concat([table, pd.DataFrame([{"quarter": "total"} | total])], ignore_index=True)

    def _months_in(self, out: pd.DataFrame) -> pd.Series[float]:
        """Return over how many months each row's stocks are averaged."""
        calendar = self.calendar.table
        if "month" in out.columns:
            return pd.Series(1.0, index=out.index)
        for key in ("quarter", "fiscal_year"):
            if key in out.columns:
                return out[key].map(calendar[key].value_counts()).astype(float)
        return pd.Series(float(len(calendar)), index=out.index)

    def _sorted(self, out: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
        """Put time keys in the order of the calendar, others in the order of the roster."""
        time = [k for k in keys if k in _TIME]
        months = self.calendar.table
        rank = {k: {label: at for at, label in enumerate(dict.fromkeys(months[k]))} for k in time}
        for key in reversed(time):
            out = out.iloc[np.argsort(out[key].map(rank[key]).to_numpy(), kind="stable")]
        for key in reversed([k for k in keys if k not in _TIME]):
            out = out.iloc[np.argsort(pd.factorize(self.table[key])[1].get_indexer(pd.Index(out[key])), kind="stable")]
        return out.reset_index(drop=True)

    def _plan_by_month(self, plan: ByPeriod) -> NDArray[np.float64]:
        if isinstance(plan, int | float | np.number):
            return np.asarray(float(plan) * self.calendar.shares)
        return read_by_period(plan, self.calendar, "target")

    def __repr__(self) -> str:
        quarters = self.by("quarter")
        parts = ", ".join(f"{q} {c:,.0f}" for q, c in zip(quarters["quarter"], quarters["capacity"], strict=True))
        loss = ", ".join(f"{k} {v:g}" for k, v in self.ramp_loss_m.items())
        return f"Capacity: {amount_text(self.total, self.currency)} ({parts}); ramp loss in months: {loss}"


def read_by_period(values: ByPeriod | None, calendar: Calendar, where: str) -> NDArray[np.float64]:
    """Return the amount of each month from amounts by month or quarter (a quarter's is spread by its shares)."""
    out = np.zeros(calendar.n_periods)
    if values is None:
        return out
    found = Findings()
    month_at = {m: [t] for t, m in enumerate(calendar.labels)}
    inside = {q: np.flatnonzero(calendar.quarter_of_month == k).tolist() for k, q in enumerate(calendar.quarters)}
    places = month_at | inside
    if len(calendar.years) == 1:  # then a bare quarter is not ambiguous
        places |= {quarter.rpartition("-")[2]: at for quarter, at in inside.items()}
    for period, value in _pairs(values, where, found):
        if str(period) not in places:
            known = f"Quarters are {', '.join(calendar.quarters[:4])}; months like {calendar.labels[0]}."
            found.add(where, "must name months or quarters of the calendar", got=repr(str(period)), remedy=known)
            continue
        if not np.isfinite(value):
            found.add(where, "must hold finite numbers", got=f"{value!r} for {period}")
            continue
        at = places[str(period)]
        weights = calendar.shares[at]
        out[at] += value * (weights / weights.sum() if weights.sum() > 0 else 1.0 / len(at))
    found.raise_if_any()
    return out


def _pairs(values: Any, where: str, found: Findings) -> list[tuple[object, float]]:
    """Return (period, amount) pairs out of a mapping, Series or DataFrame."""
    if isinstance(values, pd.DataFrame):
        values = rename_columns(values, _RENAMED, where)
        key = next((k for k in ("month", "quarter") if k in values.columns), None)
        amount = next((k for k in ("amount", "target", "bookings") if k in values.columns), None)
        if key is None or amount is None:
            got = ", ".join(map(str, values.columns))
            found.add(where, "must have the columns month or quarter, and amount", got=got)
            found.raise_if_any()
        values = values.set_index(key)[amount]
    if not isinstance(values, Mapping | pd.Series):
        found.add(where, "must be a mapping, Series or DataFrame", got=type(values).__name__)
        found.raise_if_any()
    pairs = []
    for period, value in values.items():
        try:
            pairs.append((period, float(value)))
        except (TypeError, ValueError):
            found.add(where, "must hold numbers", got=f"{value!r} for {period}")
    return pairs


def _with_total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(values, values.sum())
