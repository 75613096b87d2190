"""The pieces of work that are timed: each is set up once and then called; same input, same number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.checker import check_instance
from benchmarks.generators import balance_only, scale_instance
from benchmarks.micro.quota_work import QUOTA_WORK
from gtm_opt.datasets import make_saas
from gtm_opt.measures import evaluate, territory_totals
from gtm_opt.solvers import Run, get_solver, solver_names

__all__ = ["WORK"]

SIZE = 20_000

Work = Callable[[], Any]


def _evaluate(n: int) -> Work:
    instance = scale_instance(n)
    where = np.asarray(instance.previous)
    return lambda: evaluate(instance, where).objective


def _totals(n: int) -> Work:
    instance = scale_instance(n)
    where = np.asarray(instance.previous)
    return lambda: territory_totals(instance, where)


def _cost(n: int) -> Work:
    instance = scale_instance(n)
    return lambda: sum(float(instance.cost_block(rows).sum()) for rows in instance.chunks())


def _checker(n: int) -> Work:
    instance = scale_instance(n // 10)
    where = np.asarray(instance.previous).tolist()
    return lambda: check_instance(instance, where).objective


def _generate(n: int) -> Work:
    return lambda: scale_instance(n).n_units


def _tables(n: int) -> Work:
    return lambda: len(make_saas(n // 4)[0])


def _solver(name: str, *, even: bool, effort: float = 1.0, divide: int = 1) -> Callable[[int], Work]:
    def build(n: int) -> Work:
        instance = scale_instance(n // divide)
        instance = balance_only(instance) if even else instance
        solver = get_solver(name)
        solver(scale_instance(50, k=3, m=2, band=0.5), run=Run(5.0), effort=0.01)  # compile
        return lambda: solver(instance, run=Run(), effort=effort).assignment

    return build


WORK: dict[str, Callable[[int], Work]] = {
    "annealing, 300,000 moves": _solver("annealing", even=False, effort=0.15),
    "checker": _checker,
    "cost blocks": _cost,
    "evaluate": _evaluate,
    "generate scale": _generate,
    "generate tables": _tables,
    "greedy look-ahead": _solver("greedy_lookahead", even=True, divide=4),
    "karmarkar-karp": _solver("karmarkar_karp", even=True, divide=4),
    "lpt": _solver("lpt", even=True),
    "multifit": _solver("multifit", even=True),
    "totals": _totals,
    "transport, 500 accounts": _solver("transport", even=False, divide=40),
    **QUOTA_WORK,
}
"""Name -> set-up of a given size, which returns what is timed."""

if "lagrangian" in solver_names():
    WORK["prices"] = _solver("lagrangian", even=False)
