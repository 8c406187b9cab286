"""Sentences of text files and tables, and computed ones, as rows of numbers of words."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Dataset, Skipped, expect_available, known_count, open_data
from ganvas.data.items import code_of, is_hidden, natural, training_files
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
from ganvas.untrusted import Unreadable, parse_json, read_bytes

BUNDLED = {"tiny": Path(__file__).parent / "bundled" / "tiny.txt"}
TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
COLUMNS = ("text", "sentence", "caption", "line")  # names of columns with sentences
LARGEST = 2**28  # bytes of all files of a source
LINES = 2_000_000
WIDEST = 64  # characters of a word; a longer one is unknown
SOME = 1_000  # sentences whose script is looked at

# A word may have hyphens, apostrophes and dots in it, and a number commas; all other signs stand alone.
_WORDS = re.compile(r"<unk>|\d+(?:[.,:/]\d+)+|[^\W_]+(?:[-'’&./_][^\W_]+)*|\S")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
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
    files, notes = _text_files(path) if path.is_dir() else ([path], ())
    skipped = []
    parts: list[Iterable[str]] = []
    left = LARGEST
    for file in files:
        try:
            size = file.stat().st_size
            parts.append(_lines(file, source.column, left))
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


def _text_files(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The text files of a folder's training part, and a note where others are left."""
    named = [(file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file()]
    texts = sorted(
        ((name, file) for name, file in named if file.suffix.lower() == ".txt" and not is_hidden(name)),
        key=lambda pair: natural(pair[0]),
    )
    if not texts:
        raise InputError(f"{folder} holds no .txt file; give a folder of text files, or the path of one file.")
    chosen = training_files(texts, lambda pair: pair[0])
    left = [name for name, _ in texts if name not in dict(chosen)]
    note = (f"read from {listed([name for name, _ in chosen], 3)}, not {listed(left, 3)}",) if left else ()
    return [file for _, file in chosen], note


def _lines(path: Path, column: str, most: int) -> Iterable[str]:
    """The lines of a text, or the values of a table's column."""
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            return _of_parquet(path, column, most)
        content = read_bytes(path, most)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except Unreadable as error:
        raise InputError(f"{path} cannot be read: {error}; give a text file.") from None
    text = _decoded(content, path)
    if ending == ".jsonl":
        return _of_jsonl(text, path, column)
    if ending in (".csv", ".tsv"):
        return _of_csv(text, path, column)
    return re.split(r"\r\n|\r|\n", text)


def _decoded(content: bytes, path: Path) -> str:
    """UTF-8 as text.

    Raises:
        InputError: it is in another encoding, which is named, or no text.
    """
    for mark, name in (
        (codecs.BOM_UTF32_LE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if content.startswith(mark):
            raise _wrong_encoding(path, name)
    sample = content[: 2**16]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(_CONTROL.findall(sample.decode("latin-1"))) > len(sample) / 100:
            raise InputError(f"{path} is binary, not text; give a text file with one sentence a line.") from None
        lines = [line for line in content.split(b"\n", 10_000)[:10_000] if not line.isascii()]
        name = "GBK" if code_of(lines) == "gbk" else "Latin-1"
        number = content.count(b"\n", 0, error.start) + 1
        raise _wrong_encoding(path, name, f", by the byte 0x{content[error.start]:02x} in line {number:,}") from None
    zeros = sample.count(0)
    if zeros > len(sample) / 5 and zeros < len(sample) * 3 / 5:
        raise _wrong_encoding(path, "UTF-16")
    if "\0" in text or len(_CONTROL.findall(text[: 2**16])) > len(sample) / 100:
        raise InputError(f"{path} is binary, not text; give a text file with one sentence a line.")
    return text


def _wrong_encoding(path: Path, name: str, by: str = "") -> InputError:
    likely = f"probably in {name}{by}" if by else f"in {name}"
    return InputError(
        f"{path} is {likely}, but only UTF-8 is read; convert it: iconv -f {name} -t UTF-8 {path.name} > utf8.txt."
    )


def _of_csv(text: str, path: Path, column: str) -> list[str]:
    head = text[: 2**12].split("\n", 1)[0]
    between = "\t" if path.suffix.lower() == ".tsv" else ";" if ";" in head and "," not in head else ","
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=between), LINES + 2))
    except csv.Error as error:
        raise InputError(f"{path} is no valid csv file ({error}); correct it.") from None
    names = rows[0] if rows else []
    place = names.index(_column(path, names, column))
    return [row[place] for row in rows[1:] if len(row) > place]


def _of_jsonl(text: str, path: Path, column: str) -> list[str]:
    values: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values.append(parse_json(line))
        except Unreadable as error:
            raise InputError(f"{path} is damaged in line {number:,}: {error}; correct it.") from None
    if all(isinstance(value, str) for value in values):
        return values
    if strange := next((number for number, value in enumerate(values, 1) if not isinstance(value, dict)), 0):
        raise InputError(f"{path} has no JSON object in its line {strange:,}; give one a line.")
    texts = [name for name, value in values[0].items() if isinstance(value, str)]
    name = _column(path, texts, column)
    return [value[name] for value in values if isinstance(value.get(name), str)]


def _of_parquet(path: Path, column: str, most: int) -> list[str]:
    try:
        import pyarrow.parquet
        import pyarrow.types as types
    except ImportError:
        raise InputError(f"{path} needs pyarrow, which is not installed; run pip install 'ganvas[parquet]'.") from None
    if path.stat().st_size > most:
        raise Unreadable(f"its {path.stat().st_size:,} bytes exceed the limit of {most:,}")
    try:
        schema = pyarrow.parquet.read_schema(path)
        rows = pyarrow.parquet.read_metadata(path).num_rows
    except Exception as error:  # readers raise all kinds of errors on damaged files
        raise _damaged(path, error) from None
    pairs = zip(schema.names, schema.types, strict=True)
    texts = [name for name, kind in pairs if types.is_string(kind) or types.is_large_string(kind)]
    name = _column(path, texts, column)
    if rows > LINES:
        raise InputError(f"{path} has {rows:,} rows, more than {LINES:,}; give a part of it.")
    found: list[str] = []
    left = most
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=[name]):
                left -= batch.nbytes  # a small file may unpack to any size
                if left < 0:
                    raise Unreadable(f"its texts exceed the limit of {most:,} bytes")
                found += [value for value in batch.column(0).to_pylist() if value]
    except Unreadable:
        raise
    except Exception as error:
        raise _damaged(path, error) from None
    return found


def _damaged(path: Path, error: Exception) -> InputError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return InputError(f"{path} is damaged or not a parquet file ({reason}); download it again.")


def _column(path: Path, names: Sequence[str], wanted: str) -> str:
    if wanted:
        if wanted not in names:
            raise InputError(
                f"{path} has no column of texts {wanted!r}{nearest(wanted, names)}; give --data.column one of"
                f" {listed(list(names)) or 'another file, since it has none'}."
            )
        return wanted
    if not names:
        raise InputError(f"{path} has no column of texts; give another file.")
    found = next((name for name in COLUMNS if name in names), names[0] if len(names) == 1 else "")
    if not found:
        raise InputError(f"{path} has the columns {listed(list(names))}; name the one of sentences with --data.column.")
    return found
