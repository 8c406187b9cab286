"""A plan of many runs: which fields vary, over which seeds; carried out in processes of their own, resumable."""

from ganvas.studies.carry_out import Ended, run_study
from ganvas.studies.jobs import forecast
from ganvas.studies.modes import modes
from ganvas.studies.named import strategies
from ganvas.studies.plan import Study, read_study

__all__ = ["Ended", "Study", "forecast", "modes", "read_study", "run_study", "strategies"]
