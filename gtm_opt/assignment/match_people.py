"""`match_people`: seats and people with rules, a certificate, and reasons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.assignment.candidates import Candidates
from gtm_opt.assignment.linear import DeficientSet, deficient_sets
from gtm_opt.assignment.objectives import OBJECTIVES, find_matching
from gtm_opt.errors import DataError, Findings, InfeasibleError
from gtm_opt.mip import Options
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.assignment.objectives import Objective
    from gtm_opt.assignment.sided import Outcome

__all__ = ["Matching", "find", "match_people"]

_CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Matching:
    """Who sits where, how good that is, what is proven, and why.

    Attributes
    ----------
    problem : Candidates
    outcome : Outcome
    objective : str
    present : ndarray of int, shape (n_people,)
        Seat in which each person sat before, -1 for none.
    slack : float
    options : Options
    backend : str
    terms : mapping of str to ndarray of shape (n_candidates,)
        What each preference contributes to the score.
    """

    problem: Candidates
    outcome: Outcome
    objective: Objective
    present: NDArray[np.int64]
    slack: float = 0.05
    options: Options = field(default_factory=Options)
    backend: str = "highs"
    terms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Whether no matching fills more seats, and none that fills as many is better."""
        out = self.outcome
        scale = max(1.0, abs(out.value))
        return out.filled == out.most_filled and out.bound - out.value <= 1e-6 * scale

    @property
    def status(self) -> str:
        """``"optimal"`` (proven) or ``"feasible"``."""
        return "optimal" if self.is_proven else "feasible"

    @property
    def gap(self) -> float:
        """Relative distance of value and bound; ``inf`` while it is not proven that no more seats can be filled."""
        out = self.outcome
        if out.filled != out.most_filled:
            return float("inf")
        return max(0.0, out.bound - out.value) / max(abs(out.value), 1e-12) if out.bound > out.value else 0.0

    @property
    def termination(self) -> str:
        """``"finished"`` or ``"limit reached"``."""
        return "limit reached" if self.outcome.limit_reached else "finished"

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per seat: ``seat_id, rep_id`` (None: nobody), ``score``, then one column per preference."""
        problem, holder = self.problem, self.outcome.holder
        at = [problem.position(s, int(p)) if p >= 0 else -1 for s, p in enumerate(holder)]
        place = np.array(at, dtype=np.int64)
        table = pd.DataFrame({"seat_id": pd.Series(problem.seats, dtype=object)})
        table["rep_id"] = pd.Series([problem.people[p] if p >= 0 else None for p in holder], dtype=object)
        for name, values in {"score": problem.score, **self.terms}.items():
            table[name] = np.where(place >= 0, np.append(values, np.nan)[place], np.nan)
        return table

    @cached_property
    def deficient(self) -> tuple[DeficientSet, ...]:
        """Sets of seats that eligibility alone keeps from being filled; checked again by counting their candidates.

        Empty where all seats can be filled, or where rules beside eligibility leave them open.
        """
        sets = deficient_sets(self.problem)
        for one in sets:
            members = np.isin(self.problem.seat, [self.problem.seats.index(s) for s in one.seats])
            people = {self.problem.people[p] for p in self.problem.person[members]}
            if not (people == set(one.people) and len(people) < len(one.seats)):
                raise AssertionError(f"the deficient set is no proof: {one}")
        return sets

    @property
    def total(self) -> float:
        """Sum of the scores."""
        return float(np.sort(self.table["score"].dropna()).sum())

    def cost_of(self, seat_id: str, rep_id: str | None) -> pd.Series[Any]:
        """Solve again with a person forced into a seat (None: with the present one kept out of it).

        Returns
        -------
        Series
            ``rep_id`` (who would sit in the seat), ``seats_lost``, ``score_lost`` (what the best such matching has
            less than this one), ``moves`` (seats that change hands), ``matching``.

        Raises
        ------
        DataError
            Unknown seat or person, or a pair that is not eligible.
        InfeasibleError
            No matching that keeps the rules has the pair.
        """
        seat = _position(self.problem.seats, seat_id, "seat_id")
        if rep_id is None:
            holder = int(self.outcome.holder[seat])
            changed = self.problem.only(~((self.problem.seat == seat) & (self.problem.person == holder)))
        else:
            person = _position(self.problem.people, rep_id, "rep_id")
            if self.problem.position(seat, person) < 0:
                raise DataError(f"'{rep_id}' is not eligible for '{seat_id}'. Allow the pair first.")
            changed = self.problem.forced([(seat, person)])
        other = find(changed, self.objective, self.present, self.slack, self.options, self.backend)
        if rep_id is not None and int(other.outcome.holder[seat]) != person:
            other = self._with_pair(changed, seat, person)
        if rep_id is not None and int(other.outcome.holder[seat]) != person:
            raise InfeasibleError(f"no matching that fills as many seats puts '{rep_id}' into '{seat_id}'.")
        return self._against(other, seat)

    def _with_pair(self, changed: Candidates, seat: int, person: int) -> Matching:
        """Solve for the greatest total with a pair worth more than all the others together.

        A person of several seats is not bound to the one seat by taking away the others' candidates.
        """
        bonus = 1.0 + 2.0 * float(np.abs(changed.score).sum())
        score = changed.score.copy()
        score[changed.position(seat, person)] += bonus
        other = find(replace(changed, score=score), "total", self.present, self.slack, self.options, self.backend)
        outcome = replace(other.outcome, value=other.outcome.value - bonus, bound=other.outcome.bound - bonus)
        return replace(other, problem=changed, outcome=outcome)

    def explain(self, seat_id: str) -> str:
        """Return in words why this person sits in the seat, and what the next best matching without them costs."""
        seat = _position(self.problem.seats, seat_id, "seat_id")
        row = self.table.iloc[seat]
        if row["rep_id"] is None:
            why = next((str(d) for d in self.deficient if seat_id in d.seats), "")
            return f"{seat_id}: nobody. {why or 'The rules leave it open.'}"
        parts = ", ".join(f"{name} {row[name]:.3g}" for name in self.terms)
        text = f"{seat_id}: {row['rep_id']}, score {row['score']:.3g}" + (f" ({parts})" if parts else "")
        cost = self.cost_of(seat_id, None)
        who = "nobody" if cost["rep_id"] is None else cost["rep_id"]
        loss = f"{cost['seats_lost']} seats less" if cost["seats_lost"] else f"costs {cost['score_lost']:.3g}"
        return f"{text}. Next: {who}, {loss}, {cost['moves']} seats change hands."

    def rule_costs(self) -> pd.DataFrame:
        """Solve again without each rule: ``rule``, ``seats_gained``, ``score_gained``, ``moves``."""
        rows = []
        for rule in self.problem.rules:
            other = find(
                self.problem.without(rule), self.objective, self.present, self.slack, self.options, self.backend
            )
            change = self._against(other, None)
            rows.append((rule, -change["seats_lost"], -change["score_lost"], change["moves"]))
        return pd.DataFrame(rows, columns=["rule", "seats_gained", "score_gained", "moves"])

    def _against(self, other: Matching, seat: int | None) -> pd.Series[Any]:
        holder = None if seat is None else int(other.outcome.holder[seat])
        return pd.Series(
            {
                "rep_id": None if holder is None or holder < 0 else self.problem.people[holder],
                "seats_lost": self.outcome.filled - other.outcome.filled,
                "score_lost": self.total - other.total,
                "moves": int((self.outcome.holder != other.outcome.holder).sum()),
                "matching": other,
            },
            dtype=object,
        )

    def __repr__(self) -> str:
        out = self.outcome
        text = f"Matching: {out.filled} of {len(self.problem.seats)} seats filled, {self.objective} {out.value:.6g}, "
        text += "proven best" if self.is_proven else f"bound {out.bound:.6g}, at most {out.most_filled} seats"
        if self.deficient:
            more = f"; and {len(self.deficient) - 3} more" if len(self.deficient) > 3 else ""
            text += f"; {'; '.join(map(str, self.deficient[:3]))}{more}"
        return text


def find(
    problem: Candidates,
    objective: Objective,
    present: NDArray[np.int64],
    slack: float,
    options: Options,
    backend: str,
    terms: Mapping[str, NDArray[np.float64]] | None = None,
) -> Matching:
    """Match, and return the matching with all it was made from."""
    outcome = find_matching(problem, objective, present=present, slack=slack, options=options, backend=backend)
    return Matching(problem, outcome, objective, present, slack, options, backend, terms or {})


@takes_tables("candidates")
def match_people(
    candidates: pd.DataFrame,
    *,
    seats: list[str] | None = None,
    people: list[str] | None = None,
    present: Mapping[str, str] | None = None,
    load: Mapping[str, float] | None = None,
    capacity: Mapping[str, float] | float = 1.0,
    objective: Objective = "total",
    slack: float = 0.05,
    time_limit: float | None = None,
    rel_gap: float = 0.0,
    backend: str = "highs",
) -> Matching:
    """Match seats and people from a list of eligible pairs.

    Parameters
    ----------
    candidates : DataFrame
        ``seat_id``, ``rep_id``, ``score``: only these pairs may meet.
    seats, people : list of str, optional
        Also those without a candidate. Default: who occurs in the list.
    present : mapping of seat to person, optional
        Who sits where now: settles ties, and is what "fewest_moves" counts.
    load : mapping of seat to float, optional
        What a seat asks of a person (hours, a percentage). With it a person may take several seats, up to
        ``capacity``: a generalized assignment problem.
    capacity : mapping of person to float, or float
        Default: 1 each.
    objective : {"total", "bottleneck", "leximin", "fewest_moves"}
        Always after filling as many seats as possible: greatest total score; best worst seat, then the total; best
        worst seat, then the second worst, and so on; fewest moves within ``slack`` of the greatest total.
    slack : float
        0 to 1.
    time_limit, rel_gap : float
        For problems that are no linear assignment problem; see `gtm_opt.mip.Options`. One stage at a time.
    backend : {"highs", "cpsat", "pulp"}

    Returns
    -------
    Matching

    Raises
    ------
    DataError
        With every finding: missing columns, scores that are not finite, a pair listed twice, unknown names.

    Examples
    --------
    >>> pairs = pd.DataFrame({"seat_id": ["S1", "S1", "S2"], "rep_id": ["ana", "jo", "ana"], "score": [3.0, 1.0, 2.5]})
    >>> match_people(pairs).table[["seat_id", "rep_id"]].values.tolist()
    [['S1', 'jo'], ['S2', 'ana']]
    """
    found = Findings()
    missing = [c for c in ("seat_id", "rep_id", "score") if c not in candidates.columns]
    if missing:
        found.add("candidates", f"must have the columns {', '.join(missing)}", got=", ".join(candidates.columns))
        found.raise_if_any()
    if objective not in OBJECTIVES:
        found.add("objective", f"must be one of {', '.join(OBJECTIVES)}", got=repr(objective))
    if not 0.0 <= slack <= 1.0:
        found.add("slack", "must lie between 0 and 1", got=repr(slack))
    seat_names = sorted({*map(str, candidates["seat_id"]), *(seats or [])})
    person_names = sorted({*map(str, candidates["rep_id"]), *(people or [])})
    seat = pd.Index(seat_names).get_indexer(pd.Index(candidates["seat_id"].astype(str)))
    person = pd.Index(person_names).get_indexer(pd.Index(candidates["rep_id"].astype(str)))
    score = pd.to_numeric(candidates["score"], errors="coerce").to_numpy(dtype=np.float64)
    label = candidates["seat_id"].astype(str) + " " + candidates["rep_id"].astype(str)
    if not np.isfinite(score).all():
        found.add("'score'", "must hold finite numbers", rows=label[~np.isfinite(score)], kind="pair")
    if label.duplicated().any():
        found.add("candidates", "must list a pair once", rows=label[label.duplicated()], kind="pair")
    seat_at, person_at = ({n: i for i, n in enumerate(names)} for names in (seat_names, person_names))
    held = np.full(len(person_names), -1, dtype=np.int64)
    for s, p in (present or {}).items():
        if p in person_at and s in seat_at:
            held[person_at[p]] = seat_at[s]
    loads = None if load is None else _numbers(load, seat_names, "load", found)
    sizes = None
    if loads is not None:
        several = capacity if not isinstance(capacity, float | int) else dict.fromkeys(person_names, float(capacity))
        sizes = _numbers(several, person_names, "capacity", found)
    found.raise_if_any()
    order = np.lexsort((person, seat))
    problem = Candidates(
        tuple(seat_names), tuple(person_names), seat[order], person[order], score[order], (), loads, sizes
    )
    options = Options(time_limit=time_limit, rel_gap=rel_gap)
    return find(problem, objective, held, slack, options, backend)


def _numbers(values: Mapping[str, float], names: list[str], where: str, found: Findings) -> NDArray[np.float64]:
    lacking = [n for n in names if n not in values]
    if lacking:
        found.add(where, "must name every one", rows=lacking, kind="name")
    numbers = np.array([float(values.get(n, 0.0)) for n in names])
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        found.add(where, "must be finite and not negative", rows=np.array(names)[wrong], kind="name")
    return numbers


def _position(names: tuple[str, ...], name: str, where: str) -> int:
    if name not in names:
        raise DataError(f"`{where}` must be a known name, got '{name}'. {did_you_mean(name, names)}")
    return names.index(name)
