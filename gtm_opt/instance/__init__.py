"""The carving problem as arrays: what every solver reads and every measure is computed from."""

from gtm_opt.instance.instance import CHUNK, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.instance.sums import dot, product
from gtm_opt.instance.terms import (
    Barred,
    Dense,
    Distance,
    FloatArray,
    Grouped,
    IntArray,
    Lowest,
    Only,
    Rows,
    Stay,
    Table,
    Term,
    frozen,
)

__all__ = [
    "CHUNK",
    "Barred",
    "Dense",
    "Distance",
    "Evenness",
    "EvennessKind",
    "FloatArray",
    "Grouped",
    "Instance",
    "IntArray",
    "Lowest",
    "Only",
    "Rows",
    "SideRow",
    "Stay",
    "Table",
    "Term",
    "dot",
    "frozen",
    "product",
]
