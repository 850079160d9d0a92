"""A cohort in the middle of its training as a tree that is safe to read back, and back again.

A tree holds tensors, plain values, lists and dictionaries alone, so that ``torch.load`` reads it
with ``weights_only``: no code of a file is ever called. Files are
:mod:`harness.execution.checkpoints`'s.
"""
