"""The same small study by other tools and by this one, side by side: ``python -m benchmarks.peers.measure``."""
