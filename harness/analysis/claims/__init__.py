"""The evidence on claims, one file a kind, and the verdicts that follow from it.

Importing a kind's module registers its evidence. All modules here are imported, so that a new kind
needs no line. A kind's function must go by the runs of the look it is given and no others: claims
are judged at several looks, and a look must not know of later ones. What the runs speak of, the
method or these winners, is ``results.study.scope_of(claim)``.
"""

from importlib import import_module
from pkgutil import iter_modules

from harness.analysis.claims.verdicts import Tested as Tested
from harness.analysis.claims.verdicts import judge_claims as judge_claims

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
