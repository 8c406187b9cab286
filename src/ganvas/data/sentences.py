"""Sentences of text files and tables, and computed ones, as rows of numbers of words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Dataset, Skipped, expect_available, known_count, open_data
from ganvas.data.lines import LINES, TABLES, read_lines, text_files
from ganvas.errors import InputError, listed, nearest
from ganvas.recipe.text import (
    END,
    LONGEST,
    PAD,
    SPECIAL,
    UNKNOWN,
    Counting,
    KnownText,
    Level,
    Oracle,
    Sentences,
    TextSource,
)

BUNDLED = {"tiny": Path(__file__).parent / "bundled" / "tiny.txt"}
LARGEST = 2**28  # bytes of all files of a source
WIDEST = 64  # characters of a word; a longer one is unknown
SOME = 1_000  # sentences whose script is looked at

# A word may have hyphens, apostrophes and dots in it, and a number commas; all other signs stand alone.
_WORDS = re.compile(r"<unk>|\d+(?:[.,:/]\d+)+|[^\W_]+(?:[-'’&./_][^\W_]+)*|\S")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")  # scripts that put no spaces between words

Words = tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """All sentences of a source, copies included.

    Attributes:
        name: of the source.
        sentences: in the order of the source, none of them empty.
        skipped: files that are no text.
        notes: choices that were made for the user.
    """

    name: str
    sentences: list[Words]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Text(Dataset):
    """Sentences as rows of kinds, each followed by an end, if there is room, and padding.

    Attributes:
        images: int32 (N, places).
        words: the name of every kind: `ganvas.recipe.text.SPECIAL`, then the vocabulary of the training part, by
            falling count.
        joint: what stands between two kinds of a sentence.
        share: fraction that is held out of the whole.
    """

    words: Words = SPECIAL
    joint: str = " "
    share: float = 0.0
    kind: str = "sentences"

    def __repr__(self) -> str:
        return f"<Text {self.name}: {len(self):,} sentences, {len(self.words):,} words>"

    @property
    def training(self) -> list[Words]:
        """The sentences of the whole that are trained on, as words; a word outside the vocabulary is <unk>."""
        return decode(self.split(self.share)[0].take(slice(None)), self.words)

    @property
    def held_out(self) -> list[Words]:
        """The others."""
        return decode(self.split(self.share)[1].take(slice(None)), self.words)


def decode(rows: NDArray[np.integer], words: Sequence[str]) -> list[Words]:
    """Rows of kinds (N, places) as words, each up to its end; a kind without a name is <unk>."""
    found = []
    for row in rows.tolist():
        ended = next((place for place, kind in enumerate(row) if kind in (END, PAD)), len(row))
        found.append(tuple(words[kind] if kind < len(words) else SPECIAL[UNKNOWN] for kind in row[:ended]))
    return found


def encode(sentences: Sequence[Sequence[str]], words: Sequence[str], places: int) -> NDArray[np.int32]:
    """Sentences as rows of kinds (N, places), cut to `places`; a word outside the vocabulary becomes <unk>."""
    number = {word: kind for kind, word in enumerate(words) if kind not in (PAD, END)}
    rows = np.full((len(sentences), places), PAD, np.int32)
    for row, sentence in zip(rows, sentences, strict=True):
        kinds = [*(number.get(word, UNKNOWN) for word in sentence), END][:places]
        row[: len(kinds)] = kinds
    return rows


def tokenize(line: str, level: Level, *, lower: bool, detach: bool) -> Words:
    """The words or characters of a line, composed as in NFC; of more than `LONGEST` one more than that."""
    line = unicodedata.normalize("NFC", line)
    line = line.lower() if lower else line
    if level == "character":
        return tuple(" ".join(line.split())[: LONGEST + 1])
    found: Iterable[str] = (match[0] for match in _WORDS.finditer(line)) if detach else line.split()
    return tuple(word if len(word) <= WIDEST else SPECIAL[UNKNOWN] for word in islice(found, LONGEST + 1))


def read_corpus(source: Sentences) -> Corpus:
    """All sentences of a source.

    Raises:
        InputError: it does not exist, is no text or no table with such a column, or holds no sentence.
    """
    expect_available(source)
    path = BUNDLED.get(source.source, Path(source.source))
    files, notes = text_files(path) if path.is_dir() else ([path], ())
    skipped = []
    parts: list[Iterable[str]] = []
    left = LARGEST
    for file in files:
        try:
            size = file.stat().st_size
            parts.append(read_lines(file, source.column, left))
            left -= size
        except InputError as error:
            if not path.is_dir() or left <= 0:
                raise
            skipped.append(Skipped(file.name, str(error).rstrip(".")))
    cut = partial(tokenize, level=source.level, lower=source.lower, detach=source.detach)
    found = [words for words in map(cut, islice(chain(*parts), LINES + 1)) if words]
    name = source.source if source.source in BUNDLED else path.name or path.resolve().name
    if len(found) > LINES:
        raise InputError(f"{name} has more than {LINES:,} lines; give a part of it.")
    if not found:
        reason = f" ({skipped[0].name}: {skipped[0].reason})" if skipped else ""
        raise InputError(f"{name} holds no sentence{reason}; give a text with one sentence a line.")
    return Corpus(name, found, tuple(skipped), notes)


def is_unspaced(sentences: Sequence[Words]) -> bool:
    """Whether most of the sentences are in a script without spaces, so that words cannot be told apart."""
    some = sentences[:: max(1, len(sentences) // SOME)]
    return sum(bool(_UNSPACED.search("".join(words))) for words in some) > len(some) / 2


@open_data.register
def _(source: Sentences, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Text:
    places, kinds = shape
    corpus = read_corpus(source)
    room = places - 1
    fitting = [words[:room] for words in corpus.sentences if source.longer == "cut" or len(words) <= room]
    longer = sum(len(words) > room for words in corpus.sentences)
    distinct = list(dict.fromkeys(fitting))
    name, unit = corpus.name, f"{source.level}s"
    if not distinct:
        raise InputError(
            f"all {longer:,} sentences of {name} are longer than {room} {unit}; give a larger --system.length, or"
            " --data.longer cut."
        )
    if len(distinct) < 2:
        raise InputError(
            f"{name} has only one sentence{', in many copies' if len(fitting) > 1 else ''}; give a text with more."
        )
    notes = list(corpus.notes)
    if longer:
        notes.append(f"{longer:,} sentences longer than {room} {unit} {_DONE[source.longer]}")
    if copies := len(fitting) - len(distinct):
        notes.append(f"{copies:,} exact copies left out")
    counts = Counter(chain(*(distinct[row] for row in _training_rows(len(distinct), source.held_out))))
    for word in SPECIAL:
        counts.pop(word, None)
    if len(counts) < 2:
        raise InputError(
            f"{name} has only the {source.level} {next(iter(counts), SPECIAL[UNKNOWN])!r}; give a text with more."
        )
    # By the word where counts are equal: never by the order of a set, which differs between processes.
    known = sorted(counts, key=lambda word: (-counts[word], word))[: kinds - len(SPECIAL)]
    return _text(source, name, (*SPECIAL, *known), encode(distinct, (*SPECIAL, *known), places), corpus.skipped, notes)


_DONE = {"drop": "left out", "cut": "cut"}


@open_data.register
def _(source: KnownText, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Text:
    places, kinds = shape
    words = (*SPECIAL, *source.vocabulary)
    sentences = [[kind + len(SPECIAL) for kind in sentence] for sentence in source.sentences()]
    longest = max(map(len, sentences))
    if len(words) > kinds or longest > places:
        raise InputError(
            f"{source.title} has {len(words):,} words, with padding, unknown and end, and sentences of {longest}; give"
            f" --system.words {len(words)} and --system.length {longest}."
        )
    rows = np.full((len(sentences), places), PAD, np.int32)
    for row, sentence in zip(rows, sentences, strict=True):
        row[: len(sentence)] = sentence
        row[len(sentence) : len(sentence) + 1] = END
    return _text(source, source.title, words, rows)


@expect_available.register
def _(source: Sentences) -> None:
    path = BUNDLED.get(source.source, Path(source.source))
    if path.is_dir() or path.is_file():
        if path.is_file() and path.suffix.lower() not in TABLES and source.column:
            raise InputError(f"{path} is no table, of which --data.column names a part; leave it out.")
        return
    if source.source in BUNDLED:
        raise InputError(f"the bundled text {source.source} is missing; install ganvas again.")
    if path.exists():
        raise InputError(f"{path} is a pipe or a device, which is never read; give a text file.")
    raise InputError(
        f"there is no text {source.source!r}{nearest(source.source, BUNDLED)}; give the path of a text file with one"
        f" sentence a line, a folder of them, or a csv, tsv, parquet or jsonl file, or {listed(list(BUNDLED))}."
    )


@known_count.register
def _(source: Counting) -> int:
    return source.highest * (source.highest + 1) // 2


@known_count.register
def _(source: Oracle) -> int:
    return source.count


def _text(
    source: TextSource,
    name: str,
    words: Words,
    rows: NDArray[np.int32],
    skipped: tuple[Skipped, ...] = (),
    notes: Sequence[str] = (),
) -> Text:
    digest = hashlib.blake2b(repr((words, source.joint)).encode("utf-8", "surrogatepass"), digest_size=20)
    digest.update(rows.tobytes())
    return Text(
        rows,
        skipped=skipped,
        fingerprint=digest.hexdigest(),
        name=name,
        notes=tuple(notes),
        words=words,
        joint=source.joint,
        share=source.held_out,
    )


def _training_rows(count: int, held_out: float) -> Iterator[int]:
    part, _ = Dataset(np.empty((count, 0))).split(held_out)
    assert part.rows is not None
    yield from part.rows.tolist()
