"""Settings of the processes that the harness starts itself: workers and commands.

A process that only imports the harness is left as it is.
"""

REPRODUCIBLE_MKL = ("MKL_CBWR", "AUTO,STRICT")
"""An environment variable of MKL, and the value that makes its matrix products reproducible.

By default the last bits of MKL's products depend on the alignment of its matrices in memory, and so
on which other runs share a run's cohort. MKL reads the variable before its first product, so that a
process which has computed one already is not changed. A notebook that trains in its own process can
set it before it imports torch.
"""
