"""Outside evidence that the harness must agree with: numbers that others published, or mathematics.

A :class:`~harness.verification.row.Row` is one such number with its source, the tolerance it is
held to, and a function that measures it through what users have: recipes, ``train``, probes,
optimizers and ``harness.stats``. ``table`` lists all rows in groups; ``harness verify`` runs them
and ``page`` writes what came out, and the tests run the same rows.

A tolerance is part of the evidence: it is never widened so that a row passes.
"""
