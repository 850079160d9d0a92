"""Where cohorts are trained.

A job (``jobs``) is one cohort's work. A pool (``pool``) gives jobs to any
``concurrent.futures.Executor`` and answers for what goes wrong with them; ``local`` has the
executors of this machine: one worker process a core or GPU, or none at all. A run's numbers depend
neither on its worker nor on the executor nor on how many workers there are.
"""
