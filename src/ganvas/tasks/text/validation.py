"""How likely the generator finds sentences that it never saw."""

from __future__ import annotations

from typing import cast

import torch

import ganvas
from ganvas.data.sentences import Text
from ganvas.metrics.figure import Figure
from ganvas.observers.validation import Validator
from ganvas.recipe.system import Sequence
from ganvas.recipe.text import Level
from ganvas.training.run import Run

COUNT = 1_000  # sentences


class LikelihoodValidator(Validator):
    """NLL of at most 1,000 sentences, each word after the real ones before it: exact, for a GAN as for likelihood.

    The game may raise it: what G no longer writes becomes unlikely.
    """

    by = "NLL"

    def __init__(self, text: Text, split: str, level: Level) -> None:
        """`split` is the part of the data that `text` is."""
        self.rows = torch.from_numpy(text.spread(COUNT))
        words = len(text.words)
        self.protocol = {"sentences": len(self.rows), "split": split, "level": level, "words": words}

    def start(self, run: Run) -> None:
        """Nothing is drawn: the sentences are given."""

    def measure(self, run: Run) -> list[Figure]:
        """NLL."""
        training = run.sampler.training
        run.sampler.eval()
        nats, counted = cast(Sequence, run.recipe.system).nats(run.sampler, self.rows.to(run.device))
        run.sampler.train(training)
        protocol = {**self.protocol, "ganvas": ganvas.__version__}
        value = nats / counted
        return [Figure(measure="NLL", value=value, unit="nats a token", higher_is_better=False, protocol=protocol)]
