"""What all pictures share: matplotlib, found late; colors everybody can tell apart; SVG text."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from gtm_opt.errors import GtmOptError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BAD", "COLORS", "GOOD", "MARKERS", "PALE", "PlotNotAvailableError", "axes_for", "plain", "svg"]

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A6A00", "#555555")
"""Colors that people with any of the common color deficiencies tell apart, after Okabe and Ito."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h", "<", ">", "*")
"""Second sign beside the color, so that no two territories look the same."""

GOOD, BAD, PALE = "#0072B2", "#D55E00", "#DDE3E8"


class PlotNotAvailableError(GtmOptError, ImportError):
    """A package that draws is not installed; the message says what to install."""


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """Return ``ax``, or the axes of a new figure that belongs to nobody but the caller.

    Notes
    -----
    Made without pyplot: no window, no list of open figures, no global state. In a notebook the
    returned axes show themselves when they are the last thing in a cell.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotNotAvailableError("Pictures need matplotlib. Run: pip install gtm-opt[plot]") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes._repr_svg_ = lambda: svg(figure, "notebook")  # type: ignore[attr-defined]
    return axes


def plain(text: object) -> str:
    """Return text that matplotlib draws as it is: a dollar sign starts no formula."""
    return str(text).replace("$", r"\$")


def svg(figure: Figure, salt: str) -> str:
    """Return a figure as an SVG element that can stand in a page: no prolog, no addresses, no date.

    Parameters
    ----------
    figure : Figure
    salt : str
        Goes into the ids of the element, which must differ from picture to picture in one page.
    """
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{salt}-", text)
