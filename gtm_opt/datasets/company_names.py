"""Invented company names, and the ways in which a second person writes the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.datasets.places import NAME_ENDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["company_names", "domain_of", "misspell", "rewrite_name"]

LEGAL = ("Inc", "Inc.", "LLC", "Ltd", "Corp", "Corporation", "GmbH", "AG", "Co", "S.A.", "")
_CONSONANTS = "b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh st t tr v w z"
_HEADS = tuple(_CONSONANTS.split())
_VOWELS = ["a", "e", "i", "o", "u", "ae", "io", "ia", "ou"]
_TAILS = ("", "", "", "l", "n", "r", "s", "x", "m", "nd", "rt", "lt")
_SHORT = {
    "Analytics": "Analyt.",
    "Technologies": "Tech",
    "Industries": "Ind.",
    "Systems": "Sys",
    "Logistics": "Log.",
    "Insurance": "Ins",
    "Holdings": "Hldgs",
    "Networks": "Netw.",
    "Partners": "Ptrs",
    "Software": "SW",
    "Robotics": "Robot.",
    "Utilities": "Util.",
    "Group": "Grp",
}


def company_names(n: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return ``n`` names such as "Velora Systems Inc", all different before the legal form.

    Notes
    -----
    A tenth of the companies shares its first word with another one in a different trade, as real ones do:
    "Velora Systems" and "Velora Foods" are strangers.
    """
    out: list[str] = []
    taken: set[str] = set()
    words: list[str] = []
    while len(out) < n:
        if words and rng.random() < 0.1:
            word = words[int(rng.integers(0, len(words)))]
        else:
            word = _word(rng)
            words.append(word)
        name = f"{word} {NAME_ENDS[int(rng.integers(0, len(NAME_ENDS)))]}"
        if rng.random() < 0.25:
            name += f" {NAME_ENDS[int(rng.integers(0, len(NAME_ENDS)))]}"
        if name.lower() not in taken:
            taken.add(name.lower())
            out.append(f"{name} {LEGAL[int(rng.integers(0, len(LEGAL)))]}".rstrip())
    return np.array(out, dtype=object)


def _word(rng: np.random.Generator) -> str:
    syllables = 2 + int(rng.random() < 0.6)
    parts = []
    for _ in range(syllables):
        parts.append(_HEADS[int(rng.integers(0, len(_HEADS)))] + _VOWELS[int(rng.integers(0, len(_VOWELS)))])
    return ("".join(parts) + _TAILS[int(rng.integers(0, len(_TAILS)))]).capitalize()


def domain_of(name: str, number: int) -> str:
    """Return a web domain made of the first word of a name, unique by ``number``."""
    return f"{name.split()[0].lower()}{number}.com"


def rewrite_name(name: str, rng: np.random.Generator) -> str:
    """Return the name as somebody else would enter it: another legal form, word order, short forms, a slip."""
    words = [word for word in name.split() if word not in LEGAL]
    draw = rng.random(5)
    if draw[0] < 0.15:
        words = [*words[1:], words[0]]
    if draw[1] < 0.2:
        words = [_SHORT.get(word, word) for word in words]
    if draw[2] < 0.3:
        longest = max(range(len(words)), key=lambda place: len(words[place]))
        words[longest] = misspell(words[longest], rng)
    if draw[3] < 0.7:
        words.append(LEGAL[int(rng.integers(0, len(LEGAL)))])
    if draw[4] < 0.08:
        words.insert(0, "The")
    text = " ".join(word for word in words if word)
    return text.upper() if draw[4] > 0.85 else text


def misspell(word: str, rng: np.random.Generator) -> str:
    """Return a word with two letters swapped, one lost, one doubled or one replaced, behind the first letter."""
    if len(word) < 4:
        return word
    place = int(rng.integers(1, len(word) - 1))
    kind = int(rng.integers(0, 4))
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + word[place] + word[place:]
    return word[:place] + "aeiorstn"[int(rng.integers(0, 8))] + word[place + 1 :]
