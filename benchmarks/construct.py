"""A quick construction for generalized assignment in plain numpy: what is written when nothing better is in time.

The scheme of Martello and Toth (1981): the job that would lose most by missing its best
agent goes first; tried with several ways to weigh cost against use, then repaired.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.readers import Gap
from gtm_opt.instance import FloatArray, IntArray

__all__ = ["construct_gap"]

_WEIGHTS = (1.0, 4.0, 0.25, 16.0, 0.0)


def construct_gap(problem: Gap, seconds: float) -> list[int]:
    """Return the best of a few constructions: least overload, then least cost."""
    deadline = time.perf_counter() + seconds
    scale = problem.cost.mean() / max(float(problem.use.mean()), 1e-12)
    best, best_key = np.zeros(problem.n, dtype=np.int64), (np.inf, np.inf)
    for weight in _WEIGHTS:
        found = _repaired(problem, _by_regret(problem, problem.cost + weight * scale * problem.use, deadline), deadline)
        key = _key(problem, found)
        if key[0] == 0.0:
            found = _improved(problem, found, deadline)
            key = _key(problem, found)
        if key < best_key:
            best, best_key = found, key
        if time.perf_counter() > deadline:
            break
    return [int(a) for a in best]


def _loads(problem: Gap, where: IntArray) -> FloatArray:
    return np.bincount(where, weights=problem.use[where, np.arange(problem.n)], minlength=problem.k)


def _key(problem: Gap, where: IntArray) -> tuple[float, float]:
    over = np.maximum(_loads(problem, where) - problem.capacity, 0.0).sum()
    return float(over), float(problem.cost[where, np.arange(problem.n)].sum())


def _by_regret(problem: Gap, value: FloatArray, deadline: float) -> IntArray:
    """Assign, each time, the job with the largest difference between its two best agents with room."""
    room = problem.capacity.astype(np.float64).copy()
    where = np.full(problem.n, -1, dtype=np.int64)
    left = np.arange(problem.n)
    while len(left) and time.perf_counter() < deadline:
        now = np.where(problem.use[:, left] <= room[:, None], value[:, left], np.inf)
        best = now.argmin(axis=0)
        least = now[best, np.arange(len(left))]
        second = np.partition(now, 1, axis=0)[1] if problem.k > 1 else least
        gap = np.where(np.isfinite(second), second, 1e300) - np.where(np.isfinite(least), least, 0.0)
        regret = np.where(np.isfinite(least), gap, -1.0)
        # many jobs at a time where there are many: the ranking changes little
        take = np.argsort(-regret, kind="stable")[: max(1, len(left) // 100)]
        for position in take:
            job, agent = int(left[position]), int(best[position])
            if not np.isfinite(least[position]) or problem.use[agent, job] > room[agent]:
                agent = int(np.argmax(room - problem.use[:, job]))
            where[job] = agent
            room[agent] -= problem.use[agent, job]
        left = left[where[left] < 0]
    where[left] = np.argmin(value[:, left], axis=0) if len(left) else where[left]
    return where


def _repaired(problem: Gap, where: IntArray, deadline: float) -> IntArray:
    """Move jobs out of overloaded agents, least extra cost per unit of overload removed first."""
    where, loads = where.copy(), _loads(problem, where)
    for _ in range(4 * problem.n):
        over = np.flatnonzero(loads > problem.capacity)
        if not len(over) or time.perf_counter() > deadline:
            break
        agent = int(over[np.argmax((loads - problem.capacity)[over])])
        own = np.flatnonzero(where == agent)
        fits = loads[:, None] + problem.use[:, own] <= problem.capacity[:, None]
        extra = (problem.cost[:, own] - problem.cost[agent, own]) / np.maximum(problem.use[agent, own], 1e-9)
        score = np.where(fits, extra, np.inf)
        score[agent] = np.inf
        if not np.isfinite(score).any():
            break
        to, position = np.unravel_index(int(np.argmin(score)), score.shape)
        job = int(own[position])
        loads[agent] -= problem.use[agent, job]
        loads[to] += problem.use[to, job]
        where[job] = to
    return where


def _improved(problem: Gap, where: IntArray, deadline: float) -> IntArray:
    """Descend by the best relocation, then the best swap, until neither helps or time is up."""
    where, loads, jobs = where.copy(), _loads(problem, where), np.arange(problem.n)
    while time.perf_counter() < deadline:
        here = problem.cost[where, jobs]
        change = np.where(loads[:, None] + problem.use <= problem.capacity[:, None], problem.cost - here, 0.0)
        change[where, jobs] = 0.0
        to, job = np.unravel_index(int(np.argmin(change)), change.shape)
        moves = [(int(job), int(to))]
        if change[to, job] >= 0.0:
            cost, use = problem.cost[where], problem.use[where]  # [a, b]: job b where job a is now
            room = (problem.capacity - loads)[where] + use[jobs, jobs]
            fits = use <= room[:, None]
            swap = np.where(fits & fits.T, cost + cost.T - here[:, None] - here[None, :], 0.0)
            a, b = np.unravel_index(int(np.argmin(swap)), swap.shape)
            if swap[a, b] >= -1e-9:
                break
            moves = [(int(a), int(where[b])), (int(b), int(where[a]))]
        for moved, agent in moves:
            loads[where[moved]] -= problem.use[where[moved], moved]
            loads[agent] += problem.use[agent, moved]
            where[moved] = agent
    return where
