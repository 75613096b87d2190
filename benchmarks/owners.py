"""The `owners` workload: who keeps which account is all that counts, so that whole classes of accounts tie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from benchmarks.generators import NAMES, build
from gtm_opt.datasets import columns
from gtm_opt.instance import Dense, Distance, Instance, MoveCost, Term, frozen

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray

__all__ = ["KINDS", "Kind", "owners_instance"]

Kind = Literal["count", "value", "both", "fit", "mixed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def owners_instance(
    n: int, k: int = 10, m: int = 4, band: float = 0.02, kind: Kind = "count", seed: int = 0
) -> Instance:
    """Return skewed accounts of which the owners hold more or less than their share.

    Parameters
    ----------
    n, k, m : int
        Accounts, territories, criteria (up to four).
    band : float
        Hard tolerance of every criterion, as a fraction of the target.
    kind : {"count", "value", "both", "fit", "mixed"}
        What a change of owner costs: 1 each; the account's revenue, on average 1; half of each. "fit": no owners
        but a score of fit from a few classes. "mixed": 1 each, and the distance to the center, on average 0.1.
    seed : int

    Notes
    -----
    Owners are the nearest of ``k`` centers drawn from the accounts, which makes books of very different
    sizes; 30 % of the accounts have an owner at random.
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got '{kind}'.")
    rng = np.random.default_rng([seed, 17])
    made = np.empty((n, 4))
    made[:, 0] = columns.lognormal_sizes(n, rng, median=50_000.0)
    made[:, 1] = columns.sparse_sizes(n, rng, median=20_000.0)
    made[:, 2] = columns.poisson_counts(n, rng)
    made[:, 3] = 1.0
    points, _ = columns.city_points(n, rng)
    centers = points[rng.choice(n, k, replace=False)]
    owner = frozen(columns.out_of_place(columns.nearest(points, centers), k, rng), np.int64)
    revenue: FloatArray = made[:, 0] / made[:, 0].mean()
    terms: dict[Kind, tuple[Term, ...]] = {
        "count": (MoveCost(owner, frozen(np.ones(n)), k),),
        "value": (MoveCost(owner, frozen(revenue), k),),
        "both": (MoveCost(owner, frozen(0.5 + 0.5 * revenue), k),),
        "mixed": (
            MoveCost(owner, frozen(np.ones(n)), k),
            Distance(frozen(points), frozen(centers), frozen(np.full(n, 0.1 / 500.0))),
        ),
    }
    if kind == "fit":
        # five kinds of accounts, and each territory suits each kind more or less: all accounts of a kind tie
        score = rng.integers(0, 4, (5, k)) / 3.0
        terms["fit"] = (Dense(frozen(score[rng.integers(0, 5, n)])),)
    shares = np.full(k, 1.0 / k)
    return build(made[:, :m].copy(), terms[kind], shares=shares, band=band, previous=owner, names=NAMES[:m])
