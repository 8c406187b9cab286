"""Generated pictures as files: a sheet, a folder, a walk as strip, GIF or MP4. Every PNG says what made it.

Where there are classes, `labels` are the numbers of those that are wanted, and so many pictures are made of each.
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganvas.errors import InputError
from ganvas.files import write_atomically, write_text
from ganvas.imaging.grid import Pixels, grid, to_image, with_names, zoom
from ganvas.imaging.plot2d import Canvas
from ganvas.imaging.saving import save_gif, save_png
from ganvas.inference.generator import Generator

FRAMES_PER_SECOND = 16


def write_sheet(generator: Generator, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
    """Write `n` pictures as one PNG sheet, as square as can be; of several classes one row each; of points a plot."""
    _expect_ending(path, (".png",))
    if generator.on_plane:
        plot = Canvas().draw(generator.points(n, seed), f"{n:,} points of {generator.name}, seed {seed}")
        save_png(plot, path, generator.label(seed))
        return path
    names = [generator.classes[label] for label in labels]
    pictures = [generator.generate(n, seed, label) for label in labels or (None,)]
    sheet = grid(np.concatenate(pictures), n if len(names) > 1 else math.ceil(math.sqrt(n)))
    sheet, margin = with_names(sheet, names if len(names) > 1 else ())
    save_png(sheet, path, generator.label(seed, of=", ".join(names)) | margin)
    return path


def write_folder(generator: Generator, n: int, seed: int, folder: Path, labels: Sequence[int] = ()) -> list[Path]:
    """Write `n` pictures as PNG files ``seed-index.png`` into a folder, or into one for each class, so that it can be
    trained on as it is; points as one .csv or .npz file."""
    if generator.on_plane:
        _write_points(generator, n, seed, folder)
        return [folder]
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder} is a file; give a folder for the single pictures.")
    paths = []
    for label in labels or (None,):
        name = "" if label is None else generator.classes[label]
        inner = folder if label is None else folder / folder_name(name, label)
        for index, picture in enumerate(generator.generate(n, seed, label)):
            path = inner / f"{seed}-{index:06d}.png"
            save_png(picture, path, generator.label(seed, index, name))
            paths.append(path)
    return paths


def folder_name(name: str, number: int) -> str:
    """A folder for a class: its name, or its number and what of the name a file system takes."""
    safe = re.sub(r"[^\w .,()+-]", "_", name).strip(" .")
    return safe if safe and safe == name else f"{number}-{safe}".rstrip("-")


def write_walk(
    generator: Generator,
    stops: int,
    steps: int,
    seed: int,
    strip: Path | None,
    film: Path | None,
    label: int | None = None,
) -> list[Path]:
    """Walk through random points of one class; write the way as a PNG strip, one row a leg, and as .gif or .mp4."""
    if strip:
        _expect_ending(strip, (".png",))
    if film:
        _expect_ending(film, (".gif", ".mp4"))
    frames = generator.interpolate(stops, steps, seed, label)
    made_of = "" if label is None else generator.classes[label]
    text = generator.label(seed, of=made_of)
    paths = []
    if strip:
        save_png(grid(frames, steps), strip, text)
        paths.append(strip)
    if film:
        factor = zoom(generator.system.shape[-1])
        large = frames.repeat(factor, axis=1).repeat(factor, axis=2)
        comment = text["Description"]
        if film.suffix == ".gif":
            save_gif([to_image(frame) for frame in large], film, 1000 // FRAMES_PER_SECOND, comment)
        else:
            write_atomically(film, lambda part: _mp4(large, part, comment))
        paths.append(film)
    return paths


def _write_points(generator: Generator, n: int, seed: int, path: Path) -> None:
    _expect_ending(path, (".csv", ".npz"))
    points = generator.points(n, seed)
    if path.suffix == ".csv":
        lines = [f"# {generator.label(seed)['Description']}", "x,y", *(f"{x:.7g},{y:.7g}" for x, y in points.tolist())]
        write_text(path, "\n".join(lines) + "\n")
        return

    def write(part: Path) -> None:
        with part.open("wb") as file:  # given a name, savez would add an ending to it
            np.savez(file, points=points)

    write_atomically(path, write)


def _mp4(frames: Pixels, path: Path, label: str) -> None:
    if not shutil.which("ffmpeg"):
        raise InputError("an .mp4 needs the program ffmpeg, which is not installed; install it, or ask for a .gif.")
    height, width = frames.shape[1:3]
    rgb = np.broadcast_to(frames, (*frames.shape[:3], 3))
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(FRAMES_PER_SECOND), "-i", "-", "-pix_fmt", "yuv420p"]
    command += ["-metadata", f"comment={label}", "-f", "mp4", str(path)]
    made = subprocess.run(command, input=rgb.tobytes(), capture_output=True, check=False)
    if made.returncode:
        raise InputError(f"ffmpeg could not write the film ({made.stderr.decode().strip()}); ask for a .gif instead.")


def _expect_ending(path: Path, endings: tuple[str, ...]) -> None:
    if path.suffix.lower() not in endings:
        raise InputError(f"cannot tell how to write {path}; its name must end in {' or '.join(endings)}.")
