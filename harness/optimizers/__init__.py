"""Optimizers, one file each; what they share with each other is in ``base`` and ``adam_family``."""
