"""What a planner asks about a plan: its odds, its worth, harder worlds, and why there is none."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from gtm_opt.sales_capacity.hiring.confidence import Confidence, check_uncertain
from gtm_opt.sales_capacity.hiring.diagnosis import HiringDiagnosis, diagnose, reachable
from gtm_opt.sales_capacity.hiring.odds import HiringOdds, measure_odds
from gtm_opt.sales_capacity.hiring.values import CostCurve, cost_curve, price_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from gtm_opt.sales_capacity.hiring.certainty import CertaintyCurve
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem
    from gtm_opt.sales_capacity.hiring.result import HiringPlan

__all__ = ["PlanQuestions"]

_FACTORS = (0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1)


class PlanQuestions:
    """The questions of `HiringPlan` that take further models or paths; each is answered when it is asked."""

    @property
    def _plan(self) -> HiringPlan:
        return cast("HiringPlan", self)

    def measure(self, confidence: Confidence | float = 0.5) -> HiringOdds:
        """Return how often this plan meets its targets on random paths, whatever it was planned for.

        Parameters
        ----------
        confidence : Confidence or float
            What is uncertain, how many paths (``fresh_paths``) and which seed.
        """
        spec = Confidence.of(confidence)
        check_uncertain(self._plan.problem, spec, self._plan.hire_counts.astype(np.float64))
        return measure_odds(self._plan.problem, self._plan.hire_counts, spec)

    def certainty_curve(
        self,
        probabilities: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9),
        *,
        confidence: Confidence | None = None,
        replications: int = 10,
        level: float = 0.95,
    ) -> CertaintyCurve:
        """Return what certainty costs: a plan per probability, its proven bound and a statistical one.

        Parameters
        ----------
        probabilities : sequence of float
            Each in (0, 1).
        confidence : Confidence, optional
            What is uncertain, by which method. Default: that of this plan, else exits alone.
        replications : int
            Independent scenario models behind the statistical bound.
        level : float
            Its confidence.
        """
        from gtm_opt.sales_capacity.hiring.certainty import certainty_curve

        spec = confidence or self._plan.confidence or Confidence(0.5)
        return certainty_curve(
            self._plan.problem,
            spec,
            probabilities,
            self._plan.options,
            self._plan.backend,
            replications=replications,
            level=level,
        )

    def stress(self, worlds: Mapping[str, HiringProblem] | None = None) -> pd.DataFrame:
        """Return what this plan still covers in harder worlds, and what planning for each would cost.

        Parameters
        ----------
        worlds : mapping of str to HiringProblem, optional
            Changed copies of `problem`. Default: less productive, slower ramps, more exits, late hires, sellers who
            leave, a bad year, each segment weaker (`gtm_opt.sales_capacity.hiring.stress.worlds`).

        Returns
        -------
        DataFrame
            One row per world, the first one as planned: ``world``, ``worst_coverage``, ``missed`` (targets),
            ``first_missed``, ``replanned_cost`` (nan: no plan), ``extra_cost``, ``status``.
        """
        from gtm_opt.sales_capacity.hiring.stress import stress

        return stress(self._plan, worlds)

    def robust(self, worlds: Mapping[str, HiringProblem]) -> HiringPlan:
        """Return the cheapest plan that meets the targets in this and in every one of these worlds.

        Heads, support, budgets and costs are those of this plan's world; bookings are counted in each.
        """
        from gtm_opt.sales_capacity.hiring.stress import plan_for_all

        return plan_for_all(self._plan, worlds)

    @cached_property
    def diagnosis(self) -> HiringDiagnosis:
        """Why there is no plan: what is reachable, what conflicts, the nearest plan (solved when first asked for)."""
        return diagnose(self._plan.problem, self._plan.options, self._plan.backend)

    @cached_property
    def reachable(self) -> pd.DataFrame:
        """The most that can be booked towards each target when nothing else is asked for; see `HiringDiagnosis`."""
        return reachable(self._plan.problem, self._plan.options)

    def price_changes(
        self, kinds: Sequence[str] = ("target", "recruiting", "seats"), *, amount: float | None = None
    ) -> pd.DataFrame:
        """Return what one step more of every target, recruiting slot or seat costs or saves, by solving again.

        Parameters
        ----------
        kinds : sequence of {"target", "recruiting", "seats", "budget"}
        amount : float, optional
            Step of targets and budgets. Default: a hundredth of the largest target.

        Returns
        -------
        DataFrame
            One row per limit: ``change`` (in words), ``kind``, ``period``, ``step``, ``cost_change`` (``inf``: then
            there is no plan), ``at_least`` and ``at_most`` (what is proven about it), ``status`` of the plan behind
            it, ``relaxation`` (price of the linear relaxation times the step: it knows no whole people).

        Raises
        ------
        DataError
            Without a plan of least cost.
        """
        return price_changes(self._plan, kinds, amount)

    def cost_curve(
        self, factors: Sequence[float] = (0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1)
    ) -> CostCurve:
        """Return the least cost of all targets times each factor, each solved again with its own bound."""
        return cost_curve(self._plan, factors)
