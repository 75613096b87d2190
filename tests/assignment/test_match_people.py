"""Matchings equal enumeration, with every objective and with rules; empty seats are explained by a deficient set."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt import DataError, InfeasibleError, match_people
from gtm_opt.assignment.candidates import Candidates, SideRow
from gtm_opt.assignment.match_people import find
from gtm_opt.mip import Options


def every_matching(problem: Candidates):
    """Yield the chosen candidates of every matching that keeps all rules."""
    for picks in itertools.product(*[[None, *np.flatnonzero(problem.seat == s)] for s in range(len(problem.seats))]):
        chosen = [int(p) for p in picks if p is not None]
        people = problem.person[chosen]
        if problem.load is None:
            if len(set(people.tolist())) < len(chosen):
                continue
        else:
            used = np.bincount(people, problem.load[problem.seat[chosen]], minlength=len(problem.people))
            if (used > problem.capacity + 1e-9).any():
                continue
        x = np.zeros(len(problem))
        x[chosen] = 1
        if all(r.low - 1e-9 <= r.value @ x[r.pair] <= r.high + 1e-9 for r in problem.rows):
            yield chosen


@st.composite
def problems(draw, with_rows: bool = True) -> Candidates:
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pairs = sorted(draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), min_size=1)))
    score = draw(st.lists(st.integers(-3, 6), min_size=len(pairs), max_size=len(pairs)))
    rows = []
    if with_rows:
        for number in range(draw(st.integers(0, 3))):
            those = sorted(draw(st.sets(st.integers(0, len(pairs) - 1), min_size=1)))
            value = [float(draw(st.integers(1, 3))) for _ in those]
            high = float(draw(st.integers(0, 3)))
            low = float(draw(st.sampled_from([-9, -9, 1])))
            if low <= high:
                rows.append(SideRow(f"rule {number}", np.array(those), np.array(value), low, high))
    load = capacity = None
    if draw(st.booleans()) and with_rows:
        load = np.array([draw(st.sampled_from([0.25, 0.5, 1.0])) for _ in range(n)])
        capacity = np.array([draw(st.sampled_from([0.5, 1.0, 1.5])) for _ in range(m)])
    seat, person = (np.array(a, dtype=np.int64) for a in zip(*pairs, strict=True))
    names = tuple(f"S{s}" for s in range(n)), tuple(f"P{p}" for p in range(m))
    return Candidates(*names, seat, person, np.array(score, dtype=float), tuple(rows), load, capacity)


def solve(problem: Candidates, objective: str = "total", present=None, slack: float = 0.05):
    held = np.full(len(problem.people), -1) if present is None else np.array(present)
    return find(problem, objective, held, slack, Options(), "highs")


def scores(problem: Candidates, chosen: list[int]) -> list[float]:
    return sorted(problem.score[chosen].tolist())


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(["total", "bottleneck", "leximin"]))
def test_every_objective_equals_enumeration(problem: Candidates, objective: str) -> None:
    all_of_them = list(every_matching(problem))
    if not all_of_them:
        with pytest.raises(InfeasibleError, match="no matching keeps rule"):
            solve(problem, objective)
        return
    fill = max(map(len, all_of_them))
    full = [scores(problem, c) for c in all_of_them if len(c) == fill]
    got = solve(problem, objective)
    mine = sorted(got.table["score"].dropna().tolist())
    assert len(mine) == fill
    assert any(scores(problem, c) == mine for c in all_of_them if len(c) == fill)
    assert got.is_proven
    assert got.status == "optimal"
    if fill == 0:
        return
    if objective == "total":
        assert sum(mine) == pytest.approx(max(map(sum, full)))
    elif objective == "leximin":
        assert mine == max(full)
    else:
        assert mine[0] == max(f[0] for f in full)
        assert sum(mine) == pytest.approx(max(sum(f) for f in full if f[0] == mine[0]))


@settings(max_examples=30, deadline=None)
@given(problems(), st.lists(st.integers(-1, 3), min_size=4, max_size=4), st.sampled_from([0.0, 0.2, 0.6]))
def test_fewest_moves_equals_enumeration(problem: Candidates, present: list[int], slack: float) -> None:
    all_of_them = list(every_matching(problem))
    if not all_of_them:
        return
    fill = max(map(len, all_of_them))
    full = [c for c in all_of_them if len(c) == fill]
    best = max(problem.score[c].sum() for c in full)
    near = [c for c in full if problem.score[c].sum() >= best - slack * abs(best) - 1e-9]
    held = np.array(present[: len(problem.people)])

    def stay(chosen: list[int]) -> int:
        return int((held[problem.person[chosen]] == problem.seat[chosen]).sum())

    most = max(map(stay, near))
    got = solve(problem, "fewest_moves", held, slack)
    chosen = np.flatnonzero(got.outcome.holder[problem.seat] == problem.person).tolist()
    assert stay(chosen) == most
    assert got.total == pytest.approx(max(problem.score[c].sum() for c in near if stay(c) == most))


@settings(max_examples=80, deadline=None)
@given(problems(with_rows=False))
def test_the_deficient_sets_say_exactly_how_many_seats_stay_empty(problem: Candidates) -> None:
    got = solve(problem)
    short = sum(len(d.seats) - len(d.people) for d in got.deficient)
    assert short == len(problem.seats) - max(map(len, every_matching(problem)))
    for one in got.deficient:
        seats = [problem.seats.index(s) for s in one.seats]
        assert {problem.people[p] for p in problem.person[np.isin(problem.seat, seats)]} == set(one.people)
    names = [s for d in got.deficient for s in d.seats]
    assert len(names) == len(set(names))


@settings(max_examples=12, deadline=None)
@given(problems(), st.data())
def test_costs_of_swaps_and_rules_are_those_of_enumeration(problem: Candidates, data) -> None:
    all_of_them = list(every_matching(problem))
    if not all_of_them or max(map(len, all_of_them)) == 0:
        return
    got = solve(problem)

    def best(matchings: list[list[int]]) -> tuple[int, float]:
        return max(((len(c), float(problem.score[c].sum())) for c in matchings), default=(-1, 0.0))

    base = best(all_of_them)
    at = data.draw(st.integers(0, len(problem) - 1))
    with_pair = best([c for c in all_of_them if at in c])
    seat, person = problem.seats[problem.seat[at]], problem.people[problem.person[at]]
    if with_pair[0] >= 0:
        try:
            cost = got.cost_of(seat, person)
        except InfeasibleError:
            # the pair can be held, but not by the matchings that fill the most seats without the others' candidates
            assert with_pair[0] < base[0]
        else:
            assert cost["seats_lost"] == base[0] - with_pair[0]
            assert cost["score_lost"] == pytest.approx(base[1] - with_pair[1])
            assert cost["rep_id"] == person
    for row in got.rule_costs().itertuples():
        free = best(list(every_matching(problem.without(row.rule))))
        assert row.seats_gained == free[0] - base[0]
        assert row.score_gained == pytest.approx(free[1] - base[1])


def pairs(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["seat_id", "rep_id", "score"])


def test_seats_that_share_their_only_candidates_are_named_together() -> None:
    table = pairs(
        ("S-04", "Ana", 1),
        ("S-07", "Jo", 1),
        ("S-07", "Ana", 2),
        ("S-11", "Jo", 3),
        ("S-11", "Ana", 1),
        ("S-12", "Lu", 1),
    )
    got = match_people(table, people=["Mo"])
    assert [str(d) for d in got.deficient] == ["S-04, S-07 and S-11 together can be held only by Ana and Jo"]
    assert "3 of 4 seats filled" in repr(got)
    assert "can be held only by Ana and Jo" in got.explain(got.table.loc[got.table["rep_id"].isna(), "seat_id"].iloc[0])
    nobody = match_people(pairs(("S", "Ana", 1)), seats=["T"])
    assert [str(d) for d in nobody.deficient] == ["T can be held by nobody"]


def test_a_seat_is_explained_by_its_terms_and_the_next_matching() -> None:
    got = match_people(pairs(("S1", "ana", 3), ("S1", "jo", 1), ("S2", "ana", 2), ("S2", "jo", 2)))
    assert got.explain("S1") == "S1: ana, score 3. Next: jo, costs 2, 2 seats change hands."
    with pytest.raises(DataError, match=r"got 'S3'\. There are: 'S1', 'S2'"):
        got.explain("S3")
    with pytest.raises(DataError, match="got 'mo'"):
        got.cost_of("S1", "mo")


def test_several_seats_per_person_are_held_up_to_their_hours() -> None:
    table = pairs(("S1", "ana", 5), ("S2", "ana", 4), ("S3", "ana", 3), ("S3", "jo", 1))
    got = match_people(table, load={"S1": 60, "S2": 40, "S3": 30}, capacity={"ana": 100, "jo": 30})
    assert got.table["rep_id"].tolist() == ["ana", "ana", "jo"]


def test_what_is_wrong_with_candidates_is_reported_together() -> None:
    table = pairs(("S1", "ana", float("nan")), ("S1", "ana", 2))
    with pytest.raises(DataError, match=r"(?s)5 things.*one of total.*between 0 and 1.*finite.*list a pair once.*load"):
        match_people(table, objective="best", slack=2, load={"S9": 1})
    with pytest.raises(DataError, match="must have the columns score"):
        match_people(table[["seat_id", "rep_id"]])


def test_sparse_and_dense_methods_agree() -> None:
    rng = np.random.default_rng(0)
    n = 60
    table = pd.DataFrame({"seat_id": np.repeat(np.arange(n), n), "rep_id": np.tile(np.arange(n), n)}).astype(str)
    table["score"] = rng.random(n * n).round(3)
    thin = table.groupby("seat_id").sample(8, random_state=1)
    full = match_people(thin).table
    dense = np.full((n, n), -1000.0)
    dense[thin["seat_id"].astype(int), thin["rep_id"].astype(int)] = thin["score"]
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-dense)
    good = dense[rows, columns] > -1
    assert full["rep_id"].notna().sum() == good.sum()
    assert full["score"].sum() == pytest.approx(dense[rows, columns][good].sum())
