"""Second records are found, kept together, counted once, and never merged."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.datasets import make_crm
from gtm_opt.errors import DataError
from gtm_opt.records.clusters import cluster_records

CRM = make_crm(1_500, seed=4)


@pytest.fixture(scope="module")
def duplicates():
    return gtm.find_duplicates(CRM.accounts)


def quality_of(pairs: pd.DataFrame, threshold: float) -> tuple[float, float]:
    company = CRM.truth.set_index("account_id")["company_id"]
    sure = pairs[pairs["probability"] >= threshold]
    hit = company[sure["account_id"]].to_numpy() == company[sure["other_id"]].to_numpy()
    return hit.sum() / (len(company) - company.nunique()), hit.mean()


def test_planted_second_records_are_found_with_all_columns(duplicates) -> None:
    recall, precision = quality_of(duplicates.pairs, duplicates.threshold)
    assert recall > 0.95
    assert precision > 0.95


def test_names_and_cities_are_enough_for_most() -> None:
    accounts = CRM.accounts[["account_id", "name", "city"]]
    recall, precision = quality_of(gtm.find_duplicates(accounts).pairs, 0.5)
    assert recall > 0.9
    assert precision > 0.9


def test_the_order_of_rows_changes_nothing(duplicates) -> None:
    again = gtm.find_duplicates(CRM.accounts.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(again.pairs, duplicates.pairs)
    pd.testing.assert_frame_equal(again.clusters, duplicates.clusters)


def test_a_company_is_in_one_territory_and_its_potential_counted_once() -> None:
    accounts = pd.DataFrame(
        {
            "account_id": ["a1", "a2", "b", "c"],
            "name": ["Zorbat Systems Inc", "Zorbat Systems GmbH", "Mellow Foods", "Kepler Metals"],
            "city": ["Boston", "Boston", "Austin", "Miami"],
            "potential": [10.0, 10.0, 10.0, 20.0],
        }
    )
    duplicates = gtm.find_duplicates(accounts)
    once = duplicates.count_once(accounts)
    assert once["company_id"].tolist() == ["a1", "a1", "b", "c"]
    assert once["potential"].tolist() == [10.0, 0.0, 10.0, 20.0]
    assert len(once) == len(accounts)
    together = gtm.KeepTogether("company_id", missing="together")
    problem = gtm.CarvingProblem(once, ["T1", "T2"], [gtm.Balance("potential", 0.1)], rules=[together])
    labels = gtm.carve(problem, effort=0.1).labels
    assert labels["a1"] == labels["a2"]
    assert duplicates.pairs["why"].tolist() == ["same name, same city"]


def test_decisions_of_a_person_are_kept(duplicates) -> None:
    first = duplicates.pairs.iloc[0]
    other = [i for i in CRM.accounts["account_id"] if i not in set(duplicates.clusters["account_id"])][:2]
    said = pd.DataFrame(
        {
            "account_id": [first["account_id"], other[1]],
            "other_id": [first["other_id"], other[0]],
            "same": [False, True],
        }
    )
    again = gtm.find_duplicates(CRM.accounts, decisions=said)
    company = again.company_of(CRM.accounts).groupby(CRM.accounts["account_id"]).first()
    assert company[first["account_id"]] != company[first["other_id"]]
    assert company[other[0]] == company[other[1]]
    assert duplicates.review["same"].isna().all()


def test_only_pairs_with_a_new_record_are_compared(duplicates) -> None:
    fresh = duplicates.pairs["other_id"].head(3).tolist()
    pairs = gtm.find_duplicates(CRM.accounts, new=fresh).pairs
    assert (pairs["account_id"].isin(fresh) | pairs["other_id"].isin(fresh)).all()
    assert len(pairs) >= 3


def test_weak_bridges_between_two_groups_are_cut_and_strong_ones_kept() -> None:
    edges = [("a", "b", 0.99), ("b", "c", 0.6), ("c", "d", 0.99)]
    pairs = pd.DataFrame(edges, columns=["account_id", "other_id", "probability"])
    assert cluster_records(pairs, [], 20)["company"].tolist() == ["a", "a", "c", "c"]
    pairs.loc[1, "probability"] = 1.0
    assert set(cluster_records(pairs, [], 20)["company"]) == {"a"}


def test_refused_pairs_are_parted_at_the_weakest_link_and_large_clusters_divided() -> None:
    edges = [("a", "b", 0.9), ("b", "c", 0.6), ("a", "d", 1.0)]
    pairs = pd.DataFrame(edges, columns=["account_id", "other_id", "probability"])
    company = cluster_records(pairs, [("a", "c")], 20).set_index("account_id")["company"]
    assert company.to_dict() == {"a": "a", "b": "a", "d": "a"}
    chain = pd.DataFrame(
        {
            "account_id": [f"{i:02}" for i in range(30)],
            "other_id": [f"{i + 1:02}" for i in range(30)],
            "probability": 1.0,
        }
    )
    chain["probability"] -= np.arange(30) / 1e6
    assert cluster_records(chain, [], 20)["records"].max() <= 20


def test_splink_s_logger_is_left_as_it_was() -> None:
    before = logging.getLogger("splink").level
    gtm.find_duplicates(CRM.accounts.head(50))
    assert logging.getLogger("splink").level == before


def test_wrong_arguments_are_reported_together() -> None:
    with pytest.raises(DataError, match=r"(?s)accounts\['name'\] must exist.*`threshold` must lie.*got 35"):
        gtm.find_duplicates(pd.DataFrame({"account_id": ["a"]}), threshold=35)
    said = pd.DataFrame({"account_id": ["a"], "other_id": ["b"], "same": ["perhaps"]})
    with pytest.raises(DataError, match=r"(?s)must be unique, got 'a'.*must be True, False or empty, got 'perhaps'"):
        gtm.find_duplicates(pd.DataFrame({"account_id": ["a", "a"], "name": ["x", "y"]}), decisions=said)


def test_a_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(gtm.GtmOptError, match=r"pip install 'gtm-opt\[match\]'"):
        gtm.find_duplicates(CRM.accounts)
