from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.assignment import assign
from gtm_opt.assignment.matching import match
from gtm_opt.errors import DataError
from gtm_opt.model.territories import SeatStatus, Territories


def plan(owned: dict[str, dict[str, float]], **territories):
    """A carving from {territory: {owner: value}}, one account per owner and territory."""
    rows = [
        (f"A-{n}", t, o, v) for n, (t, o, v) in enumerate((t, o, v) for t, by in owned.items() for o, v in by.items())
    ]
    frame = pd.DataFrame(rows, columns=["account_id", "territory", "owner", "arr"])
    return SimpleNamespace(
        assignment=frame[["account_id", "territory"]],
        accounts=frame.set_index("account_id")[["owner", "arr"]],
        territories=Territories(tuple(owned), **territories),
    )


def people(*ids: str, **columns) -> pd.DataFrame:
    return pd.DataFrame({"rep_id": ids, **columns})


THREE = {"North": {"R1": 10, "R2": 90}, "South": {"R1": 80, "R3": 20}, "West": {"R2": 30, "R3": 60}}


def seats_of(staffing) -> dict[str, str]:
    return dict(zip(staffing.table["territory"], staffing.table["rep_id"], strict=True))


@pytest.mark.determinism
def test_reps_go_where_they_own_most():
    staffing = assign(plan(THREE), people("R1", "R2", "R3"), owner="owner", value="arr")
    assert seats_of(staffing) == {"North": "R2", "South": "R1", "West": "R3"}
    assert staffing.table["retained_value"].tolist() == [90, 80, 60]
    assert staffing.retained_frac == pytest.approx(230 / 290)
    assert staffing.table["reason"][0] == "matched, owns 90% of the value already"


def test_a_rep_the_territory_names_stays_unless_everybody_is_matched_anew():
    carving = plan(THREE, reps=("R1", "R2", "R3"))
    kept = assign(carving, people("R1", "R2", "R3"), owner="owner", value="arr")
    assert seats_of(kept) == {"North": "R1", "South": "R2", "West": "R3"}
    assert "R2 would retain 90" in kept.explain("North")
    fresh = assign(carving, people("R1", "R2", "R3"), owner="owner", value="arr", keep=False)
    assert seats_of(fresh) == {"North": "R2", "South": "R1", "West": "R3"}
    some = assign(carving, people("R1", "R2", "R3"), owner="owner", value="arr", keep=["North"])
    assert seats_of(some)["North"] == "R1"


def test_owners_may_be_named_by_territory():
    carving = plan({"North": {"South": 5}, "South": {"North": 5}}, reps=("R1", "R2"))
    assert seats_of(assign(carving, people("R1", "R2"), owner="owner", keep=False)) == {"North": "R2", "South": "R1"}


def test_keep_and_forbid_are_respected():
    staffing = assign(
        plan(THREE),
        people("R1", "R2", "R3"),
        owner="owner",
        value="arr",
        keep={"West": "R2"},
        forbid=[("South", "R1")],
    )
    assert seats_of(staffing) == {"North": "R1", "South": "R3", "West": "R2"}
    assert staffing.table["reason"][2].startswith("kept by request")


def test_fit_outweighs_retention_when_told_so():
    skills = pd.DataFrame({"North": [1.0, 0.0], "South": [0.0, 1.0]}, index=["R1", "R2"])
    carving = plan({"North": {"R2": 60, "x": 40}, "South": {"R1": 60, "x": 40}})
    by_owner = assign(carving, people("R1", "R2"), owner="owner", value="arr", skills=skills, fit_weight=0.5)
    by_fit = assign(carving, people("R1", "R2"), owner="owner", value="arr", skills=skills, fit_weight=2)
    assert seats_of(by_owner) == {"North": "R2", "South": "R1"}
    assert seats_of(by_fit) == {"North": "R1", "South": "R2"}
    assert by_fit.table["fit"].tolist() == [1, 1]


