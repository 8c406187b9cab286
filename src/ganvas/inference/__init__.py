"""Use a trained generator. Imports no training and no observers."""

from ganvas.inference.generator import Generator, open

__all__ = ["Generator", "open"]
