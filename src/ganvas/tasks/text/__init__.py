"""Sentences written from noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import InputError
from ganvas.machine import free_memory
from ganvas.recipe.ramp import ends
from ganvas.recipe.recipe import Recipe
from ganvas.recipe.schedule import WHOLE
from ganvas.recipe.text import LONGEST, SPECIAL, Counting, Level, Oracle, Sentences, TextSource
from ganvas.runs.folder import RunFolder
from ganvas.runs.header import Damaged, read_header
from ganvas.runs.models import find
from ganvas.tasks.base import Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganvas.data import Dataset
    from ganvas.data.feed import Feed
    from ganvas.data.sentences import Text
    from ganvas.diagnosis.signals import Probe
    from ganvas.observers.previews import Previewer
    from ganvas.observers.validation import Validator
    from ganvas.observers.watch import Watch
    from ganvas.training.run import Run

FAKES = 20  # that the next command makes
SHOWN = 3  # sentences at the end of a run
COPIES = 12  # of a batch of one-hot sentences: reals, fakes, what is computed of them, and the gradients of all
DROPPED = 0.1  # share of sentences that are too long, above which it is said
USED = 0.9  # share of the vocabulary that the data need, below which it is said


class TextTask(Task):
    """Sentences; previews are texts, and the best has the least negative log-likelihood of what is held out."""

    name, unit, has_words = "text", "sentences", True

    def check(self, recipe: Recipe) -> None:
        """Refuse what does not go with sentences.

        Raises:
            InputError: the data, a reconstruction loss or an augmentation are for images, the controller is asked for,
                or a batch exceeds the free memory.
        """
        name = type(recipe.system).__name__
        if not isinstance(recipe.data, TextSource):
            raise InputError(
                f"{name} writes sentences, and the data are {type(recipe.data).__name__}; give it Sentences, or take"
                " another recipe."
            )
        for loss in recipe.reconstruction:
            if loss.of not in recipe.system.makes:
                raise InputError(
                    f"the reconstruction loss {type(loss).__name__} compares images, and {name} writes sentences; give"
                    " --reconstruction Likelihood, or none."
                )
        augment = recipe.augment
        if augment.flip or augment.target or any(ends(augment.differentiable)) or any(ends(augment.noise)):
            raise InputError(
                "--augment.flip, --augment.differentiable, --augment.target and --augment.noise change images, and the"
                " data are sentences; leave them out."
            )
        if recipe.steering.mode == "treat":
            raise InputError(f"--steering treat is for images and points; leave it out for {name}.")
        places, words = recipe.system.shape
        need, free = 4 * COPIES * recipe.batch_size * places * words, free_memory()
        if need > free:
            raise InputError(
                f"a batch of {recipe.batch_size:,} sentences with {places:,} places and {words:,} words needs"
                f" {need / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free; give a smaller --batch-size, --system.words"
                " or --system.length."
            )

    def check_data(self, recipe: Recipe, watch: Watch, dataset: Dataset, folder: RunFolder | None = None) -> None:
        """Refuse initial weights of another vocabulary, whose numbers would stand for other words.

        Raises:
            InputError: they are.
        """
        if recipe.start and _words_of(find(recipe.start)) not in ([], list(_text(dataset).words)):
            raise InputError(
                f"--start {recipe.start} has another vocabulary than {dataset.name}; train both on one text, or leave"
                " --start out."
            )

    def warnings(self, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
        """A vocabulary or sentences that the recipe is not made for."""
        from ganvas.data.sentences import is_unspaced, read_corpus

        used, room = len(_text(dataset).words), recipe.system.shape[1]
        if used < USED * room:
            yield (
                f"{dataset.name} has {used:,} words, and the recipe has room for {room:,}; --system.words {used} is"
                " faster and the same otherwise."
            )
        if not isinstance(recipe.data, Sentences):
            return
        found = read_corpus(recipe.data).sentences
        longest = recipe.system.shape[0] - 1
        longer = sum(len(words) > longest for words in found)
        if longer > DROPPED * len(found):
            done = "left out" if recipe.data.longer == "drop" else "cut"
            fitting = min(LONGEST, sorted(map(len, found))[int((1 - DROPPED) * (len(found) - 1))])
            yield (
                f"{longer:,} of the {len(found):,} sentences of {dataset.name} are longer than {longest} and {done};"
                f" with --system.length {fitting} nine in ten would fit."
            )
        if recipe.data.level == "word" and is_unspaced(found):
            yield (
                f"most sentences of {dataset.name} are in a script without spaces between words; give --data.level"
                " character."
            )

    def feed(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> Feed:
        """Sentences as one-hot kinds."""
        from ganvas.data.feed import row_feed
        from ganvas.tasks.text.one_hot import OneHot

        options = {"batch_size": recipe.batch_size, "seed": recipe.seed, "device": device}
        return row_feed(dataset, OneHot(recipe.system.shape[1]), **options)  # type: ignore[arg-type]

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        """Sentences, one a line."""
        from ganvas.tasks.text.previews import SentencesPreviewer

        return SentencesPreviewer(recipe.seed, _text(dataset))

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        """NLL of the held-out sentences; of some of the others where none are held out."""
        from ganvas.tasks.text.validation import LikelihoodValidator

        split, part = ("held-out", held_out) if len(held_out) else ("train", dataset)
        return LikelihoodValidator(_text(part), split, _level(recipe))

    def probe(self, run: Run, dataset: Dataset, held_out: Dataset) -> Probe | None:
        """What the diagnosis measures with; None where no game is played."""
        from ganvas.diagnosis.signals import COUNT, Probe
        from ganvas.tasks.text.one_hot import one_hot

        recipe = run.recipe
        if recipe.schedule.pretrain == WHOLE:
            return None
        words = recipe.system.shape[1]
        # Of so few that chance alone repeats none too often: of 128 draws from 190 sentences half have a double.
        count = min(COUNT, max(2, len(dataset) // 4))
        train, kept = (one_hot(part.spread(count), words).to(run.device) for part in (dataset, held_out))
        # Other noise than the previews'.
        inputs = recipe.system.inputs(count, recipe.seed + 2).to(run.device)
        return Probe(inputs, train, kept, recipe.objective, embed=self.embed)

    def embed(self, samples: Tensor) -> Tensor:
        """See `ganvas.tasks.text.one_hot.embedded`."""
        from ganvas.tasks.text.one_hot import embedded

        return embedded(samples)

    def evidence(self, recipe: Recipe) -> Mapping[str, Any]:
        """The oracle, or the rule, of a text that is computed."""
        data = recipe.data
        if isinstance(data, Oracle):
            return {"oracle": data.nll_of}
        return {"rule": data.is_right} if isinstance(data, Counting) else {}

    def protocol(self, recipe: Recipe) -> Mapping[str, Any]:
        """Tokeniser, and size of the vocabulary."""
        assert isinstance(recipe.data, TextSource)
        return {"tokens": recipe.data.tokens, "words": recipe.system.shape[1], "length": recipe.system.shape[0]}

    def names(self, recipe: Recipe, dataset: Dataset) -> Mapping[str, Any]:
        """The words of the vocabulary, and what stands between them in a sentence."""
        text = _text(dataset)
        return {"words": text.words, "joint": text.joint}

    def placeholder(self, recipe: Recipe, count: int) -> Dataset:
        """Full sentences of any words."""
        import numpy as np

        from ganvas.data.sentences import Text

        places, words = recipe.system.shape
        rows = np.random.default_rng(0).integers(len(SPECIAL), words, (count, places)).astype(np.int32)
        return Text(rows, words=(*SPECIAL, *map(str, range(words - len(SPECIAL)))))

    def results(self, folder: RunFolder) -> list[tuple[str, str]]:
        """The last likelihood, and some of the sentences in the last preview."""
        from ganvas.runs.folder import figures_of
        from ganvas.tasks.text.previews import last_sentences

        figures = (figure for line in reversed(folder.read_log()) for figure in figures_of(line))
        nll = next((figure for figure in figures if figure.measure == "NLL"), None)
        found = [("NLL", f"{nll.value:.3f} nats a token, {nll.protocol.get('split', '?')}")] if nll else []
        return found + [("" if row else "writes", line) for row, line in enumerate(last_sentences(folder, SHOWN))]

    def next_command(self, recipe: Recipe, folder: RunFolder) -> str:
        """Generate sentences."""
        return f"ganvas generate {folder.path} -n {FAKES}"


def _text(dataset: Dataset) -> Text:
    from ganvas.data.sentences import Text

    assert isinstance(dataset, Text)  # as `check` has seen to
    return dataset


def _level(recipe: Recipe) -> Level:
    assert isinstance(recipe.data, TextSource)
    return recipe.data.level


def _words_of(file: Path) -> list[Any]:
    """The words that a file names; none if it is no intact file of text, which is refused elsewhere."""
    try:
        names = read_header(file)[0].get("names")
    except Damaged:
        return []
    words = names.get("words") if isinstance(names, dict) else None
    return words if isinstance(words, list) else []