def test_a_seat_to_be_hired_is_covered_until_its_start():
    carving = plan(
        {"North": {"R1": 100}, "South": {"R2": 60}, "West": {"R2": 50}},
        reps=("R1", "R2", "TBH-1"),
        status=(SeatStatus.FILLED, SeatStatus.FILLED, SeatStatus.TO_BE_HIRED),
    )
    reps = people(
        "R1", "R2", "TBH-1", status=["filled", "filled", "TBH"], start_date=[None, None, "2027-04-01"], role="AE"
    )
    staffing = assign(carving, reps, owner="owner", value="arr", effective="2027-01-01")
    row = staffing.table.iloc[2]
    assert row["rep_id"] is None
    assert (row["status"], row["cover_rep_id"]) == ("to be hired", "R2")
    assert str(row["effective_from"].date()) == "2027-04-01"
    assert str(row["cover_until"].date()) == "2027-03-31"
    assert "expected start 2027-04-01" in row["reason"]
    stint = staffing.roster.iloc[2]
    assert (stint["seat_id"], stint["rep_id"], stint["role"]) == ("West", None, "AE")
    assert staffing.unstaffed.empty
    assert staffing.open_seats == ("West",)


def test_cover_is_limited_and_what_stays_bare_is_said():
    names = ("T1", "T2", "T3", "T4")
    status = (SeatStatus.FILLED,) + (SeatStatus.TO_BE_HIRED,) * 3
    carving = plan({t: {"x": 1} for t in names}, status=status)
    one = assign(carving, people("R1"))
    assert one.table["cover_rep_id"].notna().sum() == 1
    assert "Nobody covers T3; T4." in one.notes[0]
    assert assign(carving, people("R1"), max_cover=3).table["cover_rep_id"].tolist()[1:] == ["R1"] * 3
    assert assign(carving, people("R1"), max_cover=0).table["cover_rep_id"].isna().all()
    forbidden = assign(carving, people("R1"), max_cover=3, forbid=[("T3", "R1")])
    assert forbidden.table["cover_rep_id"].isna().tolist() == [True, False, True, False]


def test_a_leaver_works_until_the_last_day_and_is_then_covered():
    status = (SeatStatus.FILLED, SeatStatus.TO_BE_REPLACED)
    carving = plan({"North": {"R1": 1}, "South": {"R2": 1}}, reps=("R1", "R2"), status=status)
    reps = people("R1", "R2", end_date=[None, "2027-02-28"])
    staffing = assign(carving, reps, effective="2027-01-01", starts={"South": "2027-06-01"})
    row = staffing.table.iloc[1]
    assert (row["status"], row["cover_rep_id"]) == ("to be replaced", "R1")
    assert str(row["cover_from"].date()) == "2027-03-01"
    assert str(row["cover_until"].date()) == "2027-05-31"
    assert "R2 leaves 2027-02-28, expected start 2027-06-01" in row["reason"]
    assert staffing.roster[["seat_id", "rep_id"]].values.tolist() == [["North", "R1"], ["South", "R2"], ["South", None]]


def test_a_rep_who_starts_later_is_covered_until_then():
    carving = plan({"North": {"x": 1}, "South": {"x": 1}})
    reps = people("R1", "R2", start_date=[None, "2027-03-01"])
    staffing = assign(carving, reps, effective="2027-01-01")
    row = staffing.table.set_index("rep_id").loc["R2"]
    assert row["cover_rep_id"] == "R1"
    assert str(row["effective_from"].date()) == "2027-03-01"
    assert str(row["cover_until"].date()) == "2027-02-28"


def test_too_few_reps_leave_seats_to_be_hired_and_too_many_stay_unstaffed():
    few = assign(plan(THREE), people("R1", "R2"), owner="owner", value="arr")
    assert few.table.set_index("territory").loc["West", "reason"] == "no rep left: 2 reps for 3 seats to fill"
    assert few.table["status"].tolist() == ["filled", "filled", "to be hired"]
    many = assign(plan(THREE), people("R1", "R2", "R3", "R4"), owner="owner", value="arr")
    assert many.unstaffed["rep_id"].tolist() == ["R4"]
    assert "1 reps have no seat: 'R4'" in many.notes[0]


