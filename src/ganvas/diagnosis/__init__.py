"""What is wrong with the game: signals, verdicts with their evidence, remedies. Changes no weight by itself."""

from ganvas.diagnosis.chart import draw_diagnosis
from ganvas.diagnosis.history import Diagnosis, diagnose
from ganvas.diagnosis.remedies import REMEDIES, advice
from ganvas.diagnosis.verdicts import Look, Verdict, judge, looks, timeline

__all__ = [
    "REMEDIES",
    "Diagnosis",
    "Look",
    "Verdict",
    "advice",
    "diagnose",
    "draw_diagnosis",
    "judge",
    "looks",
    "timeline",
]
