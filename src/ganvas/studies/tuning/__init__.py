"""Which rates and which penalty: short paired probes, ranked early. Changes no run but its own probes."""

from typing import TYPE_CHECKING

from ganvas.lazy import attributes

if TYPE_CHECKING:
    from ganvas.studies.tuning.candidates import Candidate
    from ganvas.studies.tuning.search import Advice, Stopped, tune
    from ganvas.studies.tuning.settings import Search
    from ganvas.studies.tuning.verdict import Choice, Probe

__all__ = ["Advice", "Candidate", "Choice", "Probe", "Search", "Stopped", "tune"]

__getattr__ = attributes(
    __name__,
    {
        "ganvas.studies.tuning.candidates": ("Candidate",),
        "ganvas.studies.tuning.search": ("Advice", "Stopped", "tune"),
        "ganvas.studies.tuning.settings": ("Search",),
        "ganvas.studies.tuning.verdict": ("Choice", "Probe"),
    },
)
