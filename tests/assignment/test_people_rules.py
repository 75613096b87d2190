"""`assign` with preferences and rules: each does what it says, and together they equal enumeration."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt import DataError, InfeasibleError, assign
from gtm_opt.model.territories import Territories


def carving(accounts: pd.DataFrame, names: tuple[str, ...], **rest) -> SimpleNamespace:
    return SimpleNamespace(
        assignment=accounts[["account_id", "territory"]],
        accounts=accounts.set_index("account_id"),
        territories=Territories(names, **rest),
    )


def simple(n: int = 3, **rest) -> SimpleNamespace:
    names = tuple(f"T{i}" for i in range(n))
    frame = pd.DataFrame({"account_id": [f"A{i}" for i in range(n)], "territory": names})
    frame["arr"] = [10.0 * (i + 1) for i in range(n)]
    frame["lat"], frame["lon"] = [0.0] * n, [10.0 * i for i in range(n)]
    frame["industry"] = ["bank", "retail", "bank", "retail"][:n]
    return carving(frame, names, **rest)


def reps(n: int = 3, **columns) -> pd.DataFrame:
    return pd.DataFrame({"rep_id": [f"R{i}" for i in range(n)], **columns})


def seats(staffing: gtm.Staffing) -> list[str | None]:
    return staffing.table["rep_id"].tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_preferences_and_rules_together_equal_enumeration(data) -> None:
    n, m = data.draw(st.integers(2, 4)), data.draw(st.integers(2, 4))
    names, people = [f"T{i}" for i in range(n)], [f"R{i}" for i in range(m)]
    count = data.draw(st.integers(n, 8))
    frame = pd.DataFrame({"account_id": [f"A{i}" for i in range(count)]})
    frame["territory"] = [names[i % n] for i in range(count)]
    frame["owner"] = pd.Series([data.draw(st.sampled_from([*people, None])) for _ in range(count)], dtype=object)
    frame["arr"] = [float(data.draw(st.integers(1, 9))) for _ in range(count)]
    frame["industry"] = [data.draw(st.sampled_from(["bank", "retail"])) for _ in range(count)]
    scores = pd.DataFrame(
        [[data.draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in people] for _ in range(2)], ["bank", "retail"], people
    )
    region = [data.draw(st.sampled_from(["EU", "US"])) for _ in people]
    team = data.draw(st.sets(st.sampled_from(names), min_size=1))
    apart = data.draw(st.permutations(people))[:2]
    managers = {t: data.draw(st.sampled_from(["M1", "M2"])) for t in names}
    span = data.draw(st.integers(1, 4))
    prefer = [gtm.KeepOwner(value="arr", weight=2.0), gtm.Fit(scores, by="industry", value="arr", weight=0.7)]
    rules = [gtm.Within({"EU": sorted(team)}, by="region"), gtm.KeepApart([apart]), gtm.Span(span)]
    staffing = assign(
        carving(frame, tuple(names)), pd.DataFrame({"rep_id": people, "region": region}),
        prefer=prefer, rules=rules, managers=managers, keep=False,
    )  # fmt: skip
    mean = frame["arr"].sum() / n

    def worth(seat: str, rep: str) -> float:
        mine = frame[frame["territory"] == seat]
        kept = mine.loc[mine["owner"] == rep, "arr"].sum() / mean
        fit = sum(a * scores.at[i, rep] for a, i in zip(mine["arr"], mine["industry"], strict=True)) / mine["arr"].sum()
        return 2.0 * kept + 0.7 * fit

    def holds(pairs: list[tuple[str, str]]) -> bool:
        if any(region[people.index(r)] == "EU" and s not in team for s, r in pairs):
            return False
        for manager in ("M1", "M2"):
            mine = [r for s, r in pairs if managers[s] == manager]
            if len(mine) > span or len(set(mine) & set(apart)) > 1:
                return False
        return True

    best = (-1, 0.0)
    for picks in itertools.product([None, *people], repeat=n):
        chosen = [(s, r) for s, r in zip(names, picks, strict=True) if r is not None]
        if len({r for _, r in chosen}) == len(chosen) and holds(chosen):
            best = max(best, (len(chosen), sum(worth(s, r) for s, r in chosen)))
    pairs = [(s, r) for s, r in zip(names, seats(staffing), strict=True) if r is not None]
    assert holds(pairs)
    assert len(pairs) == best[0]
    assert staffing.matching.total == pytest.approx(best[1])
    assert staffing.matching.is_proven


def test_home_and_distance_rank_and_skills_each_decide_alone() -> None:
    far = reps(lat=[0.0, 0.0, 0.0], lon=[20.0, 0.0, 10.0])
    assert seats(assign(simple(), far, prefer=[gtm.Near()])) == ["R1", "R2", "R0"]
    strong = reps(performance=[0.9, 0.5, 0.7])
    assert seats(assign(simple(), strong, prefer=[gtm.Rank("arr", "performance")])) == ["R1", "R2", "R0"]
    need = pd.DataFrame({"french": [3, None, None], "sql": [None, 4, None]}, index=["T0", "T1", "T2"])
    have = pd.DataFrame({"french": [0, 1, 3], "sql": [5, 1, 2]}, index=["R0", "R1", "R2"])
    assert seats(assign(simple(), reps(), prefer=[gtm.Skills(need, have)])) == ["R2", "R0", "R1"]
    by = pd.DataFrame({"banking": [5.0, 0.0]}, index=["bank", "retail"])
    level = pd.DataFrame({"banking": [0, 5, 4]}, index=["R0", "R1", "R2"])
    staffing = assign(simple(), reps(), prefer=[gtm.Skills(by, level, by="industry", mandatory=["banking"])])
    assert seats(staffing).count(None) == 1
    assert "T0 and T2 together can be held only by R1." in staffing.notes
    assert staffing.matching.table["skills by industry"].notna().sum() == 2


def test_rules_about_managers_moves_and_pins_are_kept() -> None:
    managers = {"T0": "M1", "T1": "M1", "T2": "M2"}
    fit = pd.DataFrame(np.eye(3), ["T0", "T1", "T2"], ["R0", "R1", "R2"])
    wish = [gtm.Fit(fit)]
    assert seats(assign(simple(), reps(), prefer=wish)) == ["R0", "R1", "R2"]
    apart = assign(simple(), reps(), prefer=wish, rules=[gtm.KeepApart([["R0", "R1"]])], managers=managers)
    assert {apart.table["rep_id"][0], apart.table["rep_id"][1]} != {"R0", "R1"}
    pinned = assign(simple(), reps(), prefer=wish, rules=[gtm.Pin({"R2": "T0"})])
    assert seats(pinned)[0] == "R2"
    span = assign(simple(), reps(), prefer=wish, rules=[gtm.Span(1)], managers=managers)
    assert seats(span).count(None) == 1
    assert span.matching.rule_costs().iloc[0][["rule", "seats_gained"]].tolist() == ["span of 1", 1]
    together = assign(
        simple(), reps(pod=["a", None, "a"]), prefer=wish, rules=[gtm.KeepTogether("pod")], managers=managers
    )
    assert {together.table["rep_id"][0], together.table["rep_id"][1]} == {"R0", "R2"}
    held = simple(reps=("R2", "R0", "R1"))
    few = assign(held, reps(), prefer=wish, rules=[gtm.MaxMoved(0.67)], keep=False)
    assert sum(a == b for a, b in zip(seats(few), ["R2", "R0", "R1"], strict=True)) == 1
    none = assign(held, reps(), prefer=wish, rules=[gtm.MaxMoved(0.0)], keep=False)
    assert seats(none) == ["R2", "R0", "R1"]
    lazy = assign(held, reps(), prefer=wish, objective="fewest_moves", slack=1.0, keep=False)
    assert seats(lazy) == ["R2", "R0", "R1"]


def test_rules_that_cannot_hold_together_are_named() -> None:
    managers = {"T0": "M1", "T1": "M1", "T2": "M2"}
    with pytest.raises(InfeasibleError, match="no matching keeps at most 0% of the reps moved and span of 1 together"):
        assign(
            simple(reps=("R0", "R1", "R2")),
            reps(),
            rules=[gtm.MaxMoved(0.0), gtm.Span(1)],
            managers=managers,
            keep=False,
        )


def test_an_incumbent_whom_a_rule_forbids_is_matched_anew_and_named() -> None:
    staffing = assign(simple(reps=("R0", "R1", "R2")), reps(), rules=[gtm.Forbid([("R0", "T0")])])
    assert seats(staffing)[0] != "R0"
    assert "1 reps may not stay in their seat by rules or mandatory skills: 'R0 (T0)'." in staffing.notes
    with pytest.raises(DataError, match="keep must not contradict rules or mandatory skills"):
        assign(simple(), reps(), keep={"T0": "R0"}, rules=[gtm.Forbid([("R0", "T0")])])


def test_what_is_wrong_with_preferences_and_rules_is_reported_together() -> None:
    have = pd.DataFrame({"sql": [9.0, None]}, index=["R0", "R1"])
    need = pd.DataFrame({"sql": [3.0, 3.0]}, index=["T0", "T9"])
    with pytest.raises(DataError) as error:
        assign(
            simple(),
            reps(),
            prefer=[
                gtm.Near(),
                gtm.Rank("arr", "speed"),
                gtm.Skills(need, have, mandatory=["go"]),
                gtm.Fit(pd.DataFrame({"R9": [1.0]}, index=["T0"])),
                gtm.KeepTogether(),
            ],
            rules=[
                gtm.Forbid([("R9", "T0")]),
                gtm.Within({"EU": ["T0"]}, by="region"),
                gtm.Pin({"R0": "T8"}),
                gtm.Span(2),
                3,
            ],
        )
    for text in (
        "reps must have the columns lat and lon",
        "Rank must name a column of the reps, got 'speed'",
        "Skills mandatory must be columns of `required`",
        "Skills required must name territories",
        "Fit columns must be rep ids",
        "prefer must hold preferences of",
        "Forbid must name known reps, got 'R9'",
        "Within must name a column of the reps",
        "Pin must name known territories, got 'T8'",
        "span of 2 needs `managers`",
        "rules must hold rules of",
    ):
        assert text in str(error.value)
    with pytest.raises(DataError, match=r"(?s)must have a level for every skill.*R1: sql.*an empty cell is not 0"):
        assign(simple(), reps(2), prefer=[gtm.Skills(need.iloc[:1], have)])
    with pytest.raises(DataError, match="Skills offered must lie between 0 and 5"):
        assign(simple(), reps(2), prefer=[gtm.Skills(need.iloc[:1], have, missing=0)])
