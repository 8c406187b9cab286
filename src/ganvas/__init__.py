"""Train, evaluate, compare and use generative adversarial networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.errors import InputError
    from ganvas.evaluation import Evaluation, evaluate
    from ganvas.experiment import Host, train
    from ganvas.inference import (
        Descriptor,
        Generator,
        PointGenerator,
        Predictor,
        Repairer,
        TextGenerator,
        Upscaler,
        open,
    )
    from ganvas.observers.watch import Watch
    from ganvas.recipe import EMA, SGD, Adam, Augment, Recipe, RMSprop, Schedule, Steering
    from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
    from ganvas.recipe.penalties import R1, R2, GradientPenalty
    from ganvas.recipe.ramp import Ramp
    from ganvas.recipe.sources import Images, Mixture2D
    from ganvas.recipe.text import Sentences
    from ganvas.reports import compare
    from ganvas.studies import Study, run_study
    from ganvas.systems import named_recipe
    from ganvas.training.observer import Observer

__version__ = "0.1.0"

# Lazy, so that the command line starts without torch.
__getattr__ = attributes(
    __name__,
    {
        "ganvas.errors": ("InputError",),
        "ganvas.evaluation": ("Evaluation", "evaluate"),
        "ganvas.experiment": ("Host", "train"),
        "ganvas.inference": (
            "Descriptor",
            "Generator",
            "PointGenerator",
            "Predictor",
            "Repairer",
            "TextGenerator",
            "Upscaler",
            "open",
        ),
        "ganvas.observers.watch": ("Watch",),
        "ganvas.recipe": ("EMA", "SGD", "Adam", "Augment", "RMSprop", "Recipe", "Schedule", "Steering"),
        "ganvas.recipe.objectives": ("Hinge", "LeastSquares", "NonSaturating", "Relativistic", "Wasserstein"),
        "ganvas.recipe.penalties": ("R1", "R2", "GradientPenalty"),
        "ganvas.recipe.ramp": ("Ramp",),
        "ganvas.recipe.sources": ("Images", "Mixture2D"),
        "ganvas.recipe.text": ("Sentences",),
        "ganvas.reports": ("compare",),
        "ganvas.studies": ("Study", "run_study"),
        "ganvas.systems": ("named_recipe",),
        "ganvas.training.observer": ("Observer",),
    },
)

__all__ = [
    "EMA",
    "R1",
    "R2",
    "SGD",
    "Adam",
    "Augment",
    "Descriptor",
    "Evaluation",
    "Generator",
    "GradientPenalty",
    "Hinge",
    "Host",
    "Images",
    "InputError",
    "LeastSquares",
    "Mixture2D",
    "NonSaturating",
    "Observer",
    "PointGenerator",
    "Predictor",
    "RMSprop",
    "Ramp",
    "Recipe",
    "Relativistic",
    "Repairer",
    "Schedule",
    "Sentences",
    "Steering",
    "Study",
    "TextGenerator",
    "Upscaler",
    "Wasserstein",
    "Watch",
    "compare",
    "evaluate",
    "named_recipe",
    "open",
    "run_study",
    "train",
]
