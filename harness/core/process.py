"""Settings of the processes that the harness starts itself: workers and commands.

A process that only imports the harness is left as it is.
"""

REPRODUCIBLE_MKL = ("MKL_CBWR", "AUTO,STRICT")
"""MKL's variable, and the value of it that keeps results apart from places in memory.

By default the last bits of MKL's products depend on where in memory its matrices lie, and so on who
shares a run's cohort. MKL reads the variable before its first product. A notebook that trains in
its own process can set it before it imports torch.
"""
