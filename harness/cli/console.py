"""Where the commands print their tables and lines."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from harness.core.plain_text import text_shown_by


class PlainConsole(Console):
    """A terminal that may lack characters: what stands for them is put in before a table's columns
    are measured, since it may be longer."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(text_shown_by(text, self.encoding), **options)
