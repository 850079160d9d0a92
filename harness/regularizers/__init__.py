"""Regularizers, one file each; ``base`` has the hooks, their order and the rules of memory.

:mod:`harness.engine.regularize` calls them, for updates by the engine's optimizers and by other
libraries' alike. A new one is one file here, one line of :mod:`harness.catalog` and one row of the
table of tests/regularizers.
"""
