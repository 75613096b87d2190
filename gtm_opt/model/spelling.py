"""Usual spellings of one id: recognized and offered, never applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

__all__ = ["is_rounded", "likely_spelling", "respellings"]

_EXPONENT = re.compile(r"^[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}$")


def _without_exponent(key: str) -> str:
    return str(int(float(key))) if _EXPONENT.match(key.strip()) else key


def _first_15(key: str) -> str:
    return key[:15] if len(key) in (15, 18) else key


_SPELLINGS: tuple[tuple[Callable[[str], str], str], ...] = (
    (lambda k: " ".join(k.split()), "without the blanks around them"),
    (_first_15, "by their first 15 characters (CRM ids with and without a checksum)"),
    (lambda k: k.removesuffix(".0"), "without .0 at the end"),
    (_without_exponent, "with the exponent written out"),
    (lambda k: k.strip().lstrip("0") or k, "without zeros in front"),
    (lambda k: " ".join(k.split()).casefold(), "in another case"),
)


def respellings(keys: Iterable[object], known: Collection[str]) -> tuple[dict[str, str], str]:
    """Return what keys would match in the spelling that matches most of them, and how it is called.

    Parameters
    ----------
    keys : iterable
        Keys that match nothing as they are.
    known : collection of str

    Returns
    -------
    dict of str to str
        Known id per key; keys that fit several ids are left out.
    str
        The spelling in words, empty where none helps.
    """
    texts = [str(key) for key in keys]
    best: tuple[dict[str, str], str] = ({}, "")
    for spell, words in _SPELLINGS:
        table: dict[str, str | None] = {}
        for name in known:
            plain = spell(str(name))
            table[plain] = None if plain in table and table[plain] != str(name) else str(name)
        found = {key: hit for key in texts if (hit := table.get(spell(key))) is not None and hit != key}
        if len(found) > len(best[0]):
            best = found, words
    return best


def likely_spelling(keys: Iterable[object], known: Collection[str], what: str = "ids") -> str:
    """Return a sentence about the spelling in which keys would match, or an empty text.

    Examples
    --------
    >>> likely_spelling(["ANN@x.test", "zoe"], {"ann@x.test"}, "owners")
    "1 of 2 owners would match in another case: 'ANN@x.test' as 'ann@x.test'."
    """
    texts = list(dict.fromkeys(str(key) for key in keys))
    found, words = respellings(texts, known)
    if not found:
        return ""
    shown = "" if words.startswith("with the exponent") else ": " + _pairs(found)
    return f"{len(found)} of {len(texts)} {what} would match {words}{shown}."


def _pairs(found: dict[str, str]) -> str:
    first = list(found.items())[:3]
    more = len(found) - len(first)
    text = ", ".join(f"'{key}' as '{name}'" for key, name in first)
    return f"{text} and {more:,} more" if more > 0 else text


def is_rounded(key: object) -> bool:
    """Whether a spreadsheet wrote an id with an exponent and fewer digits than it had.

    Examples
    --------
    >>> is_rounded("1.61478E+13"), is_rounded("1.6147805824390E13"), is_rounded("5E3")
    (True, False, False)
    """
    text = str(key).strip()
    if not _EXPONENT.match(text) or ("." not in text and "+" not in text):
        return False
    digits, exponent = re.split("[eE]", text)
    return len(digits.partition(".")[2]) < int(exponent)
