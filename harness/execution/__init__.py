"""Where cohorts are trained: executors and the pool that feeds them."""
