"""Where batches come from. Every source answers: the batch at image N."""

from ganvas.data.builtin import NAMES, data_dir
from ganvas.data.dataset import Dataset, Skipped, cache_dir, count, load, open_data
from ganvas.data.feed import Feed

__all__ = [
    "NAMES",
    "Dataset",
    "Feed",
    "Skipped",
    "cache_dir",
    "count",
    "data_dir",
    "load",
    "open_data",
]
