"""Records: what is wrong with the accounts as they stand in the customer system, and repairs that can be undone."""

__all__: list[str] = []
