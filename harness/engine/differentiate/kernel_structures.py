"""The kernels' structures, field by field as their source has them."""

from __future__ import annotations

import ctypes

from harness.optimizers.adam_kernel import KernelAdam, KernelNumber

NUMBER, POINTER = ctypes.c_int64, ctypes.c_void_p


class KernelLayer(ctypes.Structure):
    """``Layer``."""

    _fields_ = (
        *((name, NUMBER) for name in ("inputs", "outputs")),
        *((name, POINTER) for name in ("w", "b", "d_w", "d_b")),
        *((name, NUMBER) for name in ("w_member", "b_member", "d_w_member", "d_b_member")),
        ("draws", POINTER),
        *((name, POINTER) for name in ("v_w", "v_b")),
        *((name, NUMBER) for name in ("v_w_member", "v_b_member")),
        *((name, POINTER) for name in ("m_w", "m_b")),
        *((name, NUMBER) for name in ("m_w_member", "m_b_member")),
        *((name, KernelNumber) for name in ("decay_w", "decay_b")),
        *((name, NUMBER) for name in ("shrinks_w", "shrinks_b")),
    )


class KernelShape(ctypes.Structure):
    """``Shape``."""

    _fields_ = tuple(
        (name, NUMBER)
        for name in (
            *("channels", "height", "width"),
            *("kernel_h", "kernel_w", "stride", "pad_h", "pad_w"),
        )
    )


class KernelTransformer(ctypes.Structure):
    """``Transformer``."""

    _fields_ = (
        *((name, NUMBER) for name in ("blocks", "heads", "places", "outputs")),
        *((name, POINTER) for name in ("cos", "sin")),
        ("tied", NUMBER),
        *((name, ctypes.c_float) for name in ("scores", "logits")),
    )


class KernelNetwork(ctypes.Structure):
    """``Network``."""

    _fields_ = (
        ("layers", ctypes.POINTER(KernelLayer)),
        *((name, NUMBER) for name in ("count", "rectified")),
        ("shapes", ctypes.POINTER(KernelShape)),
        ("pooled", NUMBER),
        ("transformer", ctypes.POINTER(KernelTransformer)),
    )


class KernelBatch(ctypes.Structure):
    """``Batch``."""

    _fields_ = (
        *((name, NUMBER) for name in ("members", "size")),
        *((name, POINTER) for name in ("x", "y")),
        *((name, NUMBER) for name in ("x_member", "x_sample")),
        *((name, NUMBER) for name in ("y_member", "y_sample", "y_output")),
        ("index", POINTER),
        ("index_member", NUMBER),
        *((name, POINTER) for name in ("rate", "draws")),
        ("smoothing", POINTER),
        *((name, NUMBER) for name in ("ignored", "first")),
    )


class KernelRule(ctypes.Structure):
    """``Rule``."""

    _fields_ = (
        *((name, NUMBER) for name in ("first", "last", "members", "steps")),
        *((name, POINTER) for name in ("lr", "momentum")),
        ("nesterov", NUMBER),
        ("adam", ctypes.POINTER(KernelAdam)),
        ("made", NUMBER),
        ("shrink", POINTER),
    )
