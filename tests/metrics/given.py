"""Metrics as users might write them, well and badly."""

import numpy as np
import torch


def share_right(outputs, targets, offset=0.0):
    assert isinstance(outputs, np.ndarray) and targets.dtype == np.int64 and targets.ndim == 1
    outputs *= 1.0  # what is given is the function's own
    return (outputs.argmax(1) == targets).mean() + offset


def share_wrong(outputs, targets):
    assert isinstance(outputs, torch.Tensor)
    return (outputs.argmax(1) != targets).double().mean()


def both(outputs, targets):
    right = share_right(outputs, targets)
    return {"right": float(right), "wrong": 1 - right}


def largest_error(outputs, targets):
    assert outputs.shape == targets.shape
    return np.abs(outputs - targets).max()


def sometimes(outputs, targets):
    """Undefined until a third of the samples is right."""
    right = share_right(outputs, targets)
    return right if right > 1 / 3 else float("nan")


def never(outputs, targets):
    return float("inf")


def per_sample(outputs, targets):
    return outputs.argmax(1) == targets


def broken(outputs, targets):
    return outputs.nothing
