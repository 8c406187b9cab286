"""Training, the only package that changes weights: the loop, its phases, the state of a run and its controller."""

from ganvas.training.loop import Diverged

__all__ = ["Diverged"]
