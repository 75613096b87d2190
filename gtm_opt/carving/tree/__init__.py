"""Carving down a tree: nodes, schedule, look-ahead, polish between leaves, and bounds over all leaves."""
