"""One command's worth of training: begin or resume, what it costs, sanity checks, where it runs."""

from ganvas.experiment.host import Host
from ganvas.experiment.session import Outcome, train

__all__ = ["Host", "Outcome", "train"]
