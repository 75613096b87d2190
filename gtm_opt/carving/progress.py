"""Progress of long work: a callback as it is, or a bar that appears where somebody watches."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gtm_opt.carving.tree.levels import NodeSolution
    from gtm_opt.model import Hierarchy
    from gtm_opt.solvers import Progress, ProgressCallback

__all__ = ["PATIENCE", "as_callback", "is_watched", "progress_over"]

PATIENCE = 2.0
"""Seconds after which a bar appears that nobody asked for."""


@contextmanager
def as_callback(
    progress: ProgressCallback | bool | None, tree: Hierarchy
) -> Iterator[tuple[ProgressCallback | None, Callable[[NodeSolution], None] | None]]:
    """Yield the callbacks for a run and for finished nodes.

    ``True`` draws a tqdm bar over the nodes at once, ``None`` after `PATIENCE` seconds where somebody watches.
    """
    nodes = sum(1 for node in tree.nodes if not tree.is_leaf(node))
    with progress_over(progress, nodes, "node", "carving") as (callback, count):
        yield callback, None if count is None else lambda solution: count(solution.node)


@contextmanager
def progress_over(
    progress: ProgressCallback | bool | None, total: int, unit: str, what: str
) -> Iterator[tuple[ProgressCallback | None, Callable[[str], None] | None]]:
    """Yield what to call with the numbers of a run, and with the name of each part that is done."""
    if progress is False or (progress is None and not is_watched()):
        yield None, None
        return
    if progress is not None and progress is not True:
        yield progress, None
        return
    bar = LateBar(0.0 if progress else PATIENCE, total, unit, what)
    try:
        yield bar.show, bar.count
    finally:
        bar.close()


class LateBar:
    """A bar that is drawn once the work has taken a while."""

    def __init__(self, patience: float, total: int, unit: str, what: str) -> None:
        self.patience, self.total, self.unit, self.what = patience, total, unit, what
        self.begin = time.monotonic()
        self.done = 0
        self.bar: Any = None
        self._draw_if_late()

    def _draw_if_late(self) -> bool:
        if self.bar is None and time.monotonic() - self.begin >= self.patience:
            self.bar = make_bar(total=self.total, initial=self.done, unit=self.unit, desc=self.what)
        return self.bar is not None

    def show(self, at: Progress) -> None:
        """Show the numbers of a run."""
        if self._draw_if_late():
            value = f", best {at.value:.5g}" if at.value < float("inf") else ""
            gap = f", gap {at.gap:.1%}" if at.gap < 10 else ""
            self.bar.set_postfix_str(f"{at.step}{value}{gap}", refresh=True)

    def count(self, name: str) -> None:
        """Count a part that is done."""
        self.done, self.what = self.done + 1, name
        if self.bar is not None:
            self.bar.update(1)
            self.bar.set_description(name)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


def make_bar(**words: Any) -> Any:
    """Return a tqdm bar, of the notebook where that can draw one."""
    draw: Any
    if in_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as draw
    else:
        from tqdm.std import tqdm as draw
    return draw(leave=False, dynamic_ncols=True, **words)


def is_watched() -> bool:
    """Whether a bar on the error stream reaches somebody: a terminal or a notebook, asked from the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return False
    return in_notebook() or bool(getattr(sys.stderr, "isatty", lambda: False)())


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
