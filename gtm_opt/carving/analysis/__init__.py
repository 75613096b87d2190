"""Questions about a carving: explanations, rule costs, the frontier, violations, the summary."""
