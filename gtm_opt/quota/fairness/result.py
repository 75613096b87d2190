"""The result of `fair_quotas`: quotas, ratios, the proof, and what better would cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Finding, amount_text
from gtm_opt.quota.fairness.levelling import level_ratios

if TYPE_CHECKING:
    from gtm_opt.quota.fairness.certificate import FairnessCertificate
    from gtm_opt.quota.fairness.problem import FairProblem
    from gtm_opt.quota.result import Quotas

__all__ = ["FairQuotas"]


@dataclass(frozen=True, eq=False)
class FairQuotas:
    """Quotas that are as fair as any can be.

    Attributes
    ----------
    quotas : Quotas
        Like the result of `cascade`.
    by : str
        What quotas are compared with.
    worst_ratio : float
        Highest ratio of quota to base of any seat; no allocation has a lower one. For odds ``exp(z)``, see `table`.
    certificate : FairnessCertificate or None
        The proof; None where the worst ratio is 0.
    order_is_exact : bool
        Whether the ratios after the worst are proven to be the lowest in turn. False where over-assignment inside
        the tree skips totals: then the worst ratio alone is proven.
    """

    quotas: Quotas
    by: str
    worst_ratio: float
    certificate: FairnessCertificate | None
    order_is_exact: bool
    problem: FairProblem = field(repr=False)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per seat, the worst-placed first: seat_id, quota, base, ratio, is_binding; of odds also p_attain."""
        problem = self.problem
        seats = problem.seats
        units = self._units()[seats]
        frame = pd.DataFrame(
            {
                "seat_id": [problem.layers.ids[s] for s in seats],
                "quota": units * self.quotas.unit,
                "base": problem.scale.columns()["base"][seats],
                "ratio": problem.scale.ratio(seats, units),
            }
        )
        if "spread" in problem.scale.columns():
            from scipy.special import ndtr

            with np.errstate(divide="ignore"):
                frame["p_attain"] = ndtr(-np.log(frame["ratio"].to_numpy()))
        proof = () if self.certificate is None else self.certificate.seats
        frame["is_binding"] = frame["seat_id"].isin(proof)
        frame["base"] = frame["base"].replace(np.inf, 0.0)
        return frame.sort_values(["ratio", "seat_id"], ascending=[False, True], ignore_index=True)

    def price_of_plan(self, amount: float) -> pd.DataFrame:
        """Return what another `amount` of plan does to the worst ratio, and who would pay for it.

        Parameters
        ----------
        amount : float
            Signed; a multiple of the unit.

        Returns
        -------
        DataFrame
            One row per seat whose quota changes: ``seat_id``, ``quota``, ``new_quota``, ``change``; in ``attrs``
            ``worst_ratio`` and ``new_worst_ratio``, both proven.

        Raises
        ------
        DataError
            If the amount is no multiple of the unit, or the bounds do not allow that plan.
        """
        unit, problem = self.quotas.unit, self.problem
        units = round(amount / unit)
        if abs(units * unit - amount) > 1e-6 or problem.plan + units < 0:
            raise DataError([Finding("amount", f"must be a multiple of {unit:,}, and not below -plan", f"{amount:,}")])
        more = problem.with_plan(problem.plan + units)
        worst = more.worst_ratio()
        if not np.isfinite(worst):
            plan = amount_text((problem.plan + units) * unit)
            raise DataError([Finding("amount", "must leave a plan that the bounds allow", f"a plan of {plan}")])
        before, after = self._units(), level_ratios(more, worst)
        seats = problem.seats[after[problem.seats] != before[problem.seats]]
        out = pd.DataFrame(
            {
                "seat_id": [problem.layers.ids[s] for s in seats],
                "quota": before[seats] * unit,
                "new_quota": after[seats] * unit,
                "change": (after - before)[seats] * unit,
            }
        )
        out = out.sort_values(["change", "seat_id"], ascending=[False, True], ignore_index=True)
        out.attrs = {"worst_ratio": self.worst_ratio, "new_worst_ratio": worst}
        return out

    @cached_property
    def prices(self) -> pd.DataFrame:
        """What each floor, cap or pin costs the worst-placed seller.

        One row per bound of the proof: ``node_id``, ``bound``, ``amount``, ``worst_ratio_without`` and ``saves``. Every
        other bound costs nothing, because the proof stands without it. A pin is a floor and a cap.
        """
        rows: list[dict[str, object]] = []
        index = {node: n for n, node in enumerate(self.problem.layers.ids)}
        binding = None if self.certificate is None else self.certificate.binding
        for row in () if binding is None else binding.to_dict("records"):
            if row["rule"] not in ("floor", "cap"):
                continue
            node = index[str(row["node_id"])]
            without = self.problem.without(node, str(row["rule"])).worst_ratio()
            rows.append(
                {
                    "node_id": row["node_id"],
                    "bound": row["rule"],
                    "amount": row["amount"],
                    "worst_ratio_without": without,
                    "saves": self.worst_ratio - without,
                }
            )
        columns = ["node_id", "bound", "amount", "worst_ratio_without", "saves"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.sort_values(["saves", "node_id"], ascending=[False, True], ignore_index=True)

    def summary(self) -> pd.Series:
        """Return the worst and lowest ratio, that of perfectly even shares, and what is proven."""
        table = self.table[self.table["base"] > 0]
        even = table["quota"].sum() / table["base"].sum()
        return pd.Series(
            {
                "by": self.by,
                "seats": len(self.table),
                "worst_ratio": self.worst_ratio,
                "lowest_ratio": float(table["ratio"].min()),
                "even_ratio": even if "p_attain" not in table else float("nan"),
                "binding_seats": int(self.table["is_binding"].sum()),
                "order_is_exact": self.order_is_exact,
            },
            dtype=object,
        )

    @property
    def statement(self) -> str:
        """The proven sentence."""
        return "No seat has a quota." if self.certificate is None else self.certificate.statement

    def _units(self) -> np.ndarray:
        layers = self.problem.layers
        units: np.ndarray = self.quotas.table["quota"].to_numpy(dtype=np.int64)[layers.row] // self.quotas.unit
        return units

    def __repr__(self) -> str:
        proof = "proven" + ("" if self.order_is_exact else ", the order after it is not")
        return (
            f"FairQuotas by {self.by}: worst ratio {self.worst_ratio:.4g} ({proof}), {len(self.problem.seats):,} seats"
        )
