"""Odds of a plan: how often its targets are met on random paths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import percent_text
from gtm_opt.sales_capacity.hiring.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["HiringOdds", "measure_odds", "wilson"]

_Z95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class HiringOdds:
    """How often a plan meets its targets on paths it has not seen.

    Attributes
    ----------
    table : DataFrame
        One row per target: ``quarter``, ``segment``, ``target``, ``probability``, ``low``, ``high`` (95 % Wilson
        interval), ``mean``, ``p10`` and ``p50`` of the bookings, ``shortfall`` (expected, where the target is missed).
    jointly : tuple of float
        Probability that all targets are met together, with its interval.
    paths : int
    asked : float or None
        The probability that was promised, None where nothing was.
    asked_jointly : bool
    """

    table: pd.DataFrame
    jointly: tuple[float, float, float]
    paths: int
    asked: float | None = None
    asked_jointly: bool = True

    @property
    def probability(self) -> float:
        """What was promised, as measured: jointly, or of the least likely target."""
        return self.promised[0]

    @property
    def promised(self) -> tuple[float, float, float]:
        """What was promised, as measured, with its 95 % interval."""
        if self.asked_jointly:
            return self.jointly
        return tuple(float(self.table[c].min()) for c in ("probability", "low", "high"))  # type: ignore[return-value]

    @property
    def is_kept(self) -> bool | None:
        """Whether the promise holds on these paths: True or False where the 95 % interval decides, else None."""
        if self.asked is None:
            return None
        low, high = self.promised[1:]
        return True if low >= self.asked else False if high < self.asked else None

    def summary(self) -> str:
        """Return the odds as text, and whether the promise is kept."""
        low, high = (percent_text(p) for p in self.jointly[1:])
        text = f"all targets together {percent_text(self.jointly[0])} ({low} to {high}) on {self.paths:,} fresh paths"
        if self.asked is None:
            return text
        words = {
            True: "the promise is kept",
            False: "the promise is NOT kept: use more scenarios, or ask for a higher probability",
            None: "the promise is neither confirmed nor refuted by so many paths",
        }
        which = "together" if self.asked_jointly else "for each"
        return f"{text}; promised {percent_text(self.asked)} {which}: {words[self.is_kept]}"

    def __repr__(self) -> str:
        return f"HiringOdds: {self.summary()}"


def measure_odds(
    problem: HiringProblem,
    hires: NDArray[np.int64],
    confidence: Confidence,
    *,
    stream: int = 1,
    asked: float | None = None,
) -> HiringOdds:
    """Count on how many fresh paths a plan meets its targets."""
    goal = np.array([target.amount for target in problem.targets])
    booked = Paths(problem, confidence, confidence.fresh_paths, stream).of_plan(hires)
    met = booked >= goal - 1e-9 * np.maximum(1.0, goal)
    n = len(booked)
    rows = []
    for at, target in enumerate(problem.targets):
        p, low, high = wilson(int(met[:, at].sum()), n)
        missed = (goal[at] - booked[:, at])[~met[:, at]]
        p10, p50 = np.quantile(booked[:, at], [0.1, 0.5])
        short = float(missed.mean()) if len(missed) else 0.0
        mean = float(booked[:, at].mean())
        rows.append((target.quarter, target.segment, target.amount, p, low, high, mean, p10, p50, short))
    columns = ["quarter", "segment", "target", "probability", "low", "high", "mean", "p10", "p50", "shortfall"]
    jointly = wilson(int(met.all(axis=1).sum()), n)
    return HiringOdds(pd.DataFrame(rows, columns=columns), jointly, n, asked, confidence.jointly)


def wilson(hits: int, n: int) -> tuple[float, float, float]:
    """Return the share and its 95 % interval (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    p, z = hits / n, _Z95
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, max(0.0, center - half), min(1.0, center + half)
