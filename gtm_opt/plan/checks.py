"""What does not hold in a plan: each stage by itself, and one stage against another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.assignment import describe_days
from gtm_opt.errors import DataError, amount_text, shorten
from gtm_opt.model.renamed import renamed_attribute
from gtm_opt.plan.parts import quota_by_territory, seller_table
from gtm_opt.solvers import SolveStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_opt.plan.plan import Plan

__all__ = ["PlanCheck", "check_plan"]

SHOWN = 50
STRETCH = 0.25
"""A territory is pointed out when its quota per unit of capacity is this much above the plan's."""

Row = tuple[str, str, str, str]


@dataclass(frozen=True, eq=False)
class PlanCheck:
    """Everything about a plan that does not hold, or that a planner should look at.

    Attributes
    ----------
    table : DataFrame
        One row per finding: ``area`` (carving, staffing, capacity, quotas), ``severity`` ("violation": does
        not hold; "relaxed": does not hold, and no plan could keep it; "note": holds, but look at it),
        ``rule``, ``detail``.
    checked : tuple of str
        What was checked, in words.
    """

    table: pd.DataFrame
    checked: tuple[str, ...]

    @property
    def violations(self) -> pd.DataFrame:
        """The rows that do not hold, but could: what relaxed because infeasible is not among them."""
        return self.table[self.table["severity"] == "violation"].reset_index(drop=True)

    @property
    def relaxed(self) -> pd.DataFrame:
        """The rows that do not hold because no plan could keep them."""
        return self.table[self.table["severity"] == "relaxed"].reset_index(drop=True)

    gave_way = renamed_attribute("gave_way", "relaxed")

    @property
    def notes(self) -> pd.DataFrame:
        """The rows that hold, but should be looked at."""
        return self.table[self.table["severity"] == "note"].reset_index(drop=True)

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for holds."""
        return len(self.violations) == 0 and len(self.relaxed) == 0

    @property
    def kept(self) -> bool:
        """Whether everything holds that can: nothing is violated, though some things may have been relaxed."""
        return len(self.violations) == 0

    def to_text(self, *, most: int = 20) -> str:
        """Return the findings as lines, at most this many violations and as many that were relaxed."""
        bad, forced, notes = self.violations, self.relaxed, self.notes
        count = f"{len(bad)} violation{'s' if len(bad) != 1 else ''}" if len(bad) else "everything that can hold does"
        if len(forced):
            count += f", {len(forced)} relaxed because infeasible"
        lines = [f"{'everything holds' if self.ok else count} ({len(self.checked)} checks)"]
        lines += [f"! {r.area}, {r.rule}: {r.detail}" for r in bad.head(most).itertuples()]
        lines += [f"! ... and {len(bad) - most} more"] if len(bad) > most else []
        lines += [f"~ {r.area}, {r.rule}: {r.detail}" for r in forced.head(most).itertuples()]
        lines += [f"~ ... and {len(forced) - most} more"] if len(forced) > most else []
        lines += [f"- {r.area}, {r.rule}: {r.detail}" for r in notes.head(10).itertuples()]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return str(self)


def check_plan(plan: Plan) -> PlanCheck:
    """Run every check that the stages of ``plan`` allow."""
    rows: list[Row] = []
    checked: list[str] = []
    for what, run in (
        ("rules and bands of the carving", _carving),
        ("every territory has exactly one rep or cover on every day, all employed, no rep two seats", _staffing),
        ("capacity is about the territories", _capacity),
        ("quotas tie out at every node of the tree", _quotas),
        ("quotas against what sellers carry", _carried),
        ("quotas against capacity", _coverage),
    ):
        found = run(plan)
        if found is not None:
            checked.append(what)
            rows += list(found)
    return PlanCheck(pd.DataFrame(rows, columns=["area", "severity", "rule", "detail"]), tuple(checked))


def _territories(names: list[str]) -> str:
    return f"{len(names)} territor{'ies' if len(names) != 1 else 'y'}"


def _carving(plan: Plan) -> Iterator[Row]:
    judged = plan.carving.violations
    for v in judged.itertuples():
        if v.relaxed:
            yield "carving", "relaxed", str(v.rule), f"{v.detail} (by force: {v.reason})"
        else:
            yield "carving", "violation", str(v.rule), str(v.detail)
    if plan.carving.status is SolveStatus.INFEASIBLE and not judged["relaxed"].all():
        yield "carving", "note", "proven", "not all bands can hold together; this is the nearest plan found"
    counts = plan.carving.labels.value_counts()
    empty = [n for n in plan.carving.territories.names if n not in counts.index]
    if empty:
        yield "carving", "note", "empty territories", f"{_territories(empty)} without an account: {shorten(empty)}"


def _same_territories(area: str, plan: Plan, names: set[str]) -> Iterator[Row]:
    own = set(plan.carving.territories.names)
    if missing := sorted(own - names):
        yield area, "violation", "same territories", f"{_territories(missing)} missing: {shorten(missing)}"
    if extra := sorted(names - own):
        yield (
            area,
            "violation",
            "same territories",
            f"{len(extra)} not among the territories of the carving: {shorten(extra)}",
        )


def _staffing(plan: Plan) -> list[Row] | None:
    if plan.staffing is None:
        return None
    table = plan.staffing.table
    rows = list(_same_territories("staffing", plan, set(table["territory"])))
    reason = table.set_index("territory")["reason"]
    bare = plan.staffing.uncovered
    rows += [
        ("staffing", "violation", "staffed or covered", f"nobody in {describe_days(name, first, last)}: {reason[name]}")
        for name, first, last in zip(bare["territory"], bare["first"], bare["last"], strict=True)
    ][:SHOWN]
    if plan.staffing.effective is not None:
        found = plan.staffing.seat_timeline.proof.table
        found = found[found["rule"] != "no owner"]
        rows += [("staffing", "violation", str(row.rule), str(row.detail)) for row in found.itertuples()][:SHOWN]
    held = table.dropna(subset=["rep_id"])
    twice = held.loc[held["rep_id"].duplicated(keep=False)].groupby("rep_id")["territory"].agg(list)
    rows += [
        ("staffing", "violation", "one seat per rep", f"{rep} sits in {shorten(seats)}") for rep, seats in twice.items()
    ]
    if len(plan.staffing.unstaffed):
        ids = list(plan.staffing.unstaffed["rep_id"])
        rows.append(("staffing", "note", "reps without a seat", f"{len(ids)}: {shorten(ids)}"))
    open_seats = table[table["rep_id"].isna() & table["cover_rep_id"].notna()]
    if len(open_seats):
        pairs = [f"{r.territory} ({r.cover_rep_id})" for r in open_seats.itertuples()]
        rows.append(("staffing", "note", "open seats with a cover", f"{len(pairs)}: {shorten(pairs, shown=3)}"))
    return rows


def _capacity(plan: Plan) -> list[Row] | None:
    if plan.capacity is None:
        return None
    direct = plan.capacity.table[plan.capacity.table["quota_type"] != "overlay"]
    return list(_same_territories("capacity", plan, {str(s) for s in direct["seat_id"]}))


def _quotas(plan: Plan) -> list[Row] | None:
    quotas = plan.quotas
    if quotas is None:
        return None
    leaves = set(quotas.table.loc[quotas.table["is_leaf"], "node_id"])
    rows = list(_same_territories("quotas", plan, leaves))
    try:
        quotas.tie_out()
    except DataError as error:
        rows += [("quotas", "violation", "tie-out", str(finding)) for finding in error.findings]
    zero = [str(n) for n in quotas.table.loc[quotas.table["is_leaf"] & (quotas.table["quota"] == 0), "node_id"]]
    if zero and quotas.target:
        rows.append(("quotas", "note", "no quota", f"{_territories(zero)} asked for nothing: {shorten(zero)}"))
    return rows


def _carried(plan: Plan) -> list[Row] | None:
    sellers = seller_table(plan)
    if sellers is None or plan.quotas is None:
        return None
    table = plan.quotas.over_assignment(sellers)
    bare = table[~table["is_covered"] & (table["level"] != table["level"].iloc[-1])]
    if not len(bare):
        return []
    worst = bare.sort_values("net_oa_frac", kind="stable").iloc[0]
    text = (
        f"at {len(bare)} node{'s' if len(bare) != 1 else ''} sellers carry less than is asked for (ramp, open seats): "
        f"worst {worst['node_id']} carries {worst['carried']:,.0f} of {amount_text(worst['quota'], plan.currency)} "
        f"({worst['net_oa_frac']:+.1%})"
    )
    return [("quotas", "note", "carried quota", text)]


def _coverage(plan: Plan) -> list[Row] | None:
    if plan.capacity is None or plan.quotas is None:
        return None
    quota = quota_by_territory(plan)
    year = plan.capacity.calendar.first_year().years[0]
    table = plan.capacity.by("seat_id", "fiscal_year")
    able = table[table["fiscal_year"] == year].set_index("seat_id")["capacity"].reindex(quota.index).fillna(0.0)
    total, asked = float(able.sum()), float(plan.quotas.target)
    if not (asked > 0 and total > 0):
        return []
    rows: list[Row] = []
    if total < asked:
        able_text, asked_text = amount_text(total, plan.currency), amount_text(asked, plan.currency)
        text = f"capacity of {able_text} covers {total / asked:.0%} of the target of {asked_text} ({year})"
        rows.append(("capacity", "note", "covers the target", text))
    idle = [str(name) for name in quota.index if able[name] <= 0 < quota[name]]
    if idle:
        amount = amount_text(float(quota[idle].sum()), plan.currency)
        text = f"{_territories(idle)} without any capacity in {year} asked for {amount}: {shorten(idle)}"
        rows.append(("quotas", "note", "quota without capacity", text))
    ratio = quota / able.where(able > 0)
    mean = float(quota.sum()) / total
    hard = ratio[ratio > mean * (1 + STRETCH)].sort_values(ascending=False, kind="stable")
    if len(hard):
        parts = [
            f"{name} {quota[name]:,.0f} against {amount_text(able[name], plan.currency)}" for name in hard.index[:3]
        ]
        text = (
            f"{_territories(list(hard.index))} asked for much more per unit of capacity than the plan's {mean:.2f} "
            f"(ramp, late starts): {', '.join(parts)}"
        )
        rows.append(("quotas", "note", "quota against capacity", text))
    return rows
