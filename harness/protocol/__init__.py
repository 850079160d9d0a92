"""How a study is run: search with equal budgets, freeze the winners, confirm them on fresh seeds.

`run` decides whether there is anything to do, and `conduct` goes through the stages: `search`,
`clocks`, `confirm`. Stages ask `dispatch` for runs; it trains in cohorts what `recorded_runs` does
not have. `tuner` alone knows Optuna's samplers, and `trial_storage` its storage.
"""
