"""The rules of the house, numbered as in ARCHITECTURE.md."""

from __future__ import annotations

import ast
import importlib
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import ganvas
from ganvas.cli import VERBS
from ganvas.data import open_data
from ganvas.errors import InputError
from ganvas.experiment import Host, train
from ganvas.inference import PointGenerator, Repairer, TextGenerator, Upscaler
from ganvas.observers.watch import Watch
from ganvas.recipe import EMA, SGD, Adam, Augment, Recipe, RMSprop, Schedule, Steering
from ganvas.recipe.degradations import Aged, Blind
from ganvas.recipe.objectives import Hinge, NonSaturating, Relativistic, Wasserstein
from ganvas.recipe.penalties import R1, R2, GradientPenalty
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.reconstruction import Perceptual, Pixel
from ganvas.recipe.serialization import from_plain, to_plain
from ganvas.recipe.sources import Cropped, Crops, Images, Pairs
from ganvas.recipe.text import Counting, Likelihood, TextSource
from ganvas.runs import checkpoint
from ganvas.systems import entries, named_recipe
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.pix2pix import Pix2Pix
from ganvas.systems.r3gan import R3GAN
from ganvas.systems.repair import PhotoRepair
from ganvas.tasks import task_of
from ganvas.training.controller import Controller
from ganvas.training.loop import train as play
from ganvas.training.run import Report, Run
from tests.conftest import ROOT, enlarging, same, tiny, write_photographs
from tests.data.test_pairs import write_small_and_large

SOURCE = ROOT / "src" / "ganvas"
RECIPES = [entry.name for entry in entries()]
QUIET = Watch(checkpoint_seconds=1e9, log_every=32, measure_every=64, diagnose_every=64, grid=(2, 2))


def shrunk(name: str) -> Recipe:
    """A recipe at CPU-seconds: its system tiny, two batches of digits, photographs, points or counting."""
    recipe = named_recipe(name)
    data, pretrain = recipe.data, min(recipe.schedule.pretrain, 8)
    if isinstance(data, Pairs) and data.scale > 1:
        write_small_and_large(data.scale)
    elif isinstance(data, Cropped):
        write_photographs(Path("photographs"), 3)
        data = replace(data, source="photographs")
    elif isinstance(data, TextSource):
        data = Counting(highest=12)
    else:
        data = Images(source="digits") if isinstance(data, Images) else replace(data, count=100)
    reconstruction = tuple(
        replace(loss, extractor="efficientnet-lite0", layer=(1, 1)) if isinstance(loss, Perceptual) else loss
        for loss in recipe.reconstruction
    )
    return replace(
        recipe,
        system=recipe.system.tiny(),
        data=data,
        reconstruction=reconstruction,
        start="",
        schedule=replace(recipe.schedule, pretrain=pretrain),
        batch_size=8,
        images=max(pretrain, 0) + 2 * 8 * recipe.schedule.d_per_g,
    )


# 1. Every system: its recipes build; two steps on the CPU; save; open; a picture, or a point, of the right shape.


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_saves_and_opens(name: str) -> None:
    recipe = shrunk(name)
    outcome = train(recipe, name="r", watch=QUIET)
    assert outcome.state == "finished"
    assert outcome.images_seen == recipe.images
    generator = ganvas.open("runs/r")
    if isinstance(generator, Upscaler):
        scale = generator.scale
        assert generator.upscale(np.zeros((5, 7, 3), np.uint8)).shape == (5 * scale, 7 * scale, 3)
    elif isinstance(generator, Repairer):
        assert [part.shape for part in generator.repair(np.zeros((5, 7, 3), np.uint8))] == [(5, 7, 3)] * 2
    elif isinstance(generator, PointGenerator):
        assert generator.points(3).shape == (3, 2)
    elif isinstance(generator, TextGenerator):
        assert [type(sentence) for sentence in generator.generate(3)] == [str] * 3
    else:
        size = recipe.system.size
        assert generator.generate(3).shape == (3, size, size, 1)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_at_its_own_size(name: str) -> None:
    recipe = named_recipe(name)
    g, d = recipe.system.generator(), recipe.system.discriminator()
    fakes = g(recipe.system.inputs(2, 0))
    assert fakes.shape == (2, *recipe.system.shape)
    if len(recipe.system.shape) == 3:
        assert recipe.system.shape == (recipe.system.channels, recipe.system.size, recipe.system.size)
        # R3GAN's generator ends without Tanh.
        assert recipe.reconstruction or isinstance(recipe.system, R3GAN) or fakes.abs().max() <= 1
    labels = torch.arange(2) if recipe.system.classes else None
    judged = torch.zeros(2, *recipe.system.judged_shape)
    assert recipe.system.logits(d(judged), labels).shape[0] == 2  # one for an image, or one for each pixel


