"""Text: real rows, the likelihood baseline and the GAN beside its curve, over several seeds, against their bars.

    python benchmarks/text.py FILE                                   real text, and its words in a random order
    python benchmarks/text.py FILE --train FOLDER [--seeds 0 1 2] [--recipes textgan-mle ...] [-- FLAGS]

FILE has one caption a line; the bars are those of 10,000 COCO captions. With --train, each recipe is trained with each
seed as FOLDER/RECIPE-sSEED, what is finished not again and what was stopped from there; then all are evaluated, and
tables and bars printed as Markdown. Flags after -- go to every training, as --penalties R1(gamma=1). Run it on idle
cores: the minutes are those of the run.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ganvas.data import open_data
from ganvas.data.sentences import Text as TextData
from ganvas.errors import InputError
from ganvas.evaluation import Figure, evaluate
from ganvas.experiment import Host
from ganvas.metrics import measures
from ganvas.metrics.language_model import TrigramModel, per_token
from ganvas.metrics.likelihood_curve import GAINS, by_temperature
from ganvas.metrics.measure import Evidence
from ganvas.metrics.sentence_measure import SentenceMeasure
from ganvas.metrics.sentences import Lines, Text
from ganvas.recipe.text import Sentences
from ganvas.runs.record import Record
from ganvas.systems import named_recipe

RECIPES = "textgan-mle", "textgan-captions", "textgan-counting", "textgan-oracle"
SHOWN = (
    *(f"BLEU-{n}" for n in (2, 3, 4, 5)),
    *(f"self-BLEU-{n}" for n in (2, 3, 4, 5)),
    *("backward BLEU-4", "LM", "reverse LM", "AUC", "distinct-2", "repeats", "copied lines", "NLL", "NLL-oracle"),
    "right lines",
)
MINUTES = "minutes"
BARS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "textgan-mle": {
        "NLL": (0, 3.25),
        "BLEU-4": (0.26, 0.30),
        "self-BLEU-4": (0.27, 0.31),
        "AUC": (0, 0.62),
        MINUTES: (0, 5),
    },
    "textgan-captions": {
        GAINS["BLEU-4"]: (-0.01, 1),
        GAINS["reverse LM"]: (-0.10, 10),
        "repeats": (0, 0.02),
        "copied lines": (0, 0.02),
        "AUC": (0, 0.57),
        MINUTES: (0, 60),
    },
    "textgan-counting": {"right lines": (0.95, 1), MINUTES: (0, 5)},
    "textgan-oracle": {},
}
"""The least and the most of each figure, at temperature 1."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="captions, one a line")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="train and evaluate runs in this folder")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("flags", nargs="*", help="after --: flags of every training")
    arguments = parser.parse_args()
    try:
        print(_stamp())
        _real_rows(arguments.file)
        for recipe in arguments.recipes if arguments.train else ():
            runs = [_trained(recipe, seed, arguments) for seed in arguments.seeds]
            _judge(recipe, runs)
    except InputError as error:
        parser.error(str(error))


def _stamp() -> str:
    """Machine, versions, commit and command."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    host = Host().describe()
    words = " ".join(re.sub(r"[^:]*/", "", word) for word in sys.argv[1:])  # without folders
    return (
        f"{host['processor']}, {host['cores']} cores, Python {host['python']}, torch {host['torch']}, commit"
        f" {commit.stdout.strip()}: `python benchmarks/text.py {words}`\n"
    )


def _real_rows(file: Path) -> None:
    """What nothing has to be trained for: training lines in the fakes' place, and the same with their words mixed."""
    recipe = named_recipe("textgan-captions")
    assert isinstance(recipe.data, Sentences)
    data = open_data(Sentences(source=str(file), held_out=recipe.data.held_out), recipe.system.shape)
    assert isinstance(data, TextData)
    train, reals, words = data.training, data.held_out, len(data.words) - 1
    rng = np.random.default_rng(0)
    drawn = [train[i] for i in rng.permutation(len(train))]
    control, more = drawn[: len(reals)], drawn[: 2 * len(reals)]
    mixed = [tuple(line[i] for i in rng.permutation(len(line))) for line in more]
    text = Text(fakes=mixed[: len(reals)], reals=reals, control=control, training=train, words=words)
    taken = [one for one in measures(["text"]) if isinstance(one, SentenceMeasure)]
    found = [figure for one in taken for figure in one.compute(Evidence(text=text))]
    print(f"{len(train):,} training lines, {len(reals):,} held-out ones, {words:,} words with <unk> and the end.\n")
    real = {figure.measure: figure.real for figure in found if figure.real is not None}
    _table({"real text": real, "words mixed": {figure.measure: figure.value for figure in found}})
    model = TrigramModel(train, words)
    print("| nats a token | held-out | training lines | words mixed |\n|---|--:|--:|--:|")
    _row("LM of all training lines", (_nats(model, lines) for lines in (reals, control, mixed[: len(reals)])))
    reverse = (TrigramModel(lines, words) for lines in (more, mixed))
    _row(f"LM of {len(more):,} of these, of held-out", ("", *(_nats(one, reals) for one in reverse)))
    print(flush=True)


