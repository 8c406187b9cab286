"""Conversion of recipe values to plain JSON data and back, driven by their annotations.

Every dataclass is written with its class name under "type", so that unions read back unambiguously. An abstract class
stands for all its imported concrete subclasses; `ganvas.systems.read_recipe` imports those of all systems first.
Unknown keys and types are errors that name the known ones.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from ganvas.errors import InputError, nearest
from ganvas.recipe.legacy import KEYS, TYPES, former
from ganvas.registry import by_name, concrete

T = TypeVar("T")


class UnknownType(InputError):
    """A file names a class that is not known here."""


def to_plain(value: Any) -> Any:
    """Convert a recipe value to dicts, lists, strings and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], plain: Any, where: str = "recipe") -> T:
    """Rebuild a value of the annotated `kind` from plain data.

    Args:
        kind: a class or any annotation built of dataclasses, unions, tuples, literals and plain types.
        plain: the output of `to_plain`, possibly edited by hand.
        where: the place in the file, for messages.

    Raises:
        InputError: a key, type or value is invalid; the message names the place and the valid choices.
    """
    return typing.cast(T, _read(kind, plain, where))


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of a value as (dotted path, plain leaf), class names included."""
    plain = to_plain(value) if dataclasses.is_dataclass(value) else value
    if isinstance(plain, dict):
        for key, item in plain.items():
            yield from flatten(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(plain, list) and any(isinstance(item, dict | list) for item in plain):
        for index, item in enumerate(plain):
            yield from flatten(item, f"{prefix}.{index}")
    else:
        yield prefix, plain


def brief(value: Any) -> str:
    """A value as Python, without the fields that have their defaults: ``DCGAN(size=16, channels=1)``."""
    if isinstance(value, tuple):
        return f"({', '.join(map(brief, value))}{',' if len(value) == 1 else ''})"
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return repr(value)
    shown = []
    for f in dataclasses.fields(value):
        default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        if default is dataclasses.MISSING or getattr(value, f.name) != default:
            shown.append(f"{f.name}={brief(getattr(value, f.name))}")
    return f"{type(value).__name__}({', '.join(shown)})"


def difference(old: Any, new: Any) -> list[str]:
    """The differences between two values, one line per leaf: ``adam_d.lr: 0.0002 -> 0.0001``."""
    before, after = dict(flatten(old)), dict(flatten(new))
    absent = "(none)"
    return [
        f"{key}: {before.get(key, absent)} -> {after.get(key, absent)}"
        for key in dict.fromkeys([*before, *after])
        if before.get(key, absent) != after.get(key, absent)
    ]


def _read(kind: Any, plain: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin is Literal:
        if plain not in get_args(kind):
            raise InputError(f"{where} is {plain!r}; it must be one of {', '.join(map(repr, get_args(kind)))}.")
        return plain
    if origin is tuple:
        if not isinstance(plain, list):
            raise InputError(f"{where} is {plain!r}; it must be a list.")
        kinds = get_args(kind)
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            kinds = (kinds[0],) * len(plain)
        if len(kinds) != len(plain):
            raise InputError(f"{where} has {len(plain)} items; it must have {len(kinds)}.")
        return tuple(_read(k, item, f"{where}.{i}") for i, (k, item) in enumerate(zip(kinds, plain, strict=True)))
    members = _members(kind)
    classes = by_name(
        (m for m in members if inspect.isclass(m) and dataclasses.is_dataclass(m)),
        str(plain.get("type")) if isinstance(plain, dict) else "",
    )
    if isinstance(plain, dict) and classes:
        return _read_dataclass(classes, plain, where)
    for member in members:
        # JSON does not distinguish 1 from 1.0, so an int may stand for a float; a bool and NaN may not.
        if member is float and isinstance(plain, int | float) and not isinstance(plain, bool) and plain == plain:
            return float(plain)
        if isinstance(member, type) and type(plain) is member:
            return plain
    names = ", ".join(getattr(m, "__name__", str(m)) for m in members)
    raise InputError(f"{where} is {plain!r}; it must be of type {names}.")


def _members(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, types.UnionType):
        return [member for arg in get_args(kind) for member in _members(arg)]
    if inspect.isclass(kind) and inspect.isabstract(kind):
        return concrete(kind)
    return [kind]


def _read_dataclass(classes: dict[str, Any], plain: dict[str, Any], where: str) -> Any:
    tag = former(plain)
    tag = tag if tag in classes else TYPES.get(tag, tag)  # a class that exists is never taken for a former one
    if tag not in classes:
        raise UnknownType(
            f"{where} has the unknown type {plain.get('type')!r}{nearest(tag, classes)}; known types:"
            f" {', '.join(sorted(classes))}."
        )
    cls = classes[tag]
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    plain = {key if key in fields else KEYS.get((tag, key), key): value for key, value in plain.items()}
    for key in plain:
        if key != "type" and key not in fields:
            raise InputError(
                f"{where} has the unknown key {key!r}{nearest(key, fields)}; known keys: {', '.join(fields)}."
            )
    values = {}
    for name, f in fields.items():
        if name in plain:
            values[name] = _read(hints[name], plain[name], f"{where}.{name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise InputError(f"{where} is missing the required key {name!r}; add it.")
    return cls(**values)
