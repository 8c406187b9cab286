"""Images from noise, as arrays and as files: a sample grid, a folder, an interpolation as a strip, GIF or MP4."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.errors import InputError, listed
from ganvas.files import expect_ending, plain_name, write_atomically
from ganvas.imaging.grid import Pixels, grid, label_rows, to_image, zoom
from ganvas.imaging.saving import save_gif, save_png
from ganvas.imaging.tensors import to_pixels
from ganvas.inference.sampler import Label, Sampler
from ganvas.recipe.noise import noise, slerp

FRAMES_PER_SECOND = 16
_FILES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif", ".mp4", ".npz", ".csv", ".zip")


class Generator(Sampler):
    """A generator of images."""

    task = "images"
    does = "makes images from noise"
    unit, method, default_count = "images", "generate", 64
    number_bytes = 1

    def generate(self, n: int, seed: int = 0, label: Label | None = None) -> Pixels:
        """Generate `n` images: uint8 (n, size, size, channels). The first images do not depend on `n`.

        Args:
            label: the class of all images, or the number of each image's class; by default all classes in turn. The
                same seed gives the same noise for every class.

        Raises:
            InputError: `n` is less than 1, the seed is negative, or the class does not exist.
        """
        return self.render(self._noise(n, seed), label)

    def sample(self, n: int, seed: int = 0, label: Label | None = None) -> Pixels:
        """The same as `generate`."""
        return self.generate(n, seed, label)

    def generate_images(self, n: int, seed: int = 0, label: Label | None = None) -> list[Image.Image]:
        """The same as `generate`, as PIL images."""
        return [to_image(pixels) for pixels in self.generate(n, seed, label)]

    def render(self, z: np.ndarray, label: Label | None = None) -> Pixels:
        """Generate images uint8 (N, size, size, channels) from given noise, float32 (N, latent).

        Args:
            label: see `generate`.

        Raises:
            InputError: the class does not exist.
        """
        return np.concatenate([to_pixels(part) for part in self._parts(z, label)])

    def interpolate(self, stops: int, steps: int, seed: int = 0, label: str | int | None = None) -> Pixels:
        """Interpolate between `stops` random points and back to the first, with `steps` images from each to the next.

        Args:
            label: the class of all images; required if the model has classes.

        Returns:
            uint8 (stops * steps, size, size, channels)

        Raises:
            InputError: there are fewer than 2 stops or 1 step, or the class is missing or does not exist.
        """
        if stops < 2 or steps < 1:
            raise InputError(
                f"an interpolation between {stops} points in {steps} steps is too short; give at least 2 points and 1"
                " step."
            )
        if self.classes and label is None:
            raise InputError(
                f"an interpolation stays in one class, and {self.name} has {len(self.classes)} classes; give one with"
                f" --class, of {listed(self.classes)}."
            )
        self._expect_room(stops * steps, remedy="give fewer points (-n), or fewer --steps")
        z = noise(stops, self.system.latent, seed)
        ends = np.roll(z, -1, axis=0)
        pairs = zip(z, ends, strict=True)
        return self.render(np.stack([slerp(a, b, step / steps) for a, b in pairs for step in range(steps)]), label)

    def write_grid(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
        """Write `n` images as a PNG grid, as square as possible; of several classes, `n` images of each in a row."""
        expect_ending(path, ".png")
        names = [self.classes[label] for label in labels]
        self._expect_room(n, 2 * max(1, len(names)))  # the images, and the grid of them
        images = [self.generate(n, seed, label) for label in labels or (None,)]
        tiles = grid(np.concatenate(images), n if len(names) > 1 else math.ceil(math.sqrt(n)))
        labelled = label_rows(tiles, names if len(names) > 1 else ())
        save_png(labelled, path, self.provenance(seed, of=", ".join(names)))
        return path

    def write_samples(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> list[Path]:
        """Write `n` images as PNG files ``seed-index.png`` into a folder, or into one folder per class.

        The result is a valid source of training images.
        """
        if path.exists() and not path.is_dir():
            raise InputError(f"--out {path} is a file; give a folder for the images.")
        if path.suffix.lower() in _FILES and not path.exists():
            raise InputError(
                f"--out {path} is named like a file, but the images go into a folder; give a folder, or --grid FILE.png"
                " for one image of all."
            )
        written = []
        for label in labels or (None,):
            name = "" if label is None else self.classes[label]
            folder = path if label is None else path / class_folder(name, label)
            for index, image in enumerate(self.generate(n, seed, label)):
                written.append(folder / f"{seed}-{index:06d}.png")
                save_png(image, written[-1], self.provenance(seed, index, name))
        return written

    def write_interpolation(
        self, stops: int, steps: int, seed: int, strip: Path | None, video: Path | None, label: int | None = None
    ) -> list[Path]:
        """Write an interpolation as a PNG strip with one row per pair of points, as a .gif or .mp4 file, or both."""
        if strip:
            expect_ending(strip, ".png")
        kind = expect_ending(video, ".gif", ".mp4") if video else ""
        frames = self.interpolate(stops, steps, seed, label)
        text = self.provenance(seed, of="" if label is None else self.classes[label])
        if strip:
            save_png(grid(frames, steps), strip, text)
        if video:
            factor = zoom(self.system.shape[-1])
            large = frames.repeat(factor, axis=1).repeat(factor, axis=2)
            comment = text["Description"]
            if kind == ".gif":
                save_gif([to_image(frame) for frame in large], video, 1000 // FRAMES_PER_SECOND, comment)
            else:
                write_atomically(video, lambda part: _save_mp4(large, part, comment))
        return [path for path in (strip, video) if path]


def class_folder(name: str, number: int) -> str:
    """The name of a class's folder: the class's name, or its number and the valid characters of its name."""
    safe = plain_name(re.sub(r"[^\w .,()+-]", "_", name), 200)
    return safe if safe and safe == name else f"{number}-{safe}".rstrip("-")


def _save_mp4(frames: Pixels, path: Path, comment: str) -> None:
    if not shutil.which("ffmpeg"):
        raise InputError("an .mp4 file needs ffmpeg, which is not installed; install it, or give a .gif file.")
    height, width = frames.shape[1:3]
    rgb = np.broadcast_to(frames, (*frames.shape[:3], 3))
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(FRAMES_PER_SECOND), "-i", "-", "-pix_fmt", "yuv420p"]
    command += ["-metadata", f"comment={comment}", "-f", "mp4", f"file:{path}"]
    made = subprocess.run(command, input=rgb.tobytes(), capture_output=True, check=False)
    if made.returncode:
        raise InputError(
            f"ffmpeg could not write the video ({made.stderr.decode().strip()}); give a .gif file instead."
        )
