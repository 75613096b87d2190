"""Change: carve again from a plan that exists, with as little disruption as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from gtm_opt.carving.carve import carve
from gtm_opt.carving.options import CarveOptions
from gtm_opt.carving.result import Carving
from gtm_opt.errors import DataError, shorten
from gtm_opt.model import KeepOwner, MaxMoved, Pin
from gtm_opt.model.frames import as_frame, takes_tables
from gtm_opt.model.problem import require_problem
from gtm_opt.model.renamed import accept_renamed

if TYPE_CHECKING:
    from typing import Unpack

    from gtm_opt.carving.options import CarveKeywords
    from gtm_opt.carving.segments import Segments
    from gtm_opt.model import CarvingProblem, Hierarchy

__all__ = ["PREVIOUS", "changes", "recarve"]

PREVIOUS = "previous_territory"
"""Account column that `recarve` adds: the territory in the plan it starts from."""

Plan = Carving | pd.DataFrame | pd.Series | Mapping[str, str]


@accept_renamed(given="fixed_nodes")
@takes_tables(either=("plan", "start", "fixed_nodes"))
def recarve(
    plan: Plan,
    problem: CarvingProblem,
    *,
    value: str | None = None,
    weight: float = 1.0,
    max_moved: float | None = None,
    hold: Sequence[str] = (),
    hierarchy: Hierarchy | Segments | Literal["flat"] | None = None,
    fixed_nodes: pd.Series | Mapping[str, str] | None = None,
    start: pd.DataFrame | pd.Series | Mapping[str, str] | None = None,
    options: CarveOptions | None = None,
    **keywords: Unpack[CarveKeywords],
) -> Carving:
    """Carve again from an existing plan: new data, other territories, as little change as wanted.

    Parameters
    ----------
    plan : Carving, DataFrame, Series or mapping
        The plan in force: territory per account id. Accounts it does not know are new and free;
        accounts of territories that are gone are free as well.
    problem : CarvingProblem
        What is wanted now: today's accounts, territories, criteria and rules.
    value : str, optional
        Column that measures disruption; default: number of accounts.
    weight : float
        Weight of keeping an account where the plan has it, beside the problem's preferences.
    max_moved : float, optional
        At most this share of the value may move away from ``plan``, a fraction. 0 returns the old
        plan where every account has a place. Limits on moves of the problem's own hold beside it, measured
        from the owners they name.
    hold : sequence of str
        Territories to leave exactly as they are (no account leaves; none but new ones enter), by
        pinning their accounts and keeping others out.
    hierarchy, fixed_nodes
        As in `gtm_opt.carve`.
    start : DataFrame, Series or mapping, optional
        A plan to begin from; default: ``plan``, where it has a place for every account.
    options : CarveOptions, optional
    **keywords
        Fields of `CarveOptions`, in place of those of ``options``.

    Returns
    -------
    Carving
        Its ``assignment`` compares with ``plan``.

    Raises
    ------
    DataError
        For unknown territories in ``hold``.
    """
    require_problem(problem)
    before = _labels(plan).reindex(problem.resolved.ids)
    known = before.isin(list(problem.territories.names))
    strange = [name for name in hold if name not in problem.territories.names]
    if strange:
        raise DataError(f"`hold` must name territories of the problem, got {shorten(strange)}.")
    accounts = problem.accounts.assign(**{PREVIOUS: before.where(known, None)})
    # the problem's own limits on moves hold, measured from the owners they were written for
    rules: list[Any] = [_with_its_owner(r, problem) if isinstance(r, MaxMoved) else r for r in problem.rules]
    if max_moved is not None:
        rules.append(MaxMoved(max_moved, by=value, owner=PREVIOUS))
    held = before[known & before.isin(list(hold))]
    if len(held):
        pinned = {a for r in problem.rules if isinstance(r, Pin) for a in r.accounts}
        rules.append(Pin({str(a): str(t) for a, t in held.items() if a not in pinned}))
    prefer = [p for p in problem.prefer if not (isinstance(p, KeepOwner) and p.owner == PREVIOUS)]
    again = problem.replace(
        accounts=accounts,
        prefer=(*prefer, KeepOwner(PREVIOUS, value=value, weight=weight)),
        rules=tuple(rules),
        objective="preferences",
        previous=PREVIOUS,
    )
    if hold:
        again = _keep_out(again, before, known, hold)
    if known.all() and start is None:
        start = before
    chosen = CarveOptions.of(options, keywords)
    return carve(again, hierarchy=hierarchy, fixed_nodes=fixed_nodes, start=start, options=chosen)


def _with_its_owner(rule: MaxMoved, problem: CarvingProblem) -> MaxMoved:
    """Return a limit on moves that names its owner column, so that another `previous` does not change what it says."""
    keep = next((p.owner for p in problem.prefer if isinstance(p, KeepOwner)), None)
    return rule if rule.owner is not None else replace(rule, owner=problem.previous or keep or "owner")


def _keep_out(problem: CarvingProblem, before: pd.Series, known: pd.Series, hold: Sequence[str]) -> CarvingProblem:
    """Return the problem with accounts of other territories kept out of the held ones."""
    from gtm_opt.model import Forbid

    elsewhere = before.index[known & ~before.isin(list(hold))]
    pairs = tuple((str(account), territory) for account in elsewhere for territory in hold)
    return problem.replace(rules=(*problem.rules, Forbid(pairs))) if pairs else problem


def _labels(plan: Plan) -> pd.Series:
    if isinstance(plan, Carving):
        return plan.labels
    if isinstance(plan, pd.DataFrame):
        return pd.Series(plan["territory"].to_numpy(), index=plan["account_id"].astype(str))
    if not isinstance(plan, pd.Series | Mapping):
        as_frame(plan, "plan")  # refused by its name
    labels = pd.Series(plan)
    labels.index = labels.index.astype(str)
    return labels


@takes_tables(either=("before", "after"))
def changes(before: Plan, after: Plan) -> pd.DataFrame:
    """Return one row per account that differs between two plans.

    Returns
    -------
    DataFrame
        account_id, before, after, change ("moved", "new", "gone").
    """
    a, b = _labels(before), _labels(after)
    ids = a.index.union(b.index, sort=False)
    table = pd.DataFrame({"account_id": ids, "before": a.reindex(ids).to_numpy(), "after": b.reindex(ids).to_numpy()})
    new, gone = table["before"].isna(), table["after"].isna()
    table["change"] = "moved"
    table.loc[new, "change"] = "new"
    table.loc[gone, "change"] = "gone"
    return table[new | gone | (table["before"] != table["after"])].reset_index(drop=True)
