"""The generator, trained here or given, and the candidates it makes class by class, scored by its D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import nn

from ganvas.errors import InputError
from ganvas.experiment import Host, Outcome, train
from ganvas.imaging.tensors import from_pixels
from ganvas.inference import Generator, open_as
from ganvas.inference.loading import network_of
from ganvas.observers.watch import Watch
from ganvas.recipe import EMA, Augment, Recipe
from ganvas.recipe.serialization import to_plain
from ganvas.recipe.sources import Images
from ganvas.recipe.system import FromNoise
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import find
from ganvas.runs.record import Record
from ganvas.studies.synthetic.reals import LabelledImages, RealSplit
from ganvas.studies.synthetic.settings import SyntheticSettings
from ganvas.systems import named_recipe
from ganvas.systems.dcgan import DCGAN
from ganvas.tasks import task_of

IMAGES = 200_000  # real images in a training, by default
AT_ONCE = 256  # candidates that D scores together


@dataclass(frozen=True)
class ConditionalGAN:
    """A conditional generator and, if its file has one, its discriminator.

    Attributes:
        file: where it was read from.
        data: fingerprint of its training images.
    """

    generator: Generator
    d: nn.Module | None
    file: Path
    data: str

    @property
    def system(self) -> FromNoise:
        """Its GAN."""
        return self.generator.system


@dataclass(frozen=True)
class Candidates:
    """Images, the i-th of class i % classes: those of ``ganvas generate MODEL --seed SEED``, by the same numbers.

    Attributes:
        realness: D's output for each, float64 (N,), or None if the model file has no D.
    """

    made: LabelledImages
    realness: NDArray[np.float64] | None


def generator_recipe(settings: SyntheticSettings, source: Path, form: tuple[int, int], reals: RealSplit) -> Recipe:
    """The recipe of the generator to train on the images in `source`.

    Args:
        form: size and channels of the default recipe's images.

    Raises:
        InputError: the recipe's system takes no classes, or makes no images from noise.
    """
    if settings.recipe:
        recipe = conditional(settings.recipe)
    else:
        system = DCGAN(size=form[0], channels=form[1], g_width=32, d_width=32)
        augment = Augment(flip=True, differentiable=1.0)
        recipe = Recipe(
            system=system, data=Images(source=""), augment=augment, ema=EMA(half_life=10_000), images=IMAGES
        )
    conditional_system: Any = recipe.system
    return replace(
        recipe,
        system=replace(conditional_system, classes=len(reals.classes)),
        data=Images(source=str(source), held_out=0),
        augment=replace(recipe.augment, flip=recipe.augment.flip and settings.flips),
        batch_size=min(recipe.batch_size, len(reals.train)),
        images=length(settings),
        seed=settings.seed,
    )


def length(settings: SyntheticSettings) -> int:
    """Real images in the generator's training."""
    return settings.images or (conditional(settings.recipe).images if settings.recipe else IMAGES)


def conditional(name: str) -> Recipe:
    """A recipe by its name, for a system that can be conditioned on classes.

    Raises:
        InputError: there is none of that name, or its system takes no classes.
    """
    recipe = named_recipe(name)
    if not task_of(recipe).has_features or "classes" not in to_plain(recipe.system):
        raise InputError(f"--recipe {name} cannot be conditioned on classes; use a recipe of dcgan or r3gan.")
    return recipe


def is_trained(folder: Path, images: int) -> bool:
    """Whether a run folder holds a finished training of at least `images`."""
    if not RunFolder(folder).exists():
        return False
    record = Record(folder)
    return record.state == "finished" and record.images_seen >= images


def train_generator(recipe: Recipe, folder: Path, device: str, console: Console) -> Outcome:
    """Train in a run folder, or continue its training.

    Raises:
        InputError: as `ganvas.train`.
        Diverged: a loss became NaN or infinite.
    """
    watch = Watch(sample_epochs=0, sample_every=max(1, recipe.images // 10), remedies=False)
    host = Host(device=device, runs=str(folder.parent))  # type: ignore[arg-type]
    return train(recipe, name=folder.name, watch=watch, host=host, console=console)


def open_gan(model: str | Path, device: str) -> ConditionalGAN:
    """Open a run or a model file.

    Raises:
        InputError: it cannot be opened, or was trained without classes.
    """
    generator = open_as(Generator, model, device=device)
    system = generator.system
    if not task_of(system).has_features or not system.classes:
        raise InputError(
            f"{model} was trained without classes, so its images have no labels; train it with classes, or leave out"
            " --model."
        )
    file = find(model)
    tensors, about = checkpoint.load(file)
    weights = {name.removeprefix("d."): tensor for name, tensor in tensors.items() if name.startswith("d.")}
    if not weights:
        return ConditionalGAN(generator, None, file, about["data"])
    d = network_of(system.discriminator, weights, str(file))
    return ConditionalGAN(generator, d.eval().requires_grad_(False).to(device), file, about["data"])


def expect_classes(gan: ConditionalGAN, classes: Sequence[str]) -> None:
    """Refuse a model that was trained on other classes.

    Raises:
        InputError: their names or their order differ.
    """
    if gan.generator.classes != tuple(classes):
        raise InputError(
            f"the model {gan.generator.name} has the classes {', '.join(gan.generator.classes)}, but the source has"
            f" {', '.join(classes)}; give a model of these classes, or leave out --model."
        )


def generate(gan: ConditionalGAN, count: int, seed: int) -> Candidates:
    """Generate `count` candidates, the classes in turn."""
    made = LabelledImages(gan.generator.generate(count, seed), np.arange(count) % gan.system.classes)
    return Candidates(made, None if gan.d is None else _realness(gan.d, gan.system, made))


def _realness(d: nn.Module, system: FromNoise, made: LabelledImages) -> NDArray[np.float64]:
    device = next(d.parameters()).device
    found = []
    with torch.inference_mode():
        for start in range(0, len(made), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            scores = d(from_pixels(made.images[part]).to(device))
            found.append(system.logits(scores, torch.from_numpy(made.labels[part]).to(device)).double().cpu().numpy())
    return np.concatenate(found)
