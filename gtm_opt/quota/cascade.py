"""`cascade`: hand a plan down a hierarchy, exact to the unit at every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.renamed import accept_renamed
from gtm_opt.quota.bounds import read_bounds, round_half_up
from gtm_opt.quota.inputs import read_edges, read_plan_units
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.node_table import build_node_table
from gtm_opt.quota.result import Quotas
from gtm_opt.quota.rounding import clip_proportional, largest_remainder
from gtm_opt.quota.weights import sibling_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.bounds import Bounds
    from gtm_opt.quota.layers import Layer
    from gtm_opt.quota.weights import Weights

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

__all__ = ["cascade"]


@accept_renamed(plan_usd="target")
@takes_tables("metrics", "bounds")
def cascade(
    tree: TreeLike,
    target: float,
    *,
    over_assign: float | Mapping[str, float] | None = None,
    weights: Weights = "share",
    metrics: pd.DataFrame | None = None,
    bounds: pd.DataFrame | None = None,
    unit: int = 1_000,
    calendar: Calendar | None = None,
    currency: str = "",
) -> Quotas:
    """Cascade a plan down a hierarchy.

    Parameters
    ----------
    tree : Hierarchy
    target : float
        Quota of the root, in the plan's currency; a multiple of `unit`.
    over_assign : float or mapping, optional
        Fraction by which the quotas of children exceed their parent's. A number holds for
        every edge. A mapping has levels (the edge *into* that level) or node ids (the edge
        *below* that node; wins over its children's level). Edges multiply: 5 % and then
        10 % make 15.5 %. Negative: a reserve that the manager holds back.
    weights : str, mapping or Series
        ``"share"`` (default: the hierarchy's), ``"equal"``, a column of `metrics`, a
        mapping of those to betas that sum to 1, or a Series of weights by node id.
    metrics : DataFrame, optional
        One row per node (``node_id``, as column or index) and one column per metric. Inner
        nodes that are left out get the sum of their children.
    bounds : DataFrame, optional
        ``node_id`` with any of ``floor``, ``cap``, and ``prior`` with
        ``max_down_frac`` and ``max_up_frac`` (change against last year).
    unit : int
        Rounding unit, an amount in the same currency.
    calendar : Calendar, optional
        Spreads quotas over quarters and months, see `Quotas.periods`. Its first fiscal
        year is used.
    currency : str
        Label of the amounts, for display only: "EUR".

    Returns
    -------
    Quotas

    Raises
    ------
    DataError
        With every finding in the arguments.
    InfeasibleError
        If floors and caps contradict each other or the plan; with the reachable range.

    Notes
    -----
    At every node p with over-assignment o::

        sum_{c in ch(p)} Q_c = round_u((1 + o_p) Q_p)                                   (10)
        Q_c = clip(lambda_p * w_c, floor_c, cap_c)    before rounding                   (11)

    (10) holds exactly, in whole units, halves rounded up; over-assignment is taken as the
    decimal number it is written as. The weights of siblings are blended after each metric
    is turned into shares among them. Units are shared out by largest remainder within the
    bounds, ties by node id. Bounds of descendants are carried up first, so that a manager
    never gets less than the floors of the team need.

    The result does not depend on the order of rows. O(n log n).
    """
    found = Findings()
    layers = Layers.of(tree)
    plan = read_plan_units(target, unit, found)
    edges = read_edges(over_assign, layers, found)
    weight, notes = sibling_weights(layers, weights, metrics, found)
    limit = None if found else read_bounds(bounds, layers, unit, edges, plan, found)
    found.raise_if_any()
    units = np.zeros(len(layers), dtype=np.int64)
    side = np.zeros(len(layers), dtype=np.int64)
    units[0] = plan
    for layer in layers.down():
        totals = np.array([round_half_up(int(units[p]), edges[p]) for p in layer.parents], dtype=np.int64)
        units[layer.nodes], side[layer.nodes] = _share_out(totals, weight[layer.nodes], layer, limit)
    quotas = Quotas(
        table=build_node_table(tree, layers, units * unit, weight, edges, side),
        target=plan * unit,
        unit=unit,
        calendar=None if calendar is None else calendar.first_year(),
        notes=tuple(notes),
        currency=currency,
    )
    quotas.tie_out()
    return quotas


def _share_out(totals: IntArray, weight: FloatArray, layer: Layer, limit: Bounds | None) -> tuple[IntArray, IntArray]:
    """Return whole units per node of a layer, and at which bound each is."""
    starts, group = layer.starts, layer.group
    if limit is None:
        units = largest_remainder(totals, totals[group] * weight, starts, group)
        return units, np.zeros_like(units)
    floors, caps = limit.floors[layer.nodes], limit.caps[layer.nodes]
    amounts, side = clip_proportional(totals, weight, starts, group, floors, caps)
    return largest_remainder(totals, amounts, starts, group, floors, caps), side
