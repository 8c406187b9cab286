"""Runs of text are measured by their words, beside real text and their own likelihood model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ganvas
from ganvas import Adam, InputError, Schedule, Watch, compare, evaluate
from ganvas.inference import TextGenerator
from ganvas.metrics.bleu import bleu
from ganvas.metrics.likelihood_curve import GAINS
from ganvas.recipe import Recipe
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.text import Counting, Likelihood, Oracle, Sentences
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.systems.textgan import TextGAN
from tests.conftest import Cli, TrainedRun, tiny
from tests.metrics.sentences import captions

SYSTEM = TextGAN(words=40, length=16, embedding=8, hidden=16, d_embedding=4, d_width=4, d_windows=(2, 3))
GAME = tiny(
    "text",
    system=SYSTEM,
    reconstruction=(Likelihood(),),
    adam_g=Adam(lr=Ramp(2e-2, 1e-3, 640, "step"), clip=5),
    schedule=Schedule(pretrain=640),
    images=640 + 64,
)
QUIET = Watch(sample_every=10_000, measure_every=10_000, diagnose_every=10_000)


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its lines are all different."""
    file = tmp_path_factory.mktemp("text") / "captions.txt"
    file.write_text("\n".join(dict.fromkeys(" ".join(line) for line in captions(160))) + "\n")
    return file


@pytest.fixture
def game(text: Path) -> Recipe:
    return replace(GAME, data=Sentences(source=str(text), held_out=0.2))


@pytest.fixture
def run(trained_run: TrainedRun, game: Recipe) -> RunFolder:
    return trained_run(game, QUIET)


@pytest.mark.usefixtures("drawn")
def test_a_game_is_measured_beside_real_text_and_its_likelihood_model(run: RunFolder, text: Path, cli: Cli) -> None:
    found = evaluate(run.path)
    own = [figure for figure in found.figures if not figure.is_point]
    names = [figure.measure for figure in own]
    assert names[:4] == ["BLEU-2", "backward BLEU-2", "BLEU-3", "backward BLEU-3"]
    expected = {"self-BLEU-4", "LM", "reverse LM", "AUC", "distinct-2", "repeats", "copied lines", "NLL"}
    assert expected <= set(names)
    assert not {"SWD", "nearness", "copies", "right lines", "NLL-oracle"} & set(names)
    assert all(figure.real is not None for figure in own if figure.measure in expected - {"NLL"})
    model = ganvas.open(run.path)
    assert isinstance(model, TextGenerator)
    reals = [tuple(line.split()) for line in text.read_text().splitlines()][4::5]
    fakes = model.tokens(len(reals), seed=0)
    assert found["BLEU-4"].value == pytest.approx(bleu(fakes, reals)[:, 2].mean())
    assert found["NLL"].value == pytest.approx(model.nll(reals))
    protocol = found["BLEU-4"].protocol
    assert protocol["tokens"] == "words, lower case, punctuation apart"
    assert (protocol["fakes"], protocol["reals"], protocol["split"]) == (len(reals), len(reals), "held-out")
    # The likelihood model is the state at the end of pretraining, and both curves are drawn with its noise.
    before = ganvas.open(run.pretrained)
    assert isinstance(before, TextGenerator)
    assert before.images_seen == 640
    points = {
        (figure.protocol["curve"], figure.protocol["temperature"]): figure.value
        for figure in found.figures
        if figure.is_point and figure.measure == "BLEU-4"
    }
    assert len(points) == 14
    assert points["GAN", 1.0] == pytest.approx(found["BLEU-4"].value)
    cold = before.tokens(len(reals), seed=0, temperature=0.5)
    assert points["likelihood", 0.5] == pytest.approx(bleu(cold, reals)[:, 2].mean())
    assert any("curve" in note for note in found.notes)
    assert found.chart == run.evaluation
    assert run.evaluation.stat().st_size > 10_000
    shown = cli("evaluate", str(run.path), "--measures", "bleu", "curve")
    for word in ("real", "likelihood, at T", "GAN, at T", "1.25", "curve"):
        assert word in shown.stdout


