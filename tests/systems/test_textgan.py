"""Text: the generator's law, its gradient, its likelihood, and runs from the recipe to the sentences."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import ganvas
from ganvas import Adam, Augment, InputError, Schedule, Steering, Watch, train
from ganvas.data import open_data
from ganvas.diagnosis.verdicts import assess, snapshots
from ganvas.inference import TextGenerator
from ganvas.recipe.batch import Batch
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import Pixel
from ganvas.recipe.sources import Images, Mixture2D
from ganvas.recipe.text import END, PAD, UNKNOWN, Counting, Likelihood, Sentences
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.previews import read_previews
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.textgan import TextGAN
from ganvas.systems.textgan.networks import Writer
from ganvas.tasks import task_of
from ganvas.tasks.text.one_hot import embedded, one_hot
from tests.conftest import Cli, TrainedRun, assert_refused, tiny

OFTEN = Watch(sample_every=64, measure_every=64, diagnose_every=16)
MLE = tiny("text", reconstruction=(Likelihood(),), schedule=Schedule(pretrain=-1), adam_g=Adam(lr=1e-2, clip=5))


@pytest.fixture
def run(trained_run: TrainedRun) -> RunFolder:
    return trained_run(MLE, OFTEN)


def small(**fields: object) -> tuple[TextGAN, Writer]:
    """A vocabulary of two words besides the special kinds, and sentences of at most two."""
    system = TextGAN(**{"words": 5, "length": 2, "embedding": 3, "hidden": 4, "dropout": 0.0, **fields})  # type: ignore[arg-type]
    torch.manual_seed(0)
    g = system.generator()
    assert isinstance(g, Writer)
    with torch.no_grad():
        for parameter in g.parameters():
            parameter.normal_(std=0.7)
    return system, g.eval()


def likelihoods(g: Writer, places: int, kinds: int) -> dict[tuple[int, ...], float]:
    """The probability of every row that is a sentence."""
    found = {}
    for row in itertools.product(range(kinds), repeat=places):
        end = row.index(END) if END in row else places
        if all(kind == PAD for kind in row[end + 1 :]) and PAD not in row[:end]:
            found[row] = math.exp(-g.nats(torch.tensor([row]))[0])
    return found


@pytest.mark.parametrize("ends", [True, False])
def test_the_probabilities_of_all_sentences_add_up_to_one(ends: bool) -> None:
    system, g = small(ends=ends)
    found = likelihoods(g, system.places, system.words)
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)
    possible = [row for row, chance in found.items() if chance > 1e-6]
    assert all((END in row) == ends for row in possible)


def test_sentences_come_as_often_as_they_are_likely() -> None:
    system, g = small()
    expected = likelihoods(g, system.places, system.words)
    count = 20_000
    for rows in (
        g.rows(system.inputs(count, 0)),
        g.relaxed(count, 1.0).argmax(2),
        g(system.inputs(count, 1)).argmax(2),
    ):
        kinds, times = np.unique(rows.detach().numpy(), axis=0, return_counts=True)
        for row, number in zip(map(tuple, kinds.tolist()), times.tolist(), strict=True):
            chance = expected[row]
            assert number / count == pytest.approx(chance, abs=5 * math.sqrt(chance / count) + 1e-4)


def test_a_temperature_divides_the_logits() -> None:
    system, g = small(length=1)
    uniform = system.inputs(20_000, 0)
    at_one = g.predictions(torch.full((1, 2), PAD))[0, 0].detach()
    share = torch.softmax(at_one / 0.5, 0)[UNKNOWN]
    assert float((g.rows(uniform, 0.5)[:, 0] == UNKNOWN).float().mean()) == pytest.approx(float(share), abs=0.02)
    assert torch.equal(g.rows(uniform, 1e-3)[:, 0], at_one.argmax().expand(len(uniform)))


def test_fakes_are_words_an_end_and_padding() -> None:
    system, g = small(length=6)
    for fakes in (g.relaxed(64, 1.0), g(system.inputs(64, 0))):
        assert fakes.shape == (64, *system.shape)
        assert torch.allclose(fakes.sum(2), torch.ones(64, 7))
        rows = fakes.argmax(2)
        ends = (rows == END).float().argmax(1)
        assert ((rows == END).sum(1) == 1).all()
        after = torch.arange(7) > ends[:, None]
        assert torch.equal(rows == PAD, after)


def test_the_gradient_is_that_of_the_relaxed_softmax_but_of_no_padding() -> None:
    system, g = small(length=3)
    torch.manual_seed(1)
    fakes = g.relaxed(8, 2.0)
    weights = torch.randn_like(fakes)
    gradient = torch.autograd.grad((fakes * weights).sum(), g.bias)[0]
    torch.manual_seed(1)
    total: Tensor = torch.zeros(())
    before, state, ended = torch.full((8,), END), None, torch.zeros(8, dtype=torch.bool)
    for place in range(system.places):
        found, state = g.recurrent(g.embedding(before)[:, None], state)
        logits = g.out(found[:, 0]) @ g.embedding.weight.T + g.bias + g.never[int(place == system.places - 1)]
        soft = torch.softmax((logits - (-torch.rand_like(logits).log()).log()) / 2.0, 1)
        total = total + (soft * weights[:, place] * ~ended[:, None]).sum()
        before = soft.argmax(1).masked_fill(ended, PAD)
        ended = ended | (before == END)
    assert torch.allclose(gradient, torch.autograd.grad(total, g.bias)[0], atol=1e-5)
    assert gradient.abs().max() > 0


def test_the_likelihood_is_the_cross_entropy_of_words_and_ends() -> None:
    system, g = small(length=3)
    rows = torch.tensor([[3, 4, END, PAD], [4, END, PAD, PAD]])
    real = one_hot(rows.numpy().astype(np.int32), system.words)
    batch = Batch(2, torch.device("cpu"), 0, lambda: {"real": real})
    log_p = g.predictions(rows).detach()
    kept = [log_p[0, 0, 3], log_p[0, 1, 4], log_p[0, 2, END], log_p[1, 0, 4], log_p[1, 1, END]]
    expected = -torch.stack(kept).mean()
    made = system.outputs(g, batch)
    assert torch.allclose(Likelihood(weight=2.0).term(made["predictions"], batch), 2 * expected)
    nats, counted = g.nats(rows)
    assert counted == 5
    assert nats / counted == pytest.approx(float(expected), abs=1e-5)


def test_pretraining_makes_no_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "relaxed", lambda *_: pytest.fail("a fake was made"))
    train(replace(MLE, images=32), name="r", watch=Watch(diagnose_every=10**9))


def test_the_relaxation_may_be_a_ramp(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    relaxed = Writer.relaxed

    def noted(self: Writer, count: int, relaxation: float) -> Tensor:
        seen.append(relaxation)
        return relaxed(self, count, relaxation)

    monkeypatch.setattr(Writer, "relaxed", noted)
    recipe = tiny("text", images=48)
    assert isinstance(recipe.system, TextGAN)
    train(replace(recipe, system=replace(recipe.system, relaxation=Ramp(2.0, 1.0, 32))), name="r")
    # D and G in turn; time passes with D's updates.
    assert seen == [2.0, 1.5, 1.5, 1.0, 1.0, 1.0]


def test_gradients_are_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    clip = torch.nn.utils.clip_grad_norm_

    def noted(parameters: object, most: float) -> Tensor:
        parameters = list(parameters)  # type: ignore[call-overload]
        clip(parameters, most)
        norms.append(math.sqrt(sum(float(p.grad.square().sum()) for p in parameters if p.grad is not None)))
        return torch.zeros(())

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", noted)
    train(replace(MLE, images=32, adam_g=Adam(clip=1e-3)), name="r")
    assert norms == pytest.approx([1e-3] * 2, rel=1e-3)
    with pytest.raises(InputError, match="Adam's clip must be a norm of at least 0"):
        Adam(clip=-1)


def test_discriminator_and_penalties_see_one_hot_sentences() -> None:
    system = TextGAN(words=8, length=3, d_windows=(1, 2, 9))  # a window may be wider than a sentence
    d = system.discriminator()
    sentences = one_hot(np.array([[3, 4, END, PAD], [4, END, PAD, PAD]], np.int32), 8).requires_grad_()
    scores = d(sentences)
    assert scores.shape == (2,)
    (slopes,) = torch.autograd.grad(scores.sum(), sentences, create_graph=True)
    slopes.square().sum().backward()
    assert all(parameter.grad is not None for name, parameter in d.named_parameters() if "score.bias" not in name)


@pytest.mark.parametrize(
    "fields",
    [{"words": 4}, {"length": 0}, {"length": 10**9}, {"dropout": 1.0}, {"relaxation": 0.0}, {"d_windows": ()}],
    ids=repr,
)
def test_what_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="--system"):
        TextGAN(**fields)  # type: ignore[arg-type]


def test_a_run_learns_and_is_used(run: RunFolder, cli: Cli) -> None:
    measured = [figures_of(line)[0] for line in run.read_log() if figures_of(line)]
    assert measured[0].measure == "NLL"
    assert measured[-1].value < measured[0].value
    writer = ganvas.open(run.path)
    assert isinstance(writer, TextGenerator)
    sentences = writer.generate(5, seed=3)
    assert writer.sentences(70, seed=3)[:5] == sentences
    assert [" ".join(words) for words in writer.tokens(5, seed=3)] == sentences
    assert writer.generate(5, seed=4) != sentences
    assert writer.generate(5, seed=3, temperature=1e-6) == [writer.generate(1, temperature=1e-6)[0]] * 5
    held_out = open_data(MLE.data, MLE.system.shape).held_out  # type: ignore[attr-defined]
    assert writer.nll(held_out) == pytest.approx(measured[-1].value, abs=1e-4)
    with pytest.raises(InputError, match="give at least one"):
        writer.nll([])
    for n, seed in ((0, 0), (1, -1)):
        with pytest.raises(InputError, match="give at least -n 1 and a --seed of at least 0"):
            writer.generate(n, seed)
    with pytest.raises(InputError, match=r"a temperature of -1 is not above 0"):
        writer.generate(1, temperature=-1)
    printed = cli("generate", "runs/r", "-n", "5", "--seed", "3")
    assert printed.stdout.splitlines() == sentences
    assert cli("generate", "runs/r", "-n", "5", "--seed", "3", "--out", "fakes.txt").returncode == 0
    assert Path("fakes.txt").read_text().splitlines() == sentences
    assert cli("generate", "runs/r", "-n", "2", "--temperature", "0.5", "--out", "fakes.jsonl").returncode == 0
    lines = [json.loads(line) for line in Path("fakes.jsonl").read_text().splitlines()]
    assert lines[0] == {"text": writer.generate(1, temperature=0.5)[0], "synthetic": True, "model": "r", "seed": 0,
                        "temperature": 0.5}  # fmt: skip
    assert_refused(cli("generate", "runs/r", "--temperature", "0"), "a temperature of 0.0 is not above 0")
    assert_refused(cli("generate", "runs/r", "--grid", "a.png"), "--grid cannot draw", "--out FILE.txt")
    assert_refused(cli("generate", "runs/r", "--out", "a.png"), ".txt")
    assert_refused(cli("generate", "runs/r", "--interpolate"), "--interpolate is for images")
    assert_refused(cli("generate", "runs/r", "--class", "3"), "without classes")


def test_previews_are_texts_of_the_same_noise(run: RunFolder) -> None:
    found = read_previews(run.samples)
    assert {preview.kind for preview in found} == {"text"}
    texts = [(run.samples / preview.file).read_text().splitlines() for preview in found]
    assert {len(text) for text in texts} == {24}
    writer = ganvas.open(run.path)
    assert isinstance(writer, TextGenerator)
    assert texts[-1] == writer.generate(24, seed=0)
    over_time = (run.path / "sentences.txt").read_text()
    assert over_time.count(texts[-1][0] + "\n") >= 1
    results = dict(task_of(MLE).results(run))
    assert results["writes"] == texts[-1][0]
    assert "nats a token, held-out" in results["NLL"]


def test_a_temperature_is_for_text_alone(trained_run: TrainedRun, cli: Cli) -> None:
    trained_run(tiny("plane", images=32), name="points")
    assert_refused(cli("generate", "runs/points", "--temperature", "1"), "makes points, which has no temperature")


def test_a_run_is_listed_reported_compared_planned_and_diagnosed(trained_run: TrainedRun, cli: Cli) -> None:
    game = tiny("text", reconstruction=(Likelihood(),), schedule=Schedule(pretrain=64), images=16 * 30)
    trained_run(game, OFTEN, name="game")
    trained_run(MLE, OFTEN)
    log = RunFolder(Path("runs/game")).read_log()
    judged = [line for line in log if "signals" in line]
    assert all(line["images"] > 64 for line in judged)
    assert {"auc", "duplicates", "distance", "diversity"} <= judged[0]["signals"].keys()
    assert assess(snapshots(log)).name
    for words in (["runs"], ["report", "runs/game"], ["compare", "runs/game", "runs/r"], ["diagnose", "runs/game"]):
        done = cli(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    planned = cli("plan", "textgan-counting", "--batch-size", "8")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("LSTM") == 1
    assert "21 x 23" in planned.stdout


def test_verdicts_on_text() -> None:
    embed = task_of(MLE).embed
    words = np.array([[3, 4, 5, END], [5, 4, 3, END], [3, 4, 5, END], [6, 6, END, PAD]], np.int32)
    distances = torch.cdist(embed(one_hot(words, 9)), embed(one_hot(words, 9)))
    assert distances[0, 2] == 0
    assert distances[0, 1] > 0  # the same words in another order
    assert embedded(one_hot(words, 9))[0, PAD] == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": Images(source="digits")}, "writes sentences, and the data are Images"),
        ({"data": Mixture2D()}, "the data are Mixture2D"),
        ({"reconstruction": (Pixel(when="both"),)}, "the reconstruction loss Pixel compares images"),
        ({"augment": Augment(flip=True)}, "change images, and the data are sentences"),
        ({"augment": Augment(differentiable=0.5)}, "change images, and the data are sentences"),
        ({"augment": Augment(noise=Ramp(0.1, 0.0, 9))}, "change images, and the data are sentences"),
        ({"steering": Steering(mode="treat")}, "--steering treat is for images and points"),
        ({"batch_size": 10**9, "images": 10**9}, "GB are free; give a smaller --batch-size"),
    ],
    ids=["images", "points", "pixel", "flip", "augmented", "noise", "treated", "memory"],
)
def test_what_does_not_fit_text_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as refused:
        task_of(MLE).check(replace(MLE, **changes))  # type: ignore[arg-type]
    assert says in str(refused.value)


def test_text_is_no_data_of_images(cli: Cli) -> None:
    recipe = tiny("dcgan", data=Counting())
    with pytest.raises(InputError, match="DCGAN makes images, and the data are Counting"):
        task_of(recipe).check(recipe)
    assert isinstance(recipe.system, DCGAN)
    Path("lines.txt").write_text("a b\nc d\n")
    assert_refused(cli("train", "dcgan-digits", "--data", "lines.txt"), "lines.txt is not a source of images")
    assert_refused(cli("train", "textgan-counting", "--system.size", "32"), "there is no flag --system.size")
    assert_refused(cli("train", "textgan-counting", "--augment.flip", "True"), "change images")
    assert_refused(cli("train", "textgan-captions"), "there is no text 'captions.txt'")
    assert_refused(
        cli("plan", "textgan-counting", "--batch-size", "900000000", "--images", "1000000000"), "GB are free"
    )


def test_own_words_are_known_by_the_file_alone_and_no_others_resume(cli: Cli) -> None:
    lines = [f"{a} {b} {c}" for a in "abcd" for b in "efgh" for c in "ijkl"]
    Path("lines.txt").write_text("\n".join(lines))
    recipe = replace(MLE, data=Sentences(source="lines.txt"), system=replace(MLE.system, words=20), images=32)  # type: ignore[type-var]
    train(recipe, name="r")
    words = checkpoint.about(Path("runs/r/model.safetensors"))["names"]["words"]
    assert sorted(words[3:]) == list("abcdefghijkl")
    Path("lines.txt").write_text("\n".join(line.replace("a", "z") for line in lines))
    with pytest.raises(InputError, match=r"the sentences of lines\.txt have changed since the run"):
        train(replace(recipe, images=64), name="r")
    with pytest.raises(InputError, match=r"--start runs/r has another vocabulary than lines\.txt"):
        train(replace(recipe, start="runs/r"), name="other")
    Path("lines.txt").unlink()
    assert cli("convert", "runs/r", "--out", "alone.safetensors").returncode == 0
    printed = cli("generate", "alone.safetensors", "-n", "9")
    assert set("".join(printed.stdout.split())) <= {*"abcdefghijkl", *"<unk>"}


@pytest.mark.parametrize(
    "words", [None, ["a"], ["<pad>", "<unk>", "<end>", 3], ["<pad>", "<unk>", "<end>"] + ["a"] * 99]
)
def test_a_file_without_words_is_refused(run: RunFolder, words: object) -> None:
    tensors, about = checkpoint.load(run.model)
    checkpoint.save(Path("other.safetensors"), tensors, {**about, "names": {"words": words, "joint": " "}})
    with pytest.raises(InputError, match="its file does not name the words of its vocabulary"):
        ganvas.open("other.safetensors")


def test_warnings_of_a_text_that_the_recipe_is_not_made_for() -> None:
    Path("lines.txt").write_text(
        "\n".join(f"猫在桌子上面{n}" for n in range(30)) + "\n" + "a " * 30 + "\n" + "b c " * 30
    )
    recipe = replace(MLE, data=Sentences(source="lines.txt"), system=replace(MLE.system, words=200))  # type: ignore[type-var]
    data, _ = open_data(recipe.data, recipe.system.shape).split(0.1)
    found = " ".join(task_of(recipe).warnings(recipe, data))
    assert "--data.level character" in found
    assert "the recipe has room for 200" in found


@pytest.mark.slow
def test_numbers_that_count_are_learned_by_the_game_alone() -> None:
    from ganvas.systems import named_recipe

    train(named_recipe("textgan-counting"), name="r")
    writer = ganvas.open("runs/r")
    assert isinstance(writer, TextGenerator)
    fakes = writer.tokens(1_000)
    assert sum(map(Counting.is_right, fakes)) >= 950
    assert len(set(fakes)) >= 100
