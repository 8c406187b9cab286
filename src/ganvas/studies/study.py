"""A study as a value, and as a small JSON or Python file."""

from __future__ import annotations

import itertools
import json
import re
import runpy
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ganvas.data import NAMES
from ganvas.errors import InputError, failure, nearest
from ganvas.evaluation.test_sets import find_set
from ganvas.files import expect_plain_name
from ganvas.metrics import measures as known_measures
from ganvas.metrics.extractors import expect_known
from ganvas.metrics.measure import OF_SAMPLES
from ganvas.recipe import Recipe
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.serialization import to_plain
from ganvas.systems import named_recipe, read_recipe
from ganvas.tasks import task_of
from ganvas.untrusted import read_object

KEYS = ("name", "recipe", "set", "vary", "variants", "seeds", "at", "evaluate")
EVALUATE = ("against", "extractor", "measures", "fakes", "split", "seed", "resize", "which", "on")
"""What `evaluate` may hold: the flags of ganvas evaluate, and `which`, a list of last and best. `on`, a list of test
sets, scores super-resolution; only `seed` and `which` go with it."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A recipe, the fields that vary, and the seeds: every setting is trained with every seed.

    Fields are named as in recipe.json, by dotted paths: ``adam_d.lr``, or ``objective`` for a whole part. Values are
    plain data or values of ganvas; a ramp may have its text form, and a part may be named by its class alone.
    """

    recipe: Recipe
    """The base of every setting; its seed is replaced."""
    name: str = "study"
    """The folder of the runs, inside that of all runs; by default the stem of a study's file."""
    vary: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Field -> its values; all combinations of several fields are trained."""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name -> fields that change together; each variant is combined with all of `vary`."""
    seeds: tuple[int, ...] = (0,)
    """Seeds of each setting; an interval needs at least two."""
    at: tuple[int, ...] = ()
    """Epochs after which a run is kept and evaluated; the last is its end. Empty: only the recipe's end. A shorter run
    is, bit for bit, the beginning of a longer one, so that one run serves all."""
    evaluate: Mapping[str, Any] = field(default_factory=dict)
    """Options of ganvas evaluate after the training, such as {"extractor": "digits"}; empty: no evaluation."""

    def __post_init__(self) -> None:
        expect_plain_name(self.name, "the study's name")
        whole = all(type(seed) is int for seed in self.seeds)
        if not self.seeds or not whole or len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"the study {self.name} has the seeds {list(self.seeds)}; give different numbers: 0, 1.")
        if any(type(epochs) is not int or epochs < 1 for epochs in self.at):
            raise InputError(
                f"the study {self.name} has at {list(self.at)}; give whole numbers of epochs, each at least 1."
            )
        for key in self.evaluate:
            if key not in EVALUATE:
                raise InputError(
                    f"the study {self.name} has the unknown key evaluate.{key}{nearest(key, EVALUATE)}; known:"
                    f" {', '.join(EVALUATE)}."
                )
        self._expect_sound_evaluation()
        for variant, changes in self.variants.items():
            if not isinstance(changes, Mapping):
                raise InputError(f"the study {self.name} has the variant {variant!r} as {changes!r}; give its fields.")
        taken = {"seed": "seeds", **({"images": "at"} if self.at else {})}
        for path in itertools.chain(self.vary, *self.variants.values()):
            if path in taken:
                raise InputError(f"the study {self.name} varies {path!r}, which {taken[path]!r} sets; drop one.")
        self.runs()

    @property
    def scale(self) -> int:
        """The upscaling factor of its system; 1 for other systems."""
        return getattr(self.recipe.system, "scale", 1)

    @property
    def sets(self) -> tuple[str, ...]:
        """The test sets on which super-resolution is scored; none where something else is evaluated."""
        return as_tuple(self.evaluate.get("on", ()))

    @property
    def counts_modes(self) -> bool:
        """Whether it counts modes; a game that diverges is then a result, not a failure."""
        return "modes" in as_tuple(self.evaluate.get("measures", ()))

    def _expect_sound_evaluation(self) -> None:
        # Before the training, not after hours of it.
        asked = self.evaluate
        if "extractor" in asked:
            expect_known(str(asked["extractor"]))
        names = tuple(name for one in known_measures(OF_SAMPLES) for name in (one.name, one.formerly) if name)
        choices: list[tuple[str, tuple[Any, ...], tuple[str, ...]]] = [
            ("measures", as_tuple(asked.get("measures", ())), names),
            ("which", as_tuple(asked.get("which", "last")), ("last", "best")),
            ("split", (asked.get("split", "train"),), ("train", "held-out", "all")),
        ]
        for key, values, known in choices:
            for value in values:
                if value not in known:
                    raise InputError(
                        f"the study {self.name} has evaluate.{key} {value!r}{nearest(str(value), known)}; known:"
                        f" {', '.join(known)}."
                    )
        for key in ("fakes", "seed", "resize"):
            if type(asked.get(key, 0)) is not int or asked.get(key, 0) < 0:
                raise InputError(
                    f"the study {self.name} has evaluate.{key} {asked[key]!r}; give a whole number, at least 0."
                )
        against = asked.get("against", "digits")
        if not isinstance(against, str) or not (against in NAMES or Path(against).exists()):
            raise InputError(
                f"the study {self.name} has evaluate.against {against!r}, which does not exist; give the path of a"
                f" folder, zip, parquet or npz file, or one of {', '.join(NAMES)}."
            )
        self._expect_sound_sets()

    def _expect_sound_sets(self) -> None:
        asked, on = self.evaluate, self.evaluate.get("on")
        if on is None:
            return
        if not on or not isinstance(on, str | list | tuple) or not all(isinstance(word, str) for word in on):
            raise InputError(f"the study {self.name} has evaluate.on {on!r}; give a list of test sets, such as Set5.")
        others = [key for key in asked if key not in ("on", "seed", "which")]
        if others:
            raise InputError(
                f"the study {self.name} has evaluate.{others[0]}, which cannot be combined with evaluate.on; drop one."
            )
        system = self.recipe.system
        if not task_of(system).has_originals:
            raise InputError(
                f"the study {self.name} has evaluate.on, but {type(system).__name__} has no originals to compare with;"
                " leave it out."
            )
        names = [find_set(word, self.scale).name for word in self.sets]
        if len(set(names)) < len(names):
            raise InputError(f"the study {self.name} names a set twice in evaluate.on {on!r}; give each once.")

    def runs(self) -> dict[str, Recipe]:
        """The recipe of every run by its name: setting by setting, seed by seed.

        Raises:
            InputError: a field is unknown, a value does not fit, or two settings are the same.
        """
        made: dict[str, Recipe] = {}
        for setting, changes in self._settings():
            recipe = changed(self.recipe, changes, f"the study {self.name}")
            for seed in self.seeds:
                name = "-".join([*([setting] if setting else []), f"seed{seed}"])
                if name in made:
                    raise InputError(f"the study {self.name} has the setting {setting!r} twice; give each value once.")
                made[name] = replace(recipe, seed=seed)
        return made

    def _settings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, values in self.vary.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise InputError(f"the study {self.name} gives {path} the values {values!r}; give a list of them.")
        for variant, changes in (self.variants or {"": {}}).items():
            for values in itertools.product(*self.vary.values()):
                varied = dict(zip(self.vary, values, strict=True))
                words = [*([_word(variant)] if variant else []), *(f"{p}={_word(v)}" for p, v in varied.items())]
                yield "-".join(words), {**changes, **varied}


