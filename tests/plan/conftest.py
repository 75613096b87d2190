"""A small plan with every stage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gtm_opt.carving import CarveOptions
from gtm_opt.model import Balance, Count, KeepOwner, KeepTogether, Mix
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.plan import Plan, build_plan

QUICK = CarveOptions(effort=0.1)


def tables(n: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """60 accounts of two industries, 6 seats of which one is to be hired, two managers."""
    rng = np.random.default_rng(0)
    reps = pd.DataFrame(
        {
            "rep_id": [f"r{i}" for i in range(1, 7)],
            "region": ["East"] * 3 + ["West"] * 3,
            "status": ["filled"] * 5 + ["TBH"],
            "start_date": pd.to_datetime(["2024-01-01"] * 4 + ["2026-12-01", "2027-04-01"]),
        }
    )
    accounts = pd.DataFrame(
        {
            "account_id": [f"{i:04d}" for i in range(1, n + 1)],
            "arr": rng.lognormal(10, 0.5, n).round(2),
            "owner": rng.choice([*reps["rep_id"][:5], None], n),
            "parent_id": [None] * 50 + ["0001", "0001", "0002"] + [None] * (n - 53),
            "industry": rng.choice(["retail", "=SUM(A1)"], n),
        }
    )
    return accounts, reps


def make_plan(seed: int = 0, target: float | None = 4_000_000, **carve: object) -> Plan:
    accounts, reps = tables()
    return build_plan(
        accounts,
        reps,
        levels=["region"],
        balance=[Balance("arr", 0.5), Count(0.5, priority=2), Mix("industry", 1.0)],
        prefer=[KeepOwner("owner", value="arr")],
        rules=[KeepTogether("parent_id")],
        roles=Role("AE", 800_000, ramp=Ramp.steps([0, 0.25, 0.5, 0.75])),
        calendar=Calendar("2027-01", season=[0.2, 0.24, 0.26, 0.3]),
        target=target,
        over_assign={"seat": 0.05},
        quota_weights={"arr": 0.5, "capacity": 0.5},
        options=QUICK.replace(seed=seed, **carve),
    )


@pytest.fixture(scope="session")
def plan() -> Plan:
    """A plan with all four stages."""
    return make_plan()
