"""The only room that changes weights: the loop, its phases, the state of a run, and the session around them."""

from ganvas.training.host import Host
from ganvas.training.loop import Diverged
from ganvas.training.session import Outcome, train

__all__ = ["Diverged", "Host", "Outcome", "train"]
