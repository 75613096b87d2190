"""The request as arrays: accounts, criteria, preferences and rules of a problem in the order of its leaves."""
