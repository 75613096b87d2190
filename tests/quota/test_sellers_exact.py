"""Sellers are asked for exact parts of the year; what they are not asked for is held and named."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm


def one_seat(*names: str) -> gtm.Hierarchy:
    return gtm.Hierarchy.from_reps(pd.DataFrame({"rep_id": list(names), "manager": "M"}), levels=["manager"])


@pytest.mark.parametrize("unit", [1, 1_000])
@pytest.mark.parametrize(("month", "right"), [(1, 120_000), (4, 96_000), (9, 48_000), (11, 24_000)])
def test_a_start_in_the_year_is_prorated_by_the_season_whatever_the_unit(month: int, right: int, unit: int) -> None:
    calendar = gtm.Calendar("2031-01", season=[0.2, 0.2, 0.3, 0.3])
    shares = [0.2 / 3] * 6 + [0.1] * 6
    roster = pd.DataFrame({"rep_id": ["R"], "seat_id": ["R"], "start_date": [f"2031-{month:02d}-01"]})
    sellers = gtm.cascade(one_seat("R"), 120_000, calendar=calendar, unit=unit).sellers(roster, gtm.Role("AE", 1.0))
    assert sellers["seller_quota"].sum() == pytest.approx(120_000 * sum(shares[month - 1 :]))
    assert sellers["seller_quota"].sum() == pytest.approx(right)
    assert (sellers["seller_quota"] + sellers["hold"] - sellers["territory_quota"]).abs().max() < 1e-9
    assert sellers["territory_quota"].sum() == pytest.approx(120_000)


def sheet() -> tuple[gtm.Quotas, pd.DataFrame, gtm.Role]:
    quotas = gtm.cascade(one_seat("S1", "S2"), 1_600_000, calendar=gtm.Calendar("2031-01"), unit=1)
    roster = pd.DataFrame(
        {
            "seat_id": ["S1", "S1", "S2"],
            "rep_id": ["Ida", "Joe", "Kim"],
            "assignment_frac": [0.5, 0.5, 1.0],
            "start_date": [None, "2031-07-01", None],
        }
    )
    return quotas, roster, gtm.Role("AE", 1.0, ramp=gtm.Ramp.steps([0, 0.5]))


def by_rep(table: pd.DataFrame, column: str) -> dict[str, float]:
    return table.dropna(subset=["rep_id"]).groupby("rep_id")[column].sum().to_dict()


def test_adjustments_are_signed_and_move_between_seller_and_hold() -> None:
    quotas, roster, role = sheet()
    plain = quotas.sellers(roster, role)
    assert by_rep(plain, "seller_quota") == pytest.approx({"Ida": 400_000, "Joe": 150_000, "Kim": 800_000})
    sold = quotas.sellers(roster, role, adjustments={"Joe": 20_000, "Kim": -50_000})
    assert by_rep(sold, "seller_quota") == pytest.approx({"Ida": 400_000, "Joe": 170_000, "Kim": 750_000})
    assert by_rep(sold, "adjustment") == pytest.approx({"Ida": 0, "Joe": 20_000, "Kim": -50_000})
    assert sold["territory_quota"].sum() == pytest.approx(1_600_000)
    assert (sold["seller_quota"] + sold["hold"] - sold["territory_quota"]).abs().max() < 1e-9
    march = pd.DataFrame({"rep_id": ["Kim"], "amount": [600.0], "month": ["2031-03"]})
    dated = quotas.sellers(roster, role, adjustments=march)
    assert dated.loc[dated["adjustment"] != 0, "month"].astype(str).tolist() == ["2031-03"]


def test_wrong_adjustments_come_in_one_error() -> None:
    quotas, roster, role = sheet()
    wrong = pd.DataFrame({"rep_id": ["Kimm", "Joe"], "amount": [1.0, 2.0], "month": [None, "2031-02"]})
    with pytest.raises(gtm.DataError, match=r"(?s)got 'Kimm'.*Did you mean 'Kim'.*days on which the seller is there"):
        quotas.sellers(roster, role, adjustments=wrong)
    with pytest.raises(gtm.DataError, match="must hold finite numbers"):
        quotas.sellers(roster, role, adjustments={"Kim": float("nan")})


def test_leave_that_relieves_quota_goes_to_hold() -> None:
    quotas, roster, role = sheet()
    leaves = pd.DataFrame({"rep_id": ["Kim"], "start_date": ["2031-05-01"], "end_date": ["2031-06-30"]})
    relieved = quotas.sellers(roster, role, leaves=leaves)
    assert by_rep(relieved, "seller_quota")["Kim"] == pytest.approx(800_000 * 10 / 12)
    assert by_rep(quotas.sellers(roster, role), "seller_quota")["Kim"] == pytest.approx(800_000)


def test_over_assignment_reserve_and_hold_account_for_the_difference_at_every_node() -> None:
    nodes = ["co", "v1", "v2", "s1", "s2", "s3"]
    above = [None, "co", "co", "v1", "v1", "v2"]
    tree = gtm.Hierarchy.from_frame(
        pd.DataFrame({"node_id": nodes, "parent_id": above}), levels=("company", "vp", "seat")
    )
    quotas = gtm.cascade(tree, 10_000_000, over_assign={"vp": -0.05, "seat": 0.10}, calendar=gtm.Calendar("2031-01"))
    roster = pd.DataFrame({"rep_id": ["a", "b"], "seat_id": ["s1", "s2"], "start_date": ["2031-04-01", None]})
    table = quotas.over_assignment(quotas.sellers(roster, gtm.Role("AE", 1.0))).set_index("node_id")
    assert table.loc["co", "reserve"] == 500_000
    assert table.loc["co", "over_assigned"] == 950_000
    assert table.loc["v1", "reserve"] == 0
    assert (table["street"] == table["quota"] + table["over_assigned"] - table["reserve"]).all()
    assert (table["carried"] + table["hold"] - table["street"]).abs().max() < 1e-6


def test_a_pin_to_an_amount_that_is_no_whole_unit_says_so() -> None:
    bounds = pd.DataFrame({"node_id": ["S1"], "floor": [123_456], "cap": [123_456]})
    text = "Node 'S1' is pinned to 123,456, where no multiple of the unit of 1,000 is: take 123,000 or 124,000"
    with pytest.raises(gtm.InfeasibleError, match=text):
        gtm.cascade(one_seat("S1", "S2"), 1_000_000, bounds=bounds)
    with pytest.raises(gtm.InfeasibleError, match=r"its floor of 500,000 is above its cap of 400,000"):
        gtm.cascade(one_seat("S1", "S2"), 1_000_000, bounds=bounds.assign(floor=500_000, cap=400_000))


def test_a_column_of_levels_is_read_or_refused() -> None:
    frame = pd.DataFrame(
        {"node_id": ["co", "m", "s"], "parent_id": [None, "co", "m"], "level": ["all", "lead", "seat"]}
    )
    assert gtm.Hierarchy.from_frame(frame).levels == ("all", "lead", "seat")
    mixed = pd.DataFrame(
        {"node_id": ["co", "m", "s"], "parent_id": [None, "co", "co"], "level": ["all", "lead", "seat"]}
    )
    with pytest.raises(gtm.DataError, match=r"must name one level for all nodes of depth 1, got 'lead', 'seat'"):
        gtm.Hierarchy.from_frame(mixed)
    assert gtm.Hierarchy.from_frame(mixed, level=None).levels == gtm.Hierarchy.from_frame(mixed.iloc[:, :2]).levels


def test_the_leaves_of_a_rep_hierarchy_are_seats() -> None:
    assert one_seat("S1").levels == ("company", "manager", "seat")
    reps = pd.DataFrame({"rep_id": ["a"], "manager": ["m"]})
    assert gtm.Hierarchy.from_reps(reps, ["manager"], leaf_level="patch").levels[-1] == "patch"
    with pytest.warns(gtm.errors.RenamedWarning, match=r"over_assign\['rep_id'\] is now called over_assign\['seat'\]"):
        assert gtm.cascade(one_seat("S1"), 1_000_000, over_assign={"rep_id": 0.1}).street == 1_100_000


def test_quotas_of_a_plan_follow_capacity_unless_told_otherwise() -> None:
    accounts = pd.DataFrame({"account_id": list("abcdef"), "arr": [4.0, 3.0, 2.0, 1.0, 2.0, 3.0]})
    reps = pd.DataFrame({"rep_id": ["r1", "r2", "t1"], "status": ["filled", "filled", "to be hired"]})
    words = {
        "balance": [gtm.Balance("arr", tolerance=0.6)],
        "roles": gtm.Role("AE", 900_000),
        "calendar": gtm.Calendar("2031-01"),
        "target": 1_500_000,
        "options": gtm.CarveOptions(effort=0.1),
    }
    plan = gtm.build_plan(accounts, reps, **words)
    assert plan.quotas.quota("t1") == 0
    assert plan.quotas.quota("r1") == 750_000
    told = gtm.build_plan(accounts, reps, quota_weights="share", **words)
    assert told.quotas.quota("t1") == 500_000
    note = told.check().notes.set_index("rule")["detail"]["quota without capacity"]
    assert note == "1 territory without any capacity in FY2031 asked for 500,000: 't1'"
