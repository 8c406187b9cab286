"""Judge a run, or a folder of fakes: figures that carry their protocol and an interval, and a picture to look at."""

from ganvas.evaluation.judge import Evaluation, evaluate
from ganvas.evaluation.measures import DEFAULT, MEASURES, Figure

__all__ = ["DEFAULT", "MEASURES", "Evaluation", "Figure", "evaluate"]
