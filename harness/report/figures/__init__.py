"""The figures of the report, one file each.

:mod:`harness.report.figures.base` says what a figure is, and
:mod:`harness.report.figures.registry` lists them. A figure computes from results and draws; it
judges nothing, and what it shows must be rebuilt from the store alone.
"""
