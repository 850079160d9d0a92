"""Optimizers, one file each; what they share with each other is in ``base`` and ``adam_family``.

Each is a spec and an update rule in one class. The engine calls it through
:mod:`harness.engine.optimizer_groups` for all members of a cohort at once. ``base`` says what an
``update`` may do with the memory that it is given; a new optimizer is one file here, one line of
:mod:`harness.catalog` and one row of the table of tests/optimizers.

Symbols: θ weights, g gradient, η learning rate, λ weight decay, ε a small number against division
by zero, t updates made (1 in the first). Shapes: K members, P numbers of a row of weights.
"""
