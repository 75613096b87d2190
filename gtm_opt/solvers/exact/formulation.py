"""The full model of a node as one sparse mixed-integer program, for any linear solver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gtm_opt.instance import EvennessKind
from gtm_opt.mip import Program

if TYPE_CHECKING:
    from gtm_opt.instance import Evenness, FloatArray, Instance, IntArray

__all__ = ["Formulation", "Pairs", "allowed_pairs", "formulate"]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The (unit, territory) pairs that are not forbidden: one binary column each.

    Attributes
    ----------
    unit, territory : ndarray of int, shape (n_pairs,)
        Sorted by unit, then territory.
    cost : ndarray of shape (n_pairs,)
    activity : ndarray of shape (n_pairs, n_criteria)
    side : ndarray of shape (n_pairs, n_side_rows)
    """

    unit: IntArray
    territory: IntArray
    cost: FloatArray
    activity: FloatArray
    side: FloatArray


def allowed_pairs(instance: Instance) -> Pairs:
    """Return the pairs with finite cost."""
    rows = slice(0, instance.n_units)
    cost = instance.cost_block(rows)
    unit, territory = np.nonzero(np.isfinite(cost))
    activity = instance.activities3()[unit, territory if instance.by_territory else 0]
    side = np.zeros((len(unit), len(instance.side)))
    for r, row in enumerate(instance.side):
        side[:, r] = row.term.block(rows)[unit, territory]
    return Pairs(unit, territory, cost[unit, territory], activity, side)


@dataclass(frozen=True, slots=True, eq=False)
class Formulation:
    """``minimize c x  s.t.  row_low <= A x <= row_high, low <= x <= high, the first n_pairs binary``.

    Attributes
    ----------
    pairs : Pairs
        Columns 0 .. n_pairs - 1.
    objective, low, high : ndarray of shape (n_columns,)
    matrix : csr_array of shape (n_rows, n_columns)
    row_low, row_high : ndarray of shape (n_rows,)
    column_names, row_names : list of str
    """

    pairs: Pairs
    objective: FloatArray
    low: FloatArray
    high: FloatArray
    matrix: sparse.csr_array
    row_low: FloatArray
    row_high: FloatArray
    column_names: list[str]
    row_names: list[str]

    @property
    def n_pairs(self) -> int:
        """Number of binary columns."""
        return len(self.pairs.unit)

    def program(self) -> Program:
        """Return the model for `gtm_opt.mip`."""
        return Program(
            name="carve",
            cost=self.objective,
            low=self.low,
            high=self.high,
            integer=np.arange(len(self.objective)) < self.n_pairs,
            matrix=self.matrix,
            row_low=self.row_low,
            row_high=self.row_high,
            column_names=tuple(self.column_names),
            row_names=tuple(self.row_names),
        )

    def assignment(self, values: FloatArray, n_units: int) -> IntArray | None:
        """Return the territory of each unit from the binary columns, None when a unit has none."""
        answer = np.full(n_units, -1, dtype=np.int64)
        chosen = values[: self.n_pairs] > 0.5
        answer[self.pairs.unit[chosen]] = self.pairs.territory[chosen]
        return answer if (answer >= 0).all() else None


@dataclass(slots=True)
class _Builder:
    """Columns and rows as they are written down."""

    objective: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    entries: list[tuple[IntArray, FloatArray]] = field(default_factory=list)
    row_low: list[float] = field(default_factory=list)
    row_high: list[float] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)

    def column(self, name: str, objective: float, low: float, high: float) -> int:
        self.objective.append(objective)
        self.low.append(low)
        self.high.append(high)
        self.columns.append(name)
        return len(self.columns) - 1

    def row(self, name: str, columns: IntArray, values: FloatArray, low: float, high: float) -> None:
        self.entries.append((columns, values))
        self.row_low.append(low)
        self.row_high.append(high)
        self.rows.append(name)

    def matrix(self) -> sparse.csr_array:
        starts = np.concatenate([[0], np.cumsum([len(c) for c, _ in self.entries])]).astype(np.int64)
        indices = np.concatenate([c for c, _ in self.entries]) if self.entries else np.zeros(0, dtype=np.int64)
        values = np.concatenate([v for _, v in self.entries]) if self.entries else np.zeros(0)
        # HiGHS in older SciPy reads 32-bit indices only
        layout = (values, indices.astype(np.int32), starts.astype(np.int32))
        return sparse.csr_array(layout, shape=(len(self.entries), len(self.columns)))


