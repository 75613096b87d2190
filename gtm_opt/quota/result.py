"""The result of `cascade`: quotas per node, over time, against the plan, and per seller."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, amount_text
from gtm_opt.model.former_columns import AmountTable, with_former_names
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.json_form import JsonForm
from gtm_opt.model.renamed import renamed_attribute
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.layers import Layers
from gtm_opt.quota.letters import Letters, write_letters
from gtm_opt.quota.overlay import overlay_quotas
from gtm_opt.quota.periods import TimeGrid, spread_over_periods
from gtm_opt.quota.sellers import seller_quotas
from gtm_opt.quota.spread import spread_quotas
from gtm_opt.quota.sums import check_tie_out, measure_over_assignment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role, Roles
    from gtm_opt.sales_capacity import HasRoster, Proration

__all__ = ["Quotas"]


@dataclass(frozen=True, eq=False)
class Quotas(JsonForm):
    """Quotas of a hierarchy.

    Attributes
    ----------
    table : DataFrame
        One row per node, in the order of the tree: ``node_id``, ``parent_id``, ``level``,
        ``depth``, ``quota`` (whole units), ``weight_frac`` (weight among the siblings before
        bounds), ``edge_oa_frac`` (over-assignment of the edge into the node),
        ``at_bound`` (None, "floor" or "cap", its own or what its descendants need),
        ``is_leaf``.
    target : int
        Quota of the root.
    unit : int
        Rounding unit.
    calendar : Calendar or None
        The fiscal year quotas are spread over.
    notes : tuple of str
        What the planner should know.
    currency : str
        Label of the amounts, for display only.
    """

    table: pd.DataFrame
    target: int
    unit: int
    calendar: Calendar | None = None
    notes: tuple[str, ...] = field(default=())
    currency: str = ""

    plan_usd = renamed_attribute("plan_usd", "target")

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", AmountTable(self.table))

    street_usd = renamed_attribute("street_usd", "street")

    @property
    def street(self) -> int:
        """Sum of the quotas of all leaves: what the field carries."""
        return int(self.table.loc[self.table["is_leaf"], "quota"].sum())

    def quota(self, node: str) -> int:
        """Return the quota of one node."""
        hit = self.table.loc[self.table["node_id"] == node, "quota"]
        if hit.empty:
            raise DataError(f"`node` must be in the tree, got '{node}'. {did_you_mean(node, self.table['node_id'])}")
        return int(hit.iloc[0])

    @cached_property
    def periods(self) -> pd.DataFrame:
        """Quotas over time: node_id, month, quarter, quota.

        Whole units. Every node's quarters sum exactly to its quota and its months exactly
        to its quarters. Quarters are rounded first: months first would leave quarters that
        nobody planned. In every month the children of a node together have what it has, times
        the over-assignment of the edge and rounded; without over-assignment exactly what it has.
        """
        months = self._by_month()
        calendar = self._calendar()
        n, width = months.shape
        return AmountTable(
            {
                "node_id": np.repeat(self.table["node_id"].to_numpy(dtype=object), width),
                "month": calendar.periods[np.tile(np.arange(width), n)],
                "quarter": np.tile(np.array(calendar.quarters, dtype=object)[calendar.quarter_of_month], n),
                "quota": months.ravel(),
            }
        )

    def spread(
        self,
        by: str = "month",
        *,
        calendar: Calendar | None = None,
        cumulative: bool = False,
    ) -> pd.DataFrame:
        """Return quotas per node and period, with running totals.

        Parameters
        ----------
        by : {"quarter", "month", "week"}
            Weeks where the months of the calendar are whole weeks (``weeks="4-4-5"``); they are named by their first
            day.
        calendar : Calendar, optional
            Default: that of the quotas. The first fiscal year is used.
        cumulative : bool
            Round running totals instead of amounts: no running total is off by a unit or more. Default: each
            quarter is rounded first, then its months, then their weeks.

        Returns
        -------
        DataFrame
            ``node_id``, ``period``, ``quota``, ``running_total``. Either way rows sum to the quota of the node, and
            children to their parent in every period, see `periods`; with over-assignment to the parent's amount
            times the edge, rounded.

        Raises
        ------
        DataError
            Without a calendar, for periods that it does not have, and where running totals cannot be kept in
            whole units.
        """
        return spread_quotas(self, self._calendar() if calendar is None else calendar, by, cumulative)

    @with_former_names
    def by_quarter(self) -> pd.DataFrame:
        """Return quotas with one row per node and one column per quarter."""
        months, calendar = self._by_month(), self._calendar()
        sums = np.add.reduceat(months, np.unique(calendar.quarter_of_month, return_index=True)[1], axis=1)
        wide = pd.DataFrame(sums, columns=list(calendar.quarters))
        wide.insert(0, "node_id", self.table["node_id"].to_numpy(dtype=object))
        return wide

    @with_former_names
    @takes_tables("leaves", "interim", either=("staffing", "adjustments"))
    def sellers(
        self,
        staffing: pd.DataFrame | HasRoster,
        roles: Role | Roles | Sequence[Role],
        *,
        proration: Proration = "days",
        leaves: pd.DataFrame | None = None,
        adjustments: pd.DataFrame | Mapping[str, float] | None = None,
        interim: pd.DataFrame | None = None,
        whole_months: bool = False,
    ) -> pd.DataFrame:
        """Turn the quotas of territories into quotas of sellers.

        Parameters
        ----------
        staffing : Staffing or DataFrame
            As for `gtm_opt.capacity`; seats are the leaves of the tree. A column
            ``assignment_frac`` gives the part of the territory's quota a rep carries.
        roles : Role, Roles or sequence of Role
            Their quota ramps apply. Overlay roles carry no quota here.
        proration : {"days", "15th", "next_month"}
            What a partial month counts.
        leaves : DataFrame, optional
            As for `gtm_opt.capacity`: ``rep_id``, ``start_date``, ``end_date`` and optionally
            ``capacity_frac``, the part that is still asked for (default 0). Only for leaves that
            relieve quota: what is relieved goes to hold.
        adjustments : DataFrame or mapping, optional
            Signed amounts by seller: ``rep_id`` and ``amount``, optionally ``seat_id`` (needed
            where a seller has several seats) and ``month`` (default: spread over the seller's
            months in proportion to what is asked, evenly where nothing is).
        interim : DataFrame, optional
            Who covers seats that nobody fills: ``seat_id``, ``rep_id``, ``start_date``, ``end_date`` and ``rule``:
            ``"nothing"`` (covers, carries no quota), ``"spiff"`` (``spiff_pm`` per whole month instead of quota) or
            ``"reduced_credit"`` (carries ``credit_frac`` of what is held).
        whole_months : bool
            Take the months of `periods`, rounded to the unit, instead of exact parts of the year.

        Returns
        -------
        DataFrame
            ``seat_id``, ``rep_id``, ``status``, ``month``, ``territory_quota``, ``adjustment``,
            ``seller_quota`` (with the adjustment), ``hold``, and by reason ``hold_vacant``, ``hold_ramp``,
            ``hold_leave``, ``hold_relief`` (negative adjustments), which sum to ``hold``; with ``interim`` also
            ``spiff``, and rows of status "interim". One row per stint and month, and
            one for what nobody carries in a month (status "hold"). Territory quota is seller
            quota plus hold in every row, and sums to the quota of the territory. Months are
            exact parts of the year, unless ``whole_months`` says otherwise, and not rounded to
            the unit of yearly quotas: who starts in March is asked for exactly ten months.

        Notes
        -----
        Seller quota is the month's territory quota times assignment, presence and quota
        ramp, plus the adjustment (13). What ramp, vacancy and open seats leave over is held by
        the manager: reported, never lost. Leave does not lower a quota by itself; relief is a
        decision of its own.
        """
        is_leaf = self.table["is_leaf"].to_numpy()
        year = self.table.loc[is_leaf, "quota"].to_numpy(dtype=np.float64)
        exact = year[:, None] * self._calendar().shares[None, :]
        months = pd.DataFrame(
            self._by_month()[is_leaf] if whole_months else exact,
            index=pd.Index([str(n) for n in self.table.loc[is_leaf, "node_id"]]),
        )
        return seller_quotas(months, staffing, roles, self._calendar(), proration, leaves, adjustments, interim)

    @with_former_names
    @takes_tables("sellers")
    def over_assignment(self, sellers: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return how far the quotas of the field exceed those of each node above.

        Parameters
        ----------
        sellers : DataFrame, optional
            From `sellers`. Adds what sellers carry and the net over-assignment; where that
            is negative the plan is not covered by carried quota.

        Returns
        -------
        DataFrame
            ``node_id``, ``level``, ``quota``, ``over_assigned`` and ``reserve`` (what this
            node and those below it hand out beyond their quotas, and hold back), ``street``
            (leaf quotas below: quota + over_assigned - reserve), ``gross_oa_frac``; with
            `sellers` also ``carried``, ``hold`` (street - carried) with its reasons,
            ``net_oa_frac`` and ``is_covered``. NaN where a quota is zero.
        """
        return measure_over_assignment(self, sellers)

    @takes_tables("supports", "sellers")
    def overlays(self, supports: pd.DataFrame, sellers: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the quotas of overlays and player managers: what they support, times a share.

        Parameters
        ----------
        supports : DataFrame
            ``rep_id``, ``node_id`` (a seat or any node above), ``share_frac`` in (0, 1], default 1.
        sellers : DataFrame, optional
            From `sellers`: take what sellers carry below the node instead of the node's quota.

        Returns
        -------
        DataFrame
            ``rep_id``, ``node_id``, ``base``, ``share_frac``, ``quota``. Outside every roll-up: it repeats quota that
            the tree has already.

        Raises
        ------
        DataError
            For unknown nodes, shares outside (0, 1], and nodes one of which lies below the other.
        """
        return overlay_quotas(self, supports, sellers)

    @takes_tables("sellers", "accounts", either=("prior",))
    def letters(
        self,
        sellers: pd.DataFrame,
        *,
        prior: pd.Series[float] | Mapping[str, float] | None = None,
        accounts: pd.DataFrame | None = None,
    ) -> Letters:
        """Return one table and one page per seller that add up to the cent.

        Parameters
        ----------
        sellers : DataFrame
            From `sellers`.
        prior : Series or mapping, optional
            Last year's quota by ``rep_id``.
        accounts : DataFrame, optional
            ``account_id`` and ``seat_id``, listed on the page.
        """
        return write_letters(self, sellers, prior, accounts)

    @with_former_names
    def tie_out(self) -> pd.DataFrame:
        """Check every edge to the last unit.

        Returns
        -------
        DataFrame
            One row per inner node: ``node_id``, ``required`` (its quota with the
            over-assignment below, rounded), ``children_quota``.

        Raises
        ------
        DataError
            Naming each node whose children do not sum to what they should, and quotas
            that are not whole units.
        """
        return check_tie_out(self)

    @with_former_names
    def summary(self) -> pd.DataFrame:
        """Return per level: nodes, sum of quotas, and how far it exceeds the plan."""
        levels = self.table.groupby("level", sort=False)["quota"].agg(["size", "sum", "min", "max"]).reset_index()
        levels.columns = pd.Index(["level", "nodes", "quota", "smallest", "largest"])
        levels["over_plan_frac"] = levels["quota"] / self.target - 1.0 if self.target else float("nan")
        return levels

    def explain(self, node: str) -> str:
        """Return in words how a node's quota came about."""
        own = self.quota(node)
        row = self.table[self.table["node_id"] == node].iloc[0]
        if pd.isna(row["parent_id"]):
            return f"{node}: {amount_text(own, self.currency)}, the target."
        above = self.quota(row["parent_id"])
        text = f"{node}: {amount_text(own, self.currency)}. {row['parent_id']} has {amount_text(above, self.currency)}"
        text += f", plus {row['edge_oa_frac']:.2%} over-assignment" if row["edge_oa_frac"] else ""
        text += f"; the weight among its siblings is {row['weight_frac']:.2%}"
        if row["at_bound"] is not None:
            text += f", and its {row['at_bound']} binds"
        return text + f"; rounded to {amount_text(self.unit, self.currency)}."

    def _calendar(self) -> Calendar:
        if self.calendar is None:
            raise DataError("Quotas over time need a calendar. Pass calendar= to cascade.")
        return self.calendar

    def _by_month(self) -> NDArray[np.int64]:
        """Return quotas per node and month, shape (n_nodes, 12)."""
        return self._months.copy()

    @cached_property
    def _months(self) -> NDArray[np.int64]:
        calendar, layers = self._calendar(), Layers.of(self)
        units = self.table["quota"].to_numpy(dtype=np.int64)[layers.row] // self.unit
        months = np.empty((len(units), calendar.n_periods), dtype=np.int64)
        months[layers.row] = spread_over_periods(layers, units, TimeGrid.of(calendar, weeks=False))
        return months * self.unit

    def __repr__(self) -> str:
        over = f", {self.street / self.target - 1:+.1%}" if self.target else ""
        bound = int(self.table["at_bound"].notna().sum())
        target, street = (amount_text(amount, self.currency) for amount in (self.target, self.street))
        text = f"Quotas: target {target}, street {street}{over}, {len(self.table):,} nodes"
        return text + (f", {bound} at a bound" if bound else "")
