"""A plan in one screen of text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import amount_text, percent_text

if TYPE_CHECKING:
    from gtm_opt.plan.plan import Plan

__all__ = ["summarize"]

WIDTH = 118
SHOWN = 5
"""Most violations on the screen; the table of violations has all."""


def summarize(plan: Plan) -> str:
    """Return the carving, then a line or two per further stage, then what does not hold."""
    parts = [_carving(plan)]
    for text in (_staffing(plan), _capacity(plan), _quotas(plan), _odds(plan)):
        if text:
            parts.append(text)
    parts.append(_check(plan))
    return "\n".join(_wrap(line) for part in parts for line in part.splitlines())


def _wrap(line: str) -> str:
    """Break a long line; what follows is set in a little further than its beginning."""
    if len(line) <= WIDTH:
        return line
    start = len(line) - len(line.lstrip(" "))
    lead = line[start:].split(" ", 1)[0]
    inside = start + (len(lead) + 1 if lead in ("!", "~", "-", "note:") else 2)
    body = line[start:]
    return textwrap.fill(
        body,
        width=WIDTH,
        initial_indent=" " * start,
        subsequent_indent=" " * inside,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _carving(plan: Plan) -> str:
    """Return the carving's own summary, categories of a mix folded into one line each."""
    out: list[str] = []
    folded: dict[str, int] = {}
    within = plan.carving.criteria.set_index("criterion")["within"]
    names = [str(n) for n in within.index if "=" in str(n)]
    for line in plan.carving.summary().splitlines():
        name = next((n for n in names if line.startswith(n[:27])), None)
        if name is None:
            out.append(line)
            continue
        column = name.split("=", 1)[0]
        if column not in folded:
            folded[column] = len(out)
            own = within[[n for n in names if n.split("=", 1)[0] == column]]
            state = "ok" if own.all() else f"{int((~own).sum())} OUT"
            out.append(f"{'mix of ' + column:<28}{len(own):>6} categories{'':>31}{state:>6}")
    return "\n".join(out)


def _staffing(plan: Plan) -> str:
    if plan.staffing is None:
        return ""
    counts = plan.staffing.summary()
    text = f"staffing   {counts['filled']} of {counts['territories']} territories filled"
    for word in ("to be hired", "to be replaced", "reps without a seat", "open without cover"):
        text += f", {counts[word]} {word}" if counts[word] else ""
    if np.isfinite(counts["retained_frac"]) and counts["retained_frac"] > 0:
        text += f"; {counts['retained_frac']:.0%} of the value stays with its rep"
    return text


def _capacity(plan: Plan) -> str:
    if plan.capacity is None:
        return ""
    quarters = plan.capacity.by("quarter").head(4).to_dict("records")
    by_quarter = ", ".join(f"{q['quarter'][-2:]} {_millions(q['capacity'])}" for q in quarters)
    text = f"capacity   {_millions(plan.capacity.total, plan.currency)} ({by_quarter})"
    if plan.quotas is not None and plan.quotas.target:
        year = plan.capacity.by("fiscal_year")["capacity"].iloc[0]
        text += f", {year / plan.quotas.target:.0%} of the target"
    if plan.capacity.expected is not None:
        expected = plan.capacity.expected
        lost = 1.0 - expected.total / plan.capacity.total if plan.capacity.total else 0.0
        amount = _millions(expected.total, plan.currency)
        text += f"\n           {amount} expected after exits and backfills ({lost:.1%} lost)"
    return text


def _quotas(plan: Plan) -> str:
    quotas = plan.quotas
    if quotas is None:
        return ""
    leaf = quotas.table.loc[quotas.table["is_leaf"], "quota"]
    over = f" ({quotas.street / quotas.target - 1:+.1%})" if quotas.target else ""
    target, street = (amount_text(amount, plan.currency) for amount in (quotas.target, quotas.street))
    return (
        f"quotas     target {target}, field {street}{over}; "
        f"per territory {leaf.min():,} to {amount_text(leaf.max(), plan.currency)}"
    )


def _odds(plan: Plan) -> str:
    """Return the chance of each fiscal year's target, where the plan knows how people's results spread."""
    table = plan.tables.get("odds")
    if table is None or plan.capacity is None:
        return ""
    lines = []
    for row in table[table["period"].isin(plan.capacity.calendar.years)].to_dict("records"):
        target, low = (amount_text(row[name], plan.currency) for name in ("target", "p10"))
        chance, least, most = (percent_text(row[name]) for name in ("p_target", "ci_low", "ci_high"))
        text = f"odds       {row['period']} makes {target} with probability {chance} ({least} to {most})"
        lines.append(f"{text}; one in ten ends below {low}")
    return "\n".join(lines)


def _check(plan: Plan) -> str:
    return "check      " + plan.check().to_text(most=SHOWN).replace("\n", "\n           ")


def _millions(amount: float, currency: str = "") -> str:
    if abs(amount) < 1e6:
        return amount_text(amount, currency)
    return f"{amount / 1e6:,.{1 if abs(amount) >= 1e7 else 2}f} M {currency}".rstrip()