def formulate(instance: Instance, inside: float = 0.0) -> Formulation:
    """Write down the full model of ``instance``.

    Parameters
    ----------
    instance : Instance
    inside : float
        Draw bands in by this share of the target (a quarter of the band at most), for solvers that
        keep rows only up to a tolerance. 0: the bands as they are, so that bounds are valid.

    Notes
    -----
    Columns: ``x_ik`` binary for allowed pairs; ``over_kj, under_kj >= 0`` for elastic bands, in targets;
    with evenness ``worst >= 0``, for the spread also ``top_j, bottom_j``.

    Minimize ``sum c_ik x_ik + sum penalty_j (over_kj + under_kj)``, or ``worst``, subject to

    1. ``sum_k x_ik = 1`` for every unit;
    2. ``L_kj <= sum_i w_ikj x_ik + T_kj (under_kj - over_kj) <= U_kj`` for every band (divided by the
       target T_kj; no over and under where the band is hard);
    3. ``sum a_rik x_ik <= b_r`` for every side row;
    4. ``sum_{i in g} x_ik <= 1`` for every apart group and territory;
    5. evenness: ``unit_kj worst >= |total_kj - T_kj|`` (deviation);
       ``unit_j worst >= total_kj / (K s_k)`` (peak);
       ``unit_j worst >= top_j - bottom_j`` with ``bottom_j <= total_kj / (K s_k) <= top_j`` (spread).
    """
    pairs, build = allowed_pairs(instance), _Builder()
    even = instance.evenness is not None
    for i, k, cost in zip(pairs.unit.tolist(), pairs.territory.tolist(), pairs.cost.tolist(), strict=True):
        build.column(f"x_{i}_{k}", 0.0 if even else cost, 0.0, 1.0)
    in_territory = [np.flatnonzero(pairs.territory == k) for k in range(instance.n_territories)]
    _units_once(build, pairs, instance.n_units)
    _bands(build, instance, pairs, in_territory, inside)
    # (3) side rows, divided by their limit
    for r, row in enumerate(instance.side):
        scale = 1.0 / max(abs(row.upper), 1e-12)
        used = np.flatnonzero(pairs.side[:, r])
        build.row(f"side_{r}", used, pairs.side[used, r] * scale, -np.inf, row.upper * scale)
    # (4) apart groups
    for g, group in enumerate(instance.apart):
        for k, columns in enumerate(in_territory):
            together = columns[np.isin(pairs.unit[columns], group)]
            if len(together) > 1:
                build.row(f"apart_{g}_{k}", together, np.ones(len(together)), -np.inf, 1.0)
    if instance.evenness is not None:
        _evenness(build, instance, instance.evenness, pairs, in_territory)
    return Formulation(
        pairs=pairs,
        objective=np.array(build.objective),
        low=np.array(build.low),
        high=np.array(build.high),
        matrix=build.matrix(),
        row_low=np.array(build.row_low),
        row_high=np.array(build.row_high),
        column_names=build.columns,
        row_names=build.rows,
    )


def _units_once(build: _Builder, pairs: Pairs, n_units: int) -> None:
    # (1) every unit in one territory; a unit without any leaves an empty row that cannot be met
    starts = np.searchsorted(pairs.unit, np.arange(n_units + 1))
    for i in range(n_units):
        columns = np.arange(starts[i], starts[i + 1])
        build.row(f"unit_{i}", columns, np.ones(len(columns)), 1.0, 1.0)


def _bands(build: _Builder, instance: Instance, pairs: Pairs, in_territory: list[IntArray], inside: float) -> None:
    # (2) bands
    for k, columns in enumerate(in_territory):
        for j in range(instance.n_criteria):
            low, high = float(instance.lower[k, j]), float(instance.upper[k, j])
            if low <= 0.0 and high == np.inf:
                continue
            target = float(instance.target[k, j]) if instance.target[k, j] > 0 else 1.0
            used = columns[pairs.activity[columns, j] != 0.0]
            values, indices = pairs.activity[used, j] / target, used
            hair = min(inside, (high - low) / target / 4.0)
            penalty = float(instance.penalty[j])
            if np.isfinite(penalty):
                even = instance.evenness is not None
                slack = [build.column(f"{n}_{k}_{j}", 0.0 if even else penalty, 0.0, np.inf) for n in ("over", "under")]
                indices, values = np.append(indices, slack), np.append(values, [-1.0, 1.0])
            build.row(f"band_{k}_{j}", indices, values, low / target + hair, high / target - hair)


def _evenness(
    build: _Builder, instance: Instance, evenness: Evenness, pairs: Pairs, in_territory: list[IntArray]
) -> None:
    # (5) evenness
    kind, unit = evenness.kind, evenness.unit
    worst = build.column("worst", 1.0, 0.0, np.inf)
    for j in range(instance.n_criteria):
        ends = [worst, worst]
        base = float(unit[0, j])
        if kind is EvennessKind.SPREAD:
            ends = [build.column(f"{name}_{j}", 0.0, 0.0, np.inf) for name in ("bottom", "top")]
            build.row(f"spread_{j}", np.array([worst, *ends]), np.array([1.0, 1.0, -1.0]), 0.0, np.inf)
        for k, columns in enumerate(in_territory):
            used = columns[pairs.activity[columns, j] != 0.0]
            share = instance.n_territories * float(instance.shares[k])
            if kind is EvennessKind.DEVIATION:
                measure = float(unit[k, j])
                values, aim = pairs.activity[used, j] / measure, float(instance.target[k, j]) / measure
                build.row(f"above_{k}_{j}", np.append(used, worst), np.append(values, -1.0), -np.inf, aim)
                build.row(f"below_{k}_{j}", np.append(used, worst), np.append(values, 1.0), aim, np.inf)
                continue
            values = pairs.activity[used, j] / (share * base)
            build.row(f"peak_{k}_{j}", np.append(used, ends[1]), np.append(values, -1.0), -np.inf, 0.0)
            if kind is EvennessKind.SPREAD:
                build.row(f"low_{k}_{j}", np.append(used, ends[0]), np.append(values, -1.0), 0.0, np.inf)