# 2. Stop and resume equal the uninterrupted run, bit for bit.

CONDITIONAL = DCGAN(
    size=16, channels=1, g_width=4, d_width=4, latent=8, classes=10, d_norm="spectral", g_spectral=True, attention=8
)
KINDS = {
    "mlp": tiny("mlp", adam_g=Adam(lr=Ramp(2e-4, 1e-5, 150))),
    "mlp-bf16": tiny("mlp", precision="bf16"),
    "sgd": tiny(
        "mlp", adam_g=SGD(momentum=0.9, nesterov=True), adam_d=SGD(lr=Ramp(1e-2, 1e-3, 150), weight_decay=1e-4)
    ),
    "rmsprop": tiny("mlp", adam_g=RMSprop(lr=1e-4), adam_d=RMSprop(lr=1e-4, momentum=0.5, weight_decay=1e-4)),
    "dcgan": tiny("dcgan", augment=Augment(flip=True)),
    "dcgan-frozen": tiny("dcgan", schedule=Schedule(freeze_d=(32, 64), freeze_g=(96, 128), g_per_d=2)),
    "dcgan-dropout": tiny(
        "dcgan",
        system=DCGAN(size=16, channels=1, g_width=4, d_width=4, d_norm="spectral", d_dropout=0.3),
        objective=Hinge(),
        adam_d=Adam(lr=1e-4, weight_decay=1e-4, decoupled=True),
    ),
    "wgan-gp": tiny(
        "dcgan",
        system=DCGAN(size=16, channels=1, g_width=4, d_width=4, d_norm="none"),
        objective=Wasserstein(),
        penalties=(GradientPenalty(),),
        schedule=Schedule(d_per_g=2),
    ),
    "r3gan": tiny(
        system=R3GAN(size=8, channels=1, widths=(16, 8), blocks=1, group=8, latent=8, classes=10),
        objective=Relativistic(),
        penalties=(R1(gamma=Ramp(1.0, 0.1, 100, "cosine")), R2(gamma=0.5, every=3)),
        adam_d=Adam(lr=1e-3, beta1=0.0, beta2=Ramp(0.9, 0.99, 100, "cosine")),
        ema=EMA(half_life=Ramp(0, 100, 100)),
        precision="bf16",
    ),
    "adaptive": tiny(
        "dcgan",
        system=DCGAN(size=16, channels=1, g_width=4, d_width=4, d_norm="none"),
        augment=Augment(policy=("blit", "geometry", "tone", "cut"), target=0.6, adapt_over=500),
        objective=Relativistic(),
        penalties=(R1(), R2()),
        images=16 * 13,
    ),
    "projection": tiny("dcgan", system=CONDITIONAL, objective=Hinge(), penalties=(GradientPenalty(every=2),)),
    "classifier": tiny("dcgan", system=replace(CONDITIONAL, conditioning="classifier", d_norm="batch", attention=0)),
    "plane": tiny("plane"),
    "srgan": enlarging(Path("photographs"), images=8 * 12, schedule=Schedule(pretrain=24, d_per_g=2)),
    "srgan-blind": enlarging(Path("photographs"), data=Crops(source="photographs", degradation=Blind()), images=8 * 12),
    "repair": enlarging(
        Path("photographs"),
        system=PhotoRepair().tiny(),
        data=Crops(source="photographs", degradation=Aged()),
        objective=Hinge(),
        penalties=(R1(gamma=0.01, every=2),),
        reconstruction=named_recipe("repair").reconstruction,
        schedule=Schedule(pretrain=24, freeze_g=(24, 48)),
        images=8 * 12,
    ),
    "pix2pix": enlarging(
        Path("photographs"),
        system=Pix2Pix().tiny(),
        data=Pairs(source="photographs", input="right", turn="all"),
        reconstruction=(Pixel(loss="l1", when="both"),),
        penalties=(R1(gamma=0.01, every=2), GradientPenalty(every=3)),
        augment=Augment(differentiable=0.5, policy=("shift", "cut")),
        images=8 * 12,
    ),
    "text": tiny(
        "text",
        objective=Relativistic(),
        penalties=(R1(gamma=0.1), R2(gamma=0.1, every=2)),
        reconstruction=(Likelihood(weight=0.5),),
        adam_g=Adam(lr=Ramp(4e-3, 1e-3, 64, "cosine"), clip=0.5),
        schedule=Schedule(pretrain=64, freeze_g=(64, 80), d_per_g=2),
        ema=EMA(half_life=Ramp(0, 40, 64, "step")),
    ),
    "treated": tiny(
        "dcgan",
        images=16 * 26,
        objective=NonSaturating(saturating=True),
        adam_d=Adam(lr=2e-2),
        steering=Steering(mode="treat", every=16),
    ),
}


