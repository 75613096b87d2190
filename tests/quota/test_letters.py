"""Sellers' quotas by reason of hold, interim owners, overlays, and letters that add up to the cent."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm

CALENDAR = gtm.Calendar("2026-01", season=[0.2, 0.24, 0.26, 0.3], in_quarter=[0.3, 0.3, 0.4])
ROLE = gtm.Role("AE", 1.0, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))


def year() -> gtm.Quotas:
    tree = gtm.Hierarchy.from_reps(pd.DataFrame({"rep_id": ["s1", "s2"], "manager": "m"}), levels=["manager"])
    return gtm.cascade(tree, 2_310_000, calendar=CALENDAR, currency="EUR")


def roster() -> pd.DataFrame:
    return pd.DataFrame({"rep_id": ["ana", "bo"], "seat_id": ["s1", "s2"], "start_date": ["2026-03-16", None]})


@pytest.mark.parametrize(("proration", "quota", "hold"), [("days", 792_500, 362_500), ("15th", 700_750, 454_250)])
def test_the_reference_seller_and_hold_by_reason(proration: str, quota: float, hold: float) -> None:
    sellers = year().sellers(roster(), ROLE, proration=proration, whole_months=True)
    seat = sellers[sellers["seat_id"] == "s1"]
    assert seat["seller_quota"].sum() == pytest.approx(quota)
    assert seat["hold"].sum() == pytest.approx(hold)
    reasons = seat[["hold_vacant", "hold_ramp", "hold_leave", "hold_relief"]].sum()
    assert reasons.sum() == pytest.approx(hold)
    assert reasons["hold_leave"] == reasons["hold_relief"] == 0
    above = year().over_assignment(sellers).set_index("node_id")
    assert above.loc["m", "hold"] == pytest.approx(hold)
    assert above.loc["m", ["hold_vacant", "hold_ramp"]].sum() == pytest.approx(hold)


def test_quota_ramp_and_capacity_ramp_are_different_things() -> None:
    role = gtm.Role("AE", 1_155_000.0, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]), ramp_quota=gtm.Ramp.none())
    sellers = year().sellers(roster(), role)
    assert sellers["hold_ramp"].abs().sum() == 0


def test_every_reason_of_hold_is_named_and_they_sum_to_the_hold_of_each_row() -> None:
    leaves = pd.DataFrame({"rep_id": ["bo"], "start_date": ["2026-05-01"], "end_date": ["2026-06-15"]})
    sellers = year().sellers(roster(), ROLE, leaves=leaves, adjustments={"bo": -12_345.67})
    reasons = sellers[["hold_vacant", "hold_ramp", "hold_leave", "hold_relief"]]
    assert (reasons.sum(axis=1) - sellers["hold"]).abs().max() < 1e-6
    assert reasons["hold_relief"].sum() == pytest.approx(12_345.67)
    assert (reasons.sum() > 0).all()
    assert (sellers["seller_quota"] + sellers["hold"] - sellers["territory_quota"]).abs().max() < 1e-6


def test_interim_owners_carry_nothing_a_spiff_or_reduced_credit_by_rule() -> None:
    quotas = year()
    plain = quotas.sellers(roster(), ROLE)
    cover = {"seat_id": ["s1"], "rep_id": ["bo"], "start_date": ["2026-01-01"], "end_date": ["2026-02-14"]}
    nothing = quotas.sellers(roster(), ROLE, interim=pd.DataFrame({**cover, "rule": ["nothing"]}))
    assert nothing["seller_quota"].sum() == pytest.approx(plain["seller_quota"].sum())
    spiff = quotas.sellers(roster(), ROLE, interim=pd.DataFrame({**cover, "rule": ["spiff"], "spiff_pm": [1_000]}))
    assert spiff["seller_quota"].sum() == pytest.approx(plain["seller_quota"].sum())
    assert spiff["spiff"].sum() == pytest.approx(1_500)
    credit = pd.DataFrame({**cover, "rule": ["reduced_credit"], "credit_frac": [0.4]})
    reduced = quotas.sellers(roster(), ROLE, interim=credit)
    moved = 1_155_000 * (0.06 + 0.06 * 14 / 28)
    rows = reduced[reduced["status"] == "interim"]
    assert rows["seller_quota"].sum() == pytest.approx(0.4 * moved)
    assert rows["territory_quota"].sum() == pytest.approx(moved)
    for table in (nothing, spiff, reduced):
        assert table["territory_quota"].sum() == pytest.approx(2_310_000)
        assert (table["seller_quota"] + table["hold"] - table["territory_quota"]).abs().max() < 1e-6


def test_wrong_interim_owners_come_in_one_error() -> None:
    wrong = pd.DataFrame(
        {
            "seat_id": ["s9", "s1"],
            "rep_id": ["bo", "bo"],
            "start_date": ["2026-01-01", "soon"],
            "end_date": ["2026-02-01", "2026-02-01"],
            "rule": ["loan", "reduced_credit"],
        }
    )
    with pytest.raises(gtm.DataError, match=r"(?s)must name leaves.*must be one of.*must hold dates.*credit_frac"):
        year().sellers(roster(), ROLE, interim=wrong)
    dates = {"start_date": ["2026-01-01", "2026-01-20"], "end_date": ["2026-01-31", "2026-02-10"]}
    twice = pd.DataFrame({"seat_id": ["s1", "s1"], "rep_id": ["bo", "al"], **dates, "rule": ["nothing", "nothing"]})
    with pytest.raises(gtm.DataError, match="must give a seat one interim owner on a day"):
        year().sellers(roster(), ROLE, interim=twice)


def test_overlays_carry_a_share_of_what_they_support_outside_every_roll_up() -> None:
    quotas = year()
    supports = pd.DataFrame(
        {"rep_id": ["se", "se", "lead"], "node_id": ["s1", "s2", "m"], "share_frac": [0.5, 1.0, 0.2]}
    )
    table = quotas.overlays(supports)
    assert table.groupby("rep_id")["quota"].sum().to_dict() == {"lead": 462_000.0, "se": 1_732_500.0}
    assert quotas.street == 2_310_000
    sellers = quotas.sellers(roster(), ROLE)
    carried = quotas.overlays(supports, sellers).set_index(["rep_id", "node_id"])["quota"]
    assert carried["lead", "m"] == pytest.approx(0.2 * sellers["seller_quota"].sum())
    nested = pd.DataFrame({"rep_id": ["se", "se"], "node_id": ["m", "s1"], "share_frac": [0.5, 1.5]})
    with pytest.raises(gtm.DataError, match=r"(?s)must lie above 0 and up to 1.*must not count a seat twice"):
        quotas.overlays(nested)


def test_letters_add_up_to_the_cent_in_every_direction() -> None:
    quotas = year()
    leaves = pd.DataFrame({"rep_id": ["bo"], "start_date": ["2026-05-01"], "end_date": ["2026-06-15"]})
    sellers = quotas.sellers(roster(), ROLE, leaves=leaves, adjustments={"bo": -12_345.67})
    accounts = pd.DataFrame({"account_id": ["acme", "globex"], "seat_id": ["s1", "s1"]})
    letters = quotas.letters(sellers, prior={"bo": 1_000_000}, accounts=accounts)
    table = letters.table
    parts = table[["territory_quota", "ramp", "leave", "interim", "adjustment"]].sum(axis=1)
    assert ((parts - table["seller_quota"]).abs() < 1e-6).all()
    months = letters.months.groupby("rep_id")["seller_quota"].sum()
    assert (months - table.set_index("rep_id")["seller_quota"]).abs().max() < 1e-6
    page = letters.page("ana")
    assert "# Quota letter: ana" in page
    assert "Accounts (2): acme, globex" in page
    assert "Where the number comes from: s1: 1,155,000 EUR. m has 2,310,000 EUR" in page
    assert "| last year | 1,000,000.00 |" in letters.page("bo")
    assert letters.sellers == ("ana", "bo")
    with pytest.raises(gtm.DataError, match="must have a letter, got 'anna'"):
        letters.page("anna")
    with pytest.raises(gtm.DataError, match=r"must be what Quotas\.sellers returns"):
        quotas.letters(sellers.drop(columns="hold_ramp"))
