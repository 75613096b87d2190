from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from gtm_opt.datasets import dirty, load_saas, make_saas
from gtm_opt.datasets.dirt import KINDS
from gtm_opt.datasets.saas import committed_csv
from gtm_opt.errors import DataError

SUMS = {
    "saas_accounts.csv": "4c9aeb7b982c44b2cf7bea0e0a83776599cfe2d7cc8a2230c09d5bb357a8a5e2",
    "saas_reps.csv": "ecb6167ef74f1f4338c8a0a851eba374560adf633a67a4a445a8ffd6e8470235",
}


def test_committed_tables_have_their_checksums() -> None:
    for name, digest in SUMS.items():
        assert hashlib.sha256(files("gtm_opt.datasets").joinpath(name).read_bytes()).hexdigest() == digest, name


def test_the_generator_reproduces_the_committed_tables() -> None:
    for name, text in committed_csv().items():
        assert text == files("gtm_opt.datasets").joinpath(name).read_text(encoding="utf-8")


def test_loaded_tables_equal_the_made_ones() -> None:
    from gtm_opt.datasets.saas import COMMITTED

    for loaded, made in zip(load_saas(), make_saas(**COMMITTED), strict=True):
        # files and older releases of pandas write "nothing" in different ways
        same = [table.astype(object).where(table.notna(), None) for table in (loaded, made)]
        pd.testing.assert_frame_equal(*same, check_dtype=False)


def test_the_demo_team_has_managers_regions_and_an_open_seat() -> None:
    accounts, reps = load_saas()
    assert reps["manager"].nunique() == 3
    assert reps["region"].nunique() == 2
    assert set(reps["status"]) == {"filled", "to be hired", "to be replaced"}
    assert reps["rep_id"].is_unique
    assert accounts["account_id"].is_unique
    assert (reps.groupby("manager_id")["manager"].nunique() == 1).all()
    assert reps.loc[reps["status"] == "to be replaced", "end_date"].notna().all()
    assert not set(accounts["owner"]) & set(reps.loc[reps["status"] == "to be hired", "rep_id"])


def test_made_accounts_are_skewed_like_real_ones() -> None:
    accounts, reps = make_saas(20_000, seed=4)
    assert np.log(accounts["potential"]).std() == pytest.approx(1.5, abs=0.05)
    assert (accounts["open_pipeline"] == 0).mean() == pytest.approx(0.6, abs=0.02)
    assert accounts["owner"].isna().mean() == pytest.approx(0.1, abs=0.02)
    assert (accounts["segment"] == "named").mean() == pytest.approx(0.03, abs=0.005)
    assert accounts["parent_id"].notna().mean() == pytest.approx(0.12, abs=0.02)
    assert len(reps) == 286


def test_parents_are_accounts_without_parents() -> None:
    accounts, _ = make_saas(2_000, seed=2)
    parents = accounts["parent_id"].dropna()
    heads = accounts.set_index("account_id").loc[parents.unique(), "parent_id"]
    assert heads.isna().all()


def test_owners_who_left_are_in_no_rep_table() -> None:
    accounts, reps = make_saas(2_000, seed=2, left=0.2)
    owned = accounts["owner"].dropna()
    assert (~owned.isin(reps["rep_id"])).mean() == pytest.approx(0.2, abs=0.03)


def test_same_seed_same_tables_and_another_seed_others() -> None:
    first, again, other = make_saas(100, seed=1), make_saas(100, seed=1), make_saas(100, seed=2)
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert not first[0].equals(other[0])


@pytest.mark.parametrize(("n", "reps"), [(2, 2), (3, 40), (1_500, 1_000)])
def test_any_size_gives_whole_tables(n: int, reps: int) -> None:
    accounts, team = make_saas(n, reps)
    assert (len(accounts), len(team)) == (n, reps)
    assert team["name"].is_unique
    assert team.groupby("region")["manager_id"].nunique().max() <= 10
    assert team.groupby("manager_id").size().max() <= 10


def test_impossible_sizes_are_refused_all_at_once() -> None:
    with pytest.raises(DataError, match=r"(?s)`n_accounts` must be at least 2, got 1.*`left` must lie .* got 2\.0"):
        make_saas(1, left=2.0)


@pytest.mark.slow
def test_three_hundred_thousand_accounts_take_seconds() -> None:
    accounts, reps = make_saas(300_000)
    assert len(accounts) == 300_000
    assert len(reps) == 4_286


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_dirt_changes_the_table_and_not_its_source(kind: str) -> None:
    accounts, _ = make_saas(60, seed=1)
    before = accounts.copy()
    soiled = dirty(accounts, [kind])
    pd.testing.assert_frame_equal(accounts, before)
    assert not soiled.astype(object).equals(accounts.astype(object))


def test_dirt_is_of_the_kind_exports_have() -> None:
    accounts, _ = make_saas(60, seed=1)
    soiled = dirty(accounts, rows=2)
    assert len(soiled) == 62
    assert soiled["potential"].str.startswith("$").sum() >= 58
    assert (soiled["owner"] == "R-9999").sum() >= 2
    assert soiled["account_id"].isna().sum() >= 2


def test_unknown_dirt_is_named() -> None:
    accounts, _ = make_saas(10)
    with pytest.raises(DataError, match="got 'mud'"):
        dirty(accounts, ["mud"])
    with pytest.raises(DataError, match="the 10 accounts, got 11"):
        dirty(accounts, rows=11)
