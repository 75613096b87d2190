"""Small random problems with all words of the library mixed, and what every plan of them is worth, by enumeration.

The numbers are worked out from the documentation alone: no code of the library is used but the problem's words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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


def wider_problem(seed: int) -> gtm.CarvingProblem | None:
    """Return a random problem with everything a problem can say; None where the words contradict each other.

    Beyond `random_problem`: unequal shares, mixes, minima, distances, weighted preferences, "as even as possible".
    """
    problem = random_problem(seed)
    if problem is None:
        return None
    rng = np.random.default_rng([2027, seed])
    names, count = problem.territories.names, problem.n_accounts
    table = problem.accounts.reset_index(drop=True).assign(x=rng.uniform(0, 10, count), y=rng.uniform(0, 10, count))
    balance, prefer = list(problem.balance), list(problem.prefer)
    seats = problem.territories
    if rng.random() < 0.6:  # most requests shall be possible
        wide = float(rng.choice([0.4, 0.7]))
        balance = [replace(b, tolerance=wide) if isinstance(b, gtm.Balance | gtm.Count) else b for b in balance]
    if rng.random() < 0.3:
        seats = gtm.Territories.from_weights(dict(zip(names, rng.integers(1, 4, len(names)), strict=True)))
    if rng.random() < 0.25:
        value = str(rng.choice(["fees", ""])) or None
        balance.append(gtm.Mix("sector", float(rng.choice([0.3, 0.6])), priority=int(rng.integers(1, 3)), value=value))
    if rng.random() < 0.25:
        balance = [b for b in balance if not isinstance(b, gtm.Limit)]
        balance.append(gtm.Limit("hours", at_least=float(rng.integers(0, 3)), at_most=float(rng.integers(4, 12))))
    if rng.random() < 0.3:
        centers = {
            name: (float(a), float(b)) for name, (a, b) in zip(names, rng.uniform(0, 10, (len(names), 2)), strict=True)
        }
        squared = bool(rng.random() < 0.5)
        prefer.append(gtm.Near("x", "y", centers=centers, metric="euclidean", squared=squared, weight=0.7))
    if rng.random() < 0.3:
        prefer[0] = gtm.KeepOwner("seller", value="fees", per_account=float(rng.choice([0.0, 0.01])))
    even = rng.random() < 0.25
    try:
        return gtm.CarvingProblem(
            table, seats, balance, prefer, problem.rules, objective="even" if even else "preferences"
        )
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
        Preference score and price of soft bands, per account; for "as even as possible" the worst deviation in
        tolerances.
    even : bool
        Bands measure the objective: of them only those without a measure (limits) are in ``tiers``.
    measured : ndarray of shape (n_plans,)
        Excess of the hard bands that measure it.
    """

    plans: np.ndarray
    rules: np.ndarray
    excess: dict[str, np.ndarray]
    tiers: list[np.ndarray]
    value: np.ndarray
    even: bool = False
    measured: np.ndarray | float = 0.0

    @property
    def kept(self) -> np.ndarray:
        """Which plans keep all rules and all hard bands, shape (n_plans,)."""
        return self.rules & (sum(self.tiers, np.zeros(len(self.plans))) <= 0)

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
    even = problem.objective == "even"
    value = np.zeros(len(plans)) if even else _score(problem, table, plans, names, place)
    excess: dict[str, np.ndarray] = {}
    tiers: dict[int, np.ndarray] = {}
    measured = np.zeros(len(plans))
    shares = np.array(problem.territories.shares)
    for name, band, worth, counted in _bands(problem, table):
        total = np.stack([(plans == t) @ worth for t in range(k)], axis=1)
        target = worth.sum() * shares
        if isinstance(band, gtm.Limit):
            low = np.full(k, -np.inf if band.at_least is None else band.at_least)
            high = np.full(k, np.inf if band.at_most is None else band.at_most)
        else:
            low, high = target * (1 - band.tolerance), target * (1 + band.tolerance)
            if counted or set(worth) <= {0.0, 1.0}:
                low, high = np.minimum(low, np.floor(target + SLACK)), np.maximum(high, np.ceil(target - SLACK))
        scale = np.maximum(target, 1e-12)
        over = (np.maximum(total - high - SLACK * scale, 0) + np.maximum(low - total - SLACK * scale, 0)) / scale
        excess[name] = over
        if even and not isinstance(band, gtm.Limit):
            half = np.maximum(high - target, target - low)
            half = np.where(half > 0, half, target)
            value = np.maximum(value, (np.abs(total - target) / half).max(axis=1))
            measured += over.sum(axis=1) * (getattr(band, "penalty", None) is None)
        elif getattr(band, "penalty", None) is not None:
            value += band.penalty * over.sum(axis=1)
        else:
            tiers[band.priority] = tiers.get(band.priority, 0.0) + over.sum(axis=1)
    return Enumeration(plans, rules, excess, [tiers[p] for p in sorted(tiers)], value, even, measured)


def _score(
    problem: gtm.CarvingProblem, table: pd.DataFrame, plans: np.ndarray, names: list[str], place: dict[str, int]
) -> np.ndarray:
    """Return the preference score of every plan, per account."""
    n = len(table)
    value = np.zeros(len(plans))
    for wish in problem.prefer:
        worth = np.ones(n) if wish.value is None else table[wish.value].to_numpy(dtype=float)
        if isinstance(wish, gtm.KeepOwner):
            home = np.array([place.get(s, -1) for s in table[wish.owner]])
            moved, owned = (plans != home) & (home >= 0), home >= 0
            score = moved @ worth / max(worth[owned].sum(), 1e-300)
            if wish.value is not None:
                counted = moved.sum(axis=1) / max(owned.sum(), 1)
                score = (score + wish.per_account * counted) / (1 + wish.per_account)
            value += wish.weight * score
        elif isinstance(wish, gtm.Fit):
            misfit = 1 - wish.scores.loc[table["sector"], names].to_numpy()
            value += wish.weight * misfit[np.arange(n), plans] @ worth / worth.sum()
        else:
            points = table[[wish.lat, wish.lon]].to_numpy(dtype=float)
            centers = np.array([wish.centers[name] for name in names])
            square = ((points[:, None] - centers[None]) ** 2).sum(axis=2)
            unit = ((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()
            far = square / unit if wish.squared else np.sqrt(square / unit)
            value += wish.weight * far[np.arange(n), plans] @ worth / worth.sum()
    return value


def _bands(problem: gtm.CarvingProblem, table: pd.DataFrame) -> list[tuple[str, object, np.ndarray, bool]]:
    """Return the name, criterion, value per account, and whether accounts are counted, of every criterion."""
    out: list[tuple[str, object, np.ndarray, bool]] = []
    for band in problem.balance:
        if isinstance(band, gtm.Mix):
            worth = np.ones(len(table)) if band.value is None else table[band.value].to_numpy(dtype=float)
            for kind in sorted(table[band.column].unique()):
                values = np.where(table[band.column] == kind, worth, 0.0)
                if values.any():
                    out.append((f"{band.column}={kind}", band, values, band.value is None))
            continue
        counted = isinstance(band, gtm.Count)
        worth = np.ones(len(table)) if counted else table[band.column].to_numpy(dtype=float)
        out.append((f"limit {band.column}" if isinstance(band, gtm.Limit) else band.name, band, worth, counted))
    return out
