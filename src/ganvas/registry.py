"""Finds the concrete subclasses of a base class, wherever they are defined."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import TypeVar

from ganvas.errors import InputError

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


def by_name(classes: Iterable[type[T]], wanted: str) -> dict[str, type[T]]:
    """Classes by name, by which files and flags refer to them.

    Args:
        wanted: the name that is about to be looked up, in any case.

    Raises:
        InputError: two modules define a class of that name, so that a run could silently become another.
    """
    found: dict[str, type[T]] = {}
    for one in classes:
        other = found.get(one.__name__, one)
        if other.__module__ != one.__module__ and one.__name__.lower() == wanted.lower():
            raise InputError(
                f"there are two classes {one.__name__}, in {other.__module__} and {one.__module__}; rename yours."
            )
        found[one.__name__] = one
    return found
