"""What all tests share: a private cache, tiny recipes, and the command line, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import ganvas.evaluation.chart
import ganvas.runs.curves
from ganvas import Watch, train
from ganvas.cli import main
from ganvas.evaluation import distributions
from ganvas.experiment import cost
from ganvas.files import write_atomically
from ganvas.observers import curves
from ganvas.recipe import EMA, Recipe, Schedule
from ganvas.recipe.reconstruction import Perceptual, Pixel
from ganvas.recipe.sources import Crops, Images, Mixture2D
from ganvas.recipe.system import System
from ganvas.recipe.text import Counting
from ganvas.runs.folder import RunFolder
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.mlp import MLP
from ganvas.systems.srgan import SRGAN
from ganvas.systems.textgan import TextGAN
from ganvas.systems.toy2d import Toy2DMLP

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("GANVAS_SHARED", ROOT.parent / "shared"))

Cli = Callable[..., subprocess.CompletedProcess[str]]
TrainedRun = Callable[..., RunFolder]


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GANVAS_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("COLUMNS", "200")
        # Networks this small are faster on one thread, and tests that start processes do not fight over the cores.
        patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
        # Processes that keep no bytecode compile every module that they import, every time.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # Half the time of a training or of an evaluation as short as a test's; see `drawn`.
        patch.setattr(curves, "draw", lambda folder: None)
        patch.setattr(distributions, "draw", lambda path, *_: write_atomically(path, Path.touch))
        patch.setattr(curves, "AFTER", float("inf"))
        patch.setattr(cost, "SECONDS", 0.2)
        # No test ends with a power cut.
        patch.setattr(os, "fsync", lambda descriptor: None)
        # The objects of the libraries live as long as the session: no garbage is to be sought among half a million.
        gc.freeze()
        yield


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests in which a training draws its curves.png, or an evaluation its evaluation.png."""
    monkeypatch.setattr(curves, "draw", ganvas.runs.curves.draw)
    monkeypatch.setattr(distributions, "draw", ganvas.evaluation.chart.draw)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path) -> Iterator[None]:
    """Every test has a folder of its own, and what a command sets for its whole process ends with the test."""
    environment, threads, state = dict(os.environ), torch.get_num_threads(), torch.get_rng_state()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.chdir(tmp_path):
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="session")
def _runs() -> dict[str, Path]:
    return {}


@pytest.fixture
def trained_run(_runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A run of a recipe in ``runs/``, trained for the first test that asks for it and copied for every other."""

    def run(recipe: Recipe, watch: Watch | None = None, name: str = "r") -> RunFolder:
        key = repr((recipe, watch, name))
        if key not in _runs:
            folder = tmp_path_factory.mktemp("trained")
            with contextlib.chdir(folder):
                train(recipe, name=name, watch=watch or Watch())
            _runs[key] = folder / "runs" / name
        return RunFolder(shutil.copytree(_runs[key], Path("runs") / name))

    return run


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run ``ganvas ...`` in this process, which takes seconds less; an error that it does not expect fails the test."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [*map(str, words)]
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with contextlib.chdir(tmp_path), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(argv)
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        printed = (stream.buffer.getvalue().decode() for stream in (out, err))
        return subprocess.CompletedProcess(argv, code, *printed)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Cli:
    """Run ``ganvas ...`` in a process of its own, for what only a whole process shows."""

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ganvas", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, **options)  # type: ignore[call-overload,no-any-return]

    return run


def assert_refused(done: subprocess.CompletedProcess[str], *expected: str) -> None:
    """The command ended with code 2 and one sentence that says all of this."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ganvas: ")
    assert lines[0].endswith(".")
    for words in expected:
        assert words in lines[0], lines[0]


def tiny(kind: str = "mlp", **changes: object) -> Recipe:
    """A recipe on the bundled digits, of the plane or of text, that trains in a second."""
    systems: dict[str, System] = {
        "mlp": MLP(size=8, g_hidden=(16, 32), d_hidden=(32, 16), latent=8),
        "dcgan": DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8),
        "plane": Toy2DMLP(g_hidden=(16,), d_hidden=(16,)),
        "text": TextGAN(words=13, length=8, embedding=4, hidden=8, d_embedding=4, d_width=4, d_windows=(2, 3)),
    }
    sources = {"plane": Mixture2D(count=100), "text": Counting(highest=7)}
    data = sources.get(kind, Images(source="digits"))
    recipe = Recipe(system=systems[kind], data=data, batch_size=16, images=16 * 12, ema=EMA(half_life=100))
    return replace(recipe, **changes)  # type: ignore[arg-type]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of tensors are equal, bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@cache
def bundled_photographs() -> tuple[NDArray[np.uint8], ...]:
    """scikit-learn's two, each uint8 (427, 640, 3)."""
    from sklearn.datasets import load_sample_images

    return tuple(load_sample_images().images)


def write_photographs(folder: Path, count: int) -> list[tuple[int, int]]:
    """Cuts of scikit-learn's two bundled photographs, each of another size, as PNG files; their heights and widths."""
    from PIL import Image

    folder.mkdir(parents=True)
    sizes = []
    for index in range(count):
        whole = bundled_photographs()[index % 2]
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
