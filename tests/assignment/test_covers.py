"""Every day of every seat has somebody, or the table says that it has nobody."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.assignment import assign
from gtm_opt.model.territories import Territories


def carving(*names: str, owners: dict[str, str | None] | None = None, **rest) -> SimpleNamespace:
    frame = pd.DataFrame({"account_id": [f"A-{n}" for n in names], "territory": list(names)})
    frame["owner"] = [(owners or {}).get(n) for n in names]
    return SimpleNamespace(
        assignment=frame[["account_id", "territory"]],
        accounts=frame.set_index("account_id"),
        territories=Territories(tuple(names), **rest),
    )


def team(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["rep_id", "start_date", "end_date"])


def test_a_seller_who_leaves_inside_the_plan_leaves_a_vacancy_that_is_covered() -> None:
    reps = team(("R1", "2020-01-01", "2027-02-15"), ("R2", "2020-01-01", None))
    staffing = assign(carving("R1", "R2", reps=("R1", "R2")), reps, effective="2027-01-01", until="2027-12-31")
    row = staffing.table.iloc[0]
    assert (row["rep_id"], row["cover_rep_id"]) == ("R1", "R2")
    assert f"{row['effective_until']:%Y-%m-%d} {row['cover_from']:%Y-%m-%d}" == "2027-02-15 2027-02-16"
    assert "R1 leaves 2027-02-15" in row["reason"]
    assert staffing.covers["days"].tolist() == [319]
    assert staffing.uncovered.empty


def test_a_last_day_at_or_after_the_end_of_the_plan_is_no_vacancy() -> None:
    reps = team(("R1", "2020-01-01", "2027-12-31"), ("R2", "2020-01-01", "2031-01-01"))
    staffing = assign(carving("R1", "R2", reps=("R1", "R2")), reps, effective="2027-01-01", until="2027-12-31")
    assert staffing.covers.empty
    assert staffing.table["effective_until"].isna().all()


def test_a_vacancy_nobody_covers_is_named_with_its_days() -> None:
    reps = team(("R1", "2020-01-01", "2027-02-15"), ("R2", "2020-01-01", None))
    staffing = assign(
        carving("R1", "R2", reps=("R1", "R2")), reps, effective="2027-01-01", until="2027-04-30", max_cover=0
    )
    assert staffing.uncovered.to_dict("records") == [
        {
            "territory": "R1",
            "first": pd.Timestamp("2027-02-16"),
            "last": pd.Timestamp("2027-04-30"),
            "days": 74,
        }
    ]
    assert staffing.notes[0].startswith("Nobody covers R1 from 2027-02-16 to 2027-04-30 (74 days).")


def test_a_cover_who_leaves_first_is_followed_by_another() -> None:
    seats = carving("R1", "R2", "T3", reps=("R1", "R2", None), status=("filled", "filled", "to be hired"))
    seats.accounts["owner"] = [None, None, "R1"]
    reps = team(("R1", "2020-01-01", "2027-02-15"), ("R2", "2020-01-01", None))
    staffing = assign(seats, reps, owner="owner", effective="2027-01-01", until="2027-12-31", max_cover=2)
    third = staffing.covers[staffing.covers["territory"] == "T3"]
    assert third["rep_id"].tolist() == ["R1", "R2"]
    assert third["last"].iloc[0] == pd.Timestamp("2027-02-15")
    assert third["first"].iloc[1] == pd.Timestamp("2027-02-16")


def test_a_cover_who_comes_later_begins_on_the_first_day_of_employment() -> None:
    reps = team(("R1", "2027-03-01", None))
    seats = carving("R1", "T2", reps=("R1", None), status=("filled", "to be hired"))
    staffing = assign(seats, reps, effective="2027-01-01", until="2027-12-31")
    days = staffing.covers.set_index(["territory", "rep_id"])
    assert days.loc[("T2", "R1"), "first"] == pd.Timestamp("2027-03-01")
    assert staffing.uncovered["days"].tolist() == [59, 59]


@settings(max_examples=40)
@given(st.data())
def test_covers_lie_inside_employment_and_every_day_is_told_once(data) -> None:
    start = pd.Timestamp("2027-01-01")
    count = data.draw(st.integers(1, 4))
    names = [f"R{n}" for n in range(count)] + ["T8", "T9"][: data.draw(st.integers(0, 2))]
    hired = [data.draw(st.one_of(st.none(), st.integers(-5, 15))) for _ in range(count)]
    gone = [data.draw(st.one_of(st.none(), st.integers(0, 22))) for _ in range(count)]
    gone = [None if g is not None and h is not None and g < h else g for g, h in zip(gone, hired, strict=True)]
    text = [
        tuple(None if d is None else str((start + pd.Timedelta(days=d)).date()) for d in pair)
        for pair in zip(hired, gone, strict=True)
    ]
    reps = team(*((f"R{n}", *pair) for n, pair in enumerate(text)))
    most = data.draw(st.integers(0, 2))
    seats = carving(
        *names,
        reps=tuple(n if n.startswith("R") else None for n in names),
        status=tuple("filled" if n.startswith("R") else "to be hired" for n in names),
    )
    staffing = assign(seats, reps, effective=start, until=start + pd.Timedelta(days=19), max_cover=most)
    held = list(staffing.covers.dropna(subset=["rep_id"]).itertuples(index=False))
    bare = list(staffing.uncovered.itertuples(index=False))
    for day in range(20):
        when = start + pd.Timedelta(days=day)
        busy = [c.rep_id for c in held if c.first <= when <= c.last]
        assert max((busy.count(rep) for rep in busy), default=0) <= most

        def here(rep: str, day: int = day) -> bool:
            at = int(rep[1:])
            return (hired[at] is None or hired[at] <= day) and (gone[at] is None or gone[at] >= day)

        assert all(here(rep) for rep in busy)
        for name in names:
            sits = name.startswith("R") and here(name)
            covered = sum(c.territory == name and c.first <= when <= c.last for c in held)
            assert sits + covered + sum(b.territory == name and b.first <= when <= b.last for b in bare) == 1


@settings(max_examples=40)
@given(st.data())
def test_nobody_is_credited_with_accounts_that_nobody_owns(data) -> None:
    count = data.draw(st.integers(1, 8))
    owners = [data.draw(st.sampled_from(["R0", "R1", "R9", None])) for _ in range(count)]
    worth = [data.draw(st.integers(1, 50)) for _ in range(count)]
    where = [data.draw(st.sampled_from(["T0", "T1"])) for _ in range(count)]
    frame = pd.DataFrame({"account_id": [f"A{n}" for n in range(count)], "territory": where, "arr": worth})
    frame["owner"] = pd.Series(owners, dtype=object)
    frame = frame.sample(frac=1.0, random_state=data.draw(st.integers(0, 5)))
    plan = SimpleNamespace(
        assignment=frame[["account_id", "territory"]],
        accounts=frame.set_index("account_id"),
        territories=Territories(("T0", "T1")),
    )
    staffing = assign(plan, pd.DataFrame({"rep_id": ["R0", "R1"]}), owner="owner", value="arr", keep=False)

    def kept(seat: str, rep: str) -> int:
        return sum(w for o, w, t in zip(owners, worth, where, strict=True) if o == rep and t == seat)

    for row in staffing.table.itertuples():
        assert row.retained_value == kept(row.territory, row.rep_id)
    best = max(kept("T0", a) + kept("T1", b) for a, b in (("R0", "R1"), ("R1", "R0")))
    assert staffing.table["retained_value"].sum() == best


def test_the_check_of_a_plan_names_the_days_without_anybody() -> None:
    accounts = pd.DataFrame({"account_id": list("abcdef"), "arr": [4.0, 3.0, 2.0, 1.0, 2.0, 3.0]})
    reps = team(("r1", "2020-01-01", "2027-11-30"), ("r2", "2020-01-01", "2027-11-30"))
    plan = gtm.build_plan(
        accounts,
        reps,
        balance=[gtm.Balance("arr", tolerance=0.6)],
        roles=gtm.Role("AE", 900_000),
        calendar=gtm.Calendar("2027-01"),
        target=1_500_000,
        options=gtm.CarveOptions(effort=0.1),
    )
    broken = plan.check().violations
    assert "nobody in r1 from 2027-12-01 to 2027-12-31 (31 days)" in broken["detail"].iloc[0]
    assert not plan.check().ok
    assert "every day" in " ".join(plan.check().checked)


def test_people_of_supporting_roles_get_no_territory() -> None:
    accounts = pd.DataFrame({"account_id": list("abcdef"), "arr": [4.0, 3.0, 2.0, 1.0, 2.0, 3.0]})
    reps = pd.DataFrame({"rep_id": ["r1", "r2", "se"], "role": ["AE", "AE", "SE"], "manager": ["m", "m", "m"]})
    roles = [gtm.Role("AE", 900_000), gtm.Role("SE", 0, quota_type="overlay")]
    plan = gtm.build_plan(
        accounts,
        reps,
        levels=["manager"],
        balance=[gtm.Balance("arr", tolerance=0.6)],
        roles=roles,
        calendar=gtm.Calendar("2027-01"),
        target=1_500_000,
        options=gtm.CarveOptions(effort=0.1),
    )
    assert plan.carving.territories.names == ("r1", "r2")
    assert "1 people in roles that hold no accounts" in plan.staffing.notes[-1]
    assert plan.check().ok
    owning = [gtm.Role("AE", 900_000), gtm.Role("SE", 0, quota_type="overlay", owns_accounts=True)]
    both = gtm.build_plan(
        accounts, reps, balance=[gtm.Balance("arr", 0.6)], roles=owning, options=gtm.CarveOptions(effort=0.1)
    )
    assert both.carving.territories.names == ("r1", "r2", "se")


def test_columns_of_a_table_of_roles_that_are_not_known_are_refused_with_the_nearest() -> None:
    frame = pd.DataFrame({"role": ["AE"], "productivity_py": [9e5], "rampp": [[0, 0.5]], "attrition": [0.2]})
    with pytest.raises(gtm.DataError, match=r"(?s)roles\['rampp'\] is no column.*Did you mean 'ramp'.*'attrition'"):
        gtm.Roles.from_frame(frame)
    assert np.isclose(gtm.Roles.from_frame(frame[["role", "productivity_py"]])["AE"].productivity_py, 9e5)
