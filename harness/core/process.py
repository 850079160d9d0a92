"""Settings of the processes that the harness starts itself: workers and commands, never a process that imports it."""

REPRODUCIBLE_MKL = ("MKL_CBWR", "AUTO,STRICT")
"""MKL's variable that makes a product's bits independent of where in memory its matrices lie, and its value.

MKL reads it before its first product. A notebook that trains in its own process can set it before it imports torch;
without it the last digits of a run may depend on who shares its cohort.
"""
