"""`report`: one page that can be mailed, printed and read without a network."""

from __future__ import annotations

import os
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from gtm_opt.plan import Plan
from gtm_opt.reporting.canvas import PlotNotAvailableError
from gtm_opt.reporting.contents import contents

__all__ = ["report"]

if TYPE_CHECKING:
    from jinja2 import Environment

    from gtm_opt.carving import Carving


def report(plan: Plan | Carving, path: str | os.PathLike[str], *, title: str = "Go-to-market plan") -> Path:
    """Write a plan as one HTML page: status and proof, balance, moves, exceptions, people, capacity, quotas.

    Parameters
    ----------
    plan : Plan or Carving
        Stages the plan does not have are left out.
    path : path
        Ends in ``.html``. An existing file is replaced at the end, in one step.
    title : str
        Heading of the page.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataError
        When the path ends in something else.
    PlotNotAvailableError
        When matplotlib or jinja2 is missing; the message says what to install.

    Notes
    -----
    Self-contained: pictures are inline SVG, there are no scripts and no addresses. Names from the
    tables are escaped. The same plan and version give the same page. Long tables and very many
    territories are cut, and the page says so; the saved plan has everything.
    """
    from gtm_opt.errors import DataError

    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"`path` must end in .html, got '{target.name}'.")
    whole = plan if isinstance(plan, Plan) else Plan(plan)
    page = _environment().get_template("page.html.j2").render(contents(whole, title))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=".html", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(page)
        os.chmod(draft, 0o666 & ~_umask())
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def _environment() -> Environment:
    """Return templates that escape everything and stop at a name they do not know."""
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise PlotNotAvailableError("Reports need jinja2. Run: pip install gtm-opt[report]") from error
    folder = files("gtm_opt.reporting")
    loader = FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8"))
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _umask() -> int:
    """Return the umask; there is no way to read it without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
