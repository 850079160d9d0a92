"""The engine trains cohorts: batches, derivatives, updates, evaluation, probing.

``program`` makes a recipe's parts ready, ``cohort`` holds the state, ``update`` makes one step, and
``loop`` repeats it from one evaluation to the next. Nothing here knows of MLflow, Optuna or worker
processes.
"""
