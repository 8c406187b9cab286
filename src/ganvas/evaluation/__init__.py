"""Evaluate a run, or a folder of fakes: figures with their protocol and an interval, and a chart.

Super-resolution is scored instead: `score` holds results against originals, and `selfcheck` checks the scoring itself.
"""

from ganvas.evaluation.distributions import Evaluation, evaluate
from ganvas.evaluation.pairs import Scores, difference, score
from ganvas.evaluation.selfcheck import SelfCheck, selfcheck
from ganvas.metrics.figure import Figure

__all__ = [
    "Evaluation",
    "Figure",
    "Scores",
    "SelfCheck",
    "difference",
    "evaluate",
    "score",
    "selfcheck",
]
