"""The evidence on claims, one file a kind, and the verdicts that follow from it.

Importing a kind's module registers its evidence.
"""

from harness.analysis.claims import better as better
from harness.analysis.claims import bound as bound
from harness.analysis.claims import cured as cured
from harness.analysis.claims import equal as equal
from harness.analysis.claims import faster as faster
from harness.analysis.claims import interaction as interaction
from harness.analysis.claims import monotone as monotone
from harness.analysis.claims import no_worse as no_worse
from harness.analysis.claims.verdicts import Tested as Tested
from harness.analysis.claims.verdicts import tested as tested
