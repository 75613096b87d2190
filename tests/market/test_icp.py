"""Profiles find the signal that is there, refuse the one that is not, and name copies of the outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.datasets import make_crm
from gtm_opt.errors import DataError

CRM = make_crm(3_000, seed=6, duplicates=0.0, opportunities=2.0)
FEATURES = ["industry", "employees", "segment", "arr"]


@pytest.fixture(scope="module")
def profile():
    return gtm.fit_icp(CRM.accounts, CRM.opportunities, features=FEATURES, replicas=5)


def test_the_scorecard_comes_close_to_the_true_odds(profile) -> None:
    assert profile.has_signal
    assert "beats the base rate" in profile.verdict
    scored = profile.score(CRM.accounts)
    truth = CRM.truth["p_win"].to_numpy()
    assert np.corrcoef(scored["p_win"], truth)[0, 1] > 0.9
    assert abs(scored["p_win"].mean() - truth.mean()) < 0.03
    assert ((scored["p_low"] <= scored["p_win"]) & (scored["p_win"] <= scored["p_high"])).all()
    assert scored["fit_score"].between(0, 100).all()


def test_probabilities_hold_on_later_months(profile) -> None:
    table = profile.calibration
    error = (table["deals"] * (table["predicted"] - table["won"]).abs()).sum() / table["deals"].sum()
    assert error < 0.1
    losses = profile.validation.set_index("model")["log_loss"]
    assert losses["scorecard"] < losses["base rate"]


def test_a_shuffled_outcome_has_no_signal_and_cannot_score() -> None:
    deals = CRM.opportunities[CRM.opportunities["stage"] != "open"]
    stage = np.random.default_rng(1).permutation(deals["stage"].to_numpy())
    noise = gtm.fit_icp(CRM.accounts, deals.assign(stage=stage), features=FEATURES, replicas=2)
    assert not noise.has_signal
    assert "no better than the base rate" in noise.verdict
    with pytest.raises(DataError, match="has no signal and cannot score"):
        noise.score(CRM.accounts)


def test_a_column_copied_from_the_outcome_is_named_and_left_out() -> None:
    won = CRM.opportunities[CRM.opportunities["stage"] == "won"]["account_id"]
    lost = CRM.opportunities[CRM.opportunities["stage"].isin(["lost", "no decision"])]["account_id"]
    mixed = set(won) & set(lost)
    accounts = CRM.accounts.assign(signed=np.where(CRM.accounts["account_id"].isin(won), "yes", "no"))
    clean = CRM.opportunities[~CRM.opportunities["account_id"].isin(mixed)]
    profile = gtm.fit_icp(accounts, clean, features=[*FEATURES, "signed"], replicas=2)
    assert profile.findings["feature"].tolist() == ["signed"]
    assert "leak" in profile.findings["finding"].iloc[0]
    with pytest.raises(DataError, match="got only leaks: signed"):
        gtm.fit_icp(accounts, clean, features=["signed"])


def test_the_order_of_rows_changes_nothing(profile) -> None:
    again = gtm.fit_icp(
        CRM.accounts.sample(frac=1.0, random_state=3),
        CRM.opportunities.sample(frac=1.0, random_state=3),
        features=FEATURES,
        replicas=5,
    )
    pd.testing.assert_frame_equal(again.points, profile.points)
    pd.testing.assert_frame_equal(again.validation, profile.validation)
    pd.testing.assert_frame_equal(again.score(CRM.accounts), profile.score(CRM.accounts))


def test_new_categories_are_flagged(profile) -> None:
    accounts = CRM.accounts.head(3).assign(industry=["software", "space mining", "retail"])
    assert profile.score(accounts)["new_category"].tolist() == [False, True, False]


def test_wrong_input_is_reported_together() -> None:
    deals = CRM.opportunities.head(20)
    with pytest.raises(DataError, match=r"(?s)known before the outcome.*got 'industri'.*at least 50 wins, got"):
        gtm.fit_icp(CRM.accounts, deals, features=["industri", "arr"], known_after=["arr"])
    text = deals.assign(close_date="31/12/2026")
    with pytest.raises(DataError, match=r"must hold dates .*got '31/12/2026'"):
        gtm.fit_icp(CRM.accounts, text, features=["arr"], least_wins=1)


def test_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(gtm.GtmOptError, match=r"pip install 'gtm-opt\[score\]'"):
        gtm.fit_icp(CRM.accounts, CRM.opportunities, features=FEATURES)


def test_the_public_pipeline_is_judged_by_later_months(instances) -> None:
    """Accounts of the Maven pipeline say nothing about who wins: their profile must not be sold as fit."""
    folder = instances / "crm" / "maven"
    accounts = pd.read_csv(folder / "accounts.csv").rename(columns={"account": "account_id"})
    deals = pd.read_csv(folder / "sales_pipeline.csv").rename(columns={"account": "account_id", "deal_stage": "stage"})
    deals = deals[deals["stage"].isin(["Won", "Lost"])]
    deals["close_date"] = pd.to_datetime(deals["close_date"], format="%d-%m-%Y")
    profile = gtm.fit_icp(
        accounts, deals, features=["sector", "revenue", "employees", "year_established", "office_location"], replicas=2
    )
    assert not profile.has_signal
    assert profile.verdict.startswith("no signal: no better than the base rate of 6")
