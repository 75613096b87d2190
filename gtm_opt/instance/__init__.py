"""The carving problem as arrays: what every solver reads and every measure is computed from."""

from gtm_opt.instance.instance import CHUNK, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.instance.sums import dot, product
from gtm_opt.instance.terms import (
    BestLeaf,
    Dense,
    Distance,
    FloatArray,
    ForbiddenTerm,
    IntArray,
    MoveCost,
    PinTerm,
    Rows,
    Table,
    Term,
    UnitSum,
    frozen,
)

__all__ = [
    "CHUNK",
    "BestLeaf",
    "Dense",
    "Distance",
    "Evenness",
    "EvennessKind",
    "FloatArray",
    "ForbiddenTerm",
    "Instance",
    "IntArray",
    "MoveCost",
    "PinTerm",
    "Rows",
    "SideRow",
    "Table",
    "Term",
    "UnitSum",
    "dot",
    "frozen",
    "product",
]
