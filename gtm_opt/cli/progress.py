"""A line on stderr that shows how a carve is getting on."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gtm_opt.solvers import Progress

__all__ = ["progress_line"]


@contextmanager
def progress_line(quiet: bool, time_limit: float | None) -> Iterator[Callable[[Progress], object] | None]:
    """Yield a progress callback; None when nobody watches (quiet, or stderr is no terminal)."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = [SpinnerColumn(), TextColumn("carving: {task.description}"), BarColumn(bar_width=24), TimeElapsedColumn()]
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the requirements", total=time_limit)

        def show(at: Progress) -> None:
            value = f", best {at.value:.5g}" if at.value < float("inf") else ""
            gap = f", gap {at.gap:.1%}" if at.gap < 10 else ""
            done = at.seconds if time_limit is not None else None
            bar.update(task, description=f"{at.step}{value}{gap}", completed=done)

        yield show
