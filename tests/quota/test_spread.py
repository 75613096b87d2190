"""Quarters, months and weeks are exact at every node and every edge, amount by amount or as running totals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from tests.quota.test_periods import random_tree


def wide(quotas: gtm.Quotas, **options) -> pd.DataFrame:
    frame = quotas.spread(**options)
    return frame.pivot(index="node_id", columns="period", values="quota")


def edges(quotas: gtm.Quotas):
    """Yield parent and children of every family."""
    for parent, below in quotas.table.groupby("parent_id"):
        yield parent, list(below["node_id"])


def test_the_reference_year_in_quarters_and_months() -> None:
    tree = gtm.Hierarchy.from_dict({"a": 1.0})
    calendar = gtm.Calendar("2026-01", season=[0.2, 0.24, 0.26, 0.3], in_quarter=[0.3, 0.3, 0.4])
    quotas = gtm.cascade(tree, 1_155_000, calendar=calendar)
    assert (wide(quotas, by="quarter").loc["a"] // 1_000).tolist() == [231, 277, 300, 347]
    months = [69, 69, 93, 83, 83, 111, 90, 90, 120, 104, 104, 139]
    assert (wide(quotas).loc["a"] // 1_000).tolist() == months
    totals = wide(quotas, by="quarter", cumulative=True).loc["a"].cumsum() // 1_000
    assert totals.tolist() == [231, 508, 809, 1155]


@settings(max_examples=20)
@given(st.data())
def test_weeks_tie_at_every_edge_and_inside_every_period(data) -> None:
    tree = random_tree(data, data.draw(st.integers(1, 2)), 4)
    year = gtm.Calendar(
        "2026-02-01",
        weeks=data.draw(st.sampled_from(["4-4-5", "4-5-4", "5-4-4", "13x4"])),
        long_years=data.draw(st.sampled_from([(), ("FY2027",)])),
        season=data.draw(st.sampled_from([None, (0.1, 0.2, 0.3, 0.4), (0.5, 0.0, 0.0, 0.5)])),
        year_label="end",
    )
    over = data.draw(st.sampled_from([0.0, 0.07, -0.05]))
    quotas = gtm.cascade(tree, data.draw(st.integers(0, 3_000)), over_assign=over, unit=1)
    weeks, periods = wide(quotas, by="week", calendar=year), wide(quotas, by="month", calendar=year)
    quarters = wide(quotas, by="quarter", calendar=year)
    year_of = quotas.table.set_index("node_id")["quota"]
    for table in (weeks, periods, quarters):
        assert (table.sum(axis=1) == year_of.reindex(table.index)).all()
        assert (table >= 0).all().all()
        for parent, below in edges(quotas):
            together = table.loc[below].sum()
            if year_of[below].sum() == year_of[parent]:
                assert (together == table.loc[parent]).all()
            else:
                assert (together - table.loc[parent] * year_of[below].sum() / year_of[parent]).abs().max() < 3
    first = np.array(weeks.columns, dtype="datetime64[D]")
    for number, period in enumerate(year.labels):
        inside = weeks.columns[(first >= year.edges[number]) & (first < year.edges[number + 1])]
        assert (weeks[inside].sum(axis=1) == periods[period]).all()


@settings(max_examples=40)
@given(st.data())
def test_no_running_total_is_off_by_a_unit_and_every_edge_ties(data) -> None:
    tree = random_tree(data, data.draw(st.integers(1, 3)), 4)
    season = [data.draw(st.integers(0, 9)) for _ in range(12)]
    season = season if sum(season) else [1] * 12
    calendar = gtm.Calendar("2027-01", season=[s / sum(season) for s in season])
    over = data.draw(st.sampled_from([0.0, 0.1, -0.05]))
    quotas = gtm.cascade(tree, data.draw(st.integers(0, 20_000)), over_assign=over, calendar=calendar, unit=1)
    try:
        table = wide(quotas, cumulative=True)
    except gtm.DataError as error:
        # only where some month of some node is worth less than a unit
        assert "must be smaller for running totals" in str(error)
        small = quotas.table["quota"].min() * min(s for s in calendar.shares if s > 0)
        assert small < 1
        return
    year = quotas.table.set_index("node_id")["quota"]
    exact = np.outer(year.reindex(table.index), np.cumsum(calendar.shares))
    assert np.abs(table.cumsum(axis=1).to_numpy() - exact).max() < 1
    assert (table.sum(axis=1) == year.reindex(table.index)).all()
    for parent, below in edges(quotas):
        together = table.loc[below].sum()
        if year[below].sum() == year[parent]:
            assert (together == table.loc[parent]).all()
        else:
            total = year[below].sum() * np.cumsum(calendar.shares)
            assert (together.cumsum() - total).abs().max() <= 0.5 + 1e-6


def test_running_totals_that_need_negative_months_are_refused_with_the_remedy() -> None:
    tree = gtm.Hierarchy.from_dict({f"s{n}": 1.0 for n in range(9)}, max_buckets=9)
    quotas = gtm.cascade(tree, 50_000, calendar=gtm.Calendar("2027-01"))
    with pytest.raises(gtm.DataError, match="must be smaller for running totals"):
        quotas.spread("month", cumulative=True)
    assert wide(gtm.cascade(tree, 50_000, unit=10, calendar=gtm.Calendar("2027-01")), cumulative=True).min().min() >= 0


def test_unknown_periods_and_broken_calendars_are_refused_with_all_findings() -> None:
    quotas = gtm.cascade(gtm.Hierarchy.split(3), 3_000_000)
    with pytest.raises(gtm.DataError, match="need a calendar"):
        quotas.spread()
    with pytest.raises(gtm.DataError, match="must be one of quarter, month of this calendar, got 'week'"):
        quotas.spread("week", calendar=gtm.Calendar("2027-01"))
