"""What is different between two plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model import Balance, KeepOwner, Limit

if TYPE_CHECKING:
    from gtm_opt.plan.plan import Plan

__all__ = ["PlanComparison", "compare_plans"]


@dataclass(frozen=True, eq=False)
class PlanComparison:
    """What changed from one plan to another.

    Attributes
    ----------
    moved : DataFrame
        One row per account whose territory changed: ``account_id``, ``before``, ``after`` (None: not in that
        plan), and the columns both plans measure.
    flows : DataFrame
        The same summed by ``before`` and ``after``: ``accounts`` and the measured columns, largest first.
    criteria : DataFrame
        Per criterion: worst deviation, and whether all bands hold, ``before`` and ``after``.
    seats : DataFrame
        Territories whose rep or status changed.
    quotas : DataFrame
        Nodes whose quota changed: ``before``, ``after``, ``change``, ``change_frac``.
    n_accounts : int
        Accounts in either plan.
    """

    moved: pd.DataFrame
    flows: pd.DataFrame
    criteria: pd.DataFrame
    seats: pd.DataFrame
    quotas: pd.DataFrame
    n_accounts: int

    @property
    def same(self) -> bool:
        """Whether no account, seat or quota changed."""
        return not (len(self.moved) or len(self.seats) or len(self.quotas))

    def summary(self) -> str:
        """Return the differences in a few lines."""
        if self.same:
            return "No account, seat or quota changed."
        lines = [f"{len(self.moved):,} of {self.n_accounts:,} accounts changed territory"]
        new, gone = int(self.moved["before"].isna().sum()), int(self.moved["after"].isna().sum())
        if new or gone:
            lines[0] += f" ({new:,} are new, {gone:,} are gone)"
        lines += [
            f"  {r['before']} -> {r['after']}: {r['accounts']:,} accounts"
            for r in self.flows.head(5).to_dict("records")
        ]
        both = self.criteria.dropna(subset=["worst_before", "worst_after"]).to_dict("records")
        lines += [
            f"{r['criterion']}: worst deviation {r['worst_before']:+.1%} -> {r['worst_after']:+.1%}" for r in both
        ]
        if len(self.seats):
            lines.append(f"{len(self.seats)} seats changed: {shorten(list(self.seats['territory']))}")
        if len(self.quotas):
            worst = self.quotas.reindex(self.quotas["change"].abs().sort_values(ascending=False).index).iloc[0]
            lines.append(
                f"{len(self.quotas)} quotas changed, most: {worst['node_id']} {worst['before']:,.0f} -> "
                f"{worst['after']:,.0f}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()


def compare_plans(before: Plan, after: Plan) -> PlanComparison:
    """Return what is different in ``after``."""
    moved = _moved(before, after)
    values = [c for c in moved.columns if c not in ("account_id", "before", "after")]
    flows = moved.assign(accounts=1).groupby(["before", "after"], dropna=False, sort=True)[["accounts", *values]].sum()
    flows = flows.reset_index().sort_values("accounts", ascending=False, kind="stable", ignore_index=True)
    both = before.carving.labels.index.union(after.carving.labels.index)
    return PlanComparison(
        moved, flows, _criteria(before, after), _seats(before, after), _quotas(before, after), len(both)
    )


def _measured(plan: Plan) -> list[str]:
    problem = plan.carving.problem
    columns = [c.column for c in problem.balance if isinstance(c, Balance | Limit) and c.column in problem.accounts]
    columns += [p.value for p in problem.prefer if isinstance(p, KeepOwner) and p.value is not None]
    return list(dict.fromkeys(columns))


def _moved(before: Plan, after: Plan) -> pd.DataFrame:
    old, new = before.carving.labels, after.carving.labels
    ids = new.index.union(old.index, sort=False)
    table = pd.DataFrame(
        {"account_id": ids, "before": old.reindex(ids).to_numpy(), "after": new.reindex(ids).to_numpy()}
    )
    for side in ("before", "after"):
        table[side] = table[side].astype(object).where(table[side].notna(), None)
    known = set(_measured(before)) & set(_measured(after))
    for column in [c for c in _measured(after) if c in known]:
        later, earlier = after.carving.problem.accounts[column], before.carving.problem.accounts[column]
        table[column] = later.reindex(ids).fillna(earlier.reindex(ids)).to_numpy()
    return table[table["before"] != table["after"]].reset_index(drop=True)


def _criteria(before: Plan, after: Plan) -> pd.DataFrame:
    wanted = ["criterion", "worst_deviation", "within"]
    one, two = before.carving.criteria[wanted], after.carving.criteria[wanted]
    both = two.merge(one, on="criterion", how="outer", suffixes=("_after", "_before"), sort=False)
    names = {"worst_deviation_before": "worst_before", "worst_deviation_after": "worst_after"}
    order = ["criterion", "worst_before", "worst_after", "within_before", "within_after"]
    return both.rename(columns=names)[order]


def _seats(before: Plan, after: Plan) -> pd.DataFrame:
    columns = ["territory", "rep_before", "rep_after", "status_before", "status_after"]
    if before.staffing is None or after.staffing is None:
        return pd.DataFrame(columns=columns)
    one, two = (p.staffing.table.set_index("territory") for p in (before, after))  # type: ignore[union-attr]
    names = two.index.union(one.index, sort=False)
    table = pd.DataFrame({"territory": names})
    for side, seats in (("before", one), ("after", two)):
        table[f"rep_{side}"] = seats["rep_id"].reindex(names).to_numpy(dtype=object)
        table[f"status_{side}"] = seats["status"].reindex(names).to_numpy(dtype=object)
    same = np.ones(len(table), dtype=bool)
    for what in ("rep", "status"):
        a, b = table[f"{what}_before"], table[f"{what}_after"]
        same &= ((a == b) | (a.isna() & b.isna())).to_numpy()
    return table.loc[~same, columns].reset_index(drop=True)


def _quotas(before: Plan, after: Plan) -> pd.DataFrame:
    columns = ["node_id", "before", "after", "change", "change_frac"]
    if before.quotas is None or after.quotas is None:
        return pd.DataFrame(columns=columns)
    one, two = (p.quotas.table.set_index("node_id")["quota"] for p in (before, after))  # type: ignore[union-attr]
    names = two.index.union(one.index, sort=False)
    old, new = one.reindex(names).fillna(0), two.reindex(names).fillna(0)
    table = pd.DataFrame({"node_id": names, "before": old.to_numpy(), "after": new.to_numpy()})
    table["change"] = table["after"] - table["before"]
    table["change_frac"] = table["change"] / table["before"].where(table["before"] != 0)
    return table[table["change"] != 0].reset_index(drop=True)
