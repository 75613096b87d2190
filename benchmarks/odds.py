"""Capacity, expected capacity and the odds of the target, beside the obvious routes in the same run.

Run ``python -m benchmarks.odds [seats] [paths]``. Times are seconds of the processor, the first call left out: it
compiles. The obvious routes are a pandas loop over seats and months, and a numpy simulation month by month.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import gtm_opt as gtm

__all__ = ["make_team", "numpy_odds", "pandas_capacity", "run"]

STEPS = (0.0, 0.25, 0.5, 0.75)
HAZARD, LAG, CV, CORRELATION = 0.02, 3, 0.5, 0.1
ATTRITION = gtm.Attrition(1 - (1 - HAZARD) ** 12, kind="cohort")
ATTAINMENT = gtm.Attainment(CV, correlation=CORRELATION)


def make_team(seats: int, roles: int = 6) -> tuple[pd.DataFrame, list[gtm.Role]]:
    """Return a roster whose sellers were hired on first days of months, and its roles."""
    rng = np.random.default_rng(seats)
    hired = np.datetime64("2024-01", "M") + rng.integers(0, 30, seats)
    names = [f"AE-{k}" for k in range(roles)]
    team = pd.DataFrame({"rep_id": [f"R{k}" for k in range(seats)], "start_date": hired.astype("datetime64[D]")})
    team["role"] = rng.choice(names, seats)
    return team, [gtm.Role(name, 1_000_000, ramp=gtm.Ramp.steps(STEPS)) for name in names]


def pandas_capacity(team: pd.DataFrame, months: int) -> float:
    """Return the capacity of a roster by the obvious loop over its rows and months."""
    total = 0.0
    for row in team.to_dict("records"):
        for period in pd.period_range("2026-01", periods=months, freq="M"):
            tenure = (period.year - row["start_date"].year) * 12 + period.month - row["start_date"].month + 1
            if tenure >= 1:
                total += (STEPS[tenure - 1] if tenure <= len(STEPS) else 1.0) * 1_000_000 / 12
    return total


def numpy_odds(team: pd.DataFrame, paths: int, seed: int = 0, months: int = 12) -> np.ndarray:
    """Return simulated bookings of a year by the obvious numpy route: all paths of a month at once."""
    rng = np.random.default_rng(seed)
    start = team["start_date"].to_numpy().astype("datetime64[M]")
    first = (start - np.datetime64("2026-01", "M")).astype(np.int64)
    own = np.log((1 + CV**2) / (1 + CORRELATION * CV**2))
    common = np.log1p(CORRELATION * CV**2)
    ramp = np.array([0.0, *STEPS, 1.0])
    out = np.zeros(paths)
    shape = (paths, len(team))
    tenure = np.broadcast_to(-first, shape).copy()
    factor = rng.lognormal(-own / 2, np.sqrt(own), shape)
    for _ in range(months):
        tenure += 1
        level = ramp[np.clip(tenure, 0, len(ramp) - 1)]
        out += (level * factor).sum(axis=1) * 1_000_000 / 12
        leaves = (tenure > 0) & (rng.random(shape) < HAZARD)
        tenure[leaves] = -LAG
        factor[leaves] = rng.lognormal(-own / 2, np.sqrt(own), int(leaves.sum()))
    return out * rng.lognormal(-common / 2, np.sqrt(common), paths)


def run(seats: int = 500, paths: int = 20_000) -> pd.DataFrame:
    """Return a table of routes with their processor seconds, results and the peak of memory so far."""
    team, roles = make_team(seats)
    year, three = gtm.Calendar("2026-01"), gtm.Calendar("2026-01", months=36)
    backfill = gtm.Backfill(LAG)
    words: dict[str, Any] = {"attrition": ATTRITION, "backfill": backfill}
    gtm.simulate(team.iloc[:2], roles, year, 1.0, attainment=ATTAINMENT, paths=100)
    routes: list[tuple[str, Callable[[], float]]] = [
        ("capacity, 36 months", lambda: gtm.capacity(team, roles, three).total),
        ("a pandas loop", lambda: pandas_capacity(team, 36)),
        ("expected capacity, 36 months", lambda: _expected(team, roles, three, words)),
        (f"odds, {paths:,} paths of 12 months", lambda: _odds(team, roles, year, words, paths)),
        ("numpy, a tenth of the paths", lambda: float(numpy_odds(team, max(paths // 10, 1)).mean())),
    ]
    rows = []
    for name, route in routes:
        begin = time.process_time()
        result = route()
        seconds = time.process_time() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"route": name, "cpu_s": round(seconds, 2), "result": result, "peak_mb": round(peak)})
    return pd.DataFrame(rows)


def _expected(team: pd.DataFrame, roles: list[gtm.Role], calendar: gtm.Calendar, words: dict[str, Any]) -> float:
    expected = gtm.capacity(team, roles, calendar, **words).expected
    assert expected is not None
    return expected.total


def _odds(
    team: pd.DataFrame, roles: list[gtm.Role], calendar: gtm.Calendar, words: dict[str, Any], paths: int
) -> float:
    odds = gtm.simulate(team, roles, calendar, 1.0, attainment=ATTAINMENT, paths=paths, **words)
    return float(odds.totals().mean())


if __name__ == "__main__":
    sizes = [int(a) for a in sys.argv[1:3]]
    print(run(*sizes).to_string(index=False))
