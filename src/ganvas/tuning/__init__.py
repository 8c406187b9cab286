"""Which rates and which penalty: short paired probes, ranked early. Changes no run but its own probes."""

from ganvas.tuning.candidates import Candidate, Search
from ganvas.tuning.search import Advice, Stopped, tune
from ganvas.tuning.verdict import Choice, Probe

__all__ = ["Advice", "Candidate", "Choice", "Probe", "Search", "Stopped", "tune"]
