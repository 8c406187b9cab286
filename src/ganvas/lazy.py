"""Names that a package offers without importing their modules before they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def attributes(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A `__getattr__` for a package (PEP 562), so that importing it costs nothing.

    Args:
        package: its name.
        homes: modules, and the names to be fetched from each.
    """
    home = {name: module for module, names in homes.items() for name in names}

    def fetch(name: str) -> Any:
        if name in home:
            return getattr(importlib.import_module(home[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return fetch
