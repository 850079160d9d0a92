"""Learning-rate schedules, one file each: a spec that gives a factor for every update.

The engine multiplies each member's own learning rate by it; a schedule knows neither rates nor
losses, so that the whole course is known before training.
"""
