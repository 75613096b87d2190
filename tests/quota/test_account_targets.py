"""A seat's quota goes down to its accounts exactly, and moving an account moves an exact amount."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm


def accounts() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": ["a", "b", "c", "d", "e"],
            "seat_id": ["s1", "s1", "s1", "s2", "s2"],
            "expected_value": [500, 300, 200, 100, 0],
            "bucket": ["A", "B", "B", "A", "A"],
            "arr": [400, 0, 100, 50, 150],
        }
    )


def targets(**options) -> dict[str, int]:
    result = gtm.account_targets({"s1": 1_001, "s2": 301}, accounts(), **options)
    return dict(zip(result.table["account_id"], result.table["target"], strict=True))


def test_targets_follow_the_method_and_sum_to_the_quota() -> None:
    assert targets() == {"a": 501, "b": 300, "c": 200, "d": 301, "e": 0}
    assert targets(method="even") == {"a": 334, "b": 334, "c": 333, "d": 151, "e": 150}
    weights = {"A": 2.0, "B": 1.0}
    assert targets(method="bucketed", buckets=weights) == {"a": 501, "b": 250, "c": 250, "d": 151, "e": 150}
    assert targets(method="installed_base", value="arr") == {"a": 801, "b": 0, "c": 200, "d": 75, "e": 226}
    ten_percent = {"a": 440, "b": 0, "c": 110, "d": 55, "e": 165}
    assert targets(method="installed_base", value="arr", uplift_frac=0.1) == ten_percent


def test_a_quota_above_what_its_accounts_support_is_flagged_with_what_is_missing() -> None:
    result = gtm.account_targets({"s1": 1_001, "s2": 301, "s3": 7}, accounts())
    seats = result.seats.set_index("seat_id")
    assert seats["missing"].to_dict() == {"s1": 1.0, "s2": 201.0, "s3": 7.0}
    assert seats["unassigned"].to_dict() == {"s1": 0, "s2": 0, "s3": 7}
    assert "3 seats not supported" in repr(result)
    blank = gtm.account_targets({"s1": 10}, accounts().query("seat_id == 's1'").assign(expected_value=0))
    assert blank.notes == ("All weights are zero in 's1': their quota is not assigned to accounts.",)
    assert blank.seats["unassigned"].item() == 10


def test_moving_an_account_moves_exactly_its_target_and_nothing_else() -> None:
    before = gtm.account_targets({"s1": 1_001, "s2": 301}, accounts())
    after = before.move("b", "s2")
    assert after.table["target"].tolist() == before.table["target"].tolist()
    assert after.seats.set_index("seat_id")["quota"].to_dict() == {"s1": 701, "s2": 601}
    assert (after.seats["assigned"] == after.seats["quota"]).all()
    pd.testing.assert_frame_equal(after.move(["b"], "s1").seats, before.seats)
    with pytest.raises(gtm.DataError, match=r"(?s)must be in the table.*must have a quota"):
        before.move("z", "s9")
    with pytest.raises(gtm.DataError, match="must not be in 's1' already"):
        before.move("a", "s1")


@settings(max_examples=60)
@given(st.data())
def test_random_accounts_tie_out_whatever_the_order_of_rows(data) -> None:
    n = data.draw(st.integers(1, 12))
    unit = data.draw(st.sampled_from([1, 10]))
    frame = pd.DataFrame(
        {
            "account_id": [f"a{k:02d}" for k in range(n)],
            "seat_id": [data.draw(st.sampled_from(["x", "y", "z"])) for _ in range(n)],
            "expected_value": [data.draw(st.integers(0, 9)) for _ in range(n)],
        }
    )
    quota = {s: unit * data.draw(st.integers(0, 99)) for s in "xyz"}
    first = gtm.account_targets(quota, frame, unit=unit)
    assert (first.seats["assigned"] + first.seats["unassigned"] == first.seats["quota"]).all()
    sums = frame.groupby("seat_id")["expected_value"].sum()
    assert (first.seats.set_index("seat_id").loc[sums.index[sums > 0], "unassigned"] == 0).all()
    shuffled = gtm.account_targets(quota, frame.sample(frac=1, random_state=1), unit=unit)
    left = first.table.set_index("account_id")["target"]
    assert left.to_dict() == shuffled.table.set_index("account_id")["target"].to_dict()
    exact = np.array([quota[s] for s in frame["seat_id"]]) * first.table["weight_frac"]
    assert (np.abs(first.table["target"] - exact) < unit).all()


def test_a_cascade_goes_on_to_accounts() -> None:
    tree = gtm.Hierarchy.from_dict({"m": ["s1", "s2"]})
    quotas = gtm.cascade(tree, 2_000_000)
    result = gtm.account_targets(quotas, accounts())
    assert result.table["target"].sum() == 2_000_000


def test_wrong_accounts_come_in_one_error() -> None:
    wrong = accounts().assign(account_id=["a", "a", "c", "d", "e"], seat_id=["s1", "s1", "s1", "s2", "s7"])
    wrong["expected_value"] = [1, 2, -3, 4, 5]
    with pytest.raises(gtm.DataError, match=r"(?s)must list an account once.*must name seats.*none negative"):
        gtm.account_targets({"s1": 10, "s2": 10}, wrong)
    with pytest.raises(gtm.DataError, match="must have the columns bucket"):
        gtm.account_targets({"s1": 10, "s2": 10}, accounts().drop(columns="bucket"), method="bucketed")
    with pytest.raises(gtm.DataError, match="must be a bucket with a weight"):
        gtm.account_targets({"s1": 10, "s2": 10}, accounts(), method="bucketed", buckets={"A": 1.0})
    with pytest.raises(gtm.DataError, match="must be multiples of the unit of 10"):
        gtm.account_targets({"s1": 15, "s2": 10}, accounts(), unit=10)
    with pytest.raises(gtm.DataError, match=r"must be one of even.*got 'fair'"):
        gtm.account_targets({"s1": 15, "s2": 10}, accounts(), method="fair")
