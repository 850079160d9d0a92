"""Data sets: all offline, deterministic, and split by named streams."""
