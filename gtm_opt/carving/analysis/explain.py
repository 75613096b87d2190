"""Why an account is where it is, the next best place, and what forcing it there would cost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.analysis.forced import Forced, Outcome, force_by_carving, force_in, small_scope, why_impossible
from gtm_opt.carving.analysis.place_prices import price_options
from gtm_opt.carving.analysis.planner_units import compare_plans
from gtm_opt.errors import DataError, number_text, shorten
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.carving.analysis.planner_units import Quantity
    from gtm_opt.carving.result import Carving

__all__ = ["Explanation", "explain"]

SHOWN = 3


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why an account is where it is.

    Attributes
    ----------
    account, territory : str
    family : tuple of str
        Accounts that must go with it (itself included).
    options : DataFrame
        One row per alternative at every level of the tree: node, option, chosen, one column per
        preference and rule (its cost), one per criterion (price times what the account brings), at inner
        nodes ``slack further down`` (what the best place below costs more, at the prices of the slack
        there; 0 at the last level), total, difference to the chosen one. All of it is by prices, in preference
        scores times the number of accounts: it says why, and estimates how much.
        For "as even as possible" carves the total is the worst deviation after the move.
    alternatives : DataFrame
        One row per territory the account may go to, the cheapest first (of a large problem: per territory below
        the same node): territory, outcome (``"exact"``,
        ``"at least"``, ``"at most"``, ``"impossible"``, ``"further out"``, ``"open"``, ``"estimate"``; see
        `gtm_opt.carving.analysis.forced.Outcome`), cost (in the unit of ``forced_cost``; inf where impossible,
        NaN where not known).
    next_best : str or None
        The cheapest alternative; None where rules about the account leave no other place. Where no
        alternative is possible, the first that was asked.
    margin : float
        Cost of forcing the account to ``next_best``: ``forced_cost`` where that is known, else an estimate by
        prices, 0 or more.
    forced_cost : float or None
        Objective of the best plan with the account at ``next_best``, everything else free to move, less that of
        the plan: preference score times the number of accounts, or tolerances of the worst deviation for "as even as
        possible". Inf: proven impossible. None: only estimated, or no plan was found.
    changes : tuple of Quantity
        What the plan with the account there has more or less of, in planner's units; empty where there is none.
    text : str
        All of it in a few sentences.
    """

    account: str
    territory: str
    family: tuple[str, ...]
    options: pd.DataFrame
    next_best: str | None
    margin: float
    forced_cost: float | None
    text: str
    alternatives: pd.DataFrame
    changes: tuple[Quantity, ...] = ()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def explain(carving: Carving, account: str, *, exact: bool = False) -> Explanation:
    """Return the explanation of one account.

    Parameters
    ----------
    carving : Carving
    account : str
    exact : bool
        Where the node is too large for an exact model: carve again with the account pinned to the next best
        territory.

    Raises
    ------
    DataError
        For an unknown account.

    Notes
    -----
    Where the whole problem, or the node above the account's territory, is small, every territory is asked by an exact
    model in the order of a lower bound, until all that are left are proven more expensive. With a node of a tree the
    accounts of the other nodes stay where they are. Everywhere else the answer is an estimate by prices
    and says so.
    """
    resolved = carving.compiled.problem.resolved
    ids = resolved.ids
    if account not in ids:
        raise DataError(f"`account` must be in the problem, got '{account}'. {did_you_mean(account, ids[:100_000], 3)}")
    unit = int(resolved.family[ids.get_loc(account)])
    leaf = carving.hierarchy.leaves[carving.unit_leaf[unit]]
    path = carving.hierarchy.path(leaf)
    frames = [price_options(carving, node, child, unit) for node, child in itertools.pairwise(path)]
    options = pd.concat(frames, ignore_index=True)
    parts = options.columns.difference(["node", "option", "chosen", "total", "difference"], sort=False)
    options[parts] = options[parts].fillna(0.0)  # what a level has no part of
    last = frames[-1]
    others = last[~last["chosen"] & np.isfinite(last["total"])].sort_values("total", kind="stable")
    forced, whole = _ask(carving, account, unit, path[-2], others, exact)
    best = forced[0] if forced else None
    if best is not None and best.outcome is Outcome.IMPOSSIBLE and exact and whole:
        best = Forced(best.territory, best.outcome, best.cost, None, best.reasons or _why(carving, account, best))
    family = tuple(str(ids[i]) for i in carving.compiled.units.members_of(unit))
    changes = () if best is None or best.plan is None else _changes(carving, best)
    known = best is not None and best.outcome is not Outcome.ESTIMATE and not np.isnan(best.cost)
    by_prices = max(0.0, float(others["difference"].iloc[0])) if len(others) else np.inf
    return Explanation(
        account=account,
        territory=leaf,
        family=family,
        options=options,
        next_best=None if best is None else best.territory,
        margin=best.cost if best is not None and known else by_prices,
        forced_cost=best.cost if best is not None and known else None,
        text=_text(carving, account, leaf, family, last, forced, best, changes, whole, exact),
        alternatives=pd.DataFrame(
            [(f.territory, f.outcome.value, f.cost) for f in forced], columns=["territory", "outcome", "cost"]
        ),
        changes=changes,
    )


