"""Losses, one file each: a spec that gives a number for each sample of each member.

A loss sees outputs and targets alone. Penalties on weights and softened targets are regularizers,
and the engine applies them.
"""
