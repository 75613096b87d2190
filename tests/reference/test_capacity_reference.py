"""Reference numbers of capacity planning: hazards, the renewal recursion, ramps, published models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm


@pytest.mark.parametrize(
    ("annual", "hazard"),
    [(0.15, 0.0134519), (0.20, 0.0184235), (0.25, 0.0236884), (0.30, 0.0292855), (0.35, 0.0352619)],
)
def test_a_cohort_rate_gives_the_hazard_that_loses_it_in_twelve_months(annual: float, hazard: float) -> None:
    role = gtm.Role("AE", 1.0)
    attrition = gtm.Attrition(annual, kind="cohort")
    assert attrition.hazard(role) == pytest.approx(hazard, abs=5e-8)
    assert np.prod(1 - attrition.hazards(role, 12)) == pytest.approx(1 - annual)


@pytest.mark.parametrize(("annual", "hazard"), [(0.20, 0.0165285), (0.30, 0.0246901)])
def test_a_turnover_rate_gives_a_smaller_hazard(annual: float, hazard: float) -> None:
    assert gtm.monthly_hazard(annual, "turnover") == pytest.approx(hazard, abs=5e-8)


def test_the_renewal_recursion_gives_the_published_months_and_sums() -> None:
    ramp, wanted = [0, 0.25, 0.5, 0.75], [0, 0.245, 0.4802, 0.705894, 0.922368, 0.908821, 0.900248, 0.896361]
    wanted += [0.896881, 0.897120, 0.897183, 0.897166]
    months = gtm.seat_output(0.02, ramp, 3)
    np.testing.assert_allclose(months, wanted, atol=5e-7)
    assert months.sum() == pytest.approx(8.647243, abs=5e-7)
    assert gtm.seat_output(0.02, ramp).sum() == pytest.approx(8.313666, abs=5e-7)
    assert gtm.seat_output(0, ramp, 3).sum() == 10.5 - 1.0  # no attrition: twelve months less a ramp loss of 2.5


def test_the_long_run_factor_of_a_seat_and_the_seats_needed() -> None:
    phi = gtm.seat_factor(0.02, [0, 0.25, 0.5, 0.75], 3)
    assert phi == pytest.approx(0.8971604, abs=5e-8)
    assert 10 / phi == pytest.approx(11.146, abs=5e-4)
    assert gtm.seat_output(0.02, [0, 0.25, 0.5, 0.75], 3, months=400)[-1] == pytest.approx(phi, abs=1e-9)
    slow = gtm.seat_factor(gtm.monthly_hazard(0.25, "cohort"), [0, 0, 0.25, 0.5, 0.75, 0.9], 3)
    assert slow == pytest.approx(0.8568531, abs=5e-8)
    assert 10 / slow == pytest.approx(11.6706, abs=5e-5)


def test_published_ramps_and_their_losses() -> None:
    for convention, first, loss in (("start", 0, 3.5), ("mid", 1 / 12, 3.0), ("end", 1 / 6, 2.5)):
        ramp = gtm.Ramp.linear(6, convention=convention)  # type: ignore[arg-type]
        np.testing.assert_allclose(ramp.at(range(1, 7)), first + np.arange(6) / 6)
        assert gtm.ramp_loss(ramp) == pytest.approx(loss)
    months = range(1, 10)
    ends = gtm.Ramp.weibull(4, 2, convention="end").at(range(1, 8))
    np.testing.assert_allclose(ends, [0.0606, 0.2212, 0.4302, 0.6321, 0.7904, 0.8946, 0.9532], atol=5e-5)
    mids = gtm.Ramp.weibull(4, 2, convention="mid").at(range(1, 7))
    np.testing.assert_allclose(mids, [0.0155, 0.1312, 0.3234, 0.5350, 0.7179, 0.8490], atol=5e-5)
    weibull = gtm.Ramp.weibull(4, 2)
    wanted = [0.0204, 0.1344, 0.3241, 0.5337, 0.7157, 0.8468, 0.9271, 0.9693, 0.9886]
    np.testing.assert_allclose(weibull.at(months), wanted, atol=5e-5)
    assert weibull.loss == pytest.approx(3.5449, abs=5e-5)
    np.testing.assert_allclose(weibull.level([3.3302, 6.9233]), [0.5, 0.95], atol=5e-5)
    logistic = gtm.Ramp.logistic(3, 1)
    wanted = [0.0754, 0.2325, 0.4751, 0.7177, 0.8749, 0.9502, 0.9811, 0.9930, 0.9974]
    np.testing.assert_allclose(gtm.Ramp.logistic(3, 1, convention="end").at(months), wanted, atol=5e-5)
    wanted = [0.0325, 0.1458, 0.3490, 0.6012, 0.8044, 0.9178, 0.9680, 0.9880, 0.9955]
    np.testing.assert_allclose(logistic.at(months), wanted, atol=5e-5)
    assert logistic.loss == pytest.approx(3.2004, abs=5e-5)


def kellblog() -> gtm.Capacity:
    """Return the published model of bookings and quota capacity."""
    hired = {"1Q": "2020-01-01", "2nd": "2019-10-01", "3rd": "2019-07-01", "4th": "2019-04-01"}
    counts = {"1Q": 4, "2nd": 3, "3rd": 2, "4th": 1}
    rows = [{"rep_id": f"{k}-{n}", "start_date": hired[k]} for k, count in counts.items() for n in range(count)]
    leavers = ["2020-06-30", "2020-09-30", "2020-12-31"] + [None] * 7
    rows += [{"rep_id": f"old-{n}", "end_date": leavers[n]} for n in range(10)]
    later = {"2020-04-01": 5, "2020-07-01": 6, "2020-10-01": 7}
    rows += [{"rep_id": f"{day}-{n}", "start_date": day} for day, count in later.items() for n in range(count)]
    role = gtm.Role("AE", 1_000, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75], per="quarter"))
    judgment = {"FY2020-Q1": -300, "FY2020-Q2": -200, "FY2020-Q3": -200, "FY2020-Q4": 250}
    return gtm.capacity(pd.DataFrame(rows), role, gtm.Calendar("2020-01"), judgment=judgment)


def test_every_figure_of_the_published_bookings_model_is_reproduced() -> None:
    table = gtm.bookings_model(
        kellblog(),
        prior=[1_500, 2_200, 2_700, 3_200],
        over_assignment=0.2,
        newbiz_share=0.7,
        pipeline_coverage=3,
        sources={"marketing": 0.75, "alliances": 0.15, "SDR": 0.10},
    )
    wanted = {
        "heads, tenure month 1-3": [4, 5, 6, 7],
        "heads, tenure month 4-6": [3, 4, 5, 6],
        "heads, tenure month 7-9": [2, 3, 4, 5],
        "heads, tenure month 10-12": [1, 2, 3, 4],
        "heads, tenure month over 12": [10, 11, 12, 14],
        "heads left": [0, 1, 1, 1, 3],
        "heads end": [20, 24, 29, 35, 35],
        "ramped-rep equivalents": [12.5, 15, 17.5, 21],
        "capacity": [3_125, 3_750, 4_375, 5_250, 16_500],
        "judgment": [-300, -200, -200, 250, -450],
        "plan": [2_825, 3_550, 4_175, 5_500, 16_050],
        "street quota": [3_750, 4_500, 5_250, 6_300, 19_800],
        "new-business quota": [2_625, 3_150, 3_675, 4_410],
        "pipeline": [7_875, 9_450, 11_025, 13_230],
        "pipeline, marketing": [5_906.25],
        "pipeline, alliances": [1_181.25],
        "pipeline, SDR": [787.5],
    }
    for line, values in wanted.items():
        np.testing.assert_allclose(table.loc[line].iloc[: len(values)], values, rtol=1e-12, err_msg=line)
    percent = {
        "linearity": [17.6, 22.1, 26.0, 34.3, 100.0],
        "growth on the year": [88, 61, 55, 72],
        "growth on the quarter": [-12, 26, 18, 32],
        "turnover": [0, 6.25, 6.25, 6.25, 18.75],
    }
    for line, values in percent.items():
        digits = 1 if line == "linearity" else 2 if line == "turnover" else 0
        assert (table.loc[line].iloc[: len(values)] * 100).round(digits).tolist() == values, line
    halves = table.loc["linearity"].iloc[:4].to_numpy().reshape(2, 2).sum(axis=1)
    assert (halves * 100).round(1).tolist() == [39.7, 60.3]


def test_the_published_coverage_ratios_and_the_pipeline_behind_ten_million() -> None:
    plan = {"Q1": 2_825, "Q2": 3_550, "Q3": 4_175, "Q4": 5_500}
    quota = {"Q1": 3_750, "Q2": 4_500, "Q3": 5_250, "Q4": 6_300}
    total = kellblog().coverage(plan, quota=quota, win_rate=1 / 3).iloc[-1]
    assert total["kappa_cap"] == pytest.approx(1.0280, abs=5e-5)
    assert total["kappa_quota"] == pytest.approx(1.2336, abs=5e-5)
    assert total["kappa_pipe_required"] == pytest.approx(3)
    need = gtm.pipeline_need(
        10e6, gtm.Calendar("2026-01"), win_rate=0.22, deal_size=60_000, sdr_share=0.6, opportunities_per_sdr_pm=8
    )
    assert need["pipeline"].sum() == pytest.approx(45.4545e6, abs=50)
    assert need["opportunities"].sum() == pytest.approx(757.576, abs=5e-4)
    assert need["sdrs"].mean() == pytest.approx(4.7348, abs=5e-5)


def test_the_reference_roster_gives_the_reference_total() -> None:
    people = pd.DataFrame(
        {
            "seat_id": ["S1", "S2", "S3", "S4", "S4"],
            "rep_id": ["R1", "R2", "R3", "R4", "R5"],
            "start_date": [None, "2026-03-16", None, None, "2026-11-01"],
            "end_date": [None, None, None, "2026-08-14", None],
        }
    )
    leave = pd.DataFrame({"rep_id": ["R3"], "start_date": ["2026-05-01"], "end_date": ["2026-06-30"]})
    role = gtm.Role("AE", 1_200_000, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
    result = gtm.capacity(people, role, gtm.Calendar("2026-01"), leaves=leave)
    assert result.total == pytest.approx(3_720_161.29, abs=0.005)
    np.testing.assert_allclose(result.by("quarter")["capacity"], [900_000, 850_000, 1_045_161.29, 925_000], atol=0.005)


@pytest.mark.parametrize(
    ("cv", "shares", "ratios", "coverage"),
    [
        (0.3, [0.4417, 0.3187, 0.2213, 0.0980], [0.9578, 0.8892, 0.8212], 1.237),
        (0.4, [0.4236, 0.3300, 0.2527, 0.1432], [0.9285, 0.8421, 0.7586], 1.306),
        (0.5, [0.4066, 0.3307, 0.2669, 0.1714], [0.8944, 0.7935, 0.6982], 1.386),
        (0.6, [0.3908, 0.3267, 0.2722, 0.1883], [0.8575, 0.7451, 0.6411], 1.476),
    ],
)
def test_the_table_of_shares_at_quota(cv: float, shares: list[float], ratios: list[float], coverage: float) -> None:
    np.testing.assert_allclose([gtm.share_at_quota(q, cv) for q in (1.0, 1.1, 1.2, 1.4)], shares, atol=5.1e-5)
    np.testing.assert_allclose([gtm.quota_ratio(p, cv) for p in (0.5, 0.6, 0.7)], ratios, atol=5.1e-5)
    triangle = gtm.plan_triangle(over_assignment=0.10, share_at_quota=0.60, cv=cv)
    assert triangle.coverage == pytest.approx(coverage, abs=5e-4)


@pytest.mark.parametrize(
    ("n", "odds", "coverage"),
    [
        (10, [0.7173, 0.6617, 0.6175], [1.254, 1.388, 1.639]),
        (50, [0.9007, 0.7017, 0.6272], [1.100, 1.282, 1.560]),
        (200, [0.9949, 0.7131, 0.6293], [1.048, 1.261, 1.546]),
    ],
)
def test_the_table_of_plan_probabilities(n: int, odds: list[float], coverage: list[float]) -> None:
    rhos = (0, 0.1, 0.3)
    found = [gtm.plan_probability(1.1, 0.5, n=n, correlation=rho) for rho in rhos]
    np.testing.assert_allclose(found, odds, atol=5.1e-5)
    needed = [gtm.required_coverage(0.9, 0.5, n=n, correlation=rho) for rho in rhos]
    np.testing.assert_allclose(needed, coverage, atol=5.5e-4)  # the table has 1.048 for 1.04746


def test_the_simulation_of_a_seat_agrees_with_its_recursion_and_its_closed_form() -> None:
    """Published simulation: 0.8968; the last year of five, well within its standard error."""
    people = pd.DataFrame({"rep_id": [f"R{n}" for n in range(200)], "start_date": ["2026-01-01"] * 200})
    role = gtm.Role("AE", 1.0, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
    attrition = gtm.Attrition(1 - 0.98**12, kind="cohort")
    odds = gtm.simulate(
        people,
        role,
        gtm.Calendar("2026-01", months=60),
        1.0,
        attrition=attrition,
        backfill=gtm.Backfill(3),
        attainment=gtm.Attainment(0, correlation=0),
        paths=2_000,
    )
    last = odds.months[:, -12:].sum(axis=1) / 200
    error = last.std() / np.sqrt(2_000)
    assert error < 1e-3
    assert last.mean() == pytest.approx(0.8971604, abs=4 * error)
    first = odds.months[:, :12].mean(axis=0) * 12 / 200
    np.testing.assert_allclose(first, gtm.seat_output(0.02, role.ramp, 3), atol=2e-3)
