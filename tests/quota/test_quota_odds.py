"""The odds of the letter agree with the published closed forms, with sampling, and with the simulation of capacity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm


def team(n: int, quota_ratio: float = 1.0, cv: float = 0.5) -> tuple[gtm.Quotas, pd.DataFrame]:
    names = [f"s{k:02d}" for k in range(n)]
    tree = gtm.Hierarchy.from_reps(
        pd.DataFrame({"rep_id": names, "manager": [f"m{k % 2}" for k in range(n)]}), levels=["manager"], max_buckets=99
    )
    quotas = gtm.cascade(tree, round(1_000_000 * n * quota_ratio), unit=1)
    return quotas, pd.DataFrame({"node_id": names, "capacity": 1_000_000.0, "attain_cv": cv})


@pytest.mark.parametrize(
    ("cv", "ratio", "p"), [(0.3, 1.0, 0.4417), (0.5, 1.1, 0.3307), (0.5, 1.4, 0.1714), (0.6, 1.2, 0.2722)]
)
def test_seats_have_the_published_odds(cv: float, ratio: float, p: float) -> None:
    quotas, expected = team(10, ratio, cv)
    odds = gtm.quota_odds(quotas, expected)
    seats = odds.table[odds.table["seats"] == 1]
    assert seats["p_attain"].tolist() == pytest.approx([p] * 10, abs=5e-5)
    assert odds.share_at_quota == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize(("n", "rho", "p"), [(10, 0.0, 0.7173), (50, 0.1, 0.7017), (50, 0.3, 0.6272)])
def test_the_plan_has_the_published_odds(n: int, rho: float, p: float) -> None:
    quotas, expected = team(n, 1 / 1.1)
    expected["capacity"] = 1.1 * quotas.target / n
    assert gtm.quota_odds(quotas, expected, correlation=rho).p_plan == pytest.approx(p, abs=2e-4)


def test_closed_forms_agree_with_sampling() -> None:
    quotas, expected = team(20, 0.95, 0.4)
    odds = gtm.quota_odds(quotas, expected)
    rng = np.random.default_rng(7)
    s = np.sqrt(np.log1p(0.16))
    results = 1e6 * np.exp(rng.normal(-s * s / 2, s, (40_000, 20)))
    made = results >= 950_000
    assert odds.share_at_quota == pytest.approx(made.mean(), abs=0.005)
    assert odds.p_plan == pytest.approx((results.sum(axis=1) >= quotas.target).mean(), abs=0.02)
    top = odds.table.sort_values("seats").iloc[-1]
    assert top["sd_at_quota"] == pytest.approx(made.sum(axis=1).std(), rel=0.02)


def test_the_simulation_of_capacity_gives_the_odds_of_seats_on_the_same_paths() -> None:
    names = [f"s{k}" for k in range(6)]
    tree = gtm.Hierarchy.from_reps(pd.DataFrame({"rep_id": names, "manager": "m"}), levels=["manager"])
    calendar = gtm.Calendar("2027-01")
    quotas = gtm.cascade(tree, 5_400_000, calendar=calendar)
    role = gtm.Role("AE", 1_000_000.0)
    roster = pd.DataFrame({"rep_id": names, "seat_id": names})
    simulation = gtm.simulate(
        roster, role, calendar, 5_400_000, attainment=gtm.Attainment(0.4, correlation=0.1), paths=300, seed=3
    )
    odds = gtm.quota_odds(quotas, simulation=simulation)
    root = odds.table[odds.table["node_id"] == "company"].iloc[0]
    assert root["p_attain"] == pytest.approx(simulation.p_target, abs=1e-9)
    assert root["expected"] == pytest.approx(simulation.totals().mean())
    assert odds.table["p_attain"].between(0, 1).all()
    assert "simulation of 300 paths" in repr(odds)


def test_over_assignment_buys_only_as_much_as_effort_follows() -> None:
    table = gtm.over_assignment_odds([0.0, 0.1, 0.2], attainment=1.0, cv=0.5, n=50, correlation=0.1)
    assert table["p_plan_if_effort_follows"].is_monotonic_increasing
    assert table["p_plan_if_capacity_fixed"].nunique() == 1
    assert table["at_quota_if_capacity_fixed"].tolist() == pytest.approx([0.4066, 0.3307, 0.2669], abs=5e-5)
    assert table["break_even_attainment"].tolist() == pytest.approx([1, 1 / 1.1, 1 / 1.2])


@pytest.mark.parametrize(("n", "rho", "kappa"), [(10, 0.1, 1.388), (50, 0.1, 1.282), (200, 0.3, 1.546)])
def test_the_least_over_assignment_reaches_the_probability_and_no_digit_less(n: int, rho: float, kappa: float) -> None:
    least = gtm.least_over_assignment(0.9, attainment=1.0, cv=0.5, n=n, correlation=rho)
    assert least == pytest.approx(kappa - 1, abs=6e-4)
    options = {"attainment": 1.0, "cv": 0.5, "n": n, "correlation": rho}
    reached = gtm.over_assignment_odds([least, least - 1e-4], **options)["p_plan_if_effort_follows"]
    assert reached[0] >= 0.9 > reached[1]
    assert gtm.least_over_assignment(0.5, attainment=1.2, cv=0.5, n=n, correlation=rho) == 0.0


def test_wrong_arguments_are_refused_with_all_findings() -> None:
    quotas, expected = team(4)
    with pytest.raises(gtm.DataError, match=r"(?s)either expected or simulation.*must lie within 0 and 1"):
        gtm.quota_odds(quotas, correlation=1.0)
    with pytest.raises(gtm.DataError, match="must be above 0"):
        gtm.quota_odds(quotas, expected.assign(attain_cv=0.0))
    with pytest.raises(gtm.DataError, match="must be fractions above -1"):
        gtm.over_assignment_odds([5, "x"], attainment=1.0, cv=0.5, n=5, correlation=0.0)
    with pytest.raises(gtm.DataError, match="must be a number above 0"):
        gtm.least_over_assignment(0.9, attainment=0.0, cv=0.5, n=5, correlation=0.0)
