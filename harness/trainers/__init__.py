"""Training loops of a user's own, which run in a process of their own.

A trainer (``base``) says how its process is started and what its lines mean; :mod:`training_run
<harness.trainers.training_run>` and :mod:`child <harness.trainers.child>` are what runs in it.
These two import nothing but the standard library: they start in every run. Whoever starts, watches
and ends such processes is :mod:`harness.execution.own_run`.
"""
