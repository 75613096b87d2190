"""Made-up accounts and reps, shaped like real customer data, at any size."""
