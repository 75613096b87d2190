"""A plan with everything in it, made by a quick method, and a carving with nasty names."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm

NASTY = "<script>alert('x')</script> $5 & $6 \"q\""
NASTY_TERRITORIES = ["East <b>&", "$West$", "Mid_$"]


@pytest.fixture(scope="session")
def plan() -> gtm.Plan:
    accounts, reps = gtm.datasets.load_saas()
    return gtm.build_plan(
        accounts,
        reps,
        levels=["region", "manager"],
        balance=[gtm.Balance("potential", tolerance=0.10), gtm.Count(tolerance=0.15, priority=2)],
        prefer=[gtm.KeepOwner("owner", value="arr")],
        rules=[gtm.KeepTogether("parent_id")],
        roles=gtm.Role("AE", productivity_py=1_000_000, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75])),
        calendar=gtm.Calendar("2027-01", season=[0.20, 0.24, 0.26, 0.30]),
        target=11_000_000,
        over_assign={"seat": 0.05},
        options=gtm.CarveOptions(solver="greedy_lookahead"),
    )


@pytest.fixture(scope="session")
def nasty() -> gtm.Carving:
    accounts = pd.DataFrame(
        {
            "account_id": [f"A-{i}" for i in range(12)],
            "name": NASTY,
            "arr": [float(i + 1) for i in range(12)],
            "owner": [NASTY_TERRITORIES[i % 3] if i < 9 else None for i in range(12)],
            "lat": [30.0 + i for i in range(12)],
            "lon": [-120.0 + 3 * i for i in range(12)],
        }
    )
    problem = gtm.CarvingProblem(
        accounts,
        NASTY_TERRITORIES,
        [gtm.Balance("arr", tolerance=0.10), gtm.Limit("accounts", at_most=6)],
        [gtm.KeepOwner("owner", value="arr")],
        [gtm.Pin({"A-0": "$West$", "A-1": "Mid_$"})],
    )
    return gtm.carve(problem, effort=0.1)
