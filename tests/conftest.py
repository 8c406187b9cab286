"""What all tests share: a private cache, tiny recipes, and the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ganvas.recipe import EMA, Recipe, Schedule
from ganvas.recipe.reconstruction import Perceptual, Pixel
from ganvas.recipe.sources import Crops, Images, Mixture2D
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.mlp import MLP
from ganvas.systems.srgan import SRGAN
from ganvas.systems.toy2d import Toy2DMLP

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("GANVAS_SHARED", ROOT.parent / "shared"))

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("GANVAS_CACHE", "GANVAS_DATA", "COLUMNS", "OMP_NUM_THREADS")}
    os.environ["GANVAS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["GANVAS_DATA"] = str(tmp_path_factory.mktemp("data"))
    os.environ["COLUMNS"] = "200"
    # Networks this small are faster on one thread, and tests that start processes do not fight over the cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run ``ganvas ...`` in a process of its own."""

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ganvas", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, **options)  # type: ignore[call-overload,no-any-return]

    return run


def assert_refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """The command ended with code 2 and one sentence that says all of this."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ganvas: ")
    assert lines[0].endswith(".")
    for words in said:
        assert words in lines[0], lines[0]


def tiny(kind: str = "mlp", **changes: object) -> Recipe:
    """A recipe on the bundled digits, or of the plane, that trains in a second."""
    systems = {
        "mlp": MLP(size=8, g_hidden=(16, 32), d_hidden=(32, 16), latent=8),
        "dcgan": DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8),
        "plane": Toy2DMLP(g_hidden=(16,), d_hidden=(16,)),
    }
    data = Mixture2D(count=100) if kind == "plane" else Images(source="digits")
    recipe = Recipe(system=systems[kind], data=data, batch_size=16, images=16 * 12, ema=EMA(half_life=100))
    return replace(recipe, **changes)  # type: ignore[arg-type]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors are equal, bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def write_photographs(folder: Path, count: int) -> list[tuple[int, int]]:
    """Cuts of scikit-learn's two bundled photographs, each of another size, as PNG files; their heights and widths."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    folder.mkdir(parents=True)
    sizes = []
    for index in range(count):
        whole = load_sample_images().images[index % 2]
        height, width = 64 + 7 * index, 90 + 5 * index
        cut = whole[100 + 20 * index :, 150 + 30 * index :][:height, :width]
        Image.fromarray(cut).save(folder / f"{index}.png")
        sizes.append((height, width))
    return sizes


def enlarging(folder: Path, **changes: object) -> Recipe:
    """A recipe that learns to enlarge the photographs in a folder, and takes a second."""
    recipe = Recipe(
        system=SRGAN(size=32, g_width=8, blocks=1, d_width=2, d_hidden=8),
        data=Crops(source=str(folder), held_out=0.25),
        reconstruction=(Pixel(loss="l1"), Perceptual(extractor="efficientnet-lite0", layer=(1, 1))),
        adversarial=1e-3,
        schedule=Schedule(pretrain=24),
        batch_size=8,
        images=48,
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]
