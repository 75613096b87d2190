"""Territories (seats): their names, shares, status, incumbents and centers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean, id_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_opt.model.hierarchy import Hierarchy

__all__ = ["SeatStatus", "Territories"]

SHARE_TOLERANCE = 1e-6


class SeatStatus(StrEnum):
    """Whether somebody sits in a seat."""

    FILLED = "filled"
    TO_BE_HIRED = "to be hired"
    TO_BE_REPLACED = "to be replaced"

    @classmethod
    def read(cls, text: object) -> SeatStatus:
        """Return the status a cell means: full words, or the usual ``TBH`` and ``TBR``."""
        word = str(text).strip().lower().replace("_", " ").replace("-", " ")
        word = {"tbh": "to be hired", "open": "to be hired", "tbr": "to be replaced", "active": "filled"}.get(
            word, word
        )
        if word not in {status.value for status in cls}:
            raise DataError(
                f"The status of a seat must be 'filled', 'to be hired' (TBH) or 'to be replaced' (TBR), got '{text}'."
            )
        return cls(word)


@dataclass(frozen=True)
class Territories:
    """The buckets accounts are carved into.

    Attributes
    ----------
    names : tuple of str
        Unique.
    shares : tuple of float
        Fraction of everything each should get; positive, sum to 1. Default: equal. Use
        `from_weights` for 8 : 9 or capacities.
    status : tuple of SeatStatus
        Default: all filled. Words such as ``"TBH"`` are read.
    reps : tuple of (str or None)
        Id of the incumbent of each seat, every one once. Owners in the account table are matched
        against these ids and against ``names``; a rep id must not be another territory's name.
    centers : tuple of (float, float), or None
        Latitude and longitude (or plane coordinates) of each territory's center.

    Raises
    ------
    DataError
        For repeated names and reps, shares that are not positive or do not sum to 1, and lengths
        that differ.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...] = ()
    status: tuple[SeatStatus, ...] = ()
    reps: tuple[str | None, ...] = ()
    centers: tuple[tuple[float, float], ...] | None = field(default=None)

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            raise DataError(
                f"`territories` must be a sequence of names, got the text '{self.names}'. Put it in a list."
            )
        count = len(self.names)
        put = object.__setattr__
        put(self, "names", tuple(str(n) for n in self.names))
        put(self, "shares", tuple(float(s) for s in self.shares) or (1.0 / count,) * count if count else ())
        put(self, "status", tuple(SeatStatus.read(s) for s in self.status) or (SeatStatus.FILLED,) * count)
        put(self, "reps", tuple(None if r is None else str(r) for r in self.reps) or (None,) * count)
        if self.centers is not None:
            put(self, "centers", tuple((float(a), float(b)) for a, b in self.centers))
        self._check()

    def _check(self) -> None:
        found = Findings()
        count = len(self.names)
        if count == 0:
            found.add("territories", "needs at least one territory", remedy="Give names, or a number.")
        names = pd.Series(self.names, dtype=object)
        if names.duplicated().any():
            found.add(
                "territories",
                "must have unique names",
                got="repeated names",
                rows=names[names.duplicated()].unique(),
                kind="name",
                remedy="Rename them, for example with a number behind.",
            )
        self._check_reps(found)
        for label, values in (
            ("shares", self.shares),
            ("status", self.status),
            ("reps", self.reps),
            ("centers", self.centers),
        ):
            if values is not None and len(values) != count:
                found.add(
                    f"territories.{label}", f"needs one entry for each of the {count} territories", got=str(len(values))
                )
        shares = np.asarray(self.shares, dtype=float)
        bad = [n for n, s in zip(self.names, shares, strict=False) if not (np.isfinite(s) and s > 0)]
        if bad:
            found.add(
                "territories.shares",
                "must be positive",
                rows=bad,
                kind="territory",
                remedy="Leave out a territory that gets nothing.",
            )
        elif count and abs(shares.sum() - 1.0) > SHARE_TOLERANCE:
            found.add(
                "territories.shares",
                "must sum to 1",
                got=f"{shares.sum():.6g}",
                remedy="Correct them, or use Territories.from_weights, which divides by the sum.",
            )
        found.raise_if_any()

    def _check_reps(self, found: Findings) -> None:
        seated = pd.Series([r for r in self.reps if r is not None], dtype=object)
        if seated.duplicated().any():
            found.add(
                "territories.reps",
                "must seat every rep once",
                got="repeated ids",
                rows=seated[seated.duplicated()].unique(),
                kind="rep",
                remedy="Make one territory of both, or leave the rep of one of them out (None).",
            )
        at = {name: k for k, name in enumerate(self.names)}
        crossed = [r for k, r in enumerate(self.reps) if r is not None and at.get(r, k) != k]
        if crossed:
            found.add(
                "territories.reps",
                "must not be the name of another territory",
                rows=crossed,
                kind="rep",
                remedy="Rename the territories: an owner of that name could mean either.",
            )

    @classmethod
    def equal(cls, territories: int | Sequence[str]) -> Territories:
        """Return equal territories, by number (T1, T2, ...) or by name."""
        if isinstance(territories, int | Integral):
            if territories < 1:
                raise DataError(f"`territories` must be at least 1, got {territories}.")
            width = len(str(territories))
            return cls(tuple(f"T{n:0{width}d}" for n in range(1, int(territories) + 1)))
        if isinstance(territories, str):
            return cls(territories)  # type: ignore[arg-type]  # refused there
        return cls(tuple(territories))

    @classmethod
    def from_weights(cls, weights: Mapping[str, float]) -> Territories:
        """Return territories whose shares are in proportion to ``weights``.

        Examples
        --------
        >>> Territories.from_weights({"East": 8, "West": 9}).shares
        (0.47058823529411764, 0.5294117647058824)
        """
        total = fsum(weights.values())
        if not 0 < total < float("inf"):
            raise DataError(f"`weights` must have a positive sum, got {total:g}.")
        return cls(tuple(weights), tuple(float(w) / total for w in weights.values()))

    @classmethod
    def from_hierarchy(cls, tree: Hierarchy) -> Territories:
        """Return the leaves of a hierarchy with their shares."""
        return cls(tree.leaves, tuple(tree.share(leaf) for leaf in tree.leaves))

    @classmethod
    @takes_tables("reps")
    def from_reps(
        cls,
        reps: pd.DataFrame,
        *,
        rep: str = "rep_id",
        name: str | None = None,
        share: str | None = None,
        status: str | None = None,
        center: tuple[str, str] | None = None,
    ) -> Territories:
        """Return one territory per row of a rep table.

        Parameters
        ----------
        reps : DataFrame
            One row per seat; a seat to be hired is a row too (its rep id is then the seat's).
        rep : str
            Column of unique rep ids.
        name : str, optional
            Column of territory names; default: the rep ids.
        share : str, optional
            Column of capacities (any unit); default: ``"capacity"`` where there is one, else equal.
        status : str, optional
            Column of filled / to be hired / to be replaced; default: ``"status"`` where there is one.
        center : (str, str), optional
            Columns of latitude and longitude; default: ``("lat", "lon")`` where both exist.
        """
        found = Findings()
        share = share if share is not None else "capacity" if "capacity" in reps.columns else None
        status = status if status is not None else "status" if "status" in reps.columns else None
        if center is None and {"lat", "lon"} <= set(reps.columns):
            center = ("lat", "lon")
        wanted = [c for c in (rep, name, share, status, *(center or ())) if c is not None]
        for column in dict.fromkeys(wanted):
            if column not in reps.columns:
                found.add(f"reps['{column}']", "must exist", remedy=did_you_mean(column, reps.columns))
        if rep in reps.columns:
            _check_rep_ids(reps[rep], found)
        found.raise_if_any()
        ids = id_text(reps[rep]).tolist()
        names = ids if name is None else _read_names(reps[name], ids, found)
        states = _read_status(reps, status, ids, found)
        weights = _read_shares(reps, share, ids, found)
        points = _read_centers(reps, center, ids, found)
        found.raise_if_any()
        total = fsum(weights)
        return cls(
            tuple(names),
            tuple(float(w) / total for w in weights),
            tuple(states),
            tuple(ids),
            points,
        )

    @property
    def count(self) -> int:
        """Number of territories."""
        return len(self.names)

    @property
    def position(self) -> dict[str, int]:
        """Position of each name, and of each rep id that is not a name."""
        out = {rep: at for at, rep in enumerate(self.reps) if rep is not None}
        out.update({name: at for at, name in enumerate(self.names)})
        return out

    @property
    def table(self) -> pd.DataFrame:
        """One row per territory: territory, share, status, rep_id (and center)."""
        table = pd.DataFrame(
            {
                "territory": self.names,
                "share": self.shares,
                "status": [s.value for s in self.status],
                "rep_id": self.reps,
            }
        )
        if self.centers is not None:
            table["center_1"], table["center_2"] = zip(*self.centers, strict=True)
        return table