def _nats(model: TrigramModel, lines: Lines) -> str:
    return f"{per_token(model, lines, 0).value:.3f}"


def _trained(recipe: str, seed: int, arguments: argparse.Namespace) -> Path:
    name = f"{recipe}-s{seed}"
    words = ["train", recipe, "--seed", str(seed), "--name", name, "--host.runs", str(arguments.train)]
    if isinstance(named_recipe(recipe).data, Sentences):
        words += ["--data", str(arguments.file.resolve())]
    subprocess.run([sys.executable, "-m", "ganvas", *words, *arguments.flags], check=True, stdout=sys.stderr)
    return Path(arguments.train) / name


def _judge(recipe: str, runs: Sequence[Path]) -> None:
    """The figures of the runs, their curves, and the bars."""
    rows: dict[str, dict[str, float]] = {}
    curves: dict[str, list[Figure]] = {}
    said: list[str] = []
    for run in runs:
        found = evaluate(run)
        own = [figure for figure in found.figures if not figure.is_point]
        reals = {figure.measure: figure.real for figure in own if figure.real is not None}
        rows = rows or {"real text": reals}
        record = Record(run)
        rows[run.name] = {figure.measure: figure.value for figure in own}
        rows[run.name][MINUTES] = 60 * record.hours(record.images_seen)
        for name, points in by_temperature(found.figures).items():
            for temperature, figures in points.items():
                curves.setdefault(f"{name}, T {temperature:g}", []).extend(figures)
        said += found.notes
    print(f"### {recipe}\n")
    _table(rows)
    print("".join(f"- {sentence}\n" for sentence in said))
    if curves:
        print("Means over the seeds:\n")
        _table({name: _means(figures) for name, figures in curves.items()})
    _row("bar", ("least", "most", *(run.name for run in runs), ""))
    print(f"|---|--:|--:|{'--:|' * len(runs)}---|")
    for measure, (least, most) in BARS[recipe].items():
        values = [rows[run.name].get(measure) for run in runs]  # none off the curve
        is_met = all(value is not None and least <= value <= most for value in values)
        cells = ["none" if value is None else f"{value:.4g}" for value in values]
        _row(measure, (f"{least:g}", f"{most:g}", *cells, "met" if is_met else "missed"))
    print(flush=True)


def _means(figures: Iterable[Figure]) -> dict[str, float]:
    by_name: dict[str, list[float]] = {}
    for figure in figures:
        by_name.setdefault(figure.measure, []).append(figure.value)
    return {name: statistics.fmean(values) for name, values in by_name.items()}


def _table(rows: Mapping[str, Mapping[str, float]]) -> None:
    names = [name for name in (*SHOWN, MINUTES) if any(name in row for row in rows.values())]
    print(f"| | {' | '.join(names)} |\n|---|{'--:|' * len(names)}")
    for title, row in rows.items():
        _row(title, (f"{row[name]:.3f}" if name in row else "" for name in names))
    print()


def _row(title: str, cells: Iterable[str]) -> None:
    print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
