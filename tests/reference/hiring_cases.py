"""The two reference instances of the hiring plan, H1 and H2, in thousands."""

from __future__ import annotations

from typing import Any

import pandas as pd

import gtm_opt as gtm

SELLERS = {"AE-ENT": 12.0, "AE-MM": 15.0}
TOTAL, ENTERPRISE = (4.7, 5.6, 6.3, 7.7), (2.7, 3.2, 3.6, 4.3)
TOO_MUCH = (5.0, 6.3, 7.0, 8.6), (2.9, 3.3, 3.7, 4.6)


def plan_h1(**options: Any) -> gtm.HiringPlan:
    """Plan H1: ten ramped sellers, one role, two recruiting slots a month."""
    role = gtm.Role("AE", 1200.0, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]), cost_pm=20.0)
    targets = {"Q1": 3000.0, "Q2": 3200.0, "Q3": 3500.0, "Q4": 4000.0}
    options = {"rules": [gtm.RecruitingLimit(2)], **options}
    return gtm.plan_hiring(role, {"AE": 10}, targets, gtm.Calendar("2026-01"), **options)


def targets_h2(total: tuple[float, ...], enterprise: tuple[float, ...]) -> pd.DataFrame:
    """Return targets by quarter, for all and for enterprise."""
    return pd.DataFrame(
        {
            "quarter": ["Q1", "Q2", "Q3", "Q4"] * 2,
            "segment": [None] * 4 + ["ENT"] * 4,
            "target": [1000.0 * value for value in (*total, *enterprise)],
        }
    )


def plan_h2(
    total: tuple[float, ...] = TOTAL, enterprise: tuple[float, ...] = ENTERPRISE, **options: Any
) -> gtm.HiringPlan:
    """Plan H2: two segments, sales engineers one for three, managers one for eight."""
    steps = gtm.Ramp.steps
    roles = [
        gtm.Role("AE-ENT", 1200.0, "ENT", steps([0, 0, 0.2, 0.4, 0.6, 0.8]), cost_pm=30.0, hire_cost=15.0),
        gtm.Role("AE-MM", 700.0, "MM", steps([0, 0.33, 0.67]), cost_pm=18.0, hire_cost=15.0),
        gtm.Role("SE", 0.0, quota_type="overlay", cost_pm=20.0),
        gtm.Role("MGR", 0.0, quota_type="overlay", cost_pm=28.0),
    ]
    rules = [
        gtm.RecruitingLimit(4, roles=list(SELLERS)),
        gtm.SupportRatio("SE", dict.fromkeys(SELLERS, 3)),
        gtm.ManagerSpan("MGR", list(SELLERS), most=8),
    ]
    options = {"rules": rules, **options}
    return gtm.plan_hiring(
        roles,
        {**SELLERS, "SE": 9, "MGR": 4},
        targets_h2(total, enterprise),
        gtm.Calendar("2026-01", season=[0.20, 0.24, 0.26, 0.30], in_quarter=[0.3, 0.3, 0.4]),
        attrition={"AE-ENT": 0.02, "AE-MM": 0.025},
        seasonality="calendar",
        **options,
    )
