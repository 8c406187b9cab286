"""Which learning rates and which penalties suit a recipe: short paired trials, ranked early. Touches no other run."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.studies.tuning.candidates import TuningCandidate
    from ganvas.studies.tuning.halving import SearchStopped, TuningResult, tune
    from ganvas.studies.tuning.search import Search
    from ganvas.studies.tuning.trials import Recommendation, Trial

__all__ = ["Recommendation", "Search", "SearchStopped", "Trial", "TuningCandidate", "TuningResult", "tune"]

__getattr__ = attributes(
    __name__,
    {
        "ganvas.studies.tuning.candidates": ("TuningCandidate",),
        "ganvas.studies.tuning.halving": ("TuningResult", "SearchStopped", "tune"),
        "ganvas.studies.tuning.search": ("Search",),
        "ganvas.studies.tuning.trials": ("Recommendation", "Trial"),
    },
)
