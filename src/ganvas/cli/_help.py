"""The flags of a recipe, for people: what they are, which matter first, and which one a wrong word stood for."""

from __future__ import annotations

import ast
import inspect
import itertools
import shutil
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from typing import Any, Literal, get_args, get_origin

from ganvas.errors import nearest
from ganvas.recipe.ramp import Ramp
from ganvas.registry import concrete
from ganvas.terminal import print

FIRST: Mapping[str, tuple[str, ...]] = {
    "data": ("--data", "--augment.flip", "--augment.differentiable"),
    "length and name": ("--images", "--epochs", "--name", "--seed"),
    "networks": ("--system.size", "--system.channels", "--system.classes"),
    "the game": (
        *("--objective", "--penalties", "--adam-g.lr", "--adam-d.lr", "--batch-size", "--ema.half-life"),
        *("--steering", "--watch.extractor"),
    ),
    "machine": ("--host.device", "--precision"),
}
"""The flags that matter first; those of a search are added to them."""

_OTHERS = {
    "lr": "learning-rate rate lr-g lr-d g-lr d-lr glr dlr",
    "batch-size": "batch bs b minibatch batchsize batch-gpu",
    "epochs": "epoch n-epochs num-epochs nepochs max-epochs niter",
    "images": "steps iterations iters n-iter max-steps num-steps kimg length",
    "data": "dataset data-dir dataroot data-root data-path input train-dir",
    "device": "gpu gpus cuda ngpu",
    "workers": "num-workers n-workers threads n-cpu jobs",
    "size": "image-size img-size imsize resolution res crop-size",
    "runs": "out output outdir out-dir output-dir logdir log-dir outf",
    "latent": "latent-dim z-dim nz zdim noise-dim",
    "channels": "nc image-channels n-channels",
    "g-width": "ngf",
    "d-width": "ndf",
    "d-per-g": "n-critic critic-iters d-steps n-dis",
    "classes": "n-classes num-classes cond conditional",
    "objective": "loss gan-mode adversarial-loss criterion",
    "penalties": "penalty gp lambda-gp r1 gamma regularizer",
    "precision": "fp16 amp bf16 dtype mixed-precision half",
    "flip": "mirror hflip horizontal-flip",
    "differentiable": "aug augment diffaugment diffaug",
    "target": "ada",
    "half-life": "ema ema-decay ema-kimg",
    "sample-every": "sample-interval save-samples image-snap",
    "keep-every": "snap save-every checkpoint-every save-interval checkpoint-interval",
    "log-every": "log-interval print-every",
    "beta1": "b1 beta momentum",
    "beta2": "b2",
    "weight-decay": "wd decay",
    "seed": "random-seed manual-seed",
    "name": "experiment exp-name run run-name id",
    "start": "pretrained init weights finetune checkpoint",
    "extractor": "metric metrics fid kid",
    "d-dropout": "dropout",
}
SYNONYMS = {word: ours for ours, words in _OTHERS.items() for word in words.split()}
"""What other programs call a flag -> the last word of ours."""

_ADVICE = {
    "did you mean --adam-g and --adam-d, as in --adam-d SGD?": "optimizer optim opt",
    "the same command resumes a run": "resume continue restart",
    "a rate may be a ramp: --adam-g.lr 2e-4..1e-5@200000": "scheduler lr-schedule lr-decay",
}
ADVICE = {word: sentence for sentence, words in _ADVICE.items() for word in words.split()}


@dataclass(frozen=True)
class Flag:
    """One flag: its name with dashes, the recipe's value, and what explains it.

    To explain all flags parses the source of their classes, which only help needs.
    """

    name: str
    value: str
    explain: Callable[[], str]


def flags_of(default: Any, parts: Mapping[str, type[Any]], short: Mapping[str, str]) -> list[Flag]:
    """All flags, in the order of the fields.

    Args:
        default: the dataclass whose fields are flags; a field `recipe` gives its own no prefix.
        parts: flags that choose one or several classes, with the base of these.
        short: short forms -> the flags that they stand for.
    """
    found = list(_walk(default, "--", parts))
    by_name = {flag.name: flag for flag in found}
    forms = {long: Flag(form, by_name[long].value, partial(_short_for, by_name[long]))
             for form, long in short.items() if long in by_name}  # fmt: skip
    return [one for flag in found for one in ((forms[flag.name], flag) if flag.name in forms else (flag,))]


