"""Calling a user's code: its errors in one sentence, the layer it was in, and a limit of time."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from harness.core.errors import HarnessError
from harness.models.external import ModuleNetwork


@contextmanager
def in_words(part: str, layers: list[str] | None = None) -> Iterator[None]:
    """Turn any error inside into a sentence: a user's code raises errors of every class.

    Args:
        part: what is tried, which the sentence begins with.
        layers: those entered and not left; the innermost is named.

    Raises:
        HarnessError: whatever was raised inside, with its line.
    """
    try:
        yield
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f" in layer {layers[-1]}" if layers else ""
        text = " ".join(str(error).split())
        raise HarnessError(
            f"{part} fails{where}: {type(error).__name__}: {text} "
            f"({Path(last.filename).name}:{last.lineno})"
        ) from error


@contextmanager
def entered_layers(network: object) -> Iterator[list[str]]:
    """Keep a list of the layers of a user's module that a pass is in, the innermost last."""
    layers: list[str] = []
    if not isinstance(network, ModuleNetwork):
        yield layers
        return

    def enter(name: str) -> Callable[[nn.Module, tuple[object, ...]], None]:
        def hook(module: nn.Module, given: tuple[object, ...]) -> None:
            shapes = [tuple(x.shape[1:]) for x in given if isinstance(x, Tensor)]
            layers.append(f"{name!r} ({type(module).__name__}) with inputs {shapes}")

        return hook

    def leave(module: nn.Module, given: object, out: object) -> None:
        layers.pop()

    handles = []
    for name, module in network.module.named_modules():
        if name:  # the module itself is named by its class
            handles.append(module.register_forward_pre_hook(enter(name)))
            handles.append(module.register_forward_hook(leave))
    try:
        yield layers
    finally:
        for handle in handles:
            handle.remove()
