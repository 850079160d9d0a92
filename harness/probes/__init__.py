"""Quantities measured during training."""
