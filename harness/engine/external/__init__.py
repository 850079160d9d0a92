"""Training by code that is not the engine's own: other libraries' optimizers.

Such an optimizer moves tensors in ways of its own, so that each run is a cohort of one; batches,
noise, regularizers, probes and records are the engine's.
"""
