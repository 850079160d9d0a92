"""Networks, one file each: a spec (a subclass of ``Model``) and the pure function it builds.

A network computes all members of a cohort at once and holds no weights: every call is given the
stacked parameters (K, *shape). Networks know neither losses, optimizers nor data; they draw random
numbers from the streams of the :class:`~harness.models.base.Context` alone, so that a member's
numbers do not depend on who trains beside it.
"""
