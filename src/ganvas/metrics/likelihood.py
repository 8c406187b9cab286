"""Likelihood: of sentences by the generator itself, and of its sentences by an oracle."""

from __future__ import annotations

from collections.abc import Iterable

from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import Evidence, Measure, Quantity

TOKENS = {"tokens": "ends and <unk> counted"}


class HeldOutLikelihood(Measure):
    """Of held-out sentences, and of as many that were trained on: exact for any generator with a softmax.

    In the game it rises, which is the loss of diversity itself. Of an oracle's sequences it is called NLL-test in the
    literature.
    """

    name, order = "nll", 126
    gives = (
        Quantity("NLL", higher_is_better=False, unit="nats a token", least=0),
        Quantity("NLL of training lines", unit="nats a token", least=0),
    )
    needs = frozenset({"text", "likelihood"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever the generator gives probabilities."""
        return x.likelihood is not None

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Two figures, without intervals."""
        assert x.likelihood is not None
        protocol = {**TOKENS, **{key: value for key, value in x.protocol.items() if key not in ("fakes", "seed")}}
        return [
            self.figure("NLL", x.likelihood(x.of_text.reals), protocol),
            self.figure("NLL of training lines", x.likelihood(x.of_text.control), protocol),
        ]


class OracleLikelihood(Measure):
    """Of the fakes by the model that the reals were sampled from (Yu et al. 2017, arXiv:1609.05473, section 5.1).

    It sees quality alone: a generator that repeats the oracle's likeliest sequence has the least of all. Read it beside
    the NLL, which sees diversity.
    """

    name, order = "oracle", 127
    gives = (Quantity("NLL-oracle", unit="nats a token", least=0),)
    needs = frozenset({"text", "oracle"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever there is one."""
        return x.oracle is not None

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """One figure, beside that of the oracle's own sequences."""
        assert x.oracle is not None
        return [self.figure("NLL-oracle", x.oracle(x.of_text.fakes), x.protocol, real=x.oracle(x.of_text.reals))]
