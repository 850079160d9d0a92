"""What a study's results say. Nothing here trains, draws or writes.

results.py reads a study's tables from MLflow; values.py takes one number a run from them. On these
rest the ranking (ranking.py), the verdicts (claims/), the winner by budget (budget.py), the
failures of single runs (failures.py) and the audit of what could have biased the study (audit.py);
answer.py puts ranking and verdicts together, live.py looks at a study that still runs.

Verdicts depend on nothing but the tables: tests/analysis judges tables made by hand.
"""