def as_tuple(value: Any) -> tuple[Any, ...]:
    """The values of an option that takes one value or a list of them."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def changed(recipe: Recipe, changes: Mapping[str, Any], where: str) -> Recipe:
    """A recipe with some fields changed.

    Raises:
        InputError: there is no such field (the nearest is named), or the value does not fit.
    """
    plain = to_plain(recipe)
    for path, value in changes.items():
        if path not in set(_paths(plain)):
            known = nearest(path, _paths(plain))
            raise InputError(f"{where} changes the field {path!r}, which its recipe lacks{known}; see its recipe.json.")
        *parents, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
        node = plain
        for key in parents:
            node = node[key]
        node[last] = _value(value, isinstance(node[last], dict))
    made = read_recipe(plain, where)
    task_of(made).check(made)
    return made


def _paths(plain: Any, prefix: str = "") -> Iterator[str]:
    items = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, item in items:
        if key != "type":
            yield f"{prefix}{key}"
            yield from _paths(item, f"{prefix}{key}.")


def _value(value: Any, is_part: bool) -> Any:
    if isinstance(value, str) and "@" in value and ".." in value:
        return to_plain(Ramp.parse(value))
    # The name of a class stands for it with its defaults.
    return {"type": value} if is_part and isinstance(value, str) else to_plain(value)


def _word(value: Any) -> str:
    """A value as a part of a folder's name."""
    plain = to_plain(value)
    text = str(plain["type"] if isinstance(plain, dict) and list(plain) == ["type"] else plain)
    text = re.sub(r"[^\w.+-]+", "_", text).strip("_") or "none"
    return text if len(text) <= 32 else f"{text[:23]}_{zlib.crc32(text.encode()):08x}"


