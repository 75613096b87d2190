"""The odds: simulation against the recursion and against formulas, repeatable on any executor."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, lognorm, norm, poisson

import gtm_opt as gtm
from gtm_opt.errors import DataError
from gtm_opt.sales_capacity.odds._kernels import normal_quantile
from gtm_opt.sales_capacity.odds.drivers import stretch_ramp

FY26 = gtm.Calendar("2026-01")
AE = gtm.Role("AE", 1_200_000, "ENT", ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
AM = gtm.Role("AM", 600_000, "SMB", ramp=gtm.Ramp.weibull(4, 2))
SE = gtm.Role("SE", 900_000, quota_type="overlay")
TEAM = pd.DataFrame(
    {
        "seat_id": ["S1", "S2", "S3", "S4", "S4", "S5", "S6", "S7"],
        "rep_id": ["A", "B", None, "D", "E", "F", "G", "H"],
        "role": ["AE", "AE", "AE", "AM", "AM", "AM", "AM", "SE"],
        "manager": ["M1", "M1", "M2", "M2", "M2", "M1", "M2", "M1"],
        "start_date": [None, "2026-02-16", "2026-07-01", None, "2026-11-01", "2025-12-01", None, None],
        "end_date": [None, None, None, "2026-08-14", None, None, None, None],
    }
)
LEAVING = gtm.Attrition({"ENT": 0.4, "default": 0.25}, kind="cohort", new_hire=0.35)
FILLING = gtm.Backfill(1.5, fill_cv=0.5)
SPREAD = gtm.Attainment(0.5, correlation=0.2)


def simulated(target: object = 3_000_000, people: pd.DataFrame = TEAM, **words: object) -> gtm.Odds:
    settings = {"attainment": SPREAD, "attrition": LEAVING, "backfill": FILLING, "paths": 4_000, **words}
    return gtm.simulate(people, [AE, AM, SE], FY26, target, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attrition", "attainment"),
    [
        (LEAVING, gtm.Attainment(0, correlation=0)),
        (LEAVING, gtm.Attainment({"ENT": 0.6, "default": 0.3}, correlation=0.3, persistence=0.7, zero_share=0.02)),
        (
            gtm.Attrition(0.5, kind="turnover", involuntary_output=0.5, exits="mid_month"),
            gtm.Attainment(0.4, correlation=0.1, deal_size=40_000),
        ),
    ],
)
def test_the_mean_of_the_paths_is_the_expected_capacity(attrition: gtm.Attrition, attainment: gtm.Attainment) -> None:
    words = {"attrition": attrition, "backfill": FILLING, "interim_frac": 0.2}
    odds = simulated(attainment=attainment, paths=40_000, judgment={"Q2": 90_000}, **words)
    expected = gtm.capacity(TEAM, [AE, AM, SE], FY26, **words).expected.by("month")  # type: ignore[arg-type,union-attr]
    wanted = expected["expected"].to_numpy() + np.array([0] * 3 + [30_000] * 3 + [0] * 6)
    error = odds.months.std(axis=0) / math.sqrt(odds.paths)
    z = (odds.months.mean(axis=0) - wanted) / np.maximum(error, 1e-6)
    assert np.abs(z).max() < 4.0
    assert np.sqrt((z**2).mean()) < 2.2


def test_without_spread_the_deviation_of_a_month_is_that_of_the_recursion() -> None:
    odds = simulated(attainment=gtm.Attainment(0, correlation=0), paths=40_000)
    expected = gtm.capacity(TEAM, [AE, AM, SE], FY26, attrition=LEAVING, backfill=FILLING).expected
    np.testing.assert_allclose(odds.months.std(axis=0)[1:], expected.by("month")["sd"][1:], rtol=0.03)  # type: ignore[union-attr]


def test_a_certain_team_makes_its_capacity_in_every_path() -> None:
    calm = simulated(2_000_000, attrition=None, backfill=None, attainment=gtm.Attainment(0, correlation=0), paths=100)
    total = gtm.capacity(TEAM, [AE, AM, SE], FY26).total
    np.testing.assert_allclose(calm.totals(), total)
    assert calm.p_target == 1.0
    assert calm.interval()[1] == 1.0


@pytest.mark.parametrize("n", [1, 10, 50])
@pytest.mark.parametrize("persistence", [1.0, 0.3])
def test_a_team_spreads_as_the_formula_says(n: int, persistence: float) -> None:
    people = pd.DataFrame({"rep_id": [f"R{k}" for k in range(n)]})
    spread = gtm.Attainment(0.5, correlation=0.1, persistence=persistence)
    odds = gtm.simulate(people, AM, FY26, 1.0, attainment=spread, paths=60_000)
    totals = odds.totals()[:, 0] / (n * AM.productivity_py)
    assert totals.mean() == pytest.approx(1, abs=4 * totals.std() / math.sqrt(60_000))
    assert totals.std() == pytest.approx(spread.team_cv(n), rel=0.02)


def test_one_sellers_odds_are_those_of_a_lognormal_variable() -> None:
    people = pd.DataFrame({"rep_id": ["R"]})
    s = math.sqrt(math.log1p(0.25))
    odds = gtm.simulate(
        people, AM, FY26, 1.1 * AM.productivity_py, attainment=gtm.Attainment(0.5, correlation=0), paths=100_000
    )
    wanted = lognorm(s, scale=math.exp(-s * s / 2)).sf(1.1)
    low, high = odds.interval(0.9999)
    assert low < wanted < high
    assert wanted == pytest.approx(0.3307, abs=5e-5)
    shortfall = odds.table["expected_shortfall"].iloc[-1] / AM.productivity_py
    assert shortfall == pytest.approx(0.1 + _excess(s, 1.1), abs=0.004)


def _excess(s: float, k: float) -> float:
    """Return E[max(X - k, 0)] of a lognormal variable of mean 1 (Black's formula)."""
    d = (-math.log(k) + s * s / 2) / s
    return float(norm.cdf(d) - k * norm.cdf(d - s))


def test_deals_come_whole_and_as_often_as_a_poisson_variable() -> None:
    people = pd.DataFrame({"rep_id": ["R"]})
    spread = gtm.Attainment(0, correlation=0, deal_size=50_000)
    odds = gtm.simulate(people, AM, FY26, 1.0, attainment=spread, paths=40_000)
    deals = odds.months[:, 0] / 50_000
    assert (deals == deals.round()).all()
    for k in range(4):
        assert (deals == k).mean() == pytest.approx(poisson(1).pmf(k), abs=0.012)


def test_sellers_who_book_nothing_are_as_many_as_said_and_mean_and_spread_hold() -> None:
    people = pd.DataFrame({"rep_id": ["R"]})
    spread = gtm.Attainment(0.6, correlation=0.1, zero_share=0.08)
    totals = gtm.simulate(people, AM, FY26, 1.0, attainment=spread, paths=60_000).totals()[:, 0] / AM.productivity_py
    assert (totals == 0).mean() == pytest.approx(0.08, abs=0.005)
    assert totals.mean() == pytest.approx(1, abs=0.012)
    assert totals.std() == pytest.approx(0.6, rel=0.03)


def test_ramps_of_a_person_stretch_around_the_planned_one() -> None:
    people = pd.DataFrame({"rep_id": ["R", "Q"], "start_date": ["2026-01-01", "2025-11-16"]})
    exact, tiny, wide = (
        gtm.simulate(
            people, [AM], FY26, 1.0, attainment=gtm.Attainment(0, correlation=0, ramp_cv=c), paths=4_000
        ).months
        for c in (0, 1e-9, 0.4)
    )
    np.testing.assert_allclose(tiny, exact, rtol=2e-3, atol=200)
    assert wide[:, 3].std() > 3_000
    assert wide[:, -1].mean() == pytest.approx(exact[0, -1], rel=0.02)
    for ramp in (AE.ramp, AM.ramp, gtm.Ramp.linear(5, delay_m=1), gtm.Ramp.logistic(3, 1)):
        assert stretch_ramp(ramp, 1.5).loss == pytest.approx(1.5 * ramp.loss)


def test_the_quantile_function_is_that_of_the_normal_distribution() -> None:
    p = np.concatenate([np.logspace(-300, -1, 400), np.linspace(0.01, 0.99, 300), 1 - np.logspace(-15, -2, 100)])
    np.testing.assert_allclose([normal_quantile(x) for x in p], norm.ppf(p), rtol=1e-11, atol=1e-13)


@pytest.mark.determinism
def test_the_result_is_the_same_on_any_executor_and_in_any_order_of_rows() -> None:
    base = simulated(paths=1_500)
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(simulated(paths=1_500, executor=pool).months, base.months)
    turned = simulated(people=TEAM.iloc[::-1], paths=1_500)
    np.testing.assert_allclose(turned.months, base.months, rtol=1e-12)
    longer = simulated(paths=2_000)
    np.testing.assert_array_equal(longer.months[:1_500], base.months)
    assert (simulated(paths=1_500, seed=1).months != base.months).any()


@pytest.mark.slow
@pytest.mark.determinism
def test_processes_give_the_result_of_threads() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(simulated(paths=1_500, executor=pool).months, simulated(paths=1_500).months)


def test_groups_and_seats_add_up_to_the_whole() -> None:
    odds = simulated(by="manager", judgment=None, paths=2_000)
    assert odds.groups["manager"].tolist() == ["M1", "M2"]
    np.testing.assert_allclose(odds.bookings.sum(axis=0), odds.months)
    by_group = odds.by_group("fiscal_year")
    assert by_group["mean"].sum() == pytest.approx(odds.totals().mean())
    seats = odds.seats()
    assert seats["seat_id"].tolist() == ["S1", "S2", "S3", "S4", "S5", "S6"]  # engineers share credit with others
    assert seats["mean"].sum() == pytest.approx(odds.totals().mean())
    with pytest.raises(DataError, match=r"no groups. Pass `by`"):
        simulated(paths=100).by_group()


def test_intervals_are_exact_and_shrink_with_paths() -> None:
    odds = simulated()
    hits = int((odds.totals()[:, 0] >= 3_000_000).sum())
    wanted = binomtest(hits, 4_000).proportion_ci(0.95, method="exact")
    assert odds.interval() == pytest.approx((wanted.low, wanted.high))
    with pytest.raises(DataError, match="`confidence` must lie strictly between 0 and 1, got 95"):
        odds.interval(95)


def test_all_quarters_together_are_less_likely_than_each_and_more_than_independent_ones() -> None:
    odds = simulated({"Q1": 600_000, "Q2": 650_000, "Q3": 700_000, "Q4": 700_000})
    joint = odds.joint().set_index("event")["p"]
    each = odds.by_period("quarter")["p_target"]
    assert joint["all quarters"] <= each.min()
    assert joint["all quarters"] <= joint["all quarters, cumulated"]
    assert joint["if independent"] == pytest.approx(each.prod())
    assert joint["all quarters"] > joint["if independent"]


def test_the_month_of_the_loss_is_counted_over_the_paths_that_miss() -> None:
    odds = simulated()
    lost = odds.month_lost()
    assert lost["share"].sum() == pytest.approx(1)
    assert lost["p"].sum() == pytest.approx(1 - odds.p_target)
    safe = simulated(1.0).month_lost()
    assert safe["share"].sum() == 0


def test_drivers_move_the_odds_in_their_direction_with_small_errors() -> None:
    odds = simulated(paths=8_000)
    table = odds.drivers().set_index("driver")
    assert set(table.index) == {
        *("productivity", "ramp time", "attrition", "time to fill"),
        *("spread of results", "correlation of results"),
    }
    assert table["swing"].is_monotonic_decreasing
    assert table.index[0] == "productivity"
    assert table.loc["productivity", "change_low"] < 0 < table.loc["productivity", "change_high"]
    for driver in ("attrition", "time to fill", "ramp time"):
        assert table.loc[driver, "change_low"] > 0 > table.loc[driver, "change_high"]
    alone = math.sqrt(2 * odds.p_target * (1 - odds.p_target) / odds.paths)
    assert table.loc["time to fill", "se_high"] < 0.5 * alone


def test_scenarios_are_compared_on_the_same_luck() -> None:
    base = simulated(paths=8_000)
    earlier = TEAM.assign(start_date=TEAM["start_date"].replace({"2026-07-01": "2026-03-01"}))
    table = gtm.scenarios(
        {"plan": base, "hire in March": {"staffing": earlier}, "calm": base.vary(attrition=None, backfill=None)}
    )
    rows = table.table.set_index("scenario")
    assert rows.loc["plan", "change"] == 0
    assert rows.loc["hire in March", "change"] > 0
    gain = rows.loc["hire in March", "change_mean"]
    assert 0 < gain < 400_000
    # a seat that nobody touches has the same bookings in both worlds
    assert rows.loc["hire in March", "change_mean_se"] < 0.2 * base.totals().std() / math.sqrt(8_000)
    assert table["calm"].p_target == rows.loc["calm", "p_target"]
    with pytest.raises(DataError, match="must have the seed of the base"):
        gtm.scenarios({"plan": base, "other": base.vary(seed=3)})
    with pytest.raises(DataError, match=r"a simulation has no input 'attritoin'. Did you mean 'attrition'"):
        gtm.scenarios({"plan": base, "typo": {"attritoin": None}})
    with pytest.raises(DataError, match="first world is the Odds of a simulation"):
        gtm.scenarios({})
    with pytest.raises(DataError, match="there is no scenario 'x', only: plan, hire in March, calm"):
        table["x"]


def test_an_honest_prediction_passes_its_backtest_and_a_boastful_one_fails() -> None:
    people = pd.DataFrame({"rep_id": [f"R{k}" for k in range(80)]})
    words = {"attainment": gtm.Attainment(0.4, correlation=0.0), "paths": 2_000}
    odds = gtm.simulate(people, AM, FY26, 1.0, **words)  # type: ignore[arg-type]
    truth = gtm.simulate(people, AM, FY26, 1.0, **words, seed=11, by="rep_id")  # type: ignore[arg-type]
    actual = pd.DataFrame({"seat_id": truth.groups["rep_id"], "amount": truth.bookings[:, 0, :].sum(axis=1)})
    honest = odds.backtest(actual)
    assert honest.is_honest
    assert honest.warning == ""
    sure = odds.vary(attainment=gtm.Attainment(0.1, correlation=0)).backtest(actual)
    assert not sure.is_honest
    assert "not honest on 80 results" in repr(sure)
    few = odds.backtest({"Q1": 1.0, "Q2": 2.0})
    assert "cannot tell an honest prediction" in few.warning
    with pytest.raises(DataError, match="must be on the roster") as caught:
        odds.backtest(pd.DataFrame({"seat_id": ["R0", "R0", "R99x"], "amount": [1.0, "lots", 2.0]}))
    assert "must be unique" in str(caught.value)
    assert "must hold finite numbers" in str(caught.value)


def test_wrong_words_of_a_simulation_are_named_together() -> None:
    with pytest.raises(DataError, match="3 things") as caught:
        simulated(attainment=0.5, paths=10, seed=-1)
    for text in ("attainment must be an Attainment", "paths must be a whole number from 100", "seed must be"):
        assert text in str(caught.value)
    with pytest.raises(DataError, match=r"`by` must name columns of the roster, got 'manger'. Did you mean 'manager'"):
        simulated(by="manger")
    with pytest.raises(DataError, match="`target` must be a finite amount, got nan"):
        simulated(float("nan"))
    with pytest.raises(DataError, match="must have a value for every role"):
        simulated(attainment=gtm.Attainment({"ENT": 0.3}, correlation=0.1))
    with pytest.raises(DataError, match="needs `attrition`"):
        simulated(attrition=None)
    with pytest.raises(DataError, match="4 things") as caught:
        gtm.Attainment(50, correlation=2, zero_share=1, deal_size=-1)
    assert "Write 50 % as 0.5." in str(caught.value)
    with pytest.raises(DataError, match="must be larger with 50% who book nothing"):
        gtm.Attainment(0.5, correlation=0.1, zero_share=0.5)
