"""Reference numbers of changes within the year: transfers, relief, ramped sellers, the holds they leave."""

from __future__ import annotations

from datetime import date

import pytest

from gtm_opt import Book, Calendar, Hierarchy, Policy, cascade
from gtm_opt.assignment import AccountsMoved, Hire, Leave, SeatOpened
from gtm_opt.plan import QuotaBook
from gtm_opt.quota.ledger import QuotaPolicy

DAY = date(2026, 1, 1)
NOTE = {"who": "ops", "why": "changed", "recorded": DAY}
SEASON = {"season": [0.20, 0.24, 0.26, 0.30], "in_quarter": [0.3, 0.3, 0.4]}


def two_seats(path, plan: int, *, hired: bool = True, policy: QuotaPolicy | None = None, whole=False, **calendar):
    book = Book.create(path / "book.db", opens=DAY, policy=Policy(prospective=False))
    people = [Hire("ana", DAY, "S1"), Hire("jo", DAY, "S2")] if hired else []
    moved = AccountsMoved({"acme": "S1"}, DAY)
    book.commit([SeatOpened("S1", DAY), SeatOpened("S2", DAY), *people, moved], **NOTE)
    tree = Hierarchy.from_dict({"m1": ["S1"], "m2": ["S2"]}, levels=("company", "manager", "seat"))
    quotas = cascade(tree, plan, calendar=Calendar("2026-01", **calendar))
    return QuotaBook.start(book, quotas, accounts={"acme": 120_000}, policy=policy, whole_months=whole, **NOTE)


@pytest.mark.parametrize(
    ("calendar", "basis", "moved"),
    [({}, "periods", 55_161.29), ({}, "days", 55_561.64), (SEASON, "periods", 62_670.97)],
    ids=["flat months", "calendar days", "season"],
)
def test_an_account_of_120_000_that_moves_in_mid_july_takes_its_part_along(tmp_path, calendar, basis, moved):
    quotas = two_seats(tmp_path, 2_400_000, policy=QuotaPolicy(account_basis=basis), **calendar)
    quotas.commit(AccountsMoved({"acme": "S2"}, date(2026, 7, 16)), **NOTE)
    now = quotas.as_of()
    assert now.seller("ana") == pytest.approx(1_200_000 - moved, abs=1e-9)
    assert now.seller("jo") == pytest.approx(1_200_000 + moved, abs=1e-9)
    assert now.quota("company") == 2_400_000


def test_a_leave_from_may_to_mid_june_relieves_136_666_67(tmp_path):
    quotas = two_seats(tmp_path, 2_400_000)
    quotas.commit(Leave("ana", date(2026, 5, 1), date(2026, 6, 11)), **NOTE)
    assert quotas.as_of().hold("S1", "leave") == pytest.approx(136_666.67, abs=1e-9)
    assert quotas.statement("ana")["amount"].tolist() == [1_200_000, -136_666.67, 1_063_333.33]


def test_a_hire_in_mid_march_carries_792_500_of_1_155_000(tmp_path):
    policy = QuotaPolicy(ramp=(0, 0.25, 0.5, 0.75))
    quotas = two_seats(tmp_path, 2_310_000, hired=False, policy=policy, whole=True, **SEASON)
    quotas.commit(Hire("lu", date(2026, 3, 16), "S1"), **NOTE)
    now = quotas.as_of()
    assert now.seller("lu") == pytest.approx(792_500, abs=1e-9)
    assert now.hold("S1") == pytest.approx(362_500, abs=1e-9)
