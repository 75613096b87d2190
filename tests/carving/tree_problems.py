"""Small problems for the tests of trees."""

from __future__ import annotations

import numpy as np
import pandas as pd

import gtm_opt as gtm


def accounts(count: int = 240, leaves: int = 12, seed: int = 0) -> pd.DataFrame:
    """Skewed revenue, places, a family for every twentieth account, an owner for all."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "account_id": [f"A-{i:04d}" for i in range(count)],
            "arr": np.round(rng.lognormal(3.0, 0.6, count), 2),
            "lat": rng.uniform(30, 48, count),
            "lon": rng.uniform(-120, -75, count),
            "family": [f"F{i // 20}" if i % 20 < 2 else None for i in range(count)],
            "segment": np.where(np.arange(count) % 4 == 0, "enterprise", "smb"),
            "industry": rng.choice(["bank", "retail"], count),
            "owner": [f"T{k + 1:02d}" for k in rng.integers(leaves, size=count)],
        }
    )


def territories(leaves: int = 12, seed: int = 1) -> gtm.Territories:
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(30, 48, leaves), rng.uniform(-120, -75, leaves)])
    return gtm.Territories(tuple(f"T{k + 1:02d}" for k in range(leaves)), centers=tuple(map(tuple, points)))


def tree_problem(count: int = 240, leaves: int = 12, **changes: object) -> gtm.CarvingProblem:
    given: dict[str, object] = {
        "balance": [gtm.Balance("arr", 0.15), gtm.Count(0.15)],
        "prefer": [gtm.KeepOwner(), gtm.Near()],
    }
    return gtm.CarvingProblem(accounts(count, leaves), territories(leaves), **{**given, **changes})
