"""Progress of a carve: a callback as it is, or a bar."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gtm_opt.carving.tree.levels import NodeSolution
    from gtm_opt.model import Hierarchy
    from gtm_opt.solvers import Progress, ProgressCallback

__all__ = ["as_callback"]


@contextmanager
def as_callback(
    progress: ProgressCallback | bool | None, tree: Hierarchy
) -> Iterator[tuple[ProgressCallback | None, Callable[[NodeSolution], None] | None]]:
    """Yield the callbacks for a run and for finished nodes; ``True`` draws a tqdm bar over the nodes."""
    if progress is None or progress is False:
        yield None, None
        return
    if progress is not True:
        yield progress, None
        return
    from tqdm.auto import tqdm

    nodes = sum(1 for node in tree.nodes if not tree.is_leaf(node))
    with tqdm(total=nodes, unit="node", desc="carving") as bar:

        def show(at: Progress) -> None:
            bar.set_postfix_str(f"{at.step}, value {at.value:.6g}, bound {at.bound:.6g}", refresh=True)

        def advance(solution: NodeSolution) -> None:
            bar.update(1)
            bar.set_description(solution.node)

        yield show, advance
