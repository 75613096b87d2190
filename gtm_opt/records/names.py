"""Company names as records are compared by them: without legal form, split into what names and what describes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import GtmOptError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["comparison_columns", "require_match"]

_WORD = re.compile(r"[^\W_]+")
_FILLERS = {"the", "and", "of", "der", "die", "das", "und", "la", "le", "les", "et"}
_SLIP = 88.0
_FREQUENT = 0.001


def require_match() -> None:
    """Raise unless the packages of the extra ``match`` are installed.

    Raises
    ------
    GtmOptError
        With the command that installs them.
    """
    from importlib.util import find_spec

    missing = [name for name in ("splink", "rapidfuzz", "cleanco") if find_spec(name) is None]
    if missing:
        raise GtmOptError(
            f"Finding duplicates needs {', '.join(missing)}, not installed. Install with: pip install 'gtm-opt[match]'"
        )


def _words(name: str, bare: dict[str, str]) -> list[str]:
    return [word for word in _WORD.findall(bare[name].casefold()) if word not in _FILLERS]


def comparison_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return what records are compared by, None where empty.

    Columns: ``core, trade, initial, letter, city, domain, phone, postal_code``.

    Notes
    -----
    Words in at least a thousandth of the names (and in five) describe a trade: "systems", "holdings". A rare word that
    is a slip or a short form of one of them is read as that word. What is left is the core of the name; words are
    sorted, so that their order does not count.
    """
    from cleanco import basename

    names = table["name"].fillna("").astype(str).to_numpy(dtype=object)
    bare = {name: basename(name) or name for name in sorted(set(names.tolist()))}
    words = [_words(str(name), bare) for name in names]
    counts = pd.Series([word for split in words for word in split], dtype=object).value_counts()
    frequent = sorted(counts.index[counts >= max(5, _FREQUENT * len(names))])
    read = _as_frequent([str(word) for word in counts.index if word not in set(frequent)], frequent)
    common = set(frequent)
    core, trade = [], []
    for split in words:
        meant = [read.get(word, word) for word in split]
        rare = [word for word in meant if word not in common]
        core.append(" ".join(sorted(rare)) or " ".join(sorted(meant)) or None)
        trade.append(" ".join(sorted(set(meant) & common)) if rare else "")
    out = pd.DataFrame({"core": core, "trade": trade})
    out["initial"] = [None if value is None else value[:3] for value in core]
    out["letter"] = [None if value is None else value[:1] for value in core]
    for column in ("city", "domain", "phone", "postal_code"):
        out[column] = _plain(table[column], column) if column in table.columns else None
    return out


def _as_frequent(rare: list[str], frequent: list[str]) -> dict[str, str]:
    """Return which frequent word a rare one is a slip or a short form of."""
    from rapidfuzz import fuzz, process

    rare = sorted(rare)
    out: dict[str, str] = {}
    if not rare or not frequent:
        return out
    length = np.array([len(word) for word in frequent])
    for start in range(0, len(rare), 20_000):
        block = rare[start : start + 20_000]
        score = process.cdist(block, frequent, scorer=fuzz.ratio, score_cutoff=_SLIP, workers=1)
        best = score.argmax(axis=1)
        for place in np.flatnonzero((score.max(axis=1) > 0) & (length[best] >= 4)).tolist():
            out[block[place]] = frequent[int(best[place])]
    for word in rare:
        if word not in out:
            longer = [other for other in frequent if _is_short_form(word, other)]
            if len(longer) == 1:
                out[word] = longer[0]
    return out


def _is_short_form(word: str, full: str) -> bool:
    """Whether ``word`` is the beginning of ``full``, or its letters in order without vowels ("hldgs")."""
    if len(word) >= len(full) or word[0] != full[0]:
        return False
    if full.startswith(word):
        return len(word) >= 3
    letters = iter(full)
    return not set(word) & set("aeiou") and len(word) >= 2 and all(letter in letters for letter in word)


def _plain(values: pd.Series, column: str) -> NDArray[np.object_]:
    text = values.fillna("").astype(str).str.strip().str.casefold()
    if column == "phone":
        text = text.str.replace(r"\D", "", regex=True).str[-9:]
    elif column == "domain":
        text = text.str.replace(r"^(https?://)?(www\.)?", "", regex=True).str.split("/").str[0]
    out: NDArray[np.object_] = text.where(text != "", None).to_numpy(dtype=object)
    return out
