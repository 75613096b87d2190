from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from gtm_opt.errors import DataError
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.quota import cascade

AE = Role("AE", 1_000_000, ramp=Ramp.steps([0, 0.25, 0.5, 0.75]))
SEASON = Calendar("2026-01", season=[0.20, 0.24, 0.26, 0.30], in_quarter=[0.3, 0.3, 0.4])


def flat_tree(*leaves: str):
    count = len(leaves)
    table = pd.DataFrame(
        {
            "node_id": ["root", *leaves],
            "parent_id": [None, *["root"] * count],
            "level": ["company", *["seat"] * count],
            "depth": [0, *[1] * count],
            "share": [1.0, *[1 / count] * count],
            "is_leaf": [False, *[True] * count],
        }
    )
    return SimpleNamespace(table=table)


def roster(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


@pytest.mark.parametrize(("rule", "carried", "held"), [("days", 792_500, 362_500), ("15th", 700_750, 454_250)])
def test_a_new_hire_carries_the_reference_quota(rule, carried, held):
    quotas = cascade(flat_tree("S1"), 1_155_000, calendar=SEASON)
    sellers = quotas.sellers(
        roster({"seat_id": "S1", "rep_id": "R1", "start_date": "2026-03-16"}), AE, proration=rule, whole_months=True
    )
    assert sellers["seller_quota"].sum() == pytest.approx(carried)
    assert sellers["hold"].sum() == pytest.approx(held)
    assert sellers["territory_quota"].sum() == pytest.approx(1_155_000)


def test_proration_by_start_month_matches_the_published_table():
    calendar = Calendar("2026-01", season=[0.2, 0.2, 0.2, 0.4])
    quotas = cascade(flat_tree("S1"), 100_000_000, calendar=calendar, unit=1)
    wanted = [100_000, 93_333.33, 86_666.67, 80_000, 73_333.33, 66_666.67, 60_000, 53_333.33, 46_666.67, 40_000]
    for month, amount in enumerate([*wanted, 26_666.67, 13_333.33], 1):
        people = roster({"seat_id": "S1", "rep_id": "R", "start_date": f"2026-{month:02d}-01"})
        carried = quotas.sellers(people, Role("AE", 1))["seller_quota"].sum()
        assert carried / 1000 == pytest.approx(amount, abs=0.006)


def test_what_nobody_carries_is_held_not_lost():
    quotas = cascade(flat_tree("S1", "S2", "S3"), 3_000_000, over_assign=0.2, calendar=SEASON)
    people = roster(
        {"seat_id": "S1", "rep_id": "R1"},
        {"seat_id": "S2", "rep_id": "R2", "end_date": "2026-06-30"},
        {"seat_id": "S2", "rep_id": None, "status": "TBH", "start_date": "2026-10-01"},
    )
    sellers = quotas.sellers(people, AE)
    by_seat = sellers.groupby("seat_id")[["territory_quota", "seller_quota", "hold"]].sum()
    assert by_seat["territory_quota"].tolist() == pytest.approx([1_200_000] * 3)
    assert by_seat.loc["S1", "hold"] == 0
    assert by_seat.loc["S3", "seller_quota"] == 0
    assert (sellers["territory_quota"] - sellers["seller_quota"] - sellers["hold"]).abs().max() < 1e-6
    over = quotas.over_assignment(sellers).set_index("node_id")
    assert over.loc["root", "gross_oa_frac"] == pytest.approx(0.2)
    assert over.loc["root", "net_oa_frac"] == pytest.approx(sellers["seller_quota"].sum() / 3_000_000 - 1)
    assert not over.loc["root", "is_covered"]
    assert over.loc["S1", "is_covered"]


def test_quota_may_ramp_differently_from_capacity():
    quotas = cascade(flat_tree("S1"), 1_200_000, calendar=Calendar("2026-01"))
    role = Role("AE", 1e6, ramp=Ramp.steps([0, 0, 0]), ramp_quota=Ramp.steps([0.5]))
    people = roster({"seat_id": "S1", "rep_id": "R1", "start_date": "2026-01-01"})
    assert quotas.sellers(people, role)["seller_quota"].sum() == pytest.approx(1_150_000)


def test_shared_seats_need_parts_that_sum_to_one():
    quotas = cascade(flat_tree("S1"), 1_200_000, calendar=Calendar("2026-01"))
    both = roster({"seat_id": "S1", "rep_id": "R1"}, {"seat_id": "S1", "rep_id": "R2"})
    with pytest.raises(DataError, match="200% of 'S1' from the beginning on"):
        quotas.sellers(both, AE)
    shared = quotas.sellers(both.assign(assignment_frac=[0.6, 0.4]), AE)
    assert shared.groupby("rep_id")["seller_quota"].sum().tolist() == pytest.approx([720_000, 480_000])


def test_overlay_roles_carry_nothing_and_unknown_seats_are_named():
    quotas = cascade(flat_tree("S1"), 1_200_000, calendar=Calendar("2026-01"))
    people = roster({"seat_id": "S1", "rep_id": "R1", "role": "AE"}, {"seat_id": "pool", "rep_id": "E1", "role": "SE"})
    roles = [AE, Role("SE", 1, quota_type="overlay")]
    assert set(quotas.sellers(people, roles)["rep_id"]) == {"R1"}
    with pytest.raises(DataError, match=r"must name leaves of the quota tree.*'S9'"):
        quotas.sellers(roster({"seat_id": "S9", "rep_id": "R1"}), AE)
