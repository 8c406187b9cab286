"""A plan of many runs: which fields vary, over which seeds; carried out in processes of their own, resumable."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.studies.presets import strategies
    from ganvas.studies.run_jobs import forecast
    from ganvas.studies.runner import Ended, run_study
    from ganvas.studies.study import Study, read_study

__all__ = ["Ended", "Study", "forecast", "read_study", "run_study", "strategies"]

__getattr__ = attributes(
    __name__,
    {
        "ganvas.studies.presets": ("strategies",),
        "ganvas.studies.run_jobs": ("forecast",),
        "ganvas.studies.runner": ("Ended", "run_study"),
        "ganvas.studies.study": ("Study", "read_study"),
    },
)
