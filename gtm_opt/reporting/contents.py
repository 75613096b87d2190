"""What the page shows, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import percent_text
from gtm_opt.reporting.balance import plot_balance
from gtm_opt.reporting.canvas import svg
from gtm_opt.reporting.cells import Table, make_table
from gtm_opt.reporting.moves import plot_moves
from gtm_opt.reporting.odds import plot_odds, plot_waterfall
from gtm_opt.reporting.places import coordinates, plot_map
from gtm_opt.reporting.productivity import plot_capacity
from gtm_opt.reporting.words import exception_costs, moved_text, proof, stopped, verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.carving import Carving
    from gtm_opt.plan import Plan

__all__ = ["contents"]

MATRIX = 40
"""Most territories for which the matrix of moves is drawn."""

LARGEST = 15
_NAMES = ("name", "account name", "company", "company name", "customer", "customer name", "firma", "kunde")
"""Columns that hold the names of accounts, as CRMs and people call them."""


def contents(plan: Plan, title: str) -> dict[str, Any]:
    """Return the values of the template."""
    carving = plan.carving
    out: dict[str, Any] = {
        "title": title,
        "version": carving.provenance.get("gtm_opt", ""),
        "status": carving.status.value.replace("_", " "),
        "holds": bool(carving.check.ok),
        "verdict": verdict(carving),
        "proof": proof(carving),
        "stopped": stopped(carving),
        "figures": _figures(plan),
        "gave": list(carving.notes),
        "findings": _findings(plan),
        "territories": _territories(plan),
        "provenance": _provenance(carving),
    }
    out |= _balance(carving) | _moves(carving) | _exceptions(carving) | _people(plan) | _money(plan)
    out["map_picture"] = None if coordinates(carving) is None else _drawing(plot_map(carving), "map")
    out["sections"] = _sections(out)
    return out


def _drawing(ax: Axes, salt: str) -> Any:
    """Return a picture as markup that the template takes as it is."""
    from markupsafe import Markup
    from matplotlib.figure import Figure

    figure = ax.figure
    assert isinstance(figure, Figure)
    return Markup(svg(figure, salt))  # matplotlib escapes the texts in it


def _figures(plan: Plan) -> list[tuple[str, str]]:
    carving = plan.carving
    criteria = carving.criteria
    out = [
        ("accounts", f"{carving.problem.n_accounts:,}"),
        ("territories", f"{carving.territories.count:,}"),
        ("criteria within their tolerance", f"{int(criteria['within'].astype(bool).sum())} of {len(criteria)}"),
    ]
    if len(carving.moved):
        first = carving.moved.iloc[0]
        out.append((f"of owned {first['measure']} move", percent_text(first["share_moved"])))
    if plan.quotas is not None:
        out.append((f"{plan.currency} target".lstrip(), f"{plan.quotas.target:,}"))
        if plan.capacity is not None and plan.quotas.target:
            year = float(plan.capacity.by("fiscal_year")["capacity"].iloc[0])
            out.append(("of the target covered by capacity", percent_text(year / plan.quotas.target, 0)))
    return out


def _findings(plan: Plan) -> list[str]:
    rows = plan.check().table
    return [f"{row.area}, {row.rule}: {row.detail}" for row in rows.itertuples()]


def _balance(carving: Carving) -> dict[str, Any]:
    table = carving.criteria
    if table.empty:
        return {"criteria": None, "balance_picture": None, "preferences": None}
    columns = [
        "criterion",
        "tolerance",
        "within",
        "worst_deviation",
        "worst_territory",
        "forced_deviation",
        "outside_15",
    ]
    shown = table[columns].copy()
    shown["outside_15"] = [percent_text(v) if np.isfinite(v) else "" for v in shown["outside_15"].astype(float)]
    names = {
        "forced_deviation": "forced",
        "worst_deviation": "worst",
        "worst_territory": "in territory",
        "outside_15": "territories more than 15 % off",
    }
    off = [(name, "worst_deviation") for name in table.loc[~table["within"].astype(bool), "criterion"]]
    drawn = bool((carving.balance["target"] > 0).any())
    wishes = carving.preferences
    return {
        "criteria": make_table(shown, names=names, off=off),
        "balance_picture": _drawing(plot_balance(carving), "balance") if drawn else None,
        "preferences": make_table(wishes, names={"natural": "amount"}) if len(wishes) else None,
    }


def _moves(carving: Carving) -> dict[str, Any]:
    if carving.moved.empty:
        return {"moves": None, "moves_picture": None, "largest": None, "moved_text": ""}
    drawn = carving.territories.count <= MATRIX
    return {
        "moves": make_table(carving.moved, names={"share_moved": "share", "owned": "has an owner today"}),
        "moves_picture": _drawing(plot_moves(carving), "moves") if drawn else None,
        "largest": _largest(carving),
        "moved_text": moved_text(carving),
    }


def _largest(carving: Carving) -> Table | None:
    """Return the accounts whose move weighs most, by the column that disruption is measured in."""
    moved = carving.assignment[carving.assignment["moved"]].drop(columns="moved")
    measures = [m for m in carving.moved["measure"] if m != "accounts"]
    if not measures:
        return None
    accounts = carving.problem.accounts
    name = next((c for c in accounts.columns if str(c).strip().lower().replace("_", " ") in _NAMES), None)
    for column, source in (("name", name), (measures[0], measures[0])):
        if source is not None and source in accounts.columns:
            moved[column] = accounts[source].reindex(moved["account_id"]).to_numpy()
    moved = (
        moved[moved[measures[0]] > 0]
        .sort_values([measures[0], "account_id"], ascending=[False, True], kind="stable")
        .head(LARGEST)
    )
    moved = moved.rename(columns={"previous_territory": "from", "territory": "to"})
    first = [c for c in ("account_id", "name", "from", "to") if c in moved.columns]
    return make_table(moved[[*first, measures[0]]]) if len(moved) else None


def _exceptions(carving: Carving) -> dict[str, Any]:
    costs, pins, remark = exception_costs(carving)
    frame = pd.DataFrame(costs, columns=["rule", "cost"])
    frame = frame.drop(columns="cost") if not frame["cost"].any() else frame
    if pins is not None:
        pins = pins.assign(cost=[f"{cost:.5f}" for cost in pins["cost"]]).rename(
            columns={"preferred_territory": "would go to"}
        )
    return {
        "rules": make_table(frame) if len(frame) else None,
        "pins": None if pins is None else make_table(pins, most=LARGEST),
        "exception_remark": remark,
    }


def _people(plan: Plan) -> dict[str, Any]:
    if plan.staffing is None:
        return {"staffing": None, "unstaffed": None}
    table = plan.staffing.table
    columns = ["territory", "rep_id", "name", "status", "cover_rep_id", "effective_from", "cover_until"]
    columns += ["retained_frac", "fit", "reason"]
    roster = plan.staffing.roster
    if {"rep_id", "name"} <= set(roster.columns):
        people = roster.dropna(subset=["rep_id"]).drop_duplicates("rep_id").set_index("rep_id")["name"]
        table = table.assign(name=table["rep_id"].map(people))
    names = {"rep_id": "rep", "cover_rep_id": "covered by", "effective_from": "from", "retained_frac": "value kept"}
    unstaffed = plan.staffing.unstaffed
    return {
        "staffing": make_table(table[[c for c in columns if c in table.columns]], names=names),
        "unstaffed": make_table(unstaffed) if len(unstaffed) else None,
    }


def _money(plan: Plan) -> dict[str, Any]:
    capacity, quotas = plan.capacity, plan.quotas
    out: dict[str, Any] = dict.fromkeys(("capacity", "quotas", "capacity_picture", "expected_picture", "odds_picture"))
    if quotas is not None:
        out["quotas"] = make_table(quotas.summary(), names={"over_plan_frac": "over the target"})
    if capacity is not None:
        dated = quotas is not None and quotas.calendar is not None
        out["capacity_picture"] = _drawing(plot_capacity(capacity, quotas if dated else None), "capacity")
        names = {"rre": "ramped reps", "ramping_heads": "of these ramping"}
        summary = capacity.summary()
        if not summary["judgment"].any():
            summary = summary.drop(columns=["judgment", "adjusted"])
        out["capacity"] = make_table(summary, names=names)
        if capacity.expected is not None:
            out["expected_picture"] = _drawing(plot_waterfall(capacity.expected), "expected")
        if "odds" in plan.tables:
            out["odds_picture"] = _drawing(plot_odds(plan.odds()), "odds")
    return out


def _territories(plan: Plan) -> Table:
    carving = plan.carving
    broken = carving.balance[~carving.balance["within"].astype(bool)]
    off = [(t, f"{c}_deviation") for t, c in zip(broken["territory"], broken["criterion"], strict=True)]
    table = plan.tables["territories"]
    return make_table(table, most=500, names={"rep_id": "rep", "cover_rep_id": "covered by"}, off=off)


def _provenance(carving: Carving) -> list[tuple[str, str]]:
    known = carving.provenance
    out: list[tuple[str, str]] = [
        (str(key), str(known[key])) for key in ("gtm_opt", "solver", "seed", "effort", "fingerprint") if key in known
    ]
    if "seconds" in known:
        out.append(("seconds", f"{float(known['seconds']):.2f}"))
    return out


def _sections(out: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the anchors of the sections that the page has."""
    return [
        (key, name)
        for key, name, there in (
            ("gave", "What had to give", out["gave"] or out["findings"]),
            ("balance", "Balance", True),
            ("moves", "What moves", out["moves"]),
            ("exceptions", "Rules and exceptions", True),
            ("map", "Map", out["map_picture"]),
            ("staffing", "People", out["staffing"]),
            ("capacity", "Capacity and quotas", out["capacity"] or out["quotas"]),
            ("territories", "Territories", True),
        )
        if there
    ]
