"""Use trained models. Imports neither training nor observers."""

from ganvas.inference.base import Descriptor, Predictor
from ganvas.inference.generator import Generator
from ganvas.inference.loading import open, open_as
from ganvas.inference.points import PointGenerator
from ganvas.inference.repairer import Repaired, Repairer
from ganvas.inference.text import TextGenerator
from ganvas.inference.upscaler import Upscaler

__all__ = [
    "Descriptor",
    "Generator",
    "PointGenerator",
    "Predictor",
    "Repaired",
    "Repairer",
    "TextGenerator",
    "Upscaler",
    "open",
    "open_as",
]