def read_study(path: str | Path) -> Study:
    """Read a study from a .json file, or from a .py file that defines ``study = ganvas.Study(...)``.

    A Python file is run: it is the user's own.

    Raises:
        InputError: it cannot be read or run, or defines no valid study.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}; give a study as a .json or .py file.")
    if path.suffix == ".py":
        return _run(path)
    plain = read_object(path)
    for key in plain:
        if key not in KEYS:
            raise InputError(f"{path} has the unknown key {key!r}{nearest(key, KEYS)}; known: {', '.join(KEYS)}.")
    kinds = {"vary": dict, "variants": dict, "set": dict, "evaluate": dict, "seeds": list, "at": list, "name": str}
    for key, kind in kinds.items():
        if not isinstance(plain.get(key, kind()), kind):
            raise InputError(f"{path} has {key} {plain[key]!r}; it must be a JSON {_JSON[kind]}.")
    given = plain.get("recipe")
    if not isinstance(given, str | dict):
        raise InputError(f'{path} names no recipe; add one that ganvas list shows, such as "recipe": "dcgan-digits".')
    recipe = named_recipe(given) if isinstance(given, str) else read_recipe(given, f"{path}: recipe")
    return Study(
        recipe=changed(recipe, plain.get("set", {}), str(path)),
        name=plain.get("name", path.stem),
        vary=plain.get("vary", {}),
        variants=plain.get("variants", {}),
        seeds=tuple(plain.get("seeds", [0])),
        at=tuple(plain.get("at", [])),
        evaluate=plain.get("evaluate", {}),
    )


_JSON = {dict: "object", list: "list", str: "string"}


def _run(path: Path) -> Study:
    try:
        found = runpy.run_path(str(path)).get("study")
    except InputError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's file may raise anything, or exit
        raise InputError(f"{path} cannot be run ({failure(error, path)}); correct it.") from None
    if not isinstance(found, Study):
        raise InputError(f"{path} defines no study; end it with study = ganvas.Study(recipe=..., vary=..., seeds=...).")
    return replace(found, name=path.stem) if found.name == "study" else found


def to_text(study: Study) -> str:
    """A study as the JSON that `read_study` reads, its recipe written out."""
    plain = {
        "name": study.name,
        "recipe": to_plain(study.recipe),
        "vary": {path: [to_plain(value) for value in values] for path, values in study.vary.items()},
        "variants": {
            name: {path: to_plain(value) for path, value in changes.items()} for name, changes in study.variants.items()
        },
        "seeds": list(study.seeds),
        "at": list(study.at),
        "evaluate": to_plain(dict(study.evaluate)),
    }
    return json.dumps(plain, indent=2) + "\n"
