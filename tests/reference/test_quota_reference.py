"""Published and recomputed numbers of quota setting."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm

NO_RAMP = gtm.Role("AE", 1.0)


def one_seat(target: float, calendar: gtm.Calendar, **options) -> gtm.Quotas:
    return gtm.cascade(gtm.Hierarchy.from_dict({"m": ["s"]}), target, calendar=calendar, **options)


@pytest.mark.parametrize(
    ("month", "quota"),
    [
        (1, 100_000.00),
        (2, 93_333.33),
        (3, 86_666.67),
        (4, 80_000.00),
        (5, 73_333.33),
        (6, 66_666.67),
        (7, 60_000.00),
        (8, 53_333.33),
        (9, 46_666.67),
        (10, 40_000.00),
        (11, 26_666.67),
        (12, 13_333.33),
    ],
)
def test_a_quota_of_100_000_is_prorated_by_the_month_of_the_start(month: int, quota: float) -> None:
    """Forum thread "Formula to Prorate a Quota": quarters 20/20/20/40 %; the printed formula is off in the last one."""
    quotas = one_seat(100_000, gtm.Calendar("2027-01", season=[0.2, 0.2, 0.2, 0.4]))
    roster = pd.DataFrame({"rep_id": ["r"], "seat_id": ["s"], "start_date": [f"2027-{month:02d}-01"]})
    sellers = quotas.sellers(roster, NO_RAMP)
    assert sellers["seller_quota"].sum() == pytest.approx(quota, abs=0.005)
    letter = quotas.letters(sellers).table
    assert letter["seller_quota"].item() == pytest.approx(quota, abs=0.0051)


@pytest.mark.parametrize(("last", "factor"), [(0.05, 1.2705), (0.10, 1.331)])
def test_stretch_compounds_along_the_edges(last: float, factor: float) -> None:
    """rewarding.blog, 2015: 10 %, 10 % and 5 to 10 % make "over 30 %" only for 10 % at the last level."""
    tree = gtm.Hierarchy.from_dict({"v": {"m": ["s"]}}, levels=["company", "vp", "manager", "seat"])
    quotas = gtm.cascade(tree, 10_000_000, over_assign={"vp": 0.1, "manager": 0.1, "seat": last})
    assert quotas.street == pytest.approx(10_000_000 * factor)


def test_the_preferred_shape_of_the_cushion_is_one_tenth_and_then_one_eleventh() -> None:
    """Kellblog 2018: plan and VPs at 100, managers at 110, sellers in aggregate at 120."""
    tree = gtm.Hierarchy.from_dict({"v": {"m": ["s"]}}, levels=["company", "vp", "manager", "seat"])
    quotas = gtm.cascade(tree, 100_000_000, over_assign={"manager": 0.10, "seat": 120 / 110 - 1})
    assert [quotas.quota(n) for n in ("v", "m", "s")] == [100_000_000, 110_000_000, 120_000_000]


def test_the_year_of_1_155_000_in_quarters_and_months() -> None:
    calendar = gtm.Calendar("2026-01", season=[0.2, 0.24, 0.26, 0.3], in_quarter=[0.3, 0.3, 0.4])
    quotas = one_seat(1_155_000, calendar)
    months = quotas.spread("month").query("node_id == 's'")["quota"] // 1_000
    assert months.tolist() == [69, 69, 93, 83, 83, 111, 90, 90, 120, 104, 104, 139]
    assert (quotas.spread("quarter").query("node_id == 's'")["quota"] // 1_000).tolist() == [231, 277, 300, 347]


@pytest.mark.parametrize(("proration", "quota", "part"), [("days", 792_500, 0.68615), ("15th", 700_750, 0.60671)])
def test_a_seller_hired_on_16_march_is_asked_for_the_reference_amounts(proration: str, quota: int, part: float) -> None:
    calendar = gtm.Calendar("2026-01", season=[0.2, 0.24, 0.26, 0.3], in_quarter=[0.3, 0.3, 0.4])
    role = gtm.Role("AE", 1.0, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
    roster = pd.DataFrame({"rep_id": ["r"], "seat_id": ["s"], "start_date": ["2026-03-16"]})
    sellers = one_seat(1_155_000, calendar).sellers(roster, role, proration=proration, whole_months=True)
    assert sellers["seller_quota"].sum() == pytest.approx(quota)
    assert sellers["hold"].sum() == pytest.approx(1_155_000 - quota)
    assert sellers["seller_quota"].sum() / 1_155_000 == pytest.approx(part, abs=5e-6)
