"""Parquet files: odd columns, labels, metadata of the Hub, rows without pictures."""

from __future__ import annotations

import io
import json
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from .. import hostile
from ..ground import Attack, Ground
from .npz import use


def make(ground: Ground, chance: Random) -> Attack:
    """Write a parquet file, then look at it, train on it, or plan to."""
    what, data = _file(chance)
    return Attack(what, use(ground.write("d.parquet", data), chance))


def _picture(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _file(chance: Random) -> tuple[str, bytes]:
    count = 12
    pictures: list[Any] = [_picture(17 * index) for index in range(count)]
    labels: Any = [index % 3 for index in range(count)]
    about: bytes | None = None
    how = chance.randrange(7)
    what = "sound"
    if how == 0:
        what, labels = chance.choice(_labels(chance, count))
    elif how == 1:
        names: Any = chance.choice(
            (["a"], ["a", "b", "c"], [1, 2, 3], {"0": "a"}, "abc", None, 5, [None] * 3, [[]] * 3)
        )
        if chance.random() < 0.3:
            names = [hostile.name(chance).encode("utf-8", "replace").decode() for _ in range(3)]
        tree = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        about = hostile.json_text(chance, tree) if chance.random() < 0.6 else json.dumps(tree).encode()
        what = "metadata of the Hub"
    elif how == 2:
        pictures[chance.randrange(count)] = chance.choice((None, b"", b"x", pictures[0][:40], b"\x89PNG\r\n\x1a\n"))
        what = "a row without a picture"
    elif how == 3:
        pictures, labels, what = [], [], "no rows"
    columns: dict[str, Any] = {"image": pa.array(pictures, pa.binary())}
    if how == 4:
        what, columns["image"] = chance.choice(_images(pictures))
    try:
        columns["label"] = labels if isinstance(labels, pa.Array) else pa.array(labels)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        columns["label"] = pa.array([str(label) for label in labels])
    table = pa.table(columns)
    if how == 5:
        names = [hostile.name(chance).encode("utf-8", "replace").decode() for _ in columns]
        table, what = (
            table.rename_columns(chance.choice((names, ["label", "image"], ["image", "image"], ["", "label"]))),
            ("odd names of columns"),
        )
    if about is not None:
        table = table.replace_schema_metadata({b"huggingface": about})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    data = buffer.getvalue()
    return ("damaged", hostile.damaged(data, chance)) if how == 6 else (what, data)


def _labels(chance: Random, count: int) -> list[tuple[str, Any]]:
    text = hostile.name(chance).encode("utf-8", "replace").decode()
    return [
        ("labels that are lists", [[index] for index in range(count)]),
        ("labels that are objects", [{"a": index} for index in range(count)]),
        ("labels that are NaN", [float("nan")] * count),
        ("labels of which one is NaN", [float("nan"), *(0.0, 1.0) * 20][:count]),
        ("labels that are null", [None] * count),
        ("labels of another kind in one row", [None, *range(count - 1)]),
        ("labels that are bytes", [b"\xff%d" % index for index in range(count)]),
        ("labels that are huge", [2**62 + index for index in range(count)]),
        ("labels below 0", [index - 5 for index in range(count)]),
        ("labels that are times", pa.array(list(range(count)), pa.timestamp("s"))),
        ("labels that are decimals", pa.array(list(range(count))).cast(pa.decimal128(25, 2))),
        ("labels in a dictionary", pa.array(["a", "b", None] * (count // 3)).dictionary_encode()),
        (f"a label {text!r}", [text, "b"] * (count // 2)),
        ("labels that are empty", [""] * count),
    ]


def _images(pictures: list[bytes]) -> list[tuple[str, Any]]:
    return [
        ("pictures as text", pa.array(["x"] * len(pictures))),
        ("pictures as paths alone", pa.array([{"bytes": None, "path": "../../canary.png"}] * len(pictures))),
        ("pictures as objects", pa.array([{"bytes": one, "path": None} for one in pictures])),
        ("bytes that are numbers", pa.array([{"bytes": 5}] * len(pictures))),
        ("pictures as lists", pa.array([list(one[:9]) for one in pictures])),
        ("pictures as lists of bytes", pa.array([[one] for one in pictures])),
        ("pictures of a fixed size", pa.array([one[:40] for one in pictures], pa.binary(40))),
        ("pictures of large binary", pa.array(pictures, pa.large_binary())),
        ("pictures in a dictionary", pa.array(pictures).dictionary_encode()),
        ("pictures that are null", pa.nulls(len(pictures))),
    ]
