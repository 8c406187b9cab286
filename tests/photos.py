"""Photos small enough to train on in a second, and a recipe that does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.recipe import Recipe, Schedule
from ganvas.recipe.reconstruction import Pixel
from ganvas.recipe.sources import Crops
from ganvas.systems.srgan import SRGAN

SYSTEM = SRGAN(size=16, g_width=4, blocks=1, end_kernel=3, d_width=2, d_hidden=4)


def write_photos(name: str = "photos", count: int = 8, width: int = 80, height: int = 76) -> str:
    """Write `count` smooth images with edges, the same ones for names of one length; return the folder."""
    Path(name).mkdir()
    rng = np.random.default_rng(len(name))
    for index in range(count):
        coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        edges = Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST)
        image.paste(edges.crop((0, 0, width // 2, height)), (0, 0))
        image.save(Path(name) / f"{index}.png")
    return name


def tiny_srgan(source: str = "photos", **changes: object) -> Recipe:
    """Half a run of pretraining with a pixel loss, then adversarial training with a pixel loss."""
    recipe = Recipe(
        system=SYSTEM,
        data=Crops(source=source, held_out=0.25),
        reconstruction=(Pixel(when="both"),),
        adversarial=1e-2,
        schedule=Schedule(pretrain=64),
        batch_size=8,
        images=16 * 8,
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]