def _walk(whole: Any, prefix: str, parts: Mapping[str, type[Any]]) -> Iterator[Flag]:
    for field in fields(whole):
        value, name = getattr(whole, field.name), f"{prefix}{field.name.replace('_', '-')}"
        if name == "--recipe":
            yield from _walk(value, "--", parts)
            continue
        items = value if isinstance(value, tuple) and all(map(is_dataclass, value)) else None
        if name in parts and (is_dataclass(value) or items is not None):
            chosen = " ".join(type(item).__name__ for item in ((value,) if items is None else items)) or "none"
            yield Flag(name, chosen, partial(_of_parts, type(whole), field.name, parts[name], items is not None))
        if is_dataclass(value) and not isinstance(value, Ramp):
            yield from _walk(value, f"{name}.", parts)
        elif items and not isinstance(items[0], Ramp):
            for index, item in enumerate(items):
                yield from _walk(item, f"{name}.{index}.", parts)
        elif items is None or name not in parts:
            yield Flag(name, _text(value), partial(_of_value, type(whole), field.name))


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _short_for(flag: Flag) -> str:
    return f"{flag.explain()} Short for {flag.name}."


def _of_parts(whole: Any, field: str, base: type[Any], several: bool) -> str:
    known = ", ".join(kind.__name__ for kind in concrete(base))
    meaning = _docs(whole).get(field, "").partition(":")[0].rstrip(".")
    return f"{meaning}: {'any of' if several else 'one of'} {known}."


def _of_value(whole: Any, field: str) -> str:
    meaning, kind = _docs(whole).get(field, ""), typing.get_type_hints(whole).get(field)
    one: Any = get_args(kind)[0] if get_origin(kind) is tuple else kind
    choices = [str(choice) for choice in get_args(one)] if get_origin(one) is Literal else []
    choices = choices or (["True", "False"] if one is bool else [])
    return meaning if all(choice in meaning for choice in choices) else f"{meaning} One of {', '.join(choices)}."


@cache
def _docs(kind: Any) -> dict[str, str]:
    """The strings below the fields of a dataclass and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for one, after in itertools.pairwise(body):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(text, ast.Constant):
                found[one.target.id] = " ".join(str(text.value).split())
    return found


def show(verb: str, word: str, flags: list[Flag], *, everything: bool) -> None:
    """Print the flags that matter first, or all."""
    width = min(max(shutil.get_terminal_size().columns, 60), 120)
    print(f"usage: ganvas {verb} {word} [flags]", "", *_filled(_HEAD.format(verb=verb), width), sep="\n")
    for title, chosen in (_groups(flags) if everything else _first(flags)).items():
        print("", title, *(line for flag in chosen for line in _lines(flag, width)), sep="\n")
    if not everything:
        tail = f"ganvas {verb} {word} --help-all lists all {len(flags)} flags."
        print("", *_filled(tail, width), sep="\n")


_HEAD = "Each flag is followed by its value in this recipe. A number may be a ramp over images: 2e-4..5e-5@200000."


def _first(flags: list[Flag]) -> dict[str, list[Flag]]:
    by_name = {flag.name: flag for flag in flags}
    found = {title: [by_name[name] for name in names if name in by_name] for title, names in FIRST.items()}
    search = [flag for flag in flags if flag.name.startswith("--search.")]
    return {title: chosen for title, chosen in {"search": search, **found}.items() if chosen}


def _groups(flags: list[Flag]) -> dict[str, list[Flag]]:
    """By the first word of dotted flags; the others are the recipe's own."""
    parents = {flag.name.partition(".")[0] for flag in flags if "." in flag.name}
    found: dict[str, list[Flag]] = {"run": []}
    for flag in flags:
        parent = flag.name.partition(".")[0]
        found.setdefault(parent[2:] if parent in parents else "run", []).append(flag)
    return found


def _lines(flag: Flag, width: int) -> list[str]:
    head, indent = f"  {flag.name} {flag.value}".rstrip(), 34
    body = textwrap.wrap(flag.explain(), width - indent) or [""]
    if len(head) > indent - 2:
        return [head, *(" " * indent + line for line in body)]
    return [f"{head:<{indent}}{body[0]}", *(" " * indent + line for line in body[1:])]


def _filled(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def hint(flag: str, known: Iterable[str]) -> str:
    """What a flag that does not exist may stand for: `` (did you mean --adam-g.lr and --adam-d.lr?)``, or nothing."""
    word, known = flag.lstrip("-").lower(), list(known)
    if word in ADVICE:
        return f" ({ADVICE[word]})"
    for leaf in (word.rpartition(".")[2], SYNONYMS.get(word), SYNONYMS.get(word.rpartition(".")[2])):
        meant = [f"--{leaf}"] if f"--{leaf}" in known else [one for one in known if one.rpartition(".")[2] == leaf]
        if meant:
            return f" (did you mean {' and '.join(sorted(meant, reverse=True)[:2])}?)"
    return nearest(flag, known)
