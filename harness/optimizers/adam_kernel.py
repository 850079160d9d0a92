"""Adam's and AdamW's update by one call of compiled code, where this machine has it.

PyTorch's form passes over a row's memory ten times; the kernel passes over it once, for all models.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from harness.core.kernels import library
from harness.core.lazy import Lazy
from harness.optimizers.adam_family import AdamState
from harness.optimizers.base import HyperColumns

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

_WHOLE, _POINTER = ctypes.c_int64, ctypes.c_void_p


class KernelNumber(ctypes.Structure):
    """``Number`` of the kernels' source."""

    _fields_ = (("at", _POINTER), ("member", _WHOLE), ("weight", _WHOLE))


class KernelAdam(ctypes.Structure):
    """``Adam`` of the kernels' source."""

    _fields_ = (
        *((name, KernelNumber) for name in ("beta1", "beta2", "eps", "decay")),
        ("corrected", _WHOLE),
    )


def numbers_at(values_KX: Tensor) -> KernelNumber:
    """Return where numbers lie.

    Args:
        values_KX: (K, 1), or (K, C) where weights have their own; it must outlive what is returned.
    """
    apart = values_KX.shape[1] > 1
    return KernelNumber(
        values_KX.data_ptr(), values_KX.stride(0), values_KX.stride(1) if apart else 0
    )


def kernel_adam(hyper: HyperColumns, bias_correction: bool, decays: bool) -> KernelAdam:
    """Return where a group's numbers lie.

    Args:
        hyper: ``beta1``, ``beta2`` and ``eps``, and ``weight_decay`` where there is decay.
        bias_correction: whether to use m̂ and v̂ for m and v.
        decays: whether weights decay, as AdamW's.
    """
    decay = numbers_at(hyper["weight_decay"]) if decays else KernelNumber()
    fixed = (numbers_at(hyper[name]) for name in ("beta1", "beta2", "eps"))
    return KernelAdam(*fixed, decay, bias_correction)


def moved_by_kernel(
    g_KC: Tensor,
    state: AdamState,
    w_KC: Tensor,
    hyper: HyperColumns,
    bias_correction: bool,
    decays: bool,
) -> AdamState | None:
    """Make one update in the memory of weights and state, where this machine can.

    Which form is used depends on the machine and the weights' kind only, so that a member has the
    same bits in every cohort.

    Args:
        g_KC: gradients; only read.
        state: the means before the update.
        w_KC: weights.
        hyper: the members' numbers, (K, 1) each; ``lr`` and ``weight_decay`` may be (K, C).
        bias_correction: whether to use m̂ and v̂ for m and v.
        decays: whether weights decay, as AdamW's.

    Returns:
        The new state; None where nothing was done.
    """
    rows = (g_KC, w_KC, state.m_KP, state.v_KP)
    compiled = library() if all(map(_is_taken, rows)) else None
    if compiled is None:
        return None
    update, t = compiled.adam_update, state.t + 1
    if update.argtypes is None:  # the library keeps what it was told
        update.restype = None
        update.argtypes = [
            *(_WHOLE, _WHOLE, *(_POINTER, _WHOLE) * len(rows)),
            *(KernelNumber, KernelAdam, _WHOLE),
        ]
    places = (number for row in rows for number in (row.data_ptr(), row.stride(0)))
    numbers = kernel_adam(hyper, bias_correction, decays)
    update(*w_KC.shape, *places, numbers_at(hyper["lr"]), numbers, t)
    return state._replace(t=t)


def _is_taken(rows_KC: Tensor) -> bool:
    """Return whether the kernel can read them: a member's numbers lie side by side."""
    return (
        rows_KC.device.type == "cpu"
        and rows_KC.dtype == torch.float32
        and (rows_KC.stride(1) == 1 or rows_KC.shape[1] == 1)
    )
