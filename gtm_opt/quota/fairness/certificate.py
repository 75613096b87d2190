"""The proof that no allocation is better for the worst-placed seat, and a checker that needs the table alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, amount_text, shorten
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from gtm_opt.quota.fairness.problem import FairProblem

    IntArray = NDArray[np.int64]

__all__ = ["FairnessCertificate", "build_certificate", "check_certificate"]


@dataclass(frozen=True, eq=False)
class FairnessCertificate:
    """Why the worst ratio cannot be lower.

    Attributes
    ----------
    ratio : float
        No allocation in whole units has all ratios below it.
    node : str
        Where the amounts clash: what has to go through this node is more than the seats below can take.
    needed, possible : int
        What must go through the node at least, and the most the seats below could take with all ratios below
        ``ratio``, as amounts.
    binding : DataFrame
        What proves it: ``node_id``, ``rule`` ("ratio": the most a seat may have below the ratio; "cap": the bound of
        a node; "floor"; "plan"), ``amount``. Nothing else of the table is needed; no other bound matters.
    nodes : DataFrame
        All that was asked: ``node_id``, ``parent_id``, ``floor``, ``cap`` (NaN: none), ``edge`` (1 + over-assignment
        below the node, an exact fraction as text), and of seats ``most_below``, the largest whole amount whose ratio
        is below ``ratio``, with ``base`` (or ``base`` and ``spread`` of odds).
    plan, unit : int
    """

    ratio: float
    node: str
    needed: int
    possible: int
    binding: pd.DataFrame
    nodes: pd.DataFrame
    plan: int
    unit: int

    @property
    def seats(self) -> tuple[str, ...]:
        """The seats that the proof needs."""
        return tuple(self.binding.loc[self.binding["rule"] == "ratio", "node_id"])

    @property
    def statement(self) -> str:
        """The proven sentence."""
        return (
            f"In whole units of {self.unit:,} no allocation gives the worst-placed seller a ratio below "
            f"{_rounded_down(self.ratio)}: '{self.node}' must hand down {amount_text(self.needed)}, and with every "
            f"ratio below that the {len(self.seats):,} binding seats under it ({shorten(self.seats, shown=3)}) take "
            f"at most {amount_text(self.possible)}."
        )

    def check(self) -> None:
        """Check the proof from its table alone, see `check_certificate`."""
        check_certificate(self)


def _rounded_down(ratio: float) -> str:
    """Return a ratio with four digits, never more than it is: the sentence stays true."""
    digits = 3 - math.floor(math.log10(ratio))
    return f"{math.floor(ratio * 10.0**digits) / 10.0**digits:.{max(digits, 0)}f}"


def build_certificate(problem: FairProblem, worst: float) -> FairnessCertificate | None:
    """Return the proof that ``worst`` is the lowest worst ratio; None where it is 0."""
    if worst <= 0.0:
        return None
    below = float(np.nextafter(worst, 0.0))
    caps = problem.caps_at(below)
    low, high = problem.carry(caps)
    layers, unit = problem.layers, problem.scale.unit
    bad = np.flatnonzero(low > high)
    # the deepest clash: those above are its consequence
    node = int(bad[-1]) if len(bad) else 0
    needed = int(low[node]) if len(bad) else problem.plan
    children = _children(problem)
    rows = _trace(problem, children, node, high, "cap")
    rows += _trace(problem, children, node, low, "floor") if len(bad) else [(node, "plan", problem.plan)]
    binding = pd.DataFrame(
        {
            "node_id": [layers.ids[n] for n, _, _ in rows],
            "rule": [rule for _, rule, _ in rows],
            "amount": [amount * unit for _, _, amount in rows],
        }
    )
    return FairnessCertificate(
        worst,
        layers.ids[node],
        needed * unit,
        max(int(high[node]), 0) * unit,
        binding,
        _nodes(problem, below),
        problem.plan * unit,
        unit,
    )


def _children(problem: FairProblem) -> dict[int, list[int]]:
    below: dict[int, list[int]] = {}
    for child, parent in enumerate(problem.layers.parent.tolist()):
        below.setdefault(parent, []).append(child)
    return below


def _trace(
    problem: FairProblem, children: dict[int, list[int]], start: int, carried: IntArray, rule: str
) -> list[tuple[int, str, int]]:
    """Return the bounds of nodes and seats that a carried cap (or floor) at ``start`` rests on."""
    rows: list[tuple[int, str, int]] = []
    stack = [start]
    while stack:
        node = stack.pop()
        amount = int(carried[node])
        if rule == "cap":
            bound = int(problem.caps[node])
            if node in children and amount < bound:
                stack.extend(reversed(children[node]))
            else:
                rows.append((node, "cap" if amount == bound else "ratio", amount))
        elif amount > 0:
            if node in children and amount > int(problem.floors[node]):
                stack.extend(reversed(children[node]))
            else:
                rows.append((node, "floor", amount))
    return rows


def _nodes(problem: FairProblem, below: float) -> pd.DataFrame:
    layers, unit, seats = problem.layers, problem.scale.unit, problem.seats
    most = np.full(len(layers), np.nan)
    allowed = problem.scale.most_units(seats, np.full(len(seats), below))
    most[seats] = np.minimum(allowed, problem.own_caps[seats])
    parents = [None if p < 0 else layers.ids[p] for p in layers.parent.tolist()]
    edges = [str(factor) for factor in problem.edges.factors()]
    frame = pd.DataFrame(
        {
            "node_id": layers.ids,
            "parent_id": pd.Series(parents, dtype=object),
            "floor": problem.floors * unit,
            "cap": np.where(problem.own_caps >= UNBOUNDED, np.nan, problem.own_caps * float(unit)),
            "edge": edges,
            "most_below": most * unit,
        }
    )
    for name, values in problem.scale.columns().items():
        frame[name] = np.where(layers.is_leaf, values, np.nan)
    return frame


def check_certificate(certificate: FairnessCertificate) -> None:
    """Check from the table of a certificate alone that no allocation has all ratios below the one it claims.

    Parameters
    ----------
    certificate : FairnessCertificate

    Raises
    ------
    DataError
        If an amount that the table calls the largest below the ratio is not, or if an allocation with all ratios
        below it exists.

    Notes
    -----
    Written apart from what computed the certificate: nodes one by one in Python integers, edges as fractions, the
    inverse of an edge by search. Odds are compared to twelve digits, ratios exactly. O(n log n).
    """
    table, unit = certificate.nodes, certificate.unit
    ids = [str(n) for n in table["node_id"]]
    above = [None if pd.isna(p) else str(p) for p in table["parent_id"]]
    children: dict[str, list[str]] = {}
    for node, parent in zip(ids, above, strict=True):
        if parent is not None:
            children.setdefault(parent, []).append(node)
    rows = dict(zip(ids, table.to_dict("records"), strict=True))
    root = ids[above.index(None)]
    order = [root]
    for node in order:
        order.extend(children.get(node, ()))
    least: dict[str, int] = {}
    most: dict[str, float] = {}  # whole numbers, or infinity
    for node in reversed(order):
        row = rows[node]
        low = int(row["floor"]) // unit
        high = math.inf if pd.isna(row["cap"]) else int(row["cap"]) // unit
        if node not in children:
            amount = int(row["most_below"])
            if _ratio(row, amount) >= certificate.ratio and amount > 0:
                raise DataError(
                    f"the certificate is wrong: '{node}' has no ratio below {certificate.ratio} at {amount:,}"
                )
            capped = not pd.isna(row["cap"]) and amount + unit > int(row["cap"])
            if not capped and _ratio(row, amount + unit) < certificate.ratio:
                raise DataError(f"the certificate is wrong: '{node}' could take more than {amount:,} below the ratio")
            least[node], most[node] = low, min(high, amount // unit)
        else:
            factor = Fraction(row["edge"])
            need, takes = sum(least[c] for c in children[node]), sum(most[c] for c in children[node])
            least[node] = max(low, _smallest(factor, need))
            most[node] = high if takes == math.inf else min(high, _smallest(factor, int(takes) + 1) - 1)
        if least[node] > most[node]:
            return
    if not least[root] <= certificate.plan // unit <= most[root]:
        return
    raise DataError(f"the certificate is wrong: an allocation with all ratios below {certificate.ratio} exists.")


def _ratio(row: Mapping[Hashable, Any], amount: int) -> float:
    """Return the ratio of a seat at an amount: quota over base, or ``exp(z)`` of its odds."""
    if math.isinf(row["base"]) or amount == 0:
        return 0.0
    if "spread" not in row:
        return float(amount / row["base"])
    s = row["spread"]
    return math.exp((math.log(amount / row["base"]) + s * s / 2.0) / s)


def _round(units: int, factor: Fraction) -> int:
    return math.floor(units * factor + Fraction(1, 2))


def _smallest(factor: Fraction, total: int) -> int:
    """Return the smallest quota whose children get at least ``total``, by search."""
    high = 1
    while _round(high, factor) < total:
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _round(middle, factor) >= total else (middle, high)
    return high
