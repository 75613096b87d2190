"""Preferences and rules about people that accounts do not know: skills, seniority, span of control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_opt.errors import DataError
from gtm_opt.model.frames import as_labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Rank", "Skills", "Span"]


@dataclass(frozen=True, eq=False)
class Skills:
    """People should have the skills that a seat asks for.

    Attributes
    ----------
    required : DataFrame
        Levels asked for: rows are territories, or values of the account column ``by``; columns are skills.
        Empty: not asked.
    offered : DataFrame
        Levels of people: rows are rep ids, columns the same skills.
    by : str, optional
        Account column (industry, language) whose values are the rows of ``required``; a seat asks for the mix of its
        accounts.
    mandatory : sequence of str
        Skills that must reach the level; below it a person is not eligible. The others are preferences.
    scale : (float, float)
        Lowest and highest level.
    missing : float, optional
        Level of people whose cell is empty. Default: an empty cell is an error, since it is not 0.
    weight : float
        The score of a pair is the mean of ``min(1, offered / required)`` over the skills asked for, 0 to 1.
    """

    required: pd.DataFrame
    offered: pd.DataFrame
    by: str | None = None
    mandatory: Sequence[str] = ()
    scale: tuple[float, float] = (0.0, 5.0)
    missing: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        for name in ("required", "offered"):
            object.__setattr__(self, name, as_labelled(getattr(self, name), name))
        object.__setattr__(
            self, "mandatory", (self.mandatory,) if isinstance(self.mandatory, str) else (*self.mandatory,)
        )

    @property
    def name(self) -> str:
        """Name in tables."""
        return "skills" if self.by is None else f"skills by {self.by}"


@dataclass(frozen=True)
class Rank:
    """People high in one column sit in seats high in another: strong sellers in large territories.

    Attributes
    ----------
    seat : str
        Account column, added up by territory.
    rep : str
        Column of the rep table (performance, seniority).
    weight : float
        The score of a pair is 1 minus the distance of their ranks, each from 0 (lowest) to 1; ties share a rank.
    """

    seat: str
    rep: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"{self.rep} to {self.seat}"


@dataclass(frozen=True)
class Span:
    """A manager leads at most so many people (span of control).

    Attributes
    ----------
    most : int
    """

    most: int

    def __post_init__(self) -> None:
        if self.most < 0:
            raise DataError(f"Span must not be negative, got {self.most}.")

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return f"span of {self.most}"
