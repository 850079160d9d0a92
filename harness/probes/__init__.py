"""Quantities measured during training, one file each."""
