"""Named classics and what people use today, behind the solver protocol: yardsticks, not the engine."""
