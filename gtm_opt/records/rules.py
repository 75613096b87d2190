"""The catalog of rules: names, severities, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gtm_opt.errors import Findings
from gtm_opt.model.tables import did_you_mean
from gtm_opt.records import rules_deals, rules_families, rules_owners, rules_places, rules_values

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from gtm_opt.records.prepare import Records

__all__ = ["CATALOG", "Rule", "chosen_rules"]


@dataclass(frozen=True)
class Rule:
    """One rule of record quality.

    Attributes
    ----------
    name : str
    severity : str
        "error": a carve refuses the table or loses money; "warning": the plan is wrong without a word; "info": look
        at it.
    find : callable
    limits : mapping of str to float
        Thresholds, with their defaults.
    """

    name: str
    severity: str
    find: Callable[[Records, Mapping[str, float]], pd.DataFrame]
    limits: Mapping[str, float] = field(default_factory=dict)


_RULES = (
    Rule("missing_id", "error", rules_owners.missing_id),
    Rule("repeated_id", "error", rules_owners.repeated_id),
    Rule("no_number", "error", rules_values.no_number),
    Rule("currencies", "error", rules_values.currencies),
    Rule("text_number", "error", rules_values.text_number),
    Rule("negative", "error", rules_values.negative),
    Rule("parent_cycle", "error", rules_families.cycle),
    Rule("duplicate", "warning", rules_deals.duplicate, {"probability": 0.9}),
    Rule("owner_unknown", "warning", rules_owners.unknown_owner),
    Rule("owner_left", "warning", rules_owners.left),
    Rule("owner_overloaded", "warning", rules_owners.overloaded, {"times": 3.0, "at_least": 50.0}),
    Rule("parent_missing", "warning", rules_families.missing_parent),
    Rule("swapped", "warning", rules_places.swapped, {"km": 1_500.0}),
    Rule("impossible_place", "warning", rules_places.impossible_place),
    Rule("lost_zeros", "warning", rules_places.lost_zeros, {"share": 0.5}),
    Rule("state_contradicts", "warning", rules_places.state_contradicts, {"share": 0.8, "at_least": 5.0}),
    Rule("postal_contradicts", "warning", rules_places.postal_contradicts, {"share": 0.8, "at_least": 5.0}),
    Rule("segment_contradicts", "warning", rules_places.segment_contradicts, {"widths": 2.0, "at_least": 10.0}),
    Rule("outlier", "warning", rules_values.outlier, {"z": 6.0, "at_least": 20.0}),
    Rule("frozen", "warning", rules_values.frozen, {"days": 365.0}),
    Rule("spelling", "warning", rules_values.spelling, {"similar": 0.88, "rare": 0.1, "most": 500.0}),
    Rule("deal_without_account", "error", rules_deals.lost_deal),
    Rule("deal_overdue", "warning", rules_deals.overdue, {"days": 0.0}),
    Rule("deal_of_another", "warning", rules_deals.other_owner),
    Rule("deal_backwards", "error", rules_deals.backwards),
    Rule("contact_without_account", "warning", rules_deals.lost_contact),
    Rule("not_touched", "info", rules_owners.not_touched, {"days": 365.0}),
    Rule("parent_deep", "info", rules_families.deep, {"levels": 5.0}),
    Rule("parent_abroad", "info", rules_families.abroad),
    Rule("parent_segment", "info", rules_families.other_segment),
    Rule("many_roots", "warning", rules_families.many_roots),
)

CATALOG: dict[str, Rule] = {rule.name: rule for rule in _RULES}
"""All rules by name, in the order in which their repairs are made."""


def chosen_rules(settings: Mapping[str, bool | Mapping[str, float]] | None) -> list[tuple[Rule, dict[str, float]]]:
    """Return the rules that are on, with their thresholds.

    Parameters
    ----------
    settings : mapping, optional
        Per rule: False switches it off, a mapping replaces thresholds.

    Raises
    ------
    DataError
        With every unknown rule and threshold.
    """
    found, settings = Findings(), settings or {}
    for name, setting in settings.items():
        if name not in CATALOG:
            found.add(
                f"rules['{name}']", "must be a rule", got=f"'{name}'", remedy=did_you_mean(name, CATALOG, shown=40)
            )
        elif isinstance(setting, Mapping):
            known = CATALOG[name].limits
            for key, value in setting.items():
                if key not in known:
                    where = f"rules['{name}']['{key}']"
                    found.add(where, "must be a threshold of the rule", got=f"'{key}'", remedy=did_you_mean(key, known))
                elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                    found.add(f"rules['{name}']['{key}']", "must be a number, at least 0", got=repr(value))
        elif not isinstance(setting, bool):
            found.add(f"rules['{name}']", "must be True, False or thresholds", got=repr(setting))
    found.raise_if_any()
    out = []
    for rule in _RULES:
        setting = settings.get(rule.name, True)
        if setting is not False:
            out.append((rule, {**rule.limits, **(setting if isinstance(setting, Mapping) else {})}))
    return out
