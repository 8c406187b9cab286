"""rich's console, for texts that may hold the names of strangers."""

from __future__ import annotations

from typing import Any

import rich.console
from rich.text import Text

from ganvas.terminal import clean


class Console(rich.console.Console):
    """Prints every string and every cell of a table cleaned and as it is: ``[b]`` is a name, not markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich's, for the cleaned text."""
        return super().render_str(clean(text), **options)
