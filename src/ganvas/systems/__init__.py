"""One file per GAN: its networks, its rules and its recipes.

A larger system is a folder: `__init__.py` holds the values, which need no torch, and `networks.py` the networks.

In a system's file, every public function annotated ``-> Recipe`` is a recipe: ``def dcgan_faces64() -> Recipe`` is
``ganvas train dcgan-faces64``, and the first line of its docstring is its description. A line ``Paper: ...`` in the
module's docstring names the source. Files in the folders listed in the environment variable GANVAS_SYSTEMS (separated
as in PATH) are found like those in this folder. The entries are parsed from the source text, without importing
anything.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import InputError, nearest

if TYPE_CHECKING:
    from ganvas.recipe import Recipe
    from ganvas.recipe.system import System

__path__.extend(folder for folder in os.environ.get("GANVAS_SYSTEMS", "").split(os.pathsep) if folder)


@dataclass(frozen=True)
class Entry:
    """One recipe, as described in the source text."""

    name: str
    function: str
    system: str
    summary: str
    paper: str


def entries() -> list[Entry]:
    """All recipes of all systems, in the order of the files and the functions in them."""
    return [entry for name, path in _files() for entry in _read(name, path)]


def named_recipe(name: str) -> Recipe:
    """Build a recipe by its name, or the first recipe of a system by the system's name.

    Raises:
        InputError: there is no such recipe; the message suggests the nearest name.
    """
    found = entries()
    for entry in [e for e in found if e.name == name] or [e for e in found if e.system == name]:
        module = importlib.import_module(f"ganvas.systems.{entry.system}")
        recipe: Recipe = getattr(module, entry.function)()
        return recipe
    known = dict.fromkeys([e.name for e in found] + [e.system for e in found])
    raise InputError(f"there is no recipe {name!r}{nearest(name, known)}; run ganvas list for all recipes.")


def read_recipe(plain: Any, where: str = "recipe") -> Recipe:
    """Rebuild a recipe from plain data, with classes from any system's file.

    Raises:
        InputError: as `ganvas.recipe.serialization.from_plain`.
    """
    from ganvas.recipe import Recipe
    from ganvas.recipe.serialization import from_plain

    load_systems()
    return from_plain(Recipe, plain, where)


def read_system(plain: Any, where: str = "system") -> System:
    """Rebuild a system from plain data, such as the header of a model file.

    Raises:
        InputError: as `ganvas.recipe.serialization.from_plain`.
    """
    from ganvas.recipe.serialization import from_plain
    from ganvas.recipe.system import System

    load_systems()
    return from_plain(System, plain, where)  # type: ignore[type-abstract]


def load_systems() -> None:
    """Import every system's file, so that all its classes can be found by name."""
    for name, _ in _files():
        importlib.import_module(f"ganvas.systems.{name}")


def _files() -> Iterator[tuple[str, Path]]:
    for module in pkgutil.iter_modules(__path__):
        path = Path(getattr(module.module_finder, "path", "")) / module.name
        yield module.name, path / "__init__.py" if module.ispkg else path.with_suffix(".py")


def _read(system: str, path: Path) -> Iterator[Entry]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines = (ast.get_docstring(tree) or "").splitlines()
    paper = next((line.removeprefix("Paper:").strip() for line in lines if line.startswith("Paper:")), "")
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if node.returns is not None and ast.unparse(node.returns) == "Recipe":
            summary = (ast.get_docstring(node) or "").splitlines() or [""]
            yield Entry(node.name.replace("_", "-"), node.name, system, summary[0], paper)
