"""Hiring by brute force: every plan, month by month, without arrays of coefficients and without a model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import gtm_opt as gtm

MONTHS = 12


@dataclass(frozen=True)
class Case:
    """A small problem: hires only in the first ``window`` months."""

    productivity: Sequence[float]
    ramps: Sequence[Sequence[float]]
    hazard: Sequence[float]
    pay: Sequence[float]
    hire_cost: Sequence[float]
    heads: Sequence[float]
    targets: Sequence[float]
    slots: int
    window: int
    support_per: float | None = None
    budget: float | None = None
    share: float | None = None
    seats: Sequence[float] | None = None
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Roles: those that sell, then the one that supports."""
        sellers = [f"S{k}" for k in range(len(self.productivity))]
        return [*sellers, "SE"] if self.support_per else sellers

    def plan(self, **options: object) -> gtm.HiringPlan:
        """Solve it with `plan_hiring`."""
        roles = [
            gtm.Role(f"S{k}", p, f"G{k}", gtm.Ramp.steps(r), cost_pm=pay, hire_cost=cost)
            for k, (p, r, pay, cost) in enumerate(
                zip(self.productivity, self.ramps, self.pay, self.hire_cost, strict=False)
            )
        ]
        rules: list[object] = [
            gtm.RecruitingLimit(self.slots),
            gtm.HiringFreeze(f"2026-{self.window + 1:02d}", "2026-12"),
        ]
        if self.support_per:
            roles.append(gtm.Role("SE", 0.0, quota_type="overlay", cost_pm=self.pay[-1], hire_cost=self.hire_cost[-1]))
            rules.append(gtm.SupportRatio("SE", dict.fromkeys(self.names[:-1], self.support_per)))
        if self.budget is not None:
            rules.append(gtm.HiringBudget(self.budget, scope="hires"))
        if self.share is not None:
            rules.append(gtm.OnboardingLimit(share=self.share))
        if self.seats is not None:
            rules.append(gtm.SeatLimit({f"S{k}": s for k, s in enumerate(self.seats)}))
        heads = dict(zip(self.names, self.heads, strict=True))
        targets = {f"Q{q + 1}": t for q, t in enumerate(self.targets)}
        calendar = gtm.Calendar("2026-01")
        attrition = dict(zip(self.names, self.hazard, strict=True))
        words = {"rules": rules, "attrition": attrition, **self.extra, **options}
        return gtm.plan_hiring(roles, heads, targets, calendar, **words)  # type: ignore[arg-type]

    def stocks(self, hires: Sequence[Sequence[int]]) -> list[list[list[tuple[float, int]]]]:
        """Return (heads, tenure month; 0: ramped) per role and month, walking month by month."""
        out = []
        for k in range(len(self.names)):
            groups: list[tuple[float, int]] = [(self.heads[k], 0)]
            months = []
            for month in range(MONTHS):
                if month < self.window and hires[k][month]:
                    groups.append((float(hires[k][month]), 1))
                months.append(list(groups))
                left = 1.0 - self.hazard[k]
                groups = [(n * left, a + 1 if a else 0) for n, a in groups]
            out.append(months)
        return out

    def value(self, hires: Sequence[Sequence[int]]) -> tuple[float, list[float]] | None:
        """Return cost and bookings by quarter, None where a rule is broken."""
        stocks = self.stocks(hires)
        sellers = len(self.productivity)
        booked, cost = [0.0] * 4, 0.0
        for month in range(MONTHS):
            if month < self.window and sum(hires[k][month] for k in range(len(self.names))) > self.slots:
                return None
            ramping = total = 0.0
            for k in range(len(self.names)):
                for at, (n, a) in enumerate(stocks[k][month]):
                    if at > 0:
                        cost += n * self.pay[k] + (self.hire_cost[k] * n if a == 1 else 0.0)
                    if k < sellers:
                        ramp = self.ramps[k]
                        level = 1.0 if a == 0 or a > len(ramp) else ramp[a - 1]
                        booked[month // 3] += n * level * self.productivity[k] / 12
                        total += n
                        ramping += n if level < 1 else 0.0
                if (
                    self.seats is not None
                    and k < sellers
                    and sum(n for n, _ in stocks[k][month]) > self.seats[k] + 1e-9
                ):
                    return None
            if self.share is not None and ramping > self.share * total + 1e-9:
                return None
            if self.support_per and sum(n for n, _ in stocks[-1][month]) < total / self.support_per - 1e-9:
                return None
        if self.budget is not None and cost > self.budget + 1e-9:
            return None
        return cost, booked

    def plans(self) -> Iterator[list[list[int]]]:
        """Yield every table of hires within the recruiting slots."""
        cells = [p for p in itertools.product(range(self.slots + 1), repeat=len(self.names)) if sum(p) <= self.slots]
        for months in itertools.product(cells, repeat=self.window):
            yield [[months[m][k] for m in range(self.window)] for k in range(len(self.names))]

    def least_cost(self) -> float | None:
        """Return the least cost of all plans that meet the targets, None where there is none."""
        best = None
        for hires in self.plans():
            found = self.value(hires)
            enough = found and all(b >= t - 1e-9 for b, t in zip(found[1], self.targets, strict=True))
            if found and enough and (best is None or found[0] < best):
                best = found[0]
        return best

    def most_covered(self) -> float | None:
        """Return the largest sum of what is reached of each target."""
        best = None
        for hires in self.plans():
            found = self.value(hires)
            if found:
                reached = sum(min(b, t) for b, t in zip(found[1], self.targets, strict=True))
                best = reached if best is None else max(best, reached)
        return best
