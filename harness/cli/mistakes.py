"""A user's mistake in a script that Python runs itself: the message that the commands give, and no traceback."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType

from harness.errors import HarnessError


def explained(error: BaseException, trace: TracebackType | None) -> str | None:
    """Return the message for a mistake in a spec or a store, with the script's line; None for any other error."""
    if isinstance(error, HarnessError):
        return str(error)
    from pydantic import ValidationError

    from harness.spec.component import Spec
    from harness.spec.files import explain

    frames = list(traceback.walk_tb(trace))
    made = frames[-1][0].f_locals.get("self") if frames else None
    if not isinstance(error, ValidationError) or not isinstance(made, Spec):
        return None
    script = getattr(sys.modules["__main__"], "__file__", None) or ""
    lines = [line for frame, line in frames if frame.f_code.co_filename == script]
    return explain(error, None, f"{Path(script).name}:{lines[-1]}" if lines else "this", type(made))
