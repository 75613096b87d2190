"""Pieces of quota work that are timed: the proportional cascade is the yardstick of the others in the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gtm_opt import Calendar, Hierarchy, account_targets, cascade, check_feasibility, fair_quotas

__all__ = ["QUOTA_WORK"]

Work = Callable[[], Any]


def _tree(n: int) -> tuple[Hierarchy, pd.Series, int]:
    """Return seats under managers of ten and directors of a hundred, lognormal potentials, and a plan."""
    names = [f"s{k:06d}" for k in range(n)]
    reps = pd.DataFrame({"rep_id": names, "manager": [f"m{k // 10:05d}" for k in range(n)]})
    reps["director"] = [f"d{k // 100:05d}" for k in range(n)]
    tree = Hierarchy.from_reps(reps, levels=["director", "manager"], max_buckets=n + 2)
    potential = pd.Series(np.random.default_rng(0).lognormal(13.0, 0.6, n), index=names)
    return tree, potential, int(0.45 * potential.sum()) // 1_000 * 1_000


def _cascade(n: int) -> Work:
    tree, potential, plan = _tree(n)
    return lambda: cascade(tree, plan, weights=potential).street


def _months(n: int) -> Work:
    tree, potential, plan = _tree(n)
    calendar = Calendar("2027-01", season=[0.2, 0.24, 0.26, 0.3])
    return lambda: len(cascade(tree, plan, weights=potential, over_assign=0.05, calendar=calendar).spread("month"))


def _fair(n: int) -> Work:
    tree, potential, plan = _tree(n)
    return lambda: fair_quotas(tree, plan, by=potential).worst_ratio


def _certificate(n: int) -> Work:
    tree, potential, plan = _tree(n)
    fair = fair_quotas(tree, plan, by=potential)
    return lambda: fair.certificate and fair.certificate.check()


def _feasibility(n: int) -> Work:
    tree, potential, plan = _tree(n)
    bounds = pd.DataFrame({"node_id": potential.index, "cap": 0.4 * potential.to_numpy()})
    return lambda: len(check_feasibility(tree, plan, bounds=bounds).conflict)


def _accounts(n: int) -> Work:
    tree, potential, plan = _tree(max(n // 30, 1))
    quotas = cascade(tree, plan, weights=potential)
    rng = np.random.default_rng(1)
    accounts = pd.DataFrame({"account_id": [f"a{k:06d}" for k in range(n)]})
    accounts["seat_id"] = rng.choice(potential.index.to_numpy(), n)
    accounts["expected_value"] = rng.lognormal(8.0, 1.0, n)
    return lambda: account_targets(quotas, accounts).table["target"].sum()


QUOTA_WORK: dict[str, Callable[[int], Work]] = {
    "quota: account targets": _accounts,
    "quota: cascade": _cascade,
    "quota: cascade with months at every edge": _months,
    "quota: check of the certificate": _certificate,
    "quota: conflict of caps": _feasibility,
    "quota: fair quotas": _fair,
}
"""Name -> set-up of a given size, which returns what is timed."""
