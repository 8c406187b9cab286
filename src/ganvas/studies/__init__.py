"""Many trainings: which fields vary, over which seeds; each run in its own process, resumable."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.studies.forecasting import Forecast, forecast
    from ganvas.studies.presets import strategies
    from ganvas.studies.runner import StudyResult, run_study
    from ganvas.studies.study import Study, read_study

__all__ = ["Forecast", "Study", "StudyResult", "forecast", "read_study", "run_study", "strategies"]

__getattr__ = attributes(
    __name__,
    {
        "ganvas.studies.presets": ("strategies",),
        "ganvas.studies.forecasting": ("Forecast", "forecast"),
        "ganvas.studies.runner": ("StudyResult", "run_study"),
        "ganvas.studies.study": ("Study", "read_study"),
    },
)