def _check_rep_ids(ids: pd.Series, found: Findings) -> None:
    where = f"reps['{ids.name}']"
    if ids.isna().any():
        found.add(
            where,
            "must not be empty",
            rows=[f"row {at}" for at in np.flatnonzero(ids.isna())],
            remedy="Give seats without a person an id such as 'TBH-1'.",
        )
    twice = ids[ids.duplicated() & ids.notna()].unique()
    if len(twice):
        found.add(
            where,
            "must name every rep once",
            got="repeated ids",
            rows=twice,
            kind="rep",
            remedy="Merge the rows of one rep.",
        )


def _read_names(names: pd.Series, ids: Sequence[str], found: Findings) -> list[str]:
    text = id_text(names).tolist()
    bad = [name for name, own in zip(ids, text, strict=True) if not own.strip()]
    if bad:
        found.add(f"reps['{names.name}']", "must not be empty", rows=bad, remedy="Name the territory of every seat.")
    return text


def _read_status(reps: pd.DataFrame, column: str | None, ids: Sequence[str], found: Findings) -> list[SeatStatus]:
    if column is None:
        return [SeatStatus.FILLED] * len(reps)
    out, bad = [], []
    for name, text in zip(ids, reps[column], strict=True):
        try:
            out.append(SeatStatus.read(text))
        except DataError:
            bad.append(f"{name}: {text}")
    if bad:
        found.add(
            f"reps['{column}']",
            "must be 'filled', 'to be hired' (TBH) or 'to be replaced' (TBR)",
            rows=bad,
            remedy="Translate your own words first.",
        )
    return out


def _read_shares(reps: pd.DataFrame, column: str | None, ids: Sequence[str], found: Findings) -> list[float]:
    if column is None:
        return [1.0] * len(reps)
    numbers = pd.to_numeric(reps[column], errors="coerce").to_numpy(dtype=float)
    bad = [name for name, number in zip(ids, numbers, strict=True) if not (np.isfinite(number) and number > 0)]
    if bad:
        found.add(
            f"reps['{column}']",
            "must hold positive capacities",
            rows=bad,
            remedy="Leave out reps without capacity, or give the capacity of the ramped seat.",
        )
    return [float(number) for number in numbers]


def _read_centers(
    reps: pd.DataFrame, columns: tuple[str, str] | None, ids: Sequence[str], found: Findings
) -> tuple[tuple[float, float], ...] | None:
    if columns is None:
        return None
    points = reps[list(columns)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    bad = [name for name, point in zip(ids, points, strict=True) if not np.isfinite(point).all()]
    if bad:
        found.add(
            f"reps['{columns[0]}'] and reps['{columns[1]}']",
            "must hold coordinates",
            rows=bad,
            remedy="Give a home location to every seat, for a seat to be hired the wanted one; or drop the columns.",
        )
    return tuple((float(a), float(b)) for a, b in points)
