"""The only room that changes weights: the loop, its phases, the state of a run, and what steers it."""

from ganvas.training.loop import Diverged

__all__ = ["Diverged"]