def last_state(name: str) -> dict[str, torch.Tensor]:
    newest = max(Path(f"runs/{name}/checkpoints").glob("[0-9]*.safetensors"))
    return checkpoint.load(newest)[0]


def undisturbed(recipe: Recipe) -> dict[str, torch.Tensor]:
    """The last state of a training without pause that nothing observes."""
    device = torch.device("cpu")
    run = Run(recipe, device)
    data, held_out = open_data(recipe.data, recipe.system.shape).split(recipe.data.held_out)
    if recipe.steering.mode == "treat":
        Controller(run, task_of(run.recipe).probe(run, data, held_out))
    play(run, task_of(recipe).feed(recipe, data, device), ())
    return {name: t.contiguous() for name, t in run.state_dict().items()}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "treated"])
def test_resumed_equals_uninterrupted(kind: str) -> None:
    recipe = KINDS[kind]
    write_photographs(Path("photographs"), 3)
    for images in (recipe.images // 3, recipe.images // 2, recipe.images):
        train(replace(recipe, images=images), name="parts", watch=QUIET)
    assert same(last_state("parts"), undisturbed(recipe))


def test_a_treated_run_that_was_interrupted_equals_one_that_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is interrupted, not lengthened: no remedy is begun shortly before the end that was asked for.
    recipe, step = KINDS["treated"], Controller.step
    train(recipe, name="whole", watch=QUIET)

    def interrupting(self: Controller, report: Report) -> bool:
        if report.images_seen in (64, 208):
            signal.raise_signal(signal.SIGINT)
        return step(self, report)

    monkeypatch.setattr(Controller, "step", interrupting)
    states = [train(recipe, name="parts", watch=QUIET).state for _ in range(3)]
    assert states == ["stopped", "stopped", "finished"]
    assert same(last_state("whole"), last_state("parts"))


# 3. All observers on equal none, bit for bit.


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(
    "kind",
    [
        *("mlp", "dcgan", "dcgan-dropout", "wgan-gp", "adaptive", "treated", "plane", "srgan", "r3gan", "text"),
        *("projection", "classifier"),
    ],
)
def test_observers_change_nothing(kind: str) -> None:
    recipe = KINDS[kind]
    write_photographs(Path("photographs"), 3)
    everything = Watch(
        log_every=1, sample_every=48, measure_every=48, diagnose_every=48, checkpoint_seconds=0, keep_every=32
    )
    train(recipe, name="watched", watch=replace(everything, tensorboard=True, grid=(2, 3)))
    assert same(last_state("watched"), undisturbed(recipe))


# 4. Using needs no training; help and lists need no torch.


def imported_by(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_inference_imports_no_training() -> None:
    modules = imported_by("import ganvas; ganvas.open")
    assert "ganvas.inference" in modules
    assert not {m for m in modules if m.startswith(("ganvas.training", "ganvas.observers"))}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["list"], ["runs", "."]])
def test_light_verbs_import_no_torch(words: list[str]) -> None:
    modules = imported_by(f"from ganvas.cli import main; assert main({words}) == 0")
    assert "torch" not in modules


