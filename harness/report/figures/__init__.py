"""Figures, one file each: compute, then plot."""
