"""Specs: what is asked, as frozen and validated values. Nothing here imports torch."""
