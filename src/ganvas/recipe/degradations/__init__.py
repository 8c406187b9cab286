"""Degradations: how an image is turned into the low-quality input that restoration learns to undo.

Train with the degradation that produced the images to be restored: a network trained on one kernel and used on another
loses more than a decibel.
"""

from ganvas.recipe.degradations.aged import Aged
from ganvas.recipe.degradations.base import MARGIN, Area, Bicubic, Bilinear, Degradation
from ganvas.recipe.degradations.blind import Blind, Pass
from ganvas.recipe.degradations.blind_once import BlindOnce

__all__ = ["MARGIN", "Aged", "Area", "Bicubic", "Bilinear", "Blind", "BlindOnce", "Degradation", "Pass"]
