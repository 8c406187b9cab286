"""The fields of a recipe as flags, derived from the values by tyro."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, TypeVar

import tyro

from ganvas.cli._help import flags_of, hint, show
from ganvas.errors import InputError, nearest
from ganvas.experiment.host import Host
from ganvas.observers.watch import Watch
from ganvas.recipe import Optimizer, Recipe
from ganvas.recipe.degradations import Degradation
from ganvas.recipe.objectives import Objective
from ganvas.recipe.penalties import Penalty
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import ReconstructionLoss
from ganvas.registry import by_name, concrete
from ganvas.systems import load_systems, named_recipe, run_name
from ganvas.tasks import task_of
from ganvas.terminal import print


@dataclass(frozen=True)
class Common:
    """Flags of every command that takes a recipe."""

    recipe: Annotated[Recipe, tyro.conf.arg(name="")]
    """Recipe; every field is a flag."""
    name: str = ""
    """Name of the run and of its folder in --host.runs; by default the recipe's name."""
    epochs: int = 0
    """Length of the run in epochs, instead of --images."""
    host: Host = field(default_factory=Host)
    """Where to compute and store the run."""


@dataclass(frozen=True)
class Flags(Common):
    """Flags of a command about one run."""

    watch: Watch = field(default_factory=Watch)
    """What to observe, and how often; never changes the weights."""


F = TypeVar("F", bound=Common)

_HELP = {"-h", "--help", "--help-all"}


# A union with a class would become subcommands; a ramp has a text form instead.
_registry = tyro.constructors.ConstructorRegistry()


@_registry.primitive_rule
def _ramp_rule(
    info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type != (float | Ramp):
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="NUMBER|A..B@IMAGES",
        instance_from_str=lambda texts: number_or_ramp(texts[0]),
        is_instance=lambda value: isinstance(value, float | int | Ramp),
        str_from_instance=lambda value: [str(value)],
    )


@_registry.primitive_rule
def _whole_rule(
    info: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    if info.type is not int:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda texts: whole_number(texts[0]),
        is_instance=lambda value: type(value) is int,
        str_from_instance=lambda value: [str(value)],
    )


def number_or_ramp(text: str) -> float | Ramp:
    """As `Ramp.parse`.

    Raises:
        ValueError: it is neither; tyro names the flag of a ValueError alone.
    """
    try:
        return Ramp.parse(text)
    except InputError as error:
        raise ValueError(str(error).removesuffix(".")) from None


def whole_number(text: str) -> int:
    """A whole number as people write it: 20000, 20,000, 20_000 or 2e4.

    Raises:
        ValueError: it is none.
    """
    plain = text.replace("_", ",")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", plain):
        return int(plain.replace(",", ""))
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?\d+(\.\d+)?[eE]\+?\d{1,2}", text) and float(text).is_integer() and abs(float(text)) < 2**53:
        return int(float(text))
    raise ValueError(f"{text!r} is not a whole number such as 20000, 20,000 or 2e4")


def parse(verb: str, argv: list[str]) -> tuple[str, Flags]:
    """As `parse_as`, for a command about one run."""
    return parse_as(Flags, verb, argv)


def parse_as(kind: type[F], verb: str, argv: list[str]) -> tuple[str, F]:
    """Parse ``RECIPE [flags]``: the usual name of its run, and the flags with the modified recipe.

    RECIPE is a name, the folder of a run or a file of a recipe.

    Raises:
        InputError: a missing or unknown recipe, an unknown flag, or an invalid value.
    """
    if not argv or argv[0].startswith("-"):
        if _HELP & set(argv):
            print(
                f"usage: ganvas {verb} RECIPE [flags]",
                "",
                f"Run ganvas list for all recipes, and ganvas {verb} RECIPE --help",
                "for the fields of a recipe as flags, with its values as defaults.",
                sep="\n",
            )
            sys.exit(0)
        raise InputError(f"ganvas {verb} needs the name of a recipe first, such as ganvas {verb} dcgan-digits.")
    recipe = named_recipe(argv[0])
    default = kind(recipe=recipe)
    long = _long(recipe)
    words = [long.get(head, head) + rest for head, rest in map(_split, argv)]
    recipe, words = _chosen(recipe, words)
    default = replace(default, recipe=recipe)
    known = flags_of(default, {**_CHOICES, **_SEVERAL}, long)
    if asked := _HELP & set(words):
        show(verb, argv[0], known, everything="--help-all" in asked)
        sys.exit(0)
    _check_known(words[1:], {flag.name for flag in known})
    stderr = io.StringIO()
    try:
        with _registry, contextlib.redirect_stderr(stderr):
            flags = tyro.cli(
                kind,
                prog=f"ganvas {verb} {argv[0]}",
                args=words[1:],
                default=default,
                config=(tyro.conf.AvoidSubcommands, tyro.conf.FlagConversionOff),
            )
    except SystemExit as ended:
        if ended.code:
            raise InputError(
                f"{_message(stderr.getvalue())}; run ganvas {verb} {argv[0]} --help-all for all flags."
            ) from None
        raise
    if flags.epochs < 0:
        raise InputError(f"--epochs {flags.epochs} is negative; give a positive number of epochs.")
    task_of(flags.recipe).check(flags.recipe)
    return run_name(argv[0], flags.host.runs), flags


