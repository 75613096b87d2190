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
from gtm_opt.quota.methods import desired_amounts, methods_of_families, needs_prior
from gtm_opt.quota.node_table import build_node_table
from gtm_opt.quota.result import Quotas
from gtm_opt.quota.rounding import clip_additive, clip_proportional, largest_remainder
from gtm_opt.quota.weights import family_weights, read_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.bounds import Bounds
    from gtm_opt.quota.layers import Layer
    from gtm_opt.quota.methods import Method
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
    weights_at: Mapping[str, Weights] | None = None,
    method: Method | Mapping[str, Method] = "proportional",
    prior: str | pd.Series[float] = "prior",
    fallback: str | Sequence[str] = "equal",
    missing: str = "error",
    metrics: pd.DataFrame | None = None,
    bounds: pd.DataFrame | None = None,
    distance: str = "kl",
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
    weights_at : mapping, optional
        Other weights for a level (the edge into it) or below a node (wins).
    method : str, callable or mapping
        How a family shares its total: ``"proportional"`` to the weights; ``"same_growth"`` (last year plus the same
        for everybody); ``"fair_share_growth"`` (last year kept, growth by weight); ``"growth_by_potential"`` (last
        year kept, growth where the share of the weights is ahead of last year's); a function of a table of children
        (``node_id``, ``weight_frac``, ``prior``) and the family's total that returns one amount per child, used as
        shares; or a mapping of levels and nodes to those.
    prior : str or Series
        Last year's amounts, for methods of growth: a column of `metrics`, or a Series by node id.
    fallback : str or sequence of str
        What a family whose weights are all zero shares by instead: metrics in turn, ``"equal"`` (default), or
        ``"error"``. The notes of the result say where it was used.
    missing : {"error", "mean"}
        What a leaf without a weight counts as: a mistake, or the mean of its siblings (a new seat; also noted). A zero
        is a zero.
    metrics : DataFrame, optional
        One row per node (``node_id``, as column or index) and one column per metric. Inner
        nodes that are left out get the sum of their children.
    bounds : DataFrame, optional
        ``node_id`` with any of ``floor``, ``cap``, ``pin`` (both at once), and ``prior`` with
        ``max_down_frac`` and ``max_up_frac`` (change against last year). ``basis``: floor, cap and pin
        are meant ``"after"`` (default) or ``"before"`` the over-assignment of the edge into the node.
        Siblings share what pins leave. Order never matters, and two rows for a node are refused.
    distance : {"kl", "l2"}
        How bounds are kept: all others scaled by the same factor, or shifted by the same amount.
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
        Q_c = clip(lambda_p * w_c, floor_c, cap_c)    before rounding, distance "kl"    (11)
        Q_c = clip(y_c + tau_p, floor_c, cap_c)       distance "l2"                     (12)

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
    weight, notes = family_weights(layers, weights, weights_at, metrics, fallback, missing, found)
    methods, which = methods_of_families(method, layers, found)
    before = _read_prior(methods, prior, layers, metrics, found)
    if distance not in ("kl", "l2"):
        found.add("distance", "must be 'kl' or 'l2'", got=repr(distance))
    limit = None if found else read_bounds(bounds, layers, unit, edges, plan, found)
    found.raise_if_any()
    units = np.zeros(len(layers), dtype=np.int64)
    side = np.zeros(len(layers), dtype=np.int64)
    units[0] = plan
    for layer in layers.down():
        totals = np.array([round_half_up(int(units[p]), edges[p]) for p in layer.parents], dtype=np.int64)
        wanted = desired_amounts(methods, which, totals, weight[layer.nodes], before[layer.nodes], layer, layers, unit)
        units[layer.nodes], side[layer.nodes] = _share_out(totals, wanted, layer, limit, distance)
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


def _read_prior(
    methods: list[Method],
    prior: str | pd.Series[float],
    layers: Layers,
    metrics: pd.DataFrame | None,
    found: Findings,
) -> FloatArray:
    """Return last year's amounts; zeros where no method asks for them, and where a function may do without."""
    if not needs_prior(methods):
        return np.zeros(len(layers))
    if isinstance(prior, str):
        known = metrics is not None and prior in metrics.columns
        if not known and not any(isinstance(m, str) and m != "proportional" for m in methods):
            return np.zeros(len(layers))
        return read_metric(prior, layers, prior, metrics, found)
    return read_metric("prior", layers, prior, metrics, found)


def _share_out(
    totals: IntArray, wanted: FloatArray, layer: Layer, limit: Bounds | None, distance: str
) -> tuple[IntArray, IntArray]:
    """Return whole units per node of a layer, and at which bound each is."""
    starts, group = layer.starts, layer.group
    if limit is None:
        units = largest_remainder(totals, wanted, starts, group)
        return units, np.zeros_like(units)
    floors, caps = limit.floors[layer.nodes], limit.caps[layer.nodes]
    if distance == "l2":
        amounts, side = clip_additive(totals, wanted, starts, group, floors, caps)
    else:
        shares = wanted / np.where(totals > 0, totals, 1)[group]
        amounts, side = clip_proportional(totals, shares, starts, group, floors, caps)
    return largest_remainder(totals, amounts, starts, group, floors, caps), side
