"""Contacts with titles in three languages, and weekly intent signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.datasets.saas import TODAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["contact_table", "intent_table"]

_TITLES = (
    "Chief Information Officer",
    "CIO",
    "VP of Sales",
    "Vice President Sales",
    "Head of Marketing",
    "IT Director",
    "Sales Manager",
    "Chief Financial Officer",
    "Finance Manager",
    "Leiter IT",
    "Geschäftsführer",
    "Directeur commercial",
    "Responsable informatique",
    "Data Engineer",
    "Office Assistant",
    "Beekeeper",
)
_TOPICS = ("data platform", "automation", "security")


def contact_table(accounts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return about two contacts per account; a third was never contacted."""
    count = rng.poisson(1.0 + np.log1p(accounts["employees"].to_numpy(dtype=float)) / 6.0)
    which = np.repeat(np.arange(len(accounts)), count)
    n = len(which)
    last = pd.Series(TODAY - pd.to_timedelta(rng.integers(1, 700, n), unit="D"))
    reached = rng.random(n) < 2.0 / 3.0
    return pd.DataFrame(
        {
            "contact_id": [f"C-{i:06d}" for i in range(1, n + 1)],
            "account_id": accounts["account_id"].to_numpy(dtype=object)[which],
            "title": np.array(_TITLES, dtype=object)[rng.integers(0, len(_TITLES), n)],
            "last_contacted": last.where(pd.Series(reached)),
            "engaged": reached & (rng.random(n) < 0.4),
        }
    ).astype({"last_contacted": "datetime64[ns]"})


def intent_table(accounts: pd.DataFrame, ready: NDArray[np.bool_], rng: np.random.Generator) -> pd.DataFrame:
    """Return scores by account, topic and week of the last quarter; accounts in the market search twice as much."""
    n, weeks, topics = len(accounts), 12, len(_TOPICS)
    seen = rng.random((n, weeks, topics)) < np.where(ready, 0.2, 0.05)[:, None, None]
    account, week, topic = np.nonzero(seen)
    mean = np.where(ready, 60.0, 30.0)[account]
    score = np.clip(np.rint(mean + 15.0 * rng.standard_normal(len(account))), 0, 100)
    monday = TODAY.normalize() - pd.Timedelta(days=TODAY.weekday())
    return pd.DataFrame(
        {
            "account_id": accounts["account_id"].to_numpy(dtype=object)[account],
            "topic": np.array(_TOPICS, dtype=object)[topic],
            "week": pd.Series(monday - pd.to_timedelta(7 * week, unit="D")).astype("datetime64[ns]"),
            "score": score,
        }
    )
