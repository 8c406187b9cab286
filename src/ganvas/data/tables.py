"""Parquet files, as datasets on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ganvas.data.items import Choice, Item, Listing, natural
from ganvas.errors import InputError, listed, nearest
from ganvas.untrusted import parse_json

LABELS = ("label", "labels", "class", "fine_label")  # the names of columns with labels


def open_parquet(paths: Sequence[Path], name: str, choice: Choice) -> Listing:
    """List the rows of a parquet file, or of the files into which a table was divided, in this order.

    Raises:
        InputError: pyarrow is missing, a file is damaged or differs from the first, or there is no such column.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"{paths[0]} needs pyarrow, which is not installed; run pip install 'ganvas[parquet]'."
        ) from None

    path = paths[0]
    try:
        schema = pyarrow.parquet.read_schema(path)
    except Exception as error:  # readers raise all kinds of errors on damaged files
        raise _damaged(path, error) from None
    images, labels, notes = _columns(name, schema, choice)
    parts = []
    for path in paths:
        try:
            columns = list(dict.fromkeys(column for column in (images, labels) if column))
            parts.append(pyarrow.parquet.read_table(path, columns=columns, memory_map=True, partitioning=None))
        except Exception as error:
            raise _damaged(path, error) from None
    try:
        table = pyarrow.concat_tables(parts)
    except pyarrow.ArrowException as error:
        raise InputError(
            f"the {len(paths)} parquet files of {name} are not parts of one table ({error}); give one of them."
        ) from None
    column = table.column(images)
    numbers, classes, why = _labels(table.column(labels), labels, schema.metadata) if labels else (None, (), "")

    def read(index: int) -> bytes:
        value: Any = column[index].as_py()
        content = value["bytes"] if isinstance(value, dict) else value
        return content or b""

    items = [Item(f"row {i}", partial(read, i), numbers[i] if numbers else None) for i in range(len(column))]
    return Listing(name, items, classes, why, notes)


def _columns(name: str, schema: Any, choice: Choice) -> tuple[str, str, tuple[str, ...]]:
    """The columns of the images and of their labels, and what there is besides."""
    columns: list[str] = schema.names
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise InputError(f"{name} has several columns of one name ({listed(twice)}); rename them.")
    binary = [column for column, kind in zip(columns, schema.types, strict=True) if column and _is_image_column(kind)]
    if not binary:
        others = listed([column or "one without a name" for column in columns]) or "none"
        raise InputError(
            f"{name} has no column of images, only {others}; give a file with a binary column, or"
            " one of bytes with a path."
        )
    for flag, wanted, there in (("column", choice.column, binary), ("labels", choice.labels, columns)):
        if wanted and wanted not in there:
            what = "column of images" if flag == "column" else "column"
            raise InputError(
                f"{name} has no {what} {wanted!r}{nearest(wanted, there)}; give --data.{flag} one of {listed(there)}."
            )
    images = choice.column or binary[0]
    labels = choice.labels or next((c for c in LABELS if c in columns and c != images), "")
    unused = [c for c in columns if c not in (images, labels)]
    labelled = f", labels from {labels}" if labels else ""
    note = f"images from column {images}{labelled}; not read: {listed(unused)}" if unused else ""
    return images, labels, (note,) if note else ()


def _is_image_column(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _labels(
    column: Any, name: str, metadata: dict[bytes, bytes] | None
) -> tuple[list[int] | None, tuple[str, ...], str]:
    """The label of every row, the names of the classes, and why there are none although there is a column."""
    import pyarrow.types as types

    if types.is_nested(column.type):
        return None, (), f"its column {name} has several values in a row"
    values = column.to_pylist()
    # The Hub marks the rows of an unlabelled split with -1; pandas with NaN, the one value that differs from itself.
    missing = sum(value is None or value == -1 or value != value for value in values)
    if missing:
        return None, (), f"{missing:,} of its {len(values):,} rows have no {name}"
    names = _class_names(metadata, name)
    if names and all(type(value) is int and 0 <= value < len(names) for value in values):
        return values, names, ""
    classes = sorted(set(values), key=lambda value: natural(str(value)))
    number = {value: index for index, value in enumerate(classes)}
    return [number[value] for value in values], tuple(map(str, classes)), ""


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """The names of the classes in the Hub's metadata; none if there are none, or the metadata are damaged."""
    try:
        about = parse_json((metadata or {}).get(b"huggingface", b"{}"))
        names = about["info"]["features"][column]["names"]
    except (ValueError, LookupError, TypeError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _damaged(path: Path, error: Exception) -> InputError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return InputError(f"{path} is damaged or not a parquet file ({reason}); download it again.")
