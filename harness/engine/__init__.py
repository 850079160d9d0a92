"""The engine: one pure step, the loop of a cohort, and the eager path."""
