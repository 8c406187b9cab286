"""Which rates and which penalty: short paired probes, ranked early. Changes no run but its own probes."""

from ganvas.studies.tuning.candidates import Candidate, Search
from ganvas.studies.tuning.search import Advice, Stopped, tune
from ganvas.studies.tuning.verdict import Choice, Probe

__all__ = ["Advice", "Candidate", "Choice", "Probe", "Search", "Stopped", "tune"]
