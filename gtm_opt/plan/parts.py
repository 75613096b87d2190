"""The tables of a plan, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.former_columns import AmountTable

if TYPE_CHECKING:
    from gtm_opt.carving import Carving
    from gtm_opt.plan.plan import Plan

__all__ = ["plan_tables"]


def plan_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the tables of ``plan`` in the order in which a planner reads them."""
    carving = plan.carving
    check = carving.check
    tables = {
        "territories": AmountTable(territory_table(plan)),
        "assignment": carving.assignment,
        "balance": check.balance,
        "criteria": check.criteria,
        "moved": check.moved,
        "preferences": check.preferences,
        "violations": carving.violations,
    }
    if plan.staffing is not None:
        tables |= {
            "staffing": plan.staffing.table,
            "roster": plan.staffing.roster,
            "unstaffed": plan.staffing.unstaffed,
        }
    if plan.capacity is not None:
        tables |= {"capacity_by_quarter": plan.capacity.summary(), "capacity": plan.capacity.table}
        if plan.capacity.expected is not None:
            expected = plan.capacity.expected
            tables |= {"expected_by_quarter": expected.summary(), "capacity_waterfall": expected.waterfall()}
        if plan.people is not None and plan.people.attainment is not None and plan.quotas is not None:
            tables["odds"] = plan.odds().table
    if plan.quotas is not None:
        tables |= _quota_tables(plan)
    return tables | {
        "hierarchy": carving.hierarchy.table,
        "nodes": carving.nodes,
        "prices": carving.prices,
        "accounts": carving.problem.accounts.reset_index(drop=True),
    }


def _quota_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    quotas = plan.quotas
    assert quotas is not None
    out = {"quotas": quotas.table}
    if quotas.calendar is not None:
        out["quotas_by_quarter"] = quotas.by_quarter()
    sellers = seller_table(plan)
    if sellers is not None:
        out["sellers"] = sellers
    return out | {"over_assignment": quotas.over_assignment(sellers)}


def seller_table(plan: Plan) -> pd.DataFrame | None:
    """Return quota, carried and held per stint and month; None where people, roles or months are not known."""
    quotas = plan.quotas
    if quotas is None or quotas.calendar is None or plan.staffing is None or plan.roles is None:
        return None
    leaves = set(quotas.table.loc[quotas.table["is_leaf"], "node_id"])
    if leaves != set(plan.staffing.table["territory"]):
        return None
    time = {} if plan.people is None else plan.people.for_sellers
    return quotas.sellers(plan.staffing, plan.roles, **time)


def territory_table(plan: Plan) -> pd.DataFrame:
    """Return one row per territory: where it hangs, who sits there, what it holds, is asked and can do."""
    carving = plan.carving
    names = list(carving.territories.names)
    table = pd.DataFrame({"territory": names})
    for depth, level in enumerate(carving.hierarchy.levels[1:-1], 1):
        table[str(level)] = _above(carving, names, depth)
    if plan.staffing is not None:
        seats = plan.staffing.table.set_index("territory").reindex(names)
        for column in ("rep_id", "status", "cover_rep_id"):
            table[column] = seats[column].to_numpy()
    else:
        table["status"] = [s.value for s in carving.territories.status]
    table["share_frac"] = carving.territories.shares
    table["accounts"] = carving.labels.value_counts().reindex(names).fillna(0).astype(np.int64).to_numpy()
    balance = carving.balance
    for criterion in dict.fromkeys(balance["criterion"]):
        rows = balance[balance["criterion"] == criterion].set_index("territory").reindex(names)
        if "=" in str(criterion):
            continue  # a category of a mix: see the table of balance
        if criterion != "accounts":
            table[str(criterion)] = rows["total"].to_numpy()
        if rows["deviation"].notna().any():
            table[f"{criterion}_deviation"] = rows["deviation"].to_numpy()
    if plan.quotas is not None:
        table["quota"] = quota_by_territory(plan).reindex(names).to_numpy()
    if plan.capacity is not None:
        direct = plan.capacity.by("seat_id").set_index("seat_id")["capacity"]
        table["capacity"] = direct.reindex(names).fillna(0.0).to_numpy()
    return table


def _above(carving: Carving, names: list[str], depth: int) -> list[str | None]:
    paths = [carving.hierarchy.path(name) for name in names]
    return [path[depth] if len(path) - 1 > depth else None for path in paths]


def quota_by_territory(plan: Plan) -> pd.Series:
    """Return the annual quota of each territory."""
    assert plan.quotas is not None
    table = plan.quotas.table.set_index("node_id")["quota"]
    leaves = list(plan.carving.territories.names)
    return table.reindex(leaves)
