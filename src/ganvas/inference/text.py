"""Sentences from noise, as strings, as words and as files; and how likely given sentences are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.data import Dataset
from ganvas.data.sentences import Text, Words, decode, encode
from ganvas.errors import InputError
from ganvas.files import expect_ending, write_text
from ganvas.inference.base import Model
from ganvas.inference.sampler import Label, Sampler
from ganvas.machine import free_memory
from ganvas.metrics import sentences
from ganvas.metrics.sentences import Lines
from ganvas.recipe import system as kinds
from ganvas.recipe.text import SPECIAL

TOGETHER = 64  # sentences drawn together, always so many: their last bits depend on it, and so may a word
EACH = 64  # bytes of memory that a word takes, at most


class TextGenerator(Sampler):
    """A generator of sentences.

    Attributes:
        words: the name of every kind of its vocabulary.
        temperature: of the softmax that words are drawn from, unless a call gives another: below 1 the commonest
            phrases, above 1 rarer ones.
    """

    task = "text"
    does = "writes sentences from noise"
    unit, method, default_count = "sentences", "generate", 20
    words: Words
    temperature: float
    _system: kinds.Sequence

    def __init__(self, model: Model) -> None:
        """Raises InputError: the file names no words."""
        super().__init__(model)
        self._system = cast(kinds.Sequence, model.system)
        words, joint = model.names.get("words"), model.names.get("joint")
        if not (
            isinstance(words, list)
            and all(isinstance(word, str) for word in words)
            and tuple(words[: len(SPECIAL)]) == SPECIAL
            and len(words) <= self._system.words
            and isinstance(joint, str)
        ):
            raise InputError(
                f"{self.name} is damaged: its file does not name the words of its vocabulary; train the model again."
            )
        self.words, self._joint, self.temperature = tuple(words), joint, 1.0

    @classmethod
    def load(cls, model: Model, temperature: float = 1.0, **options: Any) -> Self:
        """See `TextGenerator`.

        Raises:
            InputError: the temperature is not above 0, or another option is given.
        """
        made = super().load(model, **options)
        made.temperature = _expected(temperature)
        return made

    def generate(  # type: ignore[override]
        self, n: int, seed: int = 0, label: Label | None = None, *, temperature: float | None = None
    ) -> list[str]:
        """Generate `n` sentences. The first do not depend on `n`.

        Raises:
            InputError: `n` is less than 1, the seed is negative, the temperature not above 0, or a class is given.
        """
        return [self._joint.join(words) for words in self.tokens(n, seed=seed, temperature=temperature, label=label)]

    def sentences(self, count: int, *, seed: int = 0, temperature: float | None = None) -> list[str]:
        """The same as `generate`."""
        return self.generate(count, seed, temperature=temperature)

    def tokens(
        self, count: int, *, seed: int = 0, temperature: float | None = None, label: Label | None = None
    ) -> list[Words]:
        """The same, as words or characters.

        Raises:
            InputError: see `generate`.
        """
        return decode(self.sample(count, seed, label, temperature=temperature), self.words)

    def sample(
        self, n: int, seed: int = 0, label: Label | None = None, *, temperature: float | None = None
    ) -> NDArray[np.int32]:
        """The same, as rows of kinds: int32 (n, places).

        Raises:
            InputError: see `generate`.
        """
        if label is not None:
            raise InputError(f"{self.name} was trained without classes; leave out the class {label!r}.")
        warmth = self.temperature if temperature is None else _expected(temperature)
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot generate {n} {self.unit} from seed {seed}; give at least -n 1 and a --seed of at least 0."
            )
        each, free = EACH * self._system.places, free_memory()
        if n * each > free:
            raise InputError(
                f"{n:,} sentences need {n * each / 1e9:,.0f} GB of memory at once, and {free / 1e9:,.1f} GB are free;"
                f" give at most -n {free // each:,}, and another --seed for further ones."
            )
        device = next(self.network.parameters()).device
        made = []
        for part in torch.split(self._system.inputs(n, seed), TOGETHER):
            whole = torch.cat([part, part[:1].expand(TOGETHER - len(part), -1)]).to(device)
            made.append(self._system.rows(self.network, whole, warmth)[: len(part)].cpu().numpy())
        return np.concatenate(made).astype(np.int32)

    def nll(self, rows: Sequence[Sequence[str]] | NDArray[np.integer]) -> float:
        """The negative log-likelihood of sentences, in nats a word: ends are counted, and unknown words as <unk>.

        Args:
            rows: sentences as words, or as rows of kinds (N, places). What has no room is cut.

        Raises:
            InputError: there is no sentence, or a row is of another length or has a kind that is none.
        """
        places, vocabulary = self._system.shape
        found = rows if isinstance(rows, np.ndarray) else encode(rows, self.words, places)
        if not len(found) or found.shape[1:] != (places,) or found.min() < 0 or found.max() >= vocabulary:
            raise InputError(
                f"{self.name} judges sentences, or rows of {places} numbers below {vocabulary}; give at least one."
            )
        device = next(self.network.parameters()).device
        nats, counted = self._system.nats(self.network, torch.from_numpy(found).to(device))
        return float(nats / counted)

    def evidence(self, made: NDArray[Any], reals: NDArray[Any], training: Dataset, seed: int) -> Mapping[str, Any]:
        """See `Predictor.evidence`."""
        if not isinstance(training, Text) or training.words != self.words:
            raise InputError(
                f"the vocabulary of {training.name} is not the one that {self.name} was trained on; restore the text."
            )
        known = decode(training.take(slice(None)), self.words)
        chosen = np.random.default_rng(seed).permutation(len(known))[: len(made)]
        found = sentences.Text(
            fakes=decode(made, self.words),
            reals=decode(reals, self.words),
            control=[known[row] for row in chosen],
            training=known,
            words=len(self.words) - 1,  # padding is none
        )
        return {"text": found, "likelihood": self.nll}

    def draws(self, n: int, seed: int) -> Callable[[float], Lines]:
        """See `Predictor.draws`."""
        return lambda temperature: self.tokens(n, seed=seed, temperature=temperature)

    def lines(self, n: int, seed: int) -> list[str]:
        """`n` sentences, for the terminal."""
        return self.generate(n, seed)

    def write_samples(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> list[Path]:
        """Write `n` sentences as a .txt file, one a line, which can be trained on, or as .jsonl with their origin.

        Raises:
            InputError: the path is of another kind, or cannot be written.
        """
        ending = expect_ending(path, ".txt", ".jsonl")
        sentences = self.generate(n, seed)
        if ending == ".jsonl":
            about: dict[str, Any] = {"synthetic": True, "model": self.name, "seed": seed}
            about["temperature"] = self.temperature
            sentences = [json.dumps({"text": text, **about}, ensure_ascii=False) for text in sentences]
        write_text(path, "\n".join(sentences) + "\n")
        return [path]

    def write_grid(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
        """Raises InputError: sentences make no image."""
        raise InputError(f"{self.name} writes sentences, which --grid cannot draw; give --out FILE.txt.")

    def write_interpolation(
        self, stops: int, steps: int, seed: int, strip: Path | None, video: Path | None, label: int | None = None
    ) -> list[Path]:
        """Raises InputError: there is nothing between two sentences."""
        raise InputError(f"{self.name} writes sentences, and --interpolate is for images; leave it out.")


def _expected(temperature: float) -> float:
    if not (isinstance(temperature, int | float) and math.isfinite(temperature) and temperature > 0):
        raise InputError(f"a temperature of {temperature} is not above 0; give one such as 0.8 (1 is as trained).")
    return float(temperature)
