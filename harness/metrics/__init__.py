"""Metrics: what is measured of whole parts of the data beside loss and accuracy, one file a sort.

A metric sees outputs and targets alone. Nothing is averaged over batches where that is wrong: a
metric that follows from sums over samples gets these sums, every other one all outputs at once.
"""
