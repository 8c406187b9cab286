"""One file per GAN: its networks, its rules and its recipes.

A larger system is a folder: `__init__.py` holds the values, which need no torch, and `networks.py` the networks.

In a system's file, every public function annotated ``-> Recipe`` is a recipe: ``def dcgan_faces64() -> Recipe`` is
``ganvas train dcgan-faces64``, and the first line of its docstring is its description. A paragraph ``Paper: ...`` in
the module's docstring names the source. Files in the folders listed in the environment variable GANVAS_SYSTEMS
(separated as in PATH) are found like those in this folder. The entries are parsed from the source text, without
importing anything.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import InputError, expect_path, failure, nearest
from ganvas.recipe.legacy import renamed
from ganvas.untrusted import read_bytes, read_object

if TYPE_CHECKING:
    from ganvas.recipe import Recipe
    from ganvas.recipe.system import System

VARIABLE = "GANVAS_SYSTEMS"
RECIPE = "recipe.json"
FOLDERS = [folder for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
__path__.extend(FOLDERS)


@dataclass(frozen=True)
class Entry:
    """One recipe, as described in the source text."""

    name: str
    function: str
    system: str
    summary: str
    paper: str
    path: Path


def entries() -> list[Entry]:
    """All recipes of all systems, in the order of the files and the functions in them.

    Raises:
        InputError: a file in GANVAS_SYSTEMS cannot be read, or a folder in it does not exist.
    """
    found: list[Entry] = []
    for name, path in _files():
        with _named(path):
            found += _read(name, path)
    return found


def named_recipe(name: str | Path) -> Recipe:
    """Build a recipe by its name, the first recipe of a system by the system's name, or read that of a run or file.

    Args:
        name: as in ``ganvas list``; otherwise a run's folder, or a .json file such as a run's recipe.json.

    Raises:
        InputError: there is no such recipe, and the message suggests the nearest name; or the file is damaged.
    """
    expect_path(name, "the name of a recipe, such as 'dcgan-digits', or the folder of a run")
    found = entries()
    for entry in [e for e in found if e.name == name] or [e for e in found if e.system == name]:
        with _named(entry.path):
            recipe: Recipe = getattr(importlib.import_module(f"ganvas.systems.{entry.system}"), entry.function)()
        return recipe
    if file := _recipe_file(name):
        plain = read_object(file, "give a recipe that ganvas list shows, or the folder of a run")
        return read_recipe(renamed(plain), str(file))
    known = dict.fromkeys([e.name for e in found] + [e.system for e in found])
    raise InputError(
        f"there is no recipe {str(name)!r}{nearest(str(name), known)}; run ganvas list for all recipes, or give a run's"
        " folder or recipe.json."
    )


def run_name(recipe: str | Path, runs: str | Path) -> str:
    """The usual name of a run in the folder `runs`: the recipe's, or that of the run or file it is read from.

    A run that is already there gets ``-again``, so that to train it again begins another.
    """
    file = _recipe_file(recipe)
    if file is None:
        return str(recipe)
    file = file.resolve()
    if file.name != RECIPE:
        return file.stem
    again = file.parent == (Path(runs) / file.parent.name).resolve()
    return f"{file.parent.name}-again" if again else file.parent.name


def _recipe_file(name: str | Path) -> Path | None:
    """The file of a recipe, if `name` is a path to one and no recipe is called so."""
    path = Path(name)
    file = path / RECIPE if (path / RECIPE).is_file() else path
    if file.suffix != ".json" or any(str(name) in (entry.name, entry.system) for entry in entries()):
        return None
    return file


def read_recipe(plain: Any, where: str = "recipe") -> Recipe:
    """Rebuild a recipe from plain data, with classes from any system's file.

    Raises:
        InputError: as `ganvas.recipe.serialization.from_plain`.
    """
    from ganvas.recipe import Recipe
    from ganvas.recipe.serialization import from_plain

    load_systems()
    with _remembered(where):
        return from_plain(Recipe, plain, where)


def read_system(plain: Any, where: str = "system") -> System:
    """Rebuild a system from plain data, such as the header of a model file.

    Raises:
        InputError: as `ganvas.recipe.serialization.from_plain`.
    """
    from ganvas.recipe.serialization import from_plain
    from ganvas.recipe.system import System

    load_systems()
    with _remembered(where):
        try:
            return from_plain(System, plain, where)  # type: ignore[type-abstract]
        except InputError as error:
            if where in str(error):
                raise
            raise InputError(
                f"{where} describes a network that cannot be built: {str(error).rstrip('.')}; use a file that ganvas"
                " wrote."
            ) from None


def load_systems() -> None:
    """Import every system's file, so that all its classes can be found by name.

    Raises:
        InputError: a file in GANVAS_SYSTEMS cannot be imported, or a folder in it does not exist.
    """
    for name, path in _files():
        with _named(path):
            importlib.import_module(f"ganvas.systems.{name}")


@contextmanager
def _remembered(where: str) -> Iterator[None]:
    """Say of a class that is not known where its file was when the run was trained."""
    from ganvas.recipe.serialization import UnknownType

    try:
        yield
    except UnknownType as error:
        folders: Any = ()
        for parent in Path(where).parents[:2]:
            with suppress(InputError):
                folders = folders or read_object(parent / "host.json").get("systems")
        known = isinstance(folders, list) and all(isinstance(folder, str) for folder in folders) and folders
        remedy = (
            f"the run was trained with {VARIABLE}={os.pathsep.join(folders)}; set it again"
            if known
            else f"if it is from a file of your own, set {VARIABLE} to that file's folder"
        )
        raise UnknownType(f"{str(error).removesuffix('.')}; {remedy}.") from None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file of the user that raises whatever it may; ganvas's own files are not wrapped."""
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if not any(path.resolve().is_relative_to(Path(folder).resolve()) for folder in FOLDERS):
            raise
        raise InputError(
            f"{path}, which {VARIABLE} names, cannot be used ({failure(error, path)}); correct it, or take its folder"
            f" out of {VARIABLE}."
        ) from None


def _files() -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        if not Path(folder).is_dir():
            raise InputError(
                f"{VARIABLE} names the folder {folder}, which does not exist; correct it, or unset {VARIABLE}."
            )
    for module in pkgutil.iter_modules(__path__):
        path = Path(getattr(module.module_finder, "path", "")) / module.name
        yield module.name, path / "__init__.py" if module.ispkg else path.with_suffix(".py")


@cache  # a command asks several times, and a file is imported only once as well
def _read(system: str, path: Path) -> tuple[Entry, ...]:
    return tuple(_entries(system, path))


def _entries(system: str, path: Path) -> Iterator[Entry]:
    tree = ast.parse(read_bytes(path), str(path))
    named = re.search(r"^Paper:(.+?)(?:\n\n|\Z)", ast.get_docstring(tree) or "", re.MULTILINE | re.DOTALL)
    paper = " ".join(named[1].split()) if named else ""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if node.returns is not None and ast.unparse(node.returns) == "Recipe":
            summary = (ast.get_docstring(node) or "").splitlines() or [""]
            yield Entry(node.name.replace("_", "-"), node.name, system, summary[0], paper, path)
