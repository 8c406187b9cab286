"""Lines of text files, and texts in a column of csv, tsv, jsonl and parquet files."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ganvas.data.items import code_of, is_hidden, natural, training_files
from ganvas.errors import InputError, listed, nearest
from ganvas.untrusted import Unreadable, parse_json, read_bytes

TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
COLUMNS = ("text", "sentence", "caption", "line")  # names of columns with sentences
LINES = 2_000_000  # of a source

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def text_files(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The text files of a folder's training part, and a note where others are left.

    Raises:
        InputError: there is none.
    """
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


def read_lines(path: Path, column: str, most: int) -> Iterable[str]:
    """The lines of a text, or the values of a table's column.

    Args:
        column: of a table; empty for the one that is meant by its name, or the only one.
        most: bytes that may be read.

    Raises:
        InputError: there is no such file or column, it has too many bytes, or it is damaged or no text in UTF-8.
    """
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
