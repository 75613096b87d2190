"""Seeded generators of carving instances: the `scale` and `lumpy` workloads and hard patterns with a severity.

All of them are made of the same random columns as `gtm_opt.datasets` and give an
`Instance` with hard bands, a preference (distance plus retention) and previous owners.
Same arguments, same instance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.datasets import columns
from gtm_opt.instance import (
    Dense,
    Distance,
    Evenness,
    EvennessKind,
    FloatArray,
    Instance,
    IntArray,
    MoveCost,
    PinTerm,
    Table,
    Term,
    frozen,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "PATTERNS",
    "SMALL_KINDS",
    "balance_only",
    "build",
    "largest_fraction",
    "lumpy_instance",
    "pattern",
    "scale_instance",
    "small_instance",
]

NAMES = ("revenue", "pipeline", "leads", "count")
RETENTION = 100.0
"""Mean loss, in km, when an account leaves its owner (uniform between half and one and a half of it)."""


def build(
    activities: FloatArray,
    cost: tuple[Term, ...],
    *,
    shares: FloatArray,
    band: float,
    previous: IntArray | None,
    names: tuple[str, ...],
) -> Instance:
    """Return an instance with hard bands ``target * (1 -/+ band)`` on every criterion, all in tier 1."""
    target = shares[:, None] * activities.sum(axis=0)[None, :]
    m = activities.shape[1]
    return Instance(
        activities=frozen(activities),
        target=frozen(target),
        lower=frozen(target * (1.0 - band)),
        upper=frozen(target * (1.0 + band)),
        shares=frozen(shares),
        tier=frozen(np.ones(m), np.int64),
        penalty=frozen(np.full(m, np.inf)),
        cost=cost,
        previous=previous,
        names=names,
    )


def _activities(n: int, m: int, rng: np.random.Generator) -> tuple[FloatArray, tuple[str, ...]]:
    """Revenue, pipeline, leads, count; further criteria are sparse lognormal columns."""
    made = np.empty((n, max(m, 4)))
    made[:, 0] = columns.lognormal_sizes(n, rng, median=50_000.0)
    made[:, 1] = columns.sparse_sizes(n, rng, median=20_000.0)
    made[:, 2] = columns.poisson_counts(n, rng)
    made[:, 3] = 1.0
    for j in range(4, m):
        made[:, j] = columns.sparse_sizes(n, rng, median=1_000.0)
    names = NAMES + tuple(f"extra_{j - 3}" for j in range(4, m))
    return np.ascontiguousarray(made[:, :m]), names[:m]


def scale_instance(n: int, k: int = 10, m: int = 4, band: float = 0.02, seed: int = 0) -> Instance:
    """Return the `scale` workload: skewed accounts in 50 cities, distance plus retention, 30 % out of place.

    Parameters
    ----------
    n : int
        Accounts; memory is linear in ``n`` (about 140 bytes each), whatever ``k``.
    k : int
        Territories, of equal shares.
    m : int
        Criteria: revenue (lognormal, sigma 1.5), open pipeline (60 % zeros, otherwise lognormal,
        independent of revenue), leads (Poisson of mean 4, independent of both), count.
    band : float
        Hard tolerance of every criterion, as a fraction of the target.
    seed : int

    Notes
    -----
    Points lie in a square of 1,000 km; centers are drawn points after five Lloyd sweeps;
    the owner is the nearest center, for 30 % of the accounts another one. Cost in km:
    distance to the center, plus 50 to 150 (uniform) when the account leaves its owner.
    """
    rng = np.random.default_rng(seed)
    activities, names = _activities(n, m, rng)
    points, _ = columns.city_points(n, rng)
    centers = columns.spread_centers(points, k, rng)
    owner = columns.out_of_place(columns.nearest(points, centers), k, rng)
    value = RETENTION * (0.5 + rng.random(n))
    home = frozen(owner, np.int64)
    cost = (Distance(frozen(points), frozen(centers), frozen(np.ones(n))), MoveCost(home, frozen(value), k))
    return build(activities, cost, shares=np.full(k, 1.0 / k), band=band, previous=home, names=names)


def largest_fraction(instance: Instance) -> float:
    """Return the largest single activity as a fraction of the smallest target of its criterion."""
    return float((instance.activities.max(axis=0) / instance.target.min(axis=0)).max())


def lumpy_instance(seed: int = 0, n: int = 1_000, k: int = 10, m: int = 4, band: float = 0.02) -> Instance:
    """Return the `lumpy` workload: `scale_instance` where the largest account is 0.40 to 0.66 of a share.

    Seeds are derived from ``seed`` in a fixed order until one draw falls into that window
    (about every third does at the default sizes).

    Raises
    ------
    ValueError
        When no draw of 1,000 does, because ``n`` and ``k`` make it too unlikely.
    """
    for attempt in range(1_000):
        derived = int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])
        instance = scale_instance(n, k, m, band, derived)
        if 0.40 <= largest_fraction(instance) <= 0.66:
            return instance
    raise ValueError(f"no draw with a largest account of 0.40 to 0.66 of a share at n = {n}, k = {k}")


SMALL_KINDS = ("owners", "fit", "even")


def small_instance(kind: str, n: int, k: int, seed: int = 0, band: float = 0.10) -> Instance:
    """Return the `small` workload: a team with skewed revenue, in one of three kinds.

    Parameters
    ----------
    kind : {"owners", "fit", "even"}
        Keep owners, one column to balance; owners by revenue and fit by industry, two columns; no preferences.
    n, k : int
        Accounts and territories.
    seed : int
    band : float
        Wider where the largest account needs it.
    """
    rng = np.random.default_rng([seed, n, k])
    activities = rng.lognormal(3.0, 0.8, (n, 2 if kind == "fit" else 1)).round(1)
    target = activities.sum(axis=0) / k
    band = max(band, 1.2 * float((activities.max(axis=0) / target - 1.0).max()))
    home = rng.integers(0, k, n)
    value = activities[:, 0] * (n / activities[:, 0].sum()) if kind == "fit" else np.ones(n)
    cost: tuple[Term, ...] = (MoveCost(home, value, k),)
    if kind == "fit":
        cost += (Table(rng.integers(0, 4, n), rng.random((4, k)).round(2), np.ones(n)),)
    shares, names = np.full(k, 1.0 / k), ("arr", "pipeline")[: activities.shape[1]]
    instance = build(activities, cost, shares=shares, band=band, previous=home, names=names)
    return balance_only(instance) if kind == "even" else instance


def balance_only(instance: Instance, kind: EvennessKind = EvennessKind.DEVIATION) -> Instance:
    """Return the instance without preferences and bands: as even as possible, relative to the targets."""
    free = np.full_like(instance.target, np.inf)
    unit = instance.target if kind is EvennessKind.DEVIATION else np.tile(instance.target.mean(axis=0), (len(free), 1))
    return replace(
        instance,
        lower=frozen(-free),
        upper=frozen(free),
        cost=(),
        evenness=Evenness(kind, frozen(unit)),
    )


# --- hard patterns: severity 0 is the plain workload, 1 as hard as the pattern gets -------------------


def _with(instance: Instance, activities: FloatArray, band: float, shares: FloatArray | None = None) -> Instance:
    given = instance.shares if shares is None else shares
    return build(activities, instance.cost, shares=given, band=band, previous=instance.previous, names=instance.names)


def _sparse(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Pipeline that is zero for 60 to 99 % of the accounts."""
    plain = scale_instance(n, k, 4, band, seed)
    activities = np.array(plain.activities)
    rng = np.random.default_rng([seed, 1])
    activities[:, 1] = columns.sparse_sizes(n, rng, median=20_000.0, zeros=0.6 + 0.39 * severity)
    activities[0, 1] += 1.0  # never a criterion without any total
    return _with(plain, activities, band)


