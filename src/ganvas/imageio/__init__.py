"""Enlarge picture files, folders of them and films, and lose nothing: depth, alpha, profile, metadata."""

from ganvas.imageio.reading import Unusable, open_photo
from ganvas.imageio.upscale import Wish, enlarge

__all__ = ["Unusable", "Wish", "enlarge", "open_photo"]
