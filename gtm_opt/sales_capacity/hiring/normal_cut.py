"""The conservative linear cut: mean less a multiple of the standard deviation, made linear at a known variance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.flow import survival
from gtm_opt.sales_capacity.hiring.formulation import Formulation, Linear, formulate
from gtm_opt.sales_capacity.hiring.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

    FloatArray = NDArray[np.float64]

__all__ = ["Moments", "moments", "normal_model", "safe_cut"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and variance of the bookings towards each target, per hire and of those who are there.

    Attributes
    ----------
    mean, variance : ndarray of shape (n_targets, R, T)
        Per hire, by start month; independent of the others.
    mean_0, variance_0 : ndarray of shape (n_targets,)
    """

    mean: FloatArray
    variance: FloatArray
    mean_0: FloatArray
    variance_0: FloatArray

    def at(self, hires: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of a plan, shape (n_targets,)."""
        return (
            self.mean_0 + np.tensordot(self.mean, hires, axes=2),
            self.variance_0 + np.tensordot(self.variance, hires, axes=2),
        )


def safe_cut(
    mean: FloatArray, variance: FloatArray, mean_0: float, variance_0: float, z: float, at: float
) -> tuple[FloatArray, float]:
    """Return coefficients and constant of the linear cut that is tight at the variance ``at``.

    Notes
    -----
    ``sqrt`` is concave, so for any V0 > 0 ::

        m x + m0 - z [ sqrt(V0) / 2 + (v0 + v x) / (2 sqrt(V0)) ]  <=  m x + m0 - z sqrt(v0 + v x)          (9)

    with z >= 0: whoever keeps the cut keeps the promise.
    """
    root = math.sqrt(at)
    return mean - z * variance / (2.0 * root), mean_0 - z * (root / 2.0 + variance_0 / (2.0 * root))


def moments(problem: HiringProblem, confidence: Confidence) -> Moments:
    """Return means and variances: exits, late starts and independent attainment; the common factor is left out.

    Notes
    -----
    With W the bookings of a person of average attainment and independent attainment u of mean 1:
    ``Var(u W) = E[u^2] E[W^2] - E[W]^2``.
    """
    paths = Paths(problem, confidence, 1)
    square = math.exp(confidence.sigma**2 * (1.0 - confidence.correlation))
    targets, months = len(problem.targets), problem.n_months
    mean, variance = (np.zeros((targets, len(problem.roles), months)) for _ in range(2))
    mean_0, variance_0 = np.zeros(targets), np.zeros(targets)
    for group in problem.groups:
        first, second = _two_moments(paths, group.role, group.tenure_m, 0)
        mean_0 += group.heads * first
        whole, part = divmod(group.heads, 1.0)
        variance_0 += (whole + part**2) * (square * second - first**2)
    for role in problem.sellers():
        for month in range(months):
            one, two = np.zeros(targets), np.zeros(targets)
            for wait, chance in enumerate(confidence.slip):
                if month + wait < months:
                    first, second = _two_moments(paths, role, 1, month + wait)
                    one, two = one + chance * first, two + chance * second
            mean[:, role, month], variance[:, role, month] = one, square * two - one**2
    return Moments(mean, variance, mean_0, variance_0)


def _two_moments(paths: Paths, role: int, tenure_m: int | None, start: int) -> tuple[FloatArray, FloatArray]:
    problem = paths.problem
    worth = paths.worth(role, tenure_m, start)
    months = problem.n_months - start
    alive = survival(problem.hazard[role], tenure_m, months)
    stays = np.append(alive[:-1] - alive[1:], alive[-1])  # for exactly 1, 2, ..., all months
    return stays @ worth[1 : months + 1], stays @ worth[1 : months + 1] ** 2


def normal_model(problem: HiringProblem, confidence: Confidence, known: Moments, at: FloatArray) -> Formulation:
    """Return the model with one conservative cut per target, tight at the variances ``at``.

    Notes
    -----
    Jointly: the risk is split evenly over the targets (Bonferroni), which is conservative. A common factor of standard
    deviation s takes ``(1 - z s)`` of the mean on top (single factor, conservative sum).
    """
    from scipy.stats import norm  # late: keeps `import gtm_opt` quick

    parts = len(problem.targets) if confidence.jointly else 1
    z = max(float(norm.isf((1.0 - confidence.probability) / parts)), 0.0)
    common = math.sqrt(math.expm1(confidence.sigma**2 * confidence.correlation))
    kept = max(1.0 - z * common, 0.0)
    form = formulate(replace(problem, targets=()), ("least_cost",))
    columns = form.flow.hires.ravel()
    for k, target in enumerate(problem.targets):
        values, constant = safe_cut(
            kept * known.mean[k].ravel(), known.variance[k].ravel(), kept * float(known.mean_0[k]),
            float(known.variance_0[k]), z, max(float(at[k]), 1e-12 * max(target.amount, 1.0) ** 2),
        )  # fmt: skip
        function = Linear(columns, values, constant)
        form.add_row(f"target[{target.name}]", "scenario", target.quarter, k, function, low=target.amount)
    return form
