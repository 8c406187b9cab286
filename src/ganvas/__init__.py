"""Train, judge, compare and use generative adversarial networks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.comparison import compare
    from ganvas.data import Pictures, Points
    from ganvas.errors import InputError
    from ganvas.evaluation import Evaluation, evaluate
    from ganvas.inference import Generator, open
    from ganvas.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
    from ganvas.observers import Watch
    from ganvas.penalties import R1, R2, GradientPenalty
    from ganvas.ramp import Ramp
    from ganvas.recipe import EMA, Adam, Augment, Plan, Recipe, Steering
    from ganvas.studies import Study, run_study
    from ganvas.systems import named_recipe
    from ganvas.training import Host, train

__version__ = "0.1.0"

_HOMES = {
    "ganvas.comparison": ("compare",),
    "ganvas.data": ("Pictures", "Points"),
    "ganvas.errors": ("InputError",),
    "ganvas.evaluation": ("Evaluation", "evaluate"),
    "ganvas.inference": ("Generator", "open"),
    "ganvas.objectives": ("Hinge", "LeastSquares", "NonSaturating", "Relativistic", "Wasserstein"),
    "ganvas.observers": ("Watch",),
    "ganvas.penalties": ("R1", "R2", "GradientPenalty"),
    "ganvas.ramp": ("Ramp",),
    "ganvas.recipe": ("EMA", "Adam", "Augment", "Plan", "Recipe", "Steering"),
    "ganvas.studies": ("Study", "run_study"),
    "ganvas.systems": ("named_recipe",),
    "ganvas.training": ("Host", "train"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "EMA",
    "R1",
    "R2",
    "Adam",
    "Augment",
    "Evaluation",
    "Generator",
    "GradientPenalty",
    "Hinge",
    "Host",
    "InputError",
    "LeastSquares",
    "NonSaturating",
    "Pictures",
    "Plan",
    "Points",
    "Ramp",
    "Recipe",
    "Relativistic",
    "Steering",
    "Study",
    "Wasserstein",
    "Watch",
    "compare",
    "evaluate",
    "named_recipe",
    "open",
    "run_study",
    "train",
]


def __getattr__(name: str) -> Any:
    # Names are fetched on first use, so that the command line can start without loading torch.
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
