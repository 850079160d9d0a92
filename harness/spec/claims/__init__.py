"""Claims: statements that a study tests, declared before anything runs. One file a kind, or two
that are twins.

Importing a kind's module makes the kind known to :meth:`Claim.parse` and to the JSON schema, which
is why all of them are imported here; :mod:`harness.analysis.claims` has the evidence of each. A
kind of one's own is a subclass of :class:`Claim` and a function registered with ``evidence_on``.
"""

from harness.spec.claims.any_claim import AnyClaim as AnyClaim
from harness.spec.claims.base import Claim as Claim
from harness.spec.claims.better import Better as Better
from harness.spec.claims.bound import Above as Above
from harness.spec.claims.bound import Below as Below
from harness.spec.claims.cured import Cured as Cured
from harness.spec.claims.equal import Equal as Equal
from harness.spec.claims.faster import Faster as Faster
from harness.spec.claims.interaction import Interaction as Interaction
from harness.spec.claims.monotone import Monotone as Monotone
from harness.spec.claims.no_worse import NoWorse as NoWorse
from harness.spec.claims.trend import Trend as Trend
