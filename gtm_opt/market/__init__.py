"""Market: fit, tiers, whitespace, size, ranking, objectives and budgets, as additive columns with an uncertainty."""

__all__: list[str] = []
