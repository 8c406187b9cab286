"""Whatever can vary is a class; this finds the classes there are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TypeVar

T = TypeVar("T")


def concrete(base: type[T]) -> list[type[T]]:
    """Every class below `base` that can be made, in the order of their definition, wherever it was defined."""
    found: dict[type[T], None] = {}
    for subclass in base.__subclasses__():
        if not inspect.isabstract(subclass) and not subclass.__name__.startswith("_"):
            found[subclass] = None
        found |= dict.fromkeys(concrete(subclass))
    return list(found)


def load(package: str) -> None:
    """Import every module of a package, so that `concrete` knows its classes."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
