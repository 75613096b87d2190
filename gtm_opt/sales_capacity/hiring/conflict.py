"""The smallest set of targets and rules that cannot hold together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import Model, Options, Status, solve

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["smallest_conflict"]

_MOST_QUESTIONS = 400


def smallest_conflict(
    n_units: int, is_feasible: Callable[[frozenset[int]], bool | None]
) -> tuple[frozenset[int], bool] | None:
    """Return a conflicting set of units, and whether it is proven to be a smallest one.

    Parameters
    ----------
    n_units : int
        All of them together conflict.
    is_feasible : callable
        Whether the units of a set can hold together; None: not known within the time limit.

    Returns
    -------
    tuple or None
        None where a question that decides stayed open.

    Notes
    -----
    Implicit hitting sets (Ignatiev, Previti, Liffiton and Marques-Silva 2015, doi:10.1007/978-3-319-23219-5_13):
    a smallest set that hits every known correction set is either the answer or gives one more. After
    ``_MOST_QUESTIONS`` questions a set from which nothing can be left out is returned instead (deletion filter).
    """
    everything = frozenset(range(n_units))
    answers: dict[frozenset[int], bool | None] = {}

    def ask(units: frozenset[int]) -> bool | None:
        if units not in answers:
            answers[units] = is_feasible(units)
        return answers[units]

    if ask(everything) is not False:
        return None
    corrections: list[frozenset[int]] = []
    while len(answers) < _MOST_QUESTIONS:
        hitting = _smallest_hitting_set(n_units, corrections)
        answer = ask(hitting)
        if answer is None:
            return None
        if not answer:
            return hitting, True
        held = set(hitting)
        for unit in sorted(everything - hitting):
            if ask(frozenset(held | {unit})):
                held.add(unit)
        corrections.append(everything - held)
    conflict = set(everything)
    for unit in range(n_units):
        answer = ask(frozenset(conflict - {unit}))
        if answer is None:
            return None
        if answer is False:
            conflict.discard(unit)
    return frozenset(conflict), False


def _smallest_hitting_set(n_units: int, corrections: list[frozenset[int]]) -> frozenset[int]:
    """Return a smallest set with a member in each; the first units where several are as small."""
    if not corrections:
        return frozenset()
    model = Model("hitting set")
    # a slight preference for early units makes the answer the same on every machine
    cost = 1.0 + np.arange(n_units) / (10.0 * n_units * n_units)
    units = model.add_columns([f"u{k}" for k in range(n_units)], high=1, integer=True, cost=cost)
    for at, correction in enumerate(corrections):
        model.add_row(f"c{at}", units[sorted(correction)], 1.0, low=1.0)
    answer = solve(model, Options())
    assert answer.status is Status.OPTIMAL
    return frozenset(np.flatnonzero(answer.of(units) > 0.5).tolist())
