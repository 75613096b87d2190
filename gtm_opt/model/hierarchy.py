"""The tree of a go-to-market organization: who divides what among whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_opt.errors import DataError
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tree_base import MAX_BUCKETS, Tree
from gtm_opt.model.tree_groups import rows_of_groups, rows_of_places
from gtm_opt.model.trees import levels_of_frame, rows_of_dict, rows_of_frame, rows_of_reps, rows_of_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from gtm_opt.model.territories import Territories
    from gtm_opt.model.trees import Nested

__all__ = ["MAX_BUCKETS", "Hierarchy"]


@dataclass(frozen=True)
class Hierarchy(Tree):
    """A rooted tree whose leaves are territories.

    Build one with `from_reps`, `from_dict`, `from_frame` or `split` rather than by hand.

    Attributes
    ----------
    nodes : tuple of str
        Node ids, parents before their children, siblings in the order given.
    parents : tuple of (str or None)
        Parent of each node; None for the root, which comes first.
    weights : tuple of float
        Weight of each *leaf* (capacity, for example), > 0; 0 for inner nodes. The share of a node
        is the sum of the weights of its leaves over the sum of all.
    levels : tuple of str
        Name of each depth, the root's first.
    max_buckets : int
        Most children a node may have.

    Raises
    ------
    DataError
        For repeated ids, unknown parents, cycles, more than one root, weights that are not
        positive, and nodes with more than ``max_buckets`` children; all in one error.

    Examples
    --------
    >>> tree = Hierarchy.split(17)
    >>> [tree.leaf_count(child) for child in tree.children(tree.root)]
    [8, 9]
    """

    @classmethod
    def from_dict(
        cls,
        nested: Nested,
        *,
        root: str = "company",
        levels: Sequence[str] = (),
        max_buckets: int = MAX_BUCKETS,
    ) -> Hierarchy:
        """Build from nested dicts whose innermost values are leaf names or leaf weights.

        Examples
        --------
        >>> tree = Hierarchy.from_dict({"East": ["E1", "E2"], "West": {"W1": 1.0, "W2": 0.5}})
        >>> tree.leaves
        ('E1', 'E2', 'W1', 'W2')
        >>> round(tree.share("West"), 4)
        0.4286
        """
        nodes, parents, weights = rows_of_dict(nested, root)
        return cls(tuple(nodes), tuple(parents), tuple(weights), tuple(levels), max_buckets)

    @classmethod
    @takes_tables("nodes")
    def from_frame(
        cls,
        nodes: pd.DataFrame,
        *,
        node: str = "node_id",
        parent: str = "parent_id",
        share: str | None = None,
        levels: Sequence[str] = (),
        level: str | None = "level",
        max_buckets: int = MAX_BUCKETS,
    ) -> Hierarchy:
        """Build from a table with one row per node.

        Parameters
        ----------
        nodes : DataFrame
        node, parent, share : str
            Columns: id, id of the parent (empty for the root), weight of a leaf (default: equal).
        levels : sequence of str
            Name of each depth, the root's first.
        level : str or None
            Column with the name of each node's level, read where there is one and ``levels`` is not given.
            None: there is none.
        max_buckets : int

        Raises
        ------
        DataError
            For missing columns, trees that are none, and a column of levels whose names do not go by depth.
        """
        ids, above, weights = rows_of_frame(nodes, node, parent, share)
        if not levels and level is not None and level in nodes.columns:
            levels = levels_of_frame(nodes, node, level, ids, above)
        return cls(tuple(ids), tuple(above), tuple(weights), tuple(levels), max_buckets)

    @classmethod
    @takes_tables("reps")
    def from_reps(
        cls,
        reps: pd.DataFrame,
        levels: Sequence[str],
        *,
        rep: str = "rep_id",
        share: str | None = None,
        root: str = "company",
        leaf_level: str = "seat",
        max_buckets: int = MAX_BUCKETS,
    ) -> Hierarchy:
        """Build from columns of a rep table: one level per column, the reps as leaves.

        Parameters
        ----------
        reps : DataFrame
            One row per rep (or seat).
        levels : sequence of str
            Columns from the top down, for example ``["region", "manager"]``.
        rep : str
            Column of the leaf names.
        share : str, optional
            Column with the weight of each leaf (capacity); default: equal.
        root : str
            Name of the top node.
        leaf_level : str
            Name of the level of the leaves: seats, whoever sits in them.
        max_buckets : int
            A group with more reps is an error; use `split` below it, or raise the limit.

        Notes
        -----
        Values that occur under several parents (a manager in two regions), or that are a rep's
        name as well (a manager with accounts), become nodes named ``parent/value``.
        """
        levels = [levels] if isinstance(levels, str) else list(levels)
        nodes, above, weights = rows_of_reps(reps, levels, rep, share, root)
        return cls(tuple(nodes), tuple(above), tuple(weights), (root, *levels, leaf_level), max_buckets)

    @classmethod
    def split(
        cls,
        leaves: int | Sequence[str],
        *,
        weights: Sequence[float] | None = None,
        root: str = "company",
        max_buckets: int = MAX_BUCKETS,
    ) -> Hierarchy:
        """Group a flat list into a balanced tree of small carves, neighbors together.

        Parameters
        ----------
        leaves : int or sequence of str
            How many, or their names in an order in which neighbors belong together.
        weights : sequence of float, optional
        root : str
        max_buckets : int
            At least 2.

        Examples
        --------
        >>> print(Hierarchy.split(17, max_buckets=10).to_text(depth=1))
        company (17 leaves, 100.0 %)
        ├── T01 to T08 (8 leaves, 47.1 %)
        └── T09 to T17 (9 leaves, 52.9 %)
        """
        nodes, above, out = rows_of_split(leaves, weights, root, max_buckets)
        return cls(tuple(nodes), tuple(above), tuple(out), (), max_buckets)

    @classmethod
    def by_place(cls, territories: Territories, *, root: str = "company", max_buckets: int = MAX_BUCKETS) -> Hierarchy:
        """Group territories by their centers into a balanced tree: neighbors stay together.

        Parameters
        ----------
        territories : Territories
            With centers.
        root : str
        max_buckets : int

        Notes
        -----
        Recursive bisection across the direction in which a group is longest, at the sizes that
        `split` would choose. Groups are named after their most central territory.

        Raises
        ------
        DataError
            When the territories have no centers.
        """
        if territories.centers is None:
            raise DataError(
                "`territories` must have centers to be grouped by place. Give them, or use Hierarchy.split."
            )
        rows = rows_of_places(territories.names, territories.centers, territories.shares, root, max_buckets)
        return cls(tuple(rows[0]), tuple(rows[1]), tuple(rows[2]), (), max_buckets)

    @classmethod
    @takes_tables("reps")
    def group(
        cls,
        reps: pd.DataFrame,
        by: str,
        *,
        rep: str = "rep_id",
        share: str | None = None,
        root: str = "company",
        max_buckets: int = MAX_BUCKETS,
    ) -> Hierarchy:
        """Group reps by an attribute (a skill, a country), and large groups into small carves.

        Parameters
        ----------
        reps : DataFrame
            One row per rep (or seat).
        by : str
            Column of the attribute; its values become nodes, in order of first appearance.
        rep, share : str
            Columns of leaf names and of leaf weights (default: equal).
        root : str
        max_buckets : int

        Examples
        --------
        >>> import pandas as pd
        >>> reps = pd.DataFrame({"rep_id": list("abcd"), "skill": ["bank", "retail", "bank", "retail"]})
        >>> Hierarchy.group(reps, "skill").leaves_below("bank")
        ('a', 'c')
        """
        rows = rows_of_groups(reps, by, rep, share, root, max_buckets)
        return cls(tuple(rows[0]), tuple(rows[1]), tuple(rows[2]), (), max_buckets)
