"""Small random problems with all rules mixed, and what every plan of them is worth, by enumeration.

The numbers are worked out from the documentation alone: no code of the library is used but the problem's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

import gtm_opt as gtm

SLACK = 1e-9


def random_problem(seed: int, *, rules: bool = True) -> gtm.CarvingProblem | None:
    """Return four to eight accounts for two or three territories; None where the words contradict each other."""
    rng = np.random.default_rng([2026, seed])
    k = int(rng.integers(2, 4))
    n = int(rng.integers(4, 9 if k == 2 else 8))
    names, ids = [f"North {t}" for t in range(k)], [f"c{i}" for i in range(n)]
    sizes = (rng.integers(0, 12, n) * 5.0, rng.lognormal(2, 1, n).round(1), rng.integers(1, 40, n).astype(float))
    accounts = pd.DataFrame(
        {
            "account_id": ids,
            "fees": sizes[int(rng.integers(3))] + 1.0,
            "hours": rng.integers(0, 5, n).astype(float),
            "sector": rng.choice(["a", "b"], n),
            "seller": rng.choice([*names, None], n),
            "group": rng.choice(["g", None], n, p=[0.3, 0.7]),
        }
    )
    priority = lambda: int(rng.integers(1, 4))  # noqa: E731
    balance: list = [gtm.Balance("fees", tolerance=float(rng.choice([0.03, 0.1, 0.3])), priority=priority())]
    if rng.random() < 0.4:
        balance.append(gtm.Count(tolerance=float(rng.choice([0.0, 0.2])), priority=priority()))
    if rng.random() < 0.3:
        balance.append(gtm.Limit("hours", at_most=float(rng.integers(1, 9)), priority=priority()))
    if rng.random() < 0.15:
        balance.append(gtm.Balance("hours", tolerance=0.2, penalty=0.3))
    if accounts["hours"].sum() == 0:
        balance = balance[:1]
    asked: list = []
    if rules:
        if rng.random() < 0.4:
            asked.append(gtm.MaxMoved(float(rng.choice([0.0, 0.25, 0.5])), owner="seller"))
        if rng.random() < 0.2:
            asked.append(gtm.MaxMoved(float(rng.choice([0.1, 0.4])), by="fees", owner="seller"))
        if rng.random() < 0.3:
            asked.append(gtm.Pin({ids[0]: str(rng.choice(names))}))
        if rng.random() < 0.3:
            asked.append(gtm.Forbid([(ids[1], str(rng.choice(names)))]))
        if rng.random() < 0.3:
            asked.append(gtm.KeepApart([[ids[2], ids[3]]]))
        if rng.random() < 0.4:
            asked.append(gtm.KeepTogether("group"))
        if rng.random() < 0.2:
            asked.append(gtm.Within({"a": names[:-1]}, by="sector"))
    scores = pd.DataFrame(rng.random((2, k)).round(2), index=["a", "b"], columns=names)
    prefer: list = [gtm.KeepOwner("seller"), gtm.Fit(scores, by="sector", weight=0.5)][: 1 + int(rng.integers(2))]
    try:
        return gtm.CarvingProblem(accounts, gtm.Territories(names), balance, prefer, asked)
    except gtm.GtmOptError:
        return None


@dataclass(frozen=True, eq=False)
class Enumeration:
    """All plans, one a row.

    Attributes
    ----------
    plans : ndarray of int, shape (n_plans, n_accounts)
    rules : ndarray of bool, shape (n_plans,)
        Keeps all rules.
    excess : dict of str to ndarray of shape (n_plans, n_territories)
        Relative excess outside the band, per criterion.
    tiers : list of ndarray of shape (n_plans,)
        Sum of the excess of hard bands per priority, first priority first.
    value : ndarray of shape (n_plans,)
        Preference score and price of soft bands, per account.
    """

    plans: np.ndarray
    rules: np.ndarray
    excess: dict[str, np.ndarray]
    tiers: list[np.ndarray]
    value: np.ndarray

    def row(self, labels: pd.Series, names: list[str]) -> int:
        """Return the row of a plan."""
        at = np.array([names.index(v) for v in labels])
        return int(np.flatnonzero((self.plans == at).all(axis=1))[0])

    def nearest(self) -> list[float]:
        """Return the least excess of each tier in turn, then the least value, among plans that keep the rules."""
        keep, out = self.rules.copy(), []
        for tier in [*self.tiers, self.value]:
            out.append(float(tier[keep].min()))
            keep &= tier <= out[-1] + 1e-7  # every sum is granted 1e-9, which adds up
        return out


def enumerate_plans(problem: gtm.CarvingProblem) -> Enumeration:
    """Return every plan of a small problem with what it is worth."""
    table = problem.accounts.reset_index(drop=True)
    names = list(problem.territories.names)
    n, k = len(table), len(names)
    plans = np.array(list(product(range(k), repeat=n)))
    place = {name: t for t, name in enumerate(names)}
    at = {a: i for i, a in enumerate(problem.resolved.ids)}
    home = np.array([place.get(s, -1) for s in table["seller"]])
    moved = (plans != home) & (home >= 0)
    rules = np.ones(len(plans), dtype=bool)
    for rule in problem.rules:
        if isinstance(rule, gtm.MaxMoved):
            worth = np.ones(n) if rule.by is None else table[rule.by].to_numpy(dtype=float)
            rules &= moved @ worth <= rule.share * worth[home >= 0].sum() + SLACK
        elif isinstance(rule, gtm.Pin):
            for account, name in rule.accounts.items():
                rules &= plans[:, at[account]] == place[name]
        elif isinstance(rule, gtm.Forbid):
            for account, name in rule.pairs:
                rules &= plans[:, at[account]] != place[name]
        elif isinstance(rule, gtm.KeepApart):
            for group in rule.groups:
                for one, other in combinations(group, 2):
                    rules &= plans[:, at[one]] != plans[:, at[other]]
        elif isinstance(rule, gtm.KeepTogether):
            members = np.flatnonzero(table[rule.column].notna())
            for i in members[1:]:
                rules &= plans[:, i] == plans[:, members[0]]
        elif isinstance(rule, gtm.Within):
            for i in np.flatnonzero(table["sector"] == "a"):
                rules &= np.isin(plans[:, i], [place[t] for t in rule.teams["a"]])
    value = np.zeros(len(plans))
    for wish in problem.prefer:
        if isinstance(wish, gtm.KeepOwner):
            value += moved.sum(axis=1) / max((home >= 0).sum(), 1)
        else:
            misfit = 1 - wish.scores.loc[table["sector"], names].to_numpy()
            value += wish.weight * misfit[np.arange(n), plans].mean(axis=1)
    excess: dict[str, np.ndarray] = {}
    tiers: dict[int, np.ndarray] = {}
    for band in problem.balance:
        whole = isinstance(band, gtm.Count)
        worth = np.ones(n) if whole else table[band.column].to_numpy(dtype=float)
        total = np.stack([(plans == t) @ worth for t in range(k)], axis=1)
        target = worth.sum() / k
        if isinstance(band, gtm.Limit):
            low, high = 0.0, band.at_most
        else:
            low, high = target * (1 - band.tolerance), target * (1 + band.tolerance)
            if whole or set(worth) <= {0.0, 1.0}:
                low, high = min(low, np.floor(target + SLACK)), max(high, np.ceil(target - SLACK))
        slack = SLACK * max(target, 1e-12)
        over = (np.maximum(total - high - slack, 0) + np.maximum(low - total - slack, 0)) / max(target, 1e-12)
        excess[band.name if not isinstance(band, gtm.Limit) else f"limit {band.column}"] = over
        if getattr(band, "penalty", None) is not None:
            value += band.penalty * over.sum(axis=1)
        else:
            tiers[band.priority] = tiers.get(band.priority, 0.0) + over.sum(axis=1)
    return Enumeration(plans, rules, excess, [tiers[p] for p in sorted(tiers)], value)
