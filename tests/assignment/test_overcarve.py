"""Seats for people who arrive later: costs are those of the carves behind them, and a hire moves nobody's accounts."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt import Book, DataError
from gtm_opt.assignment import AccountsMoved, CoverBegun, Hire, SeatOpened


def problem(n: int = 24, sellers: int = 2) -> gtm.CarvingProblem:
    rng = np.random.default_rng(5)
    accounts = pd.DataFrame(
        {"account_id": [f"A{i:02d}" for i in range(n)], "arr": rng.integers(5, 40, n).astype(float)}
    )
    return gtm.CarvingProblem(accounts, [f"T{i}" for i in range(sellers)], [gtm.Balance("arr", 0.2)])


YEAR = {"effective": "2027-01-01", "until": "2027-12-31", "value": "arr", "options": gtm.CarveOptions(effort=0.05)}


def test_costs_are_those_of_the_carves_behind_them() -> None:
    got = gtm.overcarve(problem(), ["2027-04-01", "2027-07-01"], cover_loss=0.3, move_loss=0.2, **YEAR)
    worth = problem().accounts.set_index("account_id")["arr"]
    assert got.table["extra_seats"].tolist() == [0, 1, 2]
    assert sorted(got.carvings) == [(0, 2), (0, 3), (0, 4), (1, 3), (1, 4), (2, 4)]

    def moved(extra: int, size: int) -> float:
        one, two = (got.carvings[extra, s].labels for s in (size, size + 1))
        return float(worth[one.reindex(worth.index) != two.reindex(worth.index)].sum())

    def seat(extra: int, size: int, number: int) -> float:
        labels = got.carvings[extra, size].labels
        return float(worth[labels.reindex(worth.index) == f"seat {number}"].sum())

    cover = [0.0, 0.3 * seat(1, 3, 1) * 90 / 365]
    pair = sorted([seat(2, 4, 1), seat(2, 4, 2)], reverse=True)
    cover.append(0.3 * (pair[0] * 90 + pair[1] * 181) / 365)
    split = [0.2 * (moved(0, 2) + moved(0, 3)), 0.2 * moved(1, 3), 0.0]
    assert got.table["cover_cost"].to_numpy() == pytest.approx(cover)
    assert got.table["split_cost"].to_numpy() == pytest.approx(split)
    assert got.table["cost"].to_numpy() == pytest.approx(np.add(cover, split))
    assert got.best == int(np.argmin(np.add(cover, split)))
    assert len(got.carving.territories.names) == 2 + got.best
    assert (got.table["standard_error"] == 0).all()
    assert (got.table["gap"] <= got.table["worst_gap"]).all()


def test_dear_covers_mean_no_extra_seat_and_dear_moves_all_of_them() -> None:
    late = ["2027-10-01", "2027-11-01"]
    assert gtm.overcarve(problem(), late, cover_loss=1.0, move_loss=0.0, **YEAR).best == 0
    assert gtm.overcarve(problem(), late, cover_loss=0.0, move_loss=1.0, **YEAR).best == 2


def test_probabilities_and_scenarios_give_a_mean_with_its_standard_error() -> None:
    day = "2027-07-01"
    rates = {"cover_loss": 0.3, "move_loss": 0.2}
    sure = gtm.overcarve(problem(), [day], **rates, **YEAR).table
    never = gtm.overcarve(problem(), scenarios=[[]], most=1, **rates, **YEAR).table
    both = gtm.overcarve(problem(), scenarios=[[day], []], **rates, **YEAR).table
    assert both["cost"].to_numpy() == pytest.approx((sure["cost"] + never["cost"]).to_numpy() / 2)
    half = (sure["cost"] - never["cost"]).abs().to_numpy() / 2
    assert both["standard_error"].to_numpy() == pytest.approx(half)
    maybe = gtm.overcarve(problem(), [day], probability=0.5, samples=400, **rates, **YEAR).table
    assert (abs(maybe["cost"] - both["cost"]) < 5 * maybe["standard_error"] + 1e-9).all()
    again = gtm.overcarve(problem(), [day], probability=0.5, samples=400, **rates, **YEAR).table
    pd.testing.assert_frame_equal(maybe, again)


def test_what_is_wrong_is_reported_together() -> None:
    with pytest.raises(DataError, match=r"(?s)5 things.*cover_loss.*move_loss.*'ar'.*within the plan.*probability"):
        gtm.overcarve(
            problem(), ["2028-01-01"], effective="2027-01-01", until="2027-12-31", value="ar",
            cover_loss=2, move_loss=-1, probability=[0.5, 0.5],
        )  # fmt: skip
    with pytest.raises(DataError, match="one of the two"):
        gtm.overcarve(problem(), cover_loss=0, move_loss=0, **YEAR)


def test_twelve_sellers_fourteen_seats_two_covers_and_a_hire_that_changes_one_seat_only(tmp_path) -> None:
    rng = np.random.default_rng(1)
    names = [f"R{i:02d}" for i in range(12)]
    accounts = pd.DataFrame(
        {"account_id": [f"A{i:03d}" for i in range(140)], "arr": rng.integers(5, 40, 140).astype(float)}
    )
    accounts["owner"] = rng.choice(names, 140)
    reps = pd.DataFrame({"rep_id": [*names, "seat 1", "seat 2"], "start_date": ["2020-01-01"] * 12 + [None, None]})
    reps["status"] = ["filled"] * 12 + ["to be hired"] * 2
    plan = gtm.build_plan(
        accounts, reps, balance=[gtm.Balance("arr", 0.1)], prefer=[gtm.KeepOwner(value="arr")],
        calendar=gtm.Calendar("2027-01"), options=gtm.CarveOptions(effort=0.05),
    )  # fmt: skip
    table = plan.staffing.table.set_index("territory")
    assert plan.staffing.open_seats == ("seat 1", "seat 2")
    assert table.loc[["seat 1", "seat 2"], "cover_rep_id"].nunique() == 2
    assert plan.check().ok
    book = Book.create(tmp_path / "book", opens=date(2027, 1, 1))
    day = date(2027, 1, 1)
    note = {"who": "ops", "why": "plan", "recorded": day}
    book.commit([SeatOpened(seat, day) for seat in table.index], **note)
    book.commit([Hire(rep, day, rep) for rep in names], **note)
    book.commit(AccountsMoved(plan.carving.labels.to_dict(), day), **note)
    book.commit([CoverBegun(table.at[s, "cover_rep_id"], s, day) for s in ("seat 1", "seat 2")], **note)
    book.commit(Hire("new", date(2027, 5, 3), "seat 1"), **note)
    changed = book.diff(date(2027, 5, 2), date(2027, 5, 3))
    assert set(changed["subject"]) == {"seat 1", "new"}
    assert "seat of account" not in set(changed["relation"])
    assert book.timeline(until=date(2027, 12, 31)).proof.ok
