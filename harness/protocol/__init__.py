"""How a study is run: search with equal budgets, freeze the winners, confirm them on fresh seeds.

`run` decides whether there is anything to do, and `conduct` goes through the stages: `search`,
`clocks`, `confirm`. Stages ask `dispatch` for runs; it trains in cohorts what `recorded_runs` does
not have. `tuner` alone knows Optuna's samplers, and `trial_storage` its storage. Beside the study's
way lie `plan` (what a study would do), `reproduce` (a recorded run once more) and `train` (runs
without a study).

Everything a study does must follow from its spec and the recorded runs, in an order that does not
depend on which worker is fast: a study that is killed and started again replays its decisions, and
finds every run it needs by its key. No stage may look at test data but `confirm`.
"""