def _zipf(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Revenue falls with rank to the power 0.5 (mild) to 1.5 (a few accounts are everything)."""
    plain = scale_instance(n, k, 4, band, seed)
    activities = np.array(plain.activities)
    rng = np.random.default_rng([seed, 2])
    activities[:, 0] = columns.zipf_sizes(n, rng, largest=1e7, exponent=0.5 + severity)
    return _with(plain, activities, band)


def _related(n: int, k: int, correlation: float, band: float, seed: int) -> Instance:
    """Pipeline whose logarithm correlates with that of revenue."""
    plain = scale_instance(n, k, 4, band, seed)
    activities = np.array(plain.activities)
    rng = np.random.default_rng([seed, 3])
    z = np.log(activities[:, 0] / 50_000.0) / 1.5
    mixed = correlation * z + np.sqrt(1.0 - correlation**2) * rng.standard_normal(n)
    activities[:, 1] = 20_000.0 * np.exp(1.5 * mixed)
    return _with(plain, activities, band)


def _correlated(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Revenue and pipeline move together (correlation of the logarithms 0 to 0.99)."""
    return _related(n, k, 0.99 * severity, band, seed)


def _anti_correlated(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """What is large in revenue is small in pipeline (correlation of the logarithms 0 to -0.99)."""
    return _related(n, k, -0.99 * severity, band, seed)


def _giant(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """One account holds up to 1.5 territories' worth of revenue: from 2/3 on no plan is in band."""
    plain = scale_instance(n, k, 4, band, seed)
    activities = np.array(plain.activities)
    others = float(activities[1:, 0].sum())
    fraction = 1.5 * severity / k  # of the total with the giant in it
    activities[0, 0] = max(activities[0, 0], others * fraction / max(1.0 - fraction, 1e-9))
    return _with(plain, activities, band)


def _hard_pins(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Up to 90 % of the accounts are pinned to where a plan without preferences has them.

    The pins come from dealing the accounts by decreasing revenue, so that bands stay within
    reach, and they go against the preference.
    """
    plain = scale_instance(n, k, 4, band, seed)
    rng = np.random.default_rng([seed, 4])
    order = np.argsort(-plain.activities[:, 0], kind="stable")
    dealt = np.empty(n, dtype=np.int64)
    rank = np.arange(n)
    dealt[order] = np.where((rank // k) % 2 == 0, rank % k, k - 1 - rank % k)
    pinned = np.where(rng.random(n) < 0.9 * severity, dealt, -1)
    return replace(plain, cost=(*plain.cost, PinTerm(frozen(pinned, np.int64), k)))


def _big_families(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Accounts contracted to families: up to 80 % of them sit in families of heavy-tailed size.

    Units are families, so there are fewer than ``n`` of them; costs are summed over members.
    """
    plain = scale_instance(n, k, 4, band, seed)
    rng = np.random.default_rng([seed, 5])
    n_families = max(1, n // 25)
    weight = columns.lognormal_sizes(n_families, rng, sigma=1.0)
    drawn = rng.choice(n_families, size=n, p=weight / weight.sum())
    label = np.where(rng.random(n) < 0.8 * severity, drawn, n_families + np.arange(n))
    _, unit = np.unique(label, return_inverse=True)
    size = int(unit.max()) + 1
    activities = np.zeros((size, 4))
    np.add.at(activities, unit, plain.activities)
    cost = np.zeros((size, k))
    for rows in plain.chunks():
        np.add.at(cost, unit[rows], plain.cost_block(rows))
    first = np.full(size, n)
    np.minimum.at(first, unit, np.arange(n))
    previous = plain.previous[first] if plain.previous is not None else None
    home = None if previous is None else frozen(previous, np.int64)
    return build(activities, (Dense(frozen(cost)),), shares=plain.shares, band=band, previous=home, names=plain.names)


def _unequal_shares(n: int, k: int, severity: float, band: float, seed: int) -> Instance:
    """Shares in geometric progression: the largest is 1 to 10 times the smallest."""
    plain = scale_instance(n, k, 4, band, seed)
    shares = np.power(10.0, severity * np.linspace(0.0, 1.0, k))
    return _with(plain, np.array(plain.activities), band, shares / shares.sum())


PATTERNS: dict[str, Callable[[int, int, float, float, int], Instance]] = {
    "anti_correlated": _anti_correlated,
    "big_families": _big_families,
    "correlated": _correlated,
    "oversized": _giant,
    "hard_pins": _hard_pins,
    "sparse": _sparse,
    "unequal_shares": _unequal_shares,
    "zipf": _zipf,
}
"""Hard patterns by name, each a function of (n, k, severity, band, seed)."""


def pattern(
    name: str, n: int = 1_000, k: int = 10, *, severity: float = 0.5, band: float = 0.02, seed: int = 0
) -> Instance:
    """Return an instance of one of the hard `PATTERNS`.

    Parameters
    ----------
    name : str
    n, k : int
        Accounts and territories.
    severity : float
        Between 0 (the plain workload) and 1.
    band : float
        Hard tolerance of every criterion.
    seed : int

    Raises
    ------
    ValueError
        For an unknown name or a severity outside 0 to 1.
    """
    if name not in PATTERNS:
        raise ValueError(f"`name` must be one of {', '.join(sorted(PATTERNS))}, got '{name}'.")
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"`severity` must lie between 0 and 1, got {severity}.")
    return PATTERNS[name](n, k, severity, band, seed)
