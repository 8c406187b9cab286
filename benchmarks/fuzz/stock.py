"""Sound runs, photos and files to damage: each is made when first asked for, and then copied."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RUNS: dict[str, tuple[str, ...]] = {
    "digits": ("mlp-digits", "--images", "640", "--system.g-hidden", "16", "--system.d-hidden", "16"),
    "classes": ("dcgan-digits-classes", "--images", "256", "--system.g-width", "4", "--system.d-width", "4"),
    "plane": ("mlp-ring", "--images", "2560", "--system.g-hidden", "16", "--system.d-hidden", "16"),
    "enlarging": (
        "srresnet-x4",
        *("--images", "16", "--batch-size", "4", "--system.size", "32", "--system.g-width", "4"),
        *("--system.blocks", "1", "--data.source", "photos"),
    ),
}
"""Name -> the words of ``ganvas train`` that make and resume it, with ``--name r``."""


def longer(kind: str) -> tuple[str, ...]:
    """The words that train a finished run of RUNS for another eighth."""
    words = RUNS[kind]
    return (*words, "--images", str(int(words[words.index("--images") + 1]) * 9 // 8), "--name", "r")


@dataclass(frozen=True)
class Stock:
    """A folder of sound things, shared by all cases."""

    folder: Path

    def run(self, kind: str) -> Path:
        """A finished run of one of RUNS, trained for a second."""
        return self._made(f"run-{kind}", lambda folder: self._train(kind, folder)) / "runs" / "r"

    def photos(self) -> Path:
        """Six photographs of some 90 pixels as PNG files."""
        return self._made("photos", _photographs)

    def photo(self) -> Path:
        """One photograph of 20 x 16 pixels as a PNG file, which every network enlarges at once."""
        return self._made("photo", lambda folder: photograph(20, 16).save(folder / "0.png")) / "0.png"

    def digits(self) -> Path:
        """Sixty small grey PNG files in the class folders a, b and c."""
        return self._made("digits", _class_folders)

    def film(self) -> Path:
        """An MP4 of three frames of 32 x 24 pixels with sound."""
        return self._made("film", _film) / "film.mp4"

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        target = self.folder / name
        if not target.exists():
            making = self.folder / f"{name}-{os.getpid()}"
            making.mkdir()
            make(making)
            # Of two cases that make it at once, the first wins.
            with contextlib.suppress(OSError):
                making.rename(target)
            shutil.rmtree(making, ignore_errors=True)
        return target

    def _train(self, kind: str, folder: Path) -> None:
        from ganvas.cli import main

        if kind == "enlarging":
            shutil.copytree(self.photos(), folder / "photos")
        # A child that makes a case must leave nothing behind in the home of the person who fuzzes.
        os.environ["GANVAS_CACHE"] = str(self.folder / f"cache-{os.getpid()}")
        said = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(["train", *RUNS[kind], "--name", "r"])
        if code:
            raise RuntimeError(f"the sound run {kind} could not be trained: {said.getvalue()}")


def photograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """A cut of scikit-learn's bundled photograph of a temple, in RGB."""
    whole = _temple()
    top, left = (37 * seed) % (400 - min(height, 399)), (53 * seed) % (600 - min(width, 599))
    return Image.fromarray(whole[top : top + height, left : left + width])


@cache
def _temple() -> NDArray[np.uint8]:
    from sklearn.datasets import load_sample_image

    found: NDArray[np.uint8] = load_sample_image("china.jpg")
    return found


def _photographs(folder: Path) -> None:
    for index in range(6):
        photograph(90 + 3 * index, 84 + 5 * index, index).save(folder / f"{index}.png")


def _class_folders(folder: Path) -> None:
    chance = np.random.default_rng(0)
    for name in "abc":
        (folder / name).mkdir()
        for index in range(20):
            pixels = chance.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")


def _film(folder: Path) -> None:
    sources = ("-f", "lavfi", "-i", "testsrc=s=32x24:r=5:d=0.6", "-f", "lavfi", "-i", "sine=d=0.6")
    command = ["ffmpeg", "-loglevel", "error", *sources, "-pix_fmt", "yuv420p", str(folder / "film.mp4")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