def _ask(
    carving: Carving, account: str, unit: int, node: str, others: pd.DataFrame, exact: bool
) -> tuple[list[Forced], bool]:
    """Return the answers for all places of a node, best first, and whether the whole plan could move for them."""
    estimates = [
        Forced(_leaf_of(carving, str(name)), Outcome.ESTIMATE, max(0.0, float(difference)))
        for name, difference in zip(others["option"], others["difference"], strict=True)
    ]
    scope = small_scope(carving, node)
    if scope is not None and scope.whole:
        # every territory there is, not only those below the same node
        open_to = np.isfinite(scope.instance.cost_block(np.array([unit]))[0])
        open_to[carving.unit_leaf[unit]] = False
        return force_in(carving, scope, unit, np.flatnonzero(open_to)), True
    if not estimates:
        return [], True
    if scope is not None:
        place = {name: at for at, name in enumerate(carving.hierarchy.leaves)}
        answers = force_in(carving, scope, unit, np.array([place[e.territory] for e in estimates]))
        if not exact or answers[0].outcome is Outcome.EXACT:
            return answers, False
    if exact:
        return [force_by_carving(carving, account, estimates[0].territory), *estimates[1:]], True
    return estimates, True


def _leaf_of(carving: Carving, node: str) -> str:
    """Return a leaf to pin to when the alternative is an inner node: its first."""
    return carving.hierarchy.leaves_below(node)[0]


def _why(carving: Carving, account: str, forced: Forced) -> tuple[str, ...]:
    return why_impossible(carving, account, forced.territory)


def _changes(carving: Carving, forced: Forced) -> tuple[Quantity, ...]:
    assert forced.plan is not None
    return compare_plans(carving.compiled, carving.unit_leaf, forced.plan)


def _groups(carving: Carving, account: str) -> list[str]:
    """Return the groups whose team an account is held to: "segment enterprise"."""
    resolved = carving.problem.resolved
    at = int(resolved.ids.get_indexer(pd.Index([account]))[0])
    held = [(team, int(team.group[at])) for team in resolved.teams]
    return [f"{team.rule.word} {team.names[group]}" for team, group in held if group >= 0]


