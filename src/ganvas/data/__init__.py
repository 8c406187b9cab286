"""Where batches come from. Every source answers: the batch at image N."""

from ganvas.data.dataset import Dataset, Skipped, cache_dir, count, load
from ganvas.data.feed import Batch, Feed
from ganvas.data.named import NAMES, data_dir
from ganvas.data.pictures import Pictures

__all__ = ["NAMES", "Batch", "Dataset", "Feed", "Pictures", "Skipped", "cache_dir", "count", "data_dir", "load"]