def _long(recipe: Recipe) -> dict[str, str]:
    """Short forms of flags: a part on its own stands for its first field."""
    parts = {"--data": recipe.data, "--steering": recipe.steering}
    return {flag: f"{flag}.{fields(part)[0].name}" for flag, part in parts.items()}  # type: ignore[arg-type]


# Parts that are one of several classes: the flag names the class, its nested flags are the fields.
_CHOICES: dict[str, type[Any]] = {
    "--objective": Objective,
    "--data.degradation": Degradation,
    "--adam-g": Optimizer,
    "--adam-d": Optimizer,
}
# Parts that are any number of classes.
_SEVERAL: dict[str, type[Any]] = {"--penalties": Penalty, "--reconstruction": ReconstructionLoss}


def _chosen(recipe: Recipe, words: list[str]) -> tuple[Recipe, list[str]]:
    """Apply the words that choose classes to the recipe, and return the remaining words.

    Raises:
        InputError: there is no such class, or the recipe has no such part.
    """
    rest = list(words)
    for flag, base in {**_CHOICES, **_SEVERAL}.items():
        several = flag in _SEVERAL
        for index, word in reversed(list(enumerate(rest))):
            head, equals, value = word.partition("=")
            if head != flag:
                continue
            after = list(itertools.takewhile(lambda word: not word.startswith("-"), rest[index + 1 :]))
            after = [] if equals else after if several else after[:1]
            del rest[index : index + 1 + len(after)]
            named = [name for name in (value.split(",") if equals else after) if not several or name.lower() != "none"]
            made = [part_named(flag, base, name) for name in (named if after or equals else [""])]
            recipe = _with(recipe, _path(flag), tuple(made) if several else made[0])
    return recipe, rest


def part_named(flag: str, base: type[Any], name: str) -> Any:
    """An instance of the subclass of `base` with this name, ignoring case."""
    load_systems()  # user-defined classes are in these files
    classes = {name.lower(): kind for name, kind in by_name(concrete(base), name).items()}
    if name.lower() not in classes:
        names = [kind.__name__ for kind in classes.values()]
        raise InputError(
            f"{flag} {name or 'without a name'} is not available; available: {', '.join(names)}{nearest(name, names)}."
        )
    return classes[name.lower()]()


def _path(flag: str) -> list[str]:
    return flag[2:].replace("-", "_").split(".")


def _with(whole: Any, path: list[str], part: Any) -> Any:
    name, *inner = path
    if not hasattr(whole, name):
        raise InputError(f"{type(whole).__name__} has no {name}; use --help-all for all flags of the recipe.")
    return replace(whole, **{name: _with(getattr(whole, name), inner, part) if inner else part})


def _split(word: str) -> tuple[str, str]:
    head, equals, value = word.partition("=")
    return head, equals + value


def with_length(argv: list[str], flags: F) -> F:
    """The length in images: as given, by --epochs, or fitted to data that the recipe was not made for.

    Raises:
        InputError: the data are not available.
    """
    from ganvas.data import count
    from ganvas.data.length import fitted_length

    recipe = flags.recipe
    if flags.epochs:
        images = flags.epochs * count(recipe.data, recipe.system.shape)
    elif any(_split(word)[0] == "--images" for word in argv):
        images = recipe.images
    else:
        images = fitted_length(named_recipe(argv[0]), recipe)
    return replace(flags, recipe=replace(recipe, images=images), epochs=0)


def _message(page: str) -> str:
    """The message in tyro's error box: the text above the rule."""
    lines = [line.strip("│ ") for line in page.splitlines()]
    inside = list(itertools.takewhile(lambda line: not line.startswith(("─", "╰")), lines[1:]))
    return (" ".join(inside) or page.strip()).rstrip(".")


def _check_known(words: list[str], known: Collection[str]) -> None:
    # One sentence instead of tyro's page of boxes.
    for word in words:
        flag = word.split("=")[0].replace("_", "-")
        if word.startswith("-") and flag not in known and not _is_number(word):
            raise InputError(f"there is no flag {flag}{hint(flag, known)}; use --help-all for all flags.")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
