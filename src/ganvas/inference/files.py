"""Generated pictures as files: a sheet, a folder, a walk as strip, GIF or MP4. Every PNG says what made it."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np

from ganvas.errors import InputError
from ganvas.inference.generator import Generator
from ganvas.pictures import Pixels, grid, save_gif, save_png, to_image, zoom
from ganvas.plane import Canvas
from ganvas.runs.files import write_atomically, write_text

FRAMES_PER_SECOND = 16


def write_sheet(generator: Generator, n: int, seed: int, path: Path) -> Path:
    """Write `n` pictures as one PNG sheet, as square as can be; of points, a scatter plot."""
    _expect_ending(path, (".png",))
    if generator.on_plane:
        plot = Canvas().draw(generator.points(n, seed), f"{n:,} points of {generator.name}, seed {seed}")
        save_png(plot, path, generator.label(seed))
        return path
    pictures = generator.generate(n, seed)
    save_png(grid(pictures, math.ceil(math.sqrt(n))), path, generator.label(seed))
    return path


def write_folder(generator: Generator, n: int, seed: int, folder: Path) -> list[Path]:
    """Write `n` pictures as PNG files ``seed-index.png`` into a folder; points as one .csv or .npz file."""
    if generator.on_plane:
        _write_points(generator, n, seed, folder)
        return [folder]
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder} is a file; give a folder for the single pictures.")
    paths = []
    for index, picture in enumerate(generator.generate(n, seed)):
        path = folder / f"{seed}-{index:06d}.png"
        save_png(picture, path, generator.label(seed, index))
        paths.append(path)
    return paths


def write_walk(
    generator: Generator, stops: int, steps: int, seed: int, strip: Path | None, film: Path | None
) -> list[Path]:
    """Walk through random points; write the way as a PNG strip, one row a leg, and as .gif or .mp4."""
    if strip:
        _expect_ending(strip, (".png",))
    if film:
        _expect_ending(film, (".gif", ".mp4"))
    frames = generator.interpolate(stops, steps, seed)
    paths = []
    if strip:
        save_png(grid(frames, steps), strip, generator.label(seed))
        paths.append(strip)
    if film:
        factor = zoom(generator.system.shape[-1])
        large = frames.repeat(factor, axis=1).repeat(factor, axis=2)
        label = generator.label(seed)["Description"]
        if film.suffix == ".gif":
            save_gif([to_image(frame) for frame in large], film, 1000 // FRAMES_PER_SECOND, label)
        else:
            write_atomically(film, lambda part: _mp4(large, part, label))
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
