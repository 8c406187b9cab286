"""A plan of many runs: which fields vary, over which seeds; carried out in processes of their own, resumable."""

from ganvas.studies.modes import modes
from ganvas.studies.presets import strategies
from ganvas.studies.run_jobs import forecast
from ganvas.studies.runner import Ended, run_study
from ganvas.studies.study import Study, read_study

__all__ = ["Ended", "Study", "forecast", "modes", "read_study", "run_study", "strategies"]
