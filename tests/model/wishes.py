"""Small problems for the tests of the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import gtm_opt as gtm


def table(count: int = 6) -> pd.DataFrame:
    """Return accounts A0, A1, ... with revenue 1, 2, ..., two owners, one family, places and industries."""
    return pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(count)],
            "arr": np.arange(1.0, count + 1.0),
            "owner": ["T1" if i % 2 == 0 else "T2" for i in range(count)],
            "industry": ["Tech" if i % 3 else "Bank" for i in range(count)],
            "lat": np.linspace(40, 45, count),
            "lon": np.linspace(-100, -90, count),
        }
    )


def problem(accounts: pd.DataFrame | None = None, **wishes: Any) -> gtm.CarvingProblem:
    """Return a problem over T1 and T2 that balances revenue, with ``wishes`` in place of the usual."""
    wishes = {"territories": ["T1", "T2"], "balance": [gtm.Balance("arr", 0.5)], **wishes}
    return gtm.CarvingProblem(table() if accounts is None else accounts, **wishes)
