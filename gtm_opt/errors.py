"""Errors and warnings: one root to catch, the matching built-in as second parent.

Every message says which argument, the rule, what was found (count and first
offenders) and what to do. Errors about data collect *all* findings before they are
raised, so that a planner fixes a spreadsheet once.
"""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "DataError",
    "Finding",
    "Findings",
    "GtmOptError",
    "GtmOptWarning",
    "InfeasibleError",
    "MeasureError",
    "RenamedWarning",
    "ScalingWarning",
    "SolverError",
    "SolverNotAvailableError",
    "amount_text",
    "number_text",
    "percent_text",
    "shorten",
    "warn_renamed",
]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an input.

    Attributes
    ----------
    where : str
        The argument, table or column, for example ``accounts['arr']``.
    rule : str
        What must hold, as a sentence fragment: "must not be negative". Empty where ``where`` is a whole
        sentence of its own.
    got : str
        What was found instead.
    remedy : str
        What the user can do.
    rows : tuple of str
        Ids of all the offenders, in input order (may be empty).
    kind : str
        What the offenders are: "row", "territory", "pair".
    """

    where: str
    rule: str
    got: str = ""
    remedy: str = ""
    rows: tuple[str, ...] = field(default=())
    kind: str = "row"

    def __str__(self) -> str:
        if not self.rule:
            return self.where
        text = f"{self.where} {self.rule}"
        if self.got:
            text += f", got {self.got}"
        if self.rows:
            join = " in" if self.got or self.kind == "row" else "; violated by"
            text += f"{join} {_count(len(self.rows), self.kind)}: {shorten(self.rows)}"
        text += "."
        if self.remedy:
            text += f"\n    {self.remedy}"
        return text


def _count(number: int, kind: str) -> str:
    if number == 1:
        return f"1 {kind}"
    plural = {"leaf": "leaves", "territory": "territories", "category": "categories"}
    return f"{number:,} {plural.get(kind, kind + 's')}"


def shorten(ids: Sequence[object], shown: int = _SHOWN) -> str:
    """Return the first few ids, quoted, and how many more there are.

    Examples
    --------
    >>> shorten(["A-1", "A-2", "A-3"], shown=2)
    "'A-1', 'A-2' and 1 more"
    """
    text = ", ".join(f"'{i}'" for i in ids[:shown])
    more = len(ids) - shown
    return f"{text} and {more:,} more" if more > 0 else text


def number_text(value: float) -> str:
    """Return a number as planners write it: no exponents, four digits where it is small.

    Examples
    --------
    >>> number_text(1694400.4), number_text(0.0625), number_text(12)
    ('1,694,400', '0.0625', '12')
    """
    if 1000 <= abs(value) < float("inf"):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def amount_text(value: float, currency: str = "") -> str:
    """Return an amount of money in whole units, with the currency where it is known.

    Examples
    --------
    >>> amount_text(1234567.0, "EUR"), amount_text(-20)
    ('1,234,567 EUR', '-20')
    """
    return f"{value:,.0f} {currency}".rstrip()


def percent_text(fraction: float, digits: int = 1) -> str:
    """Return a fraction in percent, trailing zeros dropped.

    Examples
    --------
    >>> percent_text(0.412), percent_text(0.05), percent_text(1.41, digits=0)
    ('41.2 %', '5 %', '141 %')
    """
    text = f"{100.0 * fraction:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


class GtmOptError(Exception):
    """Root of all errors raised on purpose by this library."""


class DataError(GtmOptError, ValueError):
    """The input is wrong. ``findings`` holds everything that was found.

    Parameters
    ----------
    findings : sequence of Finding or str
        At least one.
    """

    def __init__(self, findings: Sequence[Finding] | str) -> None:
        if isinstance(findings, str):
            findings = [Finding(where=findings, rule="")]
            text = findings[0].where
        else:
            text = "\n".join(str(f) for f in findings)
            if len(findings) > 1:
                text = f"{len(findings)} things are wrong with the input:\n" + "\n".join(
                    f"{number}. {finding}" for number, finding in enumerate(findings, 1)
                )
        super().__init__(text)
        self.findings: tuple[Finding, ...] = tuple(findings)


class InfeasibleError(GtmOptError, ValueError):
    """The request contradicts itself or the data: no plan can meet it.

    Parameters
    ----------
    reasons : sequence of str
        In planner's words, each with the numbers and the nearest possible.
    hint : str
        How to get a plan all the same; ends the text, and is no reason.
    """

    def __init__(self, reasons: Sequence[str] | str, hint: str = "") -> None:
        self.reasons: tuple[str, ...] = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        self.hint = hint
        text = (
            self.reasons[0] if len(self.reasons) == 1 else "\n".join(f"{n}. {r}" for n, r in enumerate(self.reasons, 1))
        )
        between = "" if not hint else " " if len(self.reasons) == 1 else "\n"
        super().__init__(text + between + hint)


class MeasureError(GtmOptError, ValueError):
    """A measure is not defined for these values."""


class SolverError(GtmOptError, RuntimeError):
    """A solver failed, or was asked for something it cannot do."""


class SolverNotAvailableError(SolverError, ImportError):
    """A solver's package is not installed; the message says what to install."""


class GtmOptWarning(UserWarning):
    """Root of all warnings of this library."""


class ScalingWarning(GtmOptWarning):
    """Numbers span so many orders of magnitude that small ones may be lost."""


class RenamedWarning(GtmOptWarning, FutureWarning):
    """A name of an earlier release was used; it is understood for one release more."""


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller of the library that ``old`` is now called ``new``.

    Parameters
    ----------
    old, new : str
        How the user writes it, for example ``"Role(productivity_py=...)"``.
    """
    text = f"{old} is now called {new}; the old name goes with the next release."
    warnings.warn(text, RenamedWarning, stacklevel=_frames_to_caller())


def _frames_to_caller() -> int:
    """Return the stack level, seen from the function that calls this one, of the first frame outside the library."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    return level


class Findings:
    """A list of findings that grows during validation and is raised once.

    Examples
    --------
    >>> found = Findings()
    >>> found.add("shares", "must be positive", got="-0.1", remedy="Drop the territory instead.")
    >>> found.raise_if_any()
    Traceback (most recent call last):
        ...
    gtm_opt.errors.DataError: shares must be positive, got -0.1.
        Drop the territory instead.
    """

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def add(
        self,
        where: str,
        rule: str,
        *,
        got: str = "",
        remedy: str = "",
        rows: Iterable[object] = (),
        kind: str = "row",
    ) -> None:
        """Record one finding, once; ``kind`` says what ``rows`` are, where they are not rows of a table."""
        finding = Finding(where, rule, got, remedy, tuple(str(r) for r in rows), kind)
        if finding not in self._found:
            self._found.append(finding)

    def extend(self, error: DataError) -> None:
        """Take over the findings of an error raised further down."""
        self._found.extend(error.findings)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        """Raise one `DataError` with everything recorded, if anything was."""
        if self._found:
            raise DataError(self._found)