def test_a_seat_everybody_is_forbidden_in_stays_open_and_says_so():
    forbidden = [("North", r) for r in ("R1", "R2", "R3")]
    staffing = assign(plan(THREE), people("R1", "R2", "R3"), owner="owner", value="arr", forbid=forbidden)
    row = staffing.table.iloc[0]
    assert row["rep_id"] is None
    assert row["reason"] == "every rep is forbidden here: lift one of these, or hire"


def test_all_wrong_requests_come_in_one_error():
    with pytest.raises(DataError, match="5 things are wrong") as caught:
        assign(
            plan(THREE),
            people("R1", "R2", "R3"),
            keep={"North": "R9", "Souht": "R1", "South": "R2", "West": "R2"},
            forbid=[("North", "R8")],
            skills=pd.DataFrame({"North": [5.0]}, index=["R1"]),
        )
    text = str(caught.value)
    assert "keep must name known reps, got 'R9' for North" in text
    assert "Did you mean 'South'?" in text
    assert "must seat a rep once, got R2 in South and West" in text


def test_bad_rep_tables_are_named_by_row():
    with pytest.raises(DataError, match=r"must be unique.*'R1'"):
        assign(plan(THREE), people("R1", "R1"))
    with pytest.raises(DataError, match=r"must hold dates.*'R2'"):
        assign(plan(THREE), people("R1", "R2", start_date=["2027-01-01", "soon"]))
    with pytest.raises(DataError, match="must not end before they start"):
        assign(plan(THREE), people("R1", start_date=["2027-01-01"], end_date=["2026-01-01"]))
    with pytest.raises(DataError, match=r"reps\['rep_id'\] must exist"):
        assign(plan(THREE), pd.DataFrame({"name": ["R1"]}))
    with pytest.raises(DataError, match="must name reps who stay"):
        gone = people("R1", end_date=["2026-01-01"])
        assign(plan({"North": {"x": 1}}, reps=("R1",)), gone, effective="2027-01-01")
    with pytest.raises(DataError, match="Did you mean 'owner'"):
        assign(plan(THREE), people("R1"), owner="ownr")
    with pytest.raises(DataError, match="max_cover"):
        assign(plan(THREE), people("R1"), max_cover=-1)


def test_explain_refuses_an_unknown_territory():
    with pytest.raises(DataError, match="Did you mean 'North'"):
        assign(plan(THREE), people("R1")).explain("Nort")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4))
def test_the_matching_is_as_good_as_brute_force(seed, n_rows, n_columns):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=(n_rows, n_columns))
    forbidden = rng.random((n_rows, n_columns)) < 0.3

    def quality(columns):
        pairs = [(r, c) for r, c in enumerate(columns) if c >= 0]
        return len(pairs), sum(score[r, c] for r, c in pairs)

    options = itertools.product(range(-1, n_columns), repeat=n_rows)
    legal = (
        o
        for o in options
        if len([c for c in o if c >= 0]) == len({c for c in o if c >= 0})
        and not any(c >= 0 and forbidden[r, c] for r, c in enumerate(o))
    )
    best = max(quality(o) for o in legal)
    got = match(score, forbidden)
    assert not any(c >= 0 and forbidden[r, c] for r, c in enumerate(got))
    assert quality(got) == pytest.approx(best)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    names = [f"T{k}" for k in range(6)]
    owned = {t: {f"R{k}": float(rng.integers(0, 3)) for k in range(5)} for t in names}
    carving, reps = plan(owned), people(*[f"R{k}" for k in range(5)])
    shuffled = plan({t: owned[t] for t in rng.permutation(names)})
    first = assign(carving, reps, owner="owner", value="arr")
    second = assign(shuffled, reps.sample(frac=1, random_state=seed), owner="owner", value="arr")
    assert seats_of(first) == seats_of(second)
    covers = [dict(zip(s.table["territory"], s.table["cover_rep_id"], strict=True)) for s in (first, second)]
    assert covers[0] == covers[1]


def test_inputs_are_left_alone():
    carving, reps = plan(THREE), people("R1", "R2", "R3", start_date=["2026-01-01", None, None])
    before = reps.copy(deep=True)
    assign(carving, reps, owner="owner", value="arr")
    pd.testing.assert_frame_equal(reps, before)
