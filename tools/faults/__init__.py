"""Faults under load: what worker processes suffer, and what becomes of their jobs."""
