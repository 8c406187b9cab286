"""Finds the concrete subclasses of a base class, wherever they are defined."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def concrete(base: type[T]) -> list[type[T]]:
    """All concrete subclasses of `base`, direct and indirect, in order of definition."""
    found: dict[type[T], None] = {}
    for subclass in base.__subclasses__():
        if not inspect.isabstract(subclass) and not subclass.__name__.startswith("_"):
            found[subclass] = None
        found |= dict.fromkeys(concrete(subclass))
    return list(found)


def load(package: str) -> None:
    """Import every module of a package, so that `concrete` finds the classes in it."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
