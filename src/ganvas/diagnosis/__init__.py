"""Diagnosis of a run: signals, verdicts with their evidence, and remedies. Changes no weights by itself."""

from ganvas.diagnosis.chart import draw_diagnosis
from ganvas.diagnosis.history import Diagnosis, diagnose
from ganvas.diagnosis.remedies import REMEDIES, advice
from ganvas.diagnosis.verdicts import SOUND, Assessor, Snapshot, Verdict, assess, snapshots, timeline

__all__ = [
    "REMEDIES",
    "SOUND",
    "Assessor",
    "Diagnosis",
    "Snapshot",
    "Verdict",
    "advice",
    "assess",
    "diagnose",
    "draw_diagnosis",
    "snapshots",
    "timeline",
]
