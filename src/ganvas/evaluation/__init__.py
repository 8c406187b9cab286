"""Judge a run, or a folder of fakes: figures that carry their protocol and an interval, and a picture to look at.

What enlarges pictures is scored instead: `score` holds it against originals, and `prove` proves the scoring.
"""

from ganvas.evaluation.distributions import Evaluation, evaluate
from ganvas.evaluation.measures import DEFAULT, MEASURES, Figure
from ganvas.evaluation.pairs import Scores, difference, score
from ganvas.evaluation.selfcheck import Proof, prove

__all__ = [
    "DEFAULT",
    "MEASURES",
    "Evaluation",
    "Figure",
    "Proof",
    "Scores",
    "difference",
    "evaluate",
    "prove",
    "score",
]
