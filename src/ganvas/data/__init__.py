"""Where batches come from. Every source answers: the batch at image N."""

from ganvas.data.crops import Crops
from ganvas.data.dataset import Dataset, Skipped, Source, cache_dir, count, load, open_data
from ganvas.data.feed import Batch, Feed
from ganvas.data.named import NAMES, data_dir
from ganvas.data.pictures import Pictures
from ganvas.data.points import Points

__all__ = [
    "NAMES",
    "Batch",
    "Crops",
    "Dataset",
    "Feed",
    "Pictures",
    "Points",
    "Skipped",
    "Source",
    "cache_dir",
    "count",
    "data_dir",
    "load",
    "open_data",
]
