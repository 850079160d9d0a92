"""Training by code that is not the engine's own: other libraries' optimizers."""
