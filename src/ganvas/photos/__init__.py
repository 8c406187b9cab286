"""Enlarge picture files, folders of them and films, and lose nothing: depth, alpha, profile, metadata."""

from ganvas.photos.enlarge import Wish, enlarge
from ganvas.photos.reading import Unusable, open_photo

__all__ = ["Unusable", "Wish", "enlarge", "open_photo"]