def test_its_curves_are_compared(run: RunFolder, cli: Cli) -> None:
    figures = evaluate(run.path, measures=["bleu", "curve"]).figures
    assert {figure.measure for figure in Record(run).figures} == {figure.measure for figure in figures}
    comparison = compare([run.path], out="page.html")
    assert not any(column.is_point for column in comparison.columns)
    assert len(comparison.points) == 2 * 7 * 5
    data = Path("page.html").read_text()
    assert "Likelihood curves" in data
    assert "Perception and distortion" not in data
    for title in ("BLEU-4 against self-BLEU-4", "reverse LM against LM"):
        assert f'"title":"{title}"' in data
    bleu_4 = next(column for column in comparison.columns if column.measure == "BLEU-4")
    assert bleu_4.real is not None
    shown = cli("compare", str(run.path)).stdout
    assert "(real)" in shown
    gained = {figure.measure for figure in figures} >= set(GAINS.values())
    assert bool(comparison.verdicts) == gained
    assert all(text in " ".join(shown.split()) for text in comparison.verdicts)


def test_a_likelihood_model_and_a_game_alone_have_one_curve(trained_run: TrainedRun, game: Recipe) -> None:
    mle = replace(game, schedule=Schedule(pretrain=-1), images=64)
    alone = replace(game, schedule=Schedule(), reconstruction=(), images=64)
    for recipe, curve, note in (
        (mle, "likelihood", "is a likelihood model"),
        (alone, "GAN", "never trained by likelihood alone"),
    ):
        folder = trained_run(recipe, QUIET, curve)
        assert not folder.pretrained.exists()
        found = evaluate(folder.path, measures=["curve"])
        assert {figure.protocol["curve"] for figure in found.figures} == {curve}
        assert note in found.notes[-1]


def test_counting_is_judged_by_its_rule(trained_run: TrainedRun) -> None:
    folder = trained_run(tiny("text", data=Counting(highest=7, held_out=0.2)), QUIET)
    found = evaluate(folder.path, measures=["right", "copied-lines"])
    assert found["right lines"].real == 1
    model = ganvas.open(folder.path)
    assert isinstance(model, TextGenerator)
    made = model.tokens(found["right lines"].protocol["fakes"])
    assert found["right lines"].value == pytest.approx(np.mean([Counting.is_right(line) for line in made]))


def test_an_oracle_judges_its_imitators(trained_run: TrainedRun) -> None:
    source = Oracle(words=20, length=6, count=100)
    system = replace(SYSTEM, words=23, length=6, ends=False)
    folder = trained_run(tiny("text", system=system, data=source, images=64), QUIET)
    found = evaluate(folder.path, measures=["oracle", "nll"])
    assert found["NLL-oracle"].real is not None
    assert found["NLL-oracle"].real < found["NLL-oracle"].value  # nothing is learned yet
    assert found["NLL"].unit == "nats a token"


def test_what_does_not_apply_is_refused(run: RunFolder, trained_run: TrainedRun) -> None:
    for asked, message in (
        ({"measures": ["kid"]}, "kid compares features of images, and .* makes sentences; leave it out"),
        ({"measures": ["swd"]}, "swd compares samples number by number, and .* makes sentences; leave it out"),
        ({"measures": ["right"]}, "right needs a text whose rule is known"),
        ({"measures": ["oracle"]}, "oracle needs the model that the data come from"),
        ({"extractor": "digits"}, "--extractor digits sees images, and .* makes sentences"),
        ({"against": "digits"}, "--against digits names images, and .* makes sentences"),
        ({"split": "train"}, "--split train compares with sentences that were trained on"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(run.path, **asked)  # type: ignore[arg-type]
    images = trained_run(tiny(), Watch(grid=(2, 2)), "images")
    with pytest.raises(InputError, match=r"bleu reads sentences, and .* makes images; leave it out"):
        evaluate(images.path, measures=["bleu"])


def test_a_text_that_has_changed_is_refused(run: RunFolder, text: Path) -> None:
    before = text.read_text()
    text.write_text(before.replace("kitchen", "cellar"))
    try:
        with pytest.raises(InputError, match=r"vocabulary of .* is not the one that .* was trained on; restore the"):
            evaluate(run.path, measures=["bleu"])
    finally:
        text.write_text(before)


def test_without_held_out_sentences_nothing_is_measured(trained_run: TrainedRun, text: Path) -> None:
    whole = replace(GAME, data=Sentences(source=str(text), held_out=0.0), schedule=Schedule(), images=64)
    folder = trained_run(whole, QUIET)
    with pytest.raises(InputError, match="has no held-out sentences"):
        evaluate(folder.path)
