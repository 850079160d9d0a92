"""Quantities measured while a run trains, one file each; :mod:`harness.probes.base` says how.

Each probe's class docstring is the caption of its figures: it says what is measured, in which
units, and what values mean. Probes only look: a run's numbers are the same with and without them.
"""
