"""One module = one modality: all that differs between training images, restorations and 2-D mixtures.

Another task may live in any file: what counts is that it is a `Task` and that a system names it.
"""

from __future__ import annotations

from ganvas.errors import InputError, listed, nearest
from ganvas.recipe.recipe import Recipe
from ganvas.recipe.system import System
from ganvas.registry import concrete, load
from ganvas.tasks.base import Task

__all__ = ["Task", "task_of"]


def task_of(about: Recipe | System | type[System]) -> Task:
    """The task of a system, or of a recipe's.

    Raises:
        InputError: no task has the name that the system gives.
    """
    name = about.system.task if isinstance(about, Recipe) else about.task
    load("ganvas.tasks")
    # Of two of one name the later is meant, such as one that a test defines again.
    known = {task.name: task for task in concrete(Task)}  # type: ignore[type-abstract]
    if name not in known:
        raise InputError(f"there is no task {name!r}{nearest(name, known)}; available: {listed(sorted(known))}.")
    return known[name]()
