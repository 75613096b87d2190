"""Tables of amounts answer to the column names of the last release, with a warning, however a script reads them."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.errors import RenamedWarning

CALENDAR = gtm.Calendar("2027-01")
SELLER = gtm.Role("AE", 1_200_000)


def quotas() -> gtm.Quotas:
    tree = gtm.Hierarchy(("all", "s1", "s2"), (None, "all", "all"), (0.0, 1.0, 1.0), ("company", "seat"))
    return gtm.cascade(tree, 1_000_000, calendar=CALENDAR)


def roster() -> pd.DataFrame:
    return pd.DataFrame({"seat_id": ["s1", "s2"], "rep_id": ["a", "b"], "start_date": ["2020-01-01", "2020-01-01"]})


@pytest.mark.parametrize(
    "read",
    [
        lambda t: t["seller_quota_usd"],
        lambda t: t.seller_quota_usd,
        lambda t: t.query("status != 'hold'").seller_quota_usd,
        lambda t: t[["rep_id", "seller_quota_usd"]].set_index("rep_id").squeeze(),
        lambda t: t.groupby("rep_id").seller_quota_usd.sum(),
        lambda t: t.groupby("rep_id")["seller_quota_usd"].sum(),
        lambda t: t.groupby("rep_id")[["territory_quota", "seller_quota_usd"]].sum()["seller_quota"],
    ],
)
def test_a_former_column_is_read_as_the_present_one_with_a_warning(read) -> None:
    table = quotas().sellers(roster(), SELLER)
    with pytest.warns(RenamedWarning, match="column 'seller_quota_usd' is now called 'seller_quota'"):
        assert read(table).sum() == pytest.approx(1_000_000)


def test_every_table_of_amounts_answers() -> None:
    made, able = quotas(), gtm.capacity(roster(), SELLER, CALENDAR)
    with pytest.warns(RenamedWarning):
        assert made.table["quota_usd"].max() == 1_000_000
        assert made.periods["quota_usd"].sum() == 3_000_000 - 1_000_000
        assert made.summary()["smallest"].min() == 500_000
        assert able.table.groupby("quarter").capacity_usd.sum().sum() == pytest.approx(able.total)
        assert able.by("quarter")["capacity_usd"].sum() == pytest.approx(able.total)


def test_columns_that_never_were_are_refused_as_pandas_does() -> None:
    table = quotas().table
    with pytest.raises(KeyError, match="bookings_usd"):
        table["bookings_usd"]
    with pytest.raises(AttributeError, match="bookings_usd"):
        _ = table.bookings_usd
    assert "bookings_usd" not in table


def test_a_column_of_that_very_name_is_itself() -> None:
    table = quotas().table.assign(quota_usd=1.0)
    assert table["quota_usd"].eq(1.0).all()
