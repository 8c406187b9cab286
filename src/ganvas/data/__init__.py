"""Where batches come from: each kind of source has a file that opens it as a Dataset; `ganvas.data.feed` serves it.

Only the feed imports torch.
"""

from ganvas.data import crops, images, mixture2d, sentences  # each registers how to open its source
from ganvas.data.base import Dataset, Skipped, count, expect_available, known_count, open_data
from ganvas.data.builtin import NAMES, data_dir
from ganvas.data.cache import cache_dir
from ganvas.data.images import load

__all__ = [
    "NAMES",
    "Dataset",
    "Skipped",
    "cache_dir",
    "count",
    "crops",
    "data_dir",
    "expect_available",
    "images",
    "known_count",
    "load",
    "mixture2d",
    "open_data",
    "sentences",
]
