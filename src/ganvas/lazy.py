"""Lazy attributes of a package: a module is imported when one of its names is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def attributes(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A `__getattr__` for a package (PEP 562), so that importing the package itself costs nothing.

    `dir` of the package then lists its `__all__` and its dunder names.

    Args:
        package: the package's name.
        modules: the names that each module provides.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def fetch(name: str) -> Any:
        if name in module_of:
            return getattr(importlib.import_module(module_of[name]), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    module = sys.modules[package]
    module.__dir__ = lambda: sorted({*module.__all__, *(n for n in vars(module) if n.startswith("__"))})  # type: ignore[method-assign]
    return fetch
