"""Fits out of history: they find what made the history, at their stated level; textbook averages do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.errors import DataError

AE = gtm.Role("AE", 1.0)
WINDOW = ("2022-01-01", "2025-12-31")


def hires_and_exits(n: int, seed: int, old: float = 0.02, new: float = 0.035) -> pd.DataFrame:
    """Return a team with monthly hazards by tenure, recorded from 2022 to 2025, hired from 2016 on."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2016-01", "M") + rng.integers(0, 118, n)
    hazard = np.where(np.arange(400) < 12, new, old)
    months = np.array([int(np.argmax(rng.random(400) < hazard)) for _ in range(n)])
    last = (start + months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    table = pd.DataFrame({"rep_id": [f"R{k}" for k in range(n)], "start_date": start.astype("datetime64[D]")})
    table["end_date"] = pd.Series(last).where(last <= np.datetime64(WINDOW[1]))
    return table[(last >= np.datetime64(WINDOW[0]))].reset_index(drop=True)


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_intervals_of_attrition_hold_the_truth_as_often_as_they_say(n: int) -> None:
    inside, total = 0, 60
    for seed in range(total):
        table = gtm.fit_attrition(hires_and_exits(n, seed), window=WINDOW).table.set_index("band")
        inside += int(table.loc["others", "ci_low"] <= 0.02 <= table.loc["others", "ci_high"])
    assert inside >= 52  # 57 expected, exact intervals are wider; below 52 has a chance of 1 %


def test_the_fit_of_attrition_is_unbiased_and_the_mean_tenure_of_leavers_is_not() -> None:
    fits = [gtm.fit_attrition(hires_and_exits(1000, seed), window=WINDOW) for seed in range(20)]
    old = np.array([fit.attrition.hazard(AE) for fit in fits])
    new = np.array([fit.attrition.hazard(AE, new=True) for fit in fits])
    assert old.mean() == pytest.approx(0.02, rel=0.05)
    assert new.mean() == pytest.approx(0.035, rel=0.05)
    truth = 1 - 0.98**12
    naive = np.array([fit.naive_annual for fit in fits])
    assert abs(naive.mean() - truth) > 0.05
    assert "mean tenure of leavers would have said" in repr(fits[0])


def test_trials_of_attrition_are_counted_by_hand() -> None:
    history = pd.DataFrame(
        {
            "rep_id": ["old", "new", "gone", "before", "after"],
            "start_date": ["2024-11-20", "2025-03-16", "2025-01-10", "2020-01-01", "2026-02-01"],
            "end_date": [None, None, "2025-04-30", "2024-12-31", None],
            "role": ["A"] * 5,
        }
    )
    fit = gtm.fit_attrition(history, window=("2025-01-01", "2025-12-31"), by="role", new_hire_months=4)
    table = fit.table.set_index("band")
    # new hires: two months of the old one (tenure 3 and 4), four of the new one, four of the one who left
    assert table["exposed_m"].to_dict() == {"new hires": 10, "others": 10 + 6}
    assert table["exits"].to_dict() == {"new hires": 1, "others": 0}
    assert "Too few exits" in fit.warning
    assert fit.attrition.rate(gtm.Role("A", 1.0)) == 0


def test_an_impossible_history_of_exits_is_refused_whole() -> None:
    history = pd.DataFrame(
        {
            "rep_id": ["a", "b", "b", "c"],
            "start_date": ["2025-05-01", "2025-01-01", "2025-01-01", None],
            "end_date": ["2025-04-01", None, None, "3/4/2025"],
            "exit_kind": ["fired", None, None, "voluntary"],
        }
    )
    with pytest.raises(DataError, match="6 things") as caught:
        gtm.fit_attrition(history, window=("2025-12-31", "2025-01-01"))
    for text in (
        "must not have an exit before the hire",
        "history['start_date'] must not be empty",
        "history['end_date'] must hold dates",
        "must have every stint once",
        "window must be a first and a last day, in order",
        "must be 'voluntary' or 'involuntary'",
    ):
        assert text in str(caught.value)
    with pytest.raises(DataError, match=r"history\['end_date'\] must exist, got no such column"):
        gtm.fit_attrition(history.drop(columns="end_date"), window=WINDOW)
    with pytest.raises(
        DataError, match=r"must have person-months in every group and tenure band, got none for all \(others\)"
    ):
        gtm.fit_attrition(history.iloc[1:2].drop(columns="exit_kind"), window=("2025-01-01", "2025-06-30"))


def bookings_by_tenure(n: int, seed: int, ramp: gtm.Ramp) -> pd.DataFrame:
    """Return bookings of sellers of different levels; the weak ones leave early."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        level = rng.lognormal(-0.08, 0.4) * 100
        hazard = 0.12 if level < 70 else 0.01
        stay = min(int(rng.geometric(hazard)), 24)
        months = np.arange(1, stay + 1)
        amount = level * ramp.at(months) * rng.gamma(2, 0.5, stay)
        rows.append(pd.DataFrame({"rep_id": f"R{k}", "tenure_m": months, "amount": amount}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rounds"), [(50, 40), (200, 30), (1000, 20)])
def test_intervals_of_a_ramp_hold_the_truth_as_often_as_they_say(n: int, rounds: int) -> None:
    truth, inside = np.array([4.0, 2.0]), []
    for seed in range(rounds):
        parameters = gtm.fit_ramp(bookings_by_tenure(n, seed, gtm.Ramp.weibull(4, 2))).parameters
        inside.append((parameters["ci_low"] <= truth) & (truth <= parameters["ci_high"]))
    assert np.mean(inside, axis=0).min() >= 0.85


@pytest.mark.parametrize(
    ("shape", "ramp"),
    [
        ("weibull", gtm.Ramp.weibull(4, 2)),
        ("linear", gtm.Ramp.linear(6)),
        ("delayed_linear", gtm.Ramp.linear(7, delay_m=2)),
        ("logistic", gtm.Ramp.logistic(3, 1)),
        ("steps", gtm.Ramp.steps([0.05, 0.2, 0.5, 0.8])),
    ],
)
def test_every_shape_finds_the_ramp_that_made_the_history(shape: str, ramp: gtm.Ramp) -> None:
    fit = gtm.fit_ramp(bookings_by_tenure(400, 5, ramp), shape=shape, steps=4)  # type: ignore[arg-type]
    months = np.arange(1, 13)
    np.testing.assert_allclose(fit.ramp.at(months), ramp.at(months), atol=0.06)
    assert fit.ramp.loss == pytest.approx(ramp.loss, abs=0.3)


def test_survivors_make_a_ramped_seller_look_better_than_the_average_hire() -> None:
    fit = gtm.fit_ramp(bookings_by_tenure(500, 3, gtm.Ramp.weibull(4, 2)))
    assert fit.productivity_pm == pytest.approx(100, rel=0.06)
    assert fit.naive_productivity_pm > 1.1 * 100
    naive = fit.table.set_index("tenure_m")["naive"]
    assert abs(naive.loc[7] - gtm.Ramp.weibull(4, 2).at(7)) > 0.03  # weak sellers pull the early months down
    assert "survivors alone" in repr(fit)


def test_an_impossible_history_of_bookings_is_refused_whole() -> None:
    history = pd.DataFrame({"rep_id": ["a", "a", "b"], "tenure_m": [-1, 2.5, 2.5], "amount": [1.0, "x", -5.0]})
    with pytest.raises(DataError, match="4 things") as caught:
        gtm.fit_ramp(history)
    for text in (
        "must be at least 1, got -1",
        "must hold finite numbers",
        "must be at least 0",
        "must be whole months",
    ):
        assert text in str(caught.value)
    short = pd.DataFrame({"rep_id": ["a", "b"], "tenure_m": [1, 2], "amount": [1.0, 2.0]})
    with pytest.raises(DataError, match="at least 3 sellers and more than 4 tenure months, got 2 sellers and 2"):
        gtm.fit_ramp(short)
    few = gtm.fit_ramp(bookings_by_tenure(8, 0, gtm.Ramp.linear(3)), shape="linear")
    assert "Only 8 sellers" in few.warning


def test_seasonality_is_found_under_growth_and_plain_shares_are_tilted() -> None:
    truth = np.repeat([0.18, 0.22, 0.26, 0.34], 3) / 3
    months = pd.period_range("2016-02", periods=120, freq="M")
    amounts = truth[np.arange(120) % 12] * 1.03 ** np.arange(120)
    fit = gtm.fit_seasonality(pd.Series(amounts, index=months), fy_start_month=2)
    assert fit.years == 9
    assert fit.shrinkage == pytest.approx(9 / 11)
    np.testing.assert_allclose(fit.table["unshrunk"], truth, rtol=0.03)
    np.testing.assert_allclose(fit.season, 9 / 11 * fit.table["unshrunk"] + 2 / 11 / 12)
    assert abs(fit.table["naive"].iloc[0] - truth[0]) > 3 * abs(fit.table["unshrunk"].iloc[0] - truth[0])
    assert fit.calendar(2026).shares.sum() == pytest.approx(1)
    assert str(fit.calendar(2026).periods[0]) == "2026-02"


def test_a_short_or_broken_history_of_months_is_refused_or_warned_about() -> None:
    months = pd.period_range("2023-01", periods=30, freq="M")
    fit = gtm.fit_seasonality(pd.DataFrame({"month": months.astype(str), "amount": 1.0}))
    assert "cannot tell a season from chance" in fit.warning
    np.testing.assert_allclose(fit.season, 1 / 12)
    hole = pd.Series(1.0, index=months).drop(months[4])
    with pytest.raises(DataError, match=r"every month from the first to the last, once.* 1 month: '2023-05'"):
        gtm.fit_seasonality(hole)
    with pytest.raises(DataError, match="must have at least 24 months, got 12"):
        gtm.fit_seasonality(pd.Series(1.0, index=months[:12]))
    with pytest.raises(DataError, match="2 things") as caught:
        gtm.fit_seasonality(pd.Series(-1.0, index=months), fy_start_month=13)
    assert "fy_start_month must be 1 to 12, got 13" in str(caught.value)
    with pytest.raises(DataError, match="must hold months"):
        gtm.fit_seasonality(pd.Series([1.0], index=["soon"]))


def results(n: int, years: int, seed: int, cv: float = 0.5, rho: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    s_common, s_own = np.sqrt(np.log1p(rho * cv**2)), np.sqrt(np.log((1 + cv**2) / (1 + rho * cv**2)))
    common = rng.lognormal(-(s_common**2) / 2, s_common, years)
    values = common[None, :] * rng.lognormal(-(s_own**2) / 2, s_own, (n, years))
    rep, year = np.meshgrid(np.arange(n), np.arange(years), indexing="ij")
    return pd.DataFrame({"rep_id": rep.ravel(), "year": 2015 + year.ravel(), "attainment": values.ravel()})


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_the_interval_of_the_correlation_holds_the_truth_as_often_as_it_says(n: int) -> None:
    inside = []
    for seed in range(60):
        row = gtm.fit_attainment(results(n, 10, seed)).table.set_index("measure").loc["correlation"]
        inside.append(row["ci_low"] <= 0.2 <= row["ci_high"])
    assert np.mean(inside) >= 0.85


def test_the_spread_of_one_year_misses_what_sellers_share() -> None:
    fits = [gtm.fit_attainment(results(300, 12, seed, rho=0.4)) for seed in range(15)]
    cvs = np.array([fit.attainment.cv[0][1] for fit in fits])
    naive = np.array([fit.naive_cv for fit in fits])
    assert cvs.mean() == pytest.approx(0.5, abs=0.05)
    assert naive.mean() < 0.43
    skew = fits[0].table.set_index("measure").loc["skewness", "estimate"]
    assert skew > 0.5
    assert fits[0].mean == pytest.approx(1, abs=0.2)


def test_zeros_are_counted_and_few_years_are_warned_about() -> None:
    table = results(200, 3, 1)
    table.loc[table.index % 20 == 0, "attainment"] = 0.0
    fit = gtm.fit_attainment(table)
    assert fit.attainment.zero_share == pytest.approx(0.05)
    assert "3 years say next to nothing about the correlation" in fit.warning
    with pytest.raises(DataError, match="at least two years"):
        gtm.fit_attainment(results(20, 1, 0))
    with pytest.raises(DataError, match="2 things") as caught:
        gtm.fit_attainment(pd.DataFrame({"rep_id": ["a", "a"], "year": [1, 1], "attainment": [-1.0, 1.0]}))
    assert "must have a seller's year once" in str(caught.value)
