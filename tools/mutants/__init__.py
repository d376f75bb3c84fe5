"""Proof that the tests can fail: rules are dropped one by one; tests must notice."""