def _text(
    carving: Carving,
    account: str,
    leaf: str,
    family: tuple[str, ...],
    options: pd.DataFrame,
    forced: list[Forced],
    best: Forced | None,
    changes: tuple[Quantity, ...],
    whole: bool,
    exact: bool,
) -> str:
    with_family = f" (with its family of {len(family)})" if len(family) > 1 else ""
    team = "".join(f" It is in {group} by rule." for group in _groups(carving, account))
    start = f"'{account}'{with_family} is in {leaf}"
    if best is None:
        rules = "pins, forbids and teams" if team else "pins and forbids"
        return f"{start}: {rules} leave no other place.{team}"
    fixed = "" if whole else " while the accounts outside this node stay where they are"
    there = best.territory
    closed = [f.territory for f in forced if f.outcome is Outcome.IMPOSSIBLE]
    if best.outcome is Outcome.IMPOSSIBLE:
        only = len(forced) == 1
        text = f"{start}. Forcing it to {there if only else 'any other place'} is impossible{fixed}"
        text += ": no plan with it there keeps the bands and rules."
        text += "".join(f" {reason}" for reason in best.reasons[:SHOWN])
        return text + ("" if best.reasons or exact else " exact=True says why.") + team
    if best.outcome is Outcome.FURTHER:
        return f"{start}. Forcing it to {there} moves the plan further from what was asked: {best.reasons[0]}.{team}"
    if best.outcome is Outcome.OPEN:
        return (
            f"{start}. No plan with it in {there} that keeps the bands was found, and it is not proven that there is "
            f"none.{team}"
        )
    if best.outcome is Outcome.ESTIMATE:
        return f"{start}. {_estimate_text(carving, there, options)}{team}"
    total = _total_text(carving, best.cost)
    moves = ", ".join(q.text for q in changes)
    costs = f"{moves}; in total {total}" if moves else f"in total {total}"
    if best.cost < 0:
        text = f"{start}. With it in {there} there is a better plan, as this one is not proven best: {costs}."
    else:
        text = f"{start}. Next best is {there}; forcing it there means {costs}."
    text += f" {_proof_text(best, fixed)}"
    if closed:
        text += f" Impossible within the bands and rules: {shorten(closed)}."
    return text + team


def _proof_text(best: Forced, fixed: str) -> str:
    if best.outcome is Outcome.EXACT:
        return f"Exact: every other account was free to move{fixed or ', and no plan with it there costs less'}."
    return "At most: the plan was carved again with it there, and a cheaper one may exist."


def _total_text(carving: Carving, cost: float) -> str:
    """Return a cost as what it does to the plan's value, in the unit the plan is printed with."""
    if carving.compiled.instance.evenness is not None:
        now = carving.certificate.value
        return f"a worst deviation of {number_text(now + cost)} tolerances instead of {number_text(now)}"
    per = cost / carving.problem.n_accounts
    if cost == 0.0:
        return "nothing: it is a tie"
    return f"{cost:+.4g} preference points, {per:+.4g} of the plan's score"


def _estimate_text(carving: Carving, there: str, options: pd.DataFrame) -> str:
    """Return what prices say about the next best place."""
    here = options[options["chosen"]].iloc[0]
    row = options[options["option"].map(lambda name: _leaf_of(carving, str(name)) == there)].iloc[0]
    if carving.compiled.instance.evenness is not None:
        return (
            f"In {there} the worst deviation would be {row['total']:.4g} tolerances instead of {here['total']:.4g}, if "
            "nothing else moved: an estimate."
        )
    parts = [c for c in options.columns if c not in ("node", "option", "chosen", "total", "difference")]
    gaps = sorted(((float(row[c] - here[c]), c) for c in parts), key=lambda g: -abs(g[0]))
    reasons = ", ".join(f"{c} {gap:+.4g}" for gap, c in gaps if abs(gap) > 1e-9) or "nothing: it is a tie"
    margin = float(row["difference"])
    total = f"in total {max(margin, 0.0):.4g} preference points, {max(margin, 0.0) / carving.problem.n_accounts:.4g} of"
    text = f"Next best is {there}; an estimate by prices of what forcing it there costs: {reasons}; {total} the score."
    if margin <= 0:
        text += " By prices it belongs there: it is one of the accounts that make the bands come out even."
    return text + " exact=True carves again to tell."
