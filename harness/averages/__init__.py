"""Averages of the weights over training, one file each: runs are evaluated there.

An average is a spec that says after which updates how much of the weights is taken; the engine
keeps a row a member. Training knows nothing of it.
"""