def test_values_import_no_torch() -> None:
    modules = imported_by(
        "import importlib, pkgutil, ganvas.recipe, ganvas.systems as systems\n"
        "[systems.named_recipe(entry.name) for entry in systems.entries()]; systems.load_systems()\n"
        "for module in pkgutil.iter_modules(ganvas.recipe.__path__):\n"
        "    importlib.import_module(f'ganvas.recipe.{module.name}')"
    )
    assert {"ganvas.recipe.degradations", "ganvas.systems.srgan"} <= modules
    assert "torch" not in modules


@pytest.mark.parametrize(
    "words",
    [
        ["train", "dcgan-digits", "--no-such-flag", "1"],
        ["train", "mlp-ring", "--objective", "Hingee"],
        ["plan", "srgan-x4", "--augment.flip", "True"],
        ["tune", "dcgan-digits", "--search.factors", "-1"],
    ],
)
def test_a_wrong_flag_is_refused_without_torch(words: list[str]) -> None:
    modules = imported_by(f"from ganvas.cli import main; assert main({words}) == 2")
    assert "torch" not in modules


# 5. A recipe's JSON round-trips; an unknown key is an error that names the known ones.


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_round_trips(name: str) -> None:
    recipe = named_recipe(name)
    assert from_plain(Recipe, json.loads(json.dumps(to_plain(recipe)))) == recipe


def test_unknown_key_names_the_known_ones() -> None:
    plain = to_plain(tiny())
    plain["adam_d"]["learning_rate"] = 1.0
    with pytest.raises(InputError, match=r"recipe\.adam_d has the unknown key 'learning_rate'.* lr, beta1"):
        from_plain(Recipe, plain)


# 7. Only the loop trains.


def test_only_the_loop_calls_backward_and_step() -> None:
    callers = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "backward":
                callers.add(file.relative_to(SOURCE).as_posix())
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("optimizer.step"):
                callers.add(file.relative_to(SOURCE).as_posix())
    assert callers == {"training/loop.py", "studies/synthetic/classifier.py"}


# 8. No pickle is ever loaded.


def test_nothing_loads_a_pickle() -> None:
    for file in SOURCE.rglob("*.py"):
        text = file.read_text()
        # The one place that reads a .pth, be it published weights or a checkpoint of another program: tensors alone.
        if file.name == "pth.py":
            assert text.count("torch.load") == text.count("weights_only=True") == 1
        else:
            assert "torch.load" not in text
        assert "import pickle" not in text
        assert "allow_pickle=True" not in text


def test_a_checkpoint_names_a_system_and_nothing_to_import() -> None:
    train(tiny(images=16), name="r", watch=QUIET)
    about = checkpoint.about(Path("runs/r/model.safetensors"))
    assert about["system"]["type"] == "MLP"
    about["system"]["type"] = "os.system"
    checkpoint.save(Path("evil.safetensors"), {"g.x": torch.zeros(1)}, about)
    with pytest.raises(InputError, match=r"has the unknown type 'os\.system'; known types: .*DCGAN.*MLP"):
        ganvas.open("evil.safetensors")


# 9. The public names and verbs are true.


def test_all_is_true() -> None:
    assert sorted(ganvas.__all__) == ganvas.__all__ or len(set(ganvas.__all__)) == len(ganvas.__all__)
    for name in ganvas.__all__:
        assert getattr(ganvas, name) is not None
    for file in SOURCE.rglob("__init__.py"):
        module = importlib.import_module(".".join(["ganvas", *file.relative_to(SOURCE).parts[:-1]]))
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{module.__name__}.{name}"


def test_every_verb_has_a_file_and_one_line_of_help() -> None:
    files = {file.stem for file in (SOURCE / "cli").glob("[a-z]*.py")}
    assert files == set(VERBS)


def test_the_host_is_no_part_of_a_run() -> None:
    first = train(tiny(images=16), name="a", watch=QUIET, host=Host(workers=1))
    second = train(tiny(images=16), name="b", watch=replace(QUIET, log_every=16), host=Host(workers=2))
    assert first.folder.recipe.read_text() == second.folder.recipe.read_text()
    assert same(last_state("a"), last_state("b"))
