"""Which files a command means, and where the result of each goes."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganvas.errors import InputError
from ganvas.imageio.reading import FORMS, UnusableFile, form_of, load
from ganvas.imageio.writing import ENDING, ENDINGS

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
_OTHERS = (".gif", ".bmp", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".svg")  # images too, though some are refused


@dataclass(frozen=True)
class UpscaleJob:
    """One file to be upscaled.

    Attributes:
        name: of the source below the folder that was given, with / between the parts.
        result: where it goes.
    """

    source: Path
    name: str
    result: Path

    @property
    def is_video(self) -> bool:
        """Whether it is to go through ffmpeg."""
        return self.source.suffix.lower() in VIDEOS

    @property
    def form(self) -> str:
        """The format of the result, by its ending."""
        return ENDINGS.get(self.result.suffix.lower(), "png")


@dataclass(frozen=True)
class JobList:
    """All that a command means.

    Attributes:
        root: the folder of results and of their manifest; None where each goes beside its source, or one was named.
        skipped: files in the folders that are no images and do not claim to be.
    """

    jobs: tuple[UpscaleJob, ...]
    root: Path | None
    skipped: int = 0


def plan(inputs: Sequence[str], out: Path | None, times: float, form: str) -> JobList:
    """Find the files and name their results: photo.jpg -> photo_x4.jpg.

    Args:
        inputs: files, folders with all below them, or patterns with * and ?.
        out: a folder for the results, or of one input a file; None for beside the sources.
        form: format of the results; empty for that of each source.

    Raises:
        InputError: there is nothing to upscale, or two results would have one name.
    """
    paths = [path for text in inputs for path in _expanded(text)]
    folders = [path for path in paths if path.is_dir()]
    named_file = out is not None and out.suffix.lower() in {*ENDINGS, *VIDEOS} and not out.is_dir()
    if folders and out is None:
        raise InputError(f"{folders[0]} is a folder; say with --out FOLDER where its results are to go.")
    if named_file and (len(paths) > 1 or folders):
        raise InputError(f"--out {out} is one file, and more than one is to be upscaled; give --out a folder.")
    if out is not None and out.suffix.lower() in _OTHERS and not out.is_dir():
        raise InputError(f"--out {out} is of a kind that is not written; give a PNG, JPEG, WebP, TIFF or AVIF file.")
    if out is not None and not named_file and out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file that is no image; give a folder, or the name of an image.")
    if named_file and out is not None:
        if form and ENDINGS.get(out.suffix.lower(), form) != form:
            raise InputError(f"--out {out} and --format {form} contradict each other; give one of them.")
        return JobList((UpscaleJob(paths[0], paths[0].name, out),), None)
    found, skipped = _found(paths, folders, out)
    jobs = [UpscaleJob(source, name, _beside(out, source, name, times, form)) for source, name in found]
    jobs = _apart(jobs, times, form)
    if not jobs:
        raise InputError(
            f"there is no image in {', '.join(inputs)}; give PNG, JPEG, WebP, TIFF or AVIF files, folders or"
            " patterns of them."
        )
    return JobList(tuple(jobs), out, skipped)


def _expanded(text: str) -> list[Path]:
    path = Path(text)
    if path.exists() or not glob.has_magic(text):
        if not path.exists():
            raise InputError(f"there is no {text}; give an image, a folder of images, or a pattern in quotes.")
        return [path]
    found = [Path(name) for name in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207
    if not found:
        raise InputError(f"no file matches {text}; give an image, a folder of images, or another pattern.")
    return found


def _found(paths: Sequence[Path], folders: Sequence[Path], out: Path | None) -> tuple[list[tuple[Path, str]], int]:
    """Sources with their names, each once; and how many files of the folders are no images."""
    found: dict[Path, tuple[Path, str]] = {}
    skipped = 0
    avoided = out.resolve() if out is not None else None
    for path in paths:
        if not path.is_dir():
            found.setdefault(path.resolve(), (path, path.name))
            continue
        above = f"{path.resolve().name}/" if len(folders) > 1 else ""
        for source in _below(path, avoided):
            if _is_meant(source):
                found.setdefault(source.resolve(), (source, above + source.relative_to(path).as_posix()))
            else:
                skipped += 1
    return list(found.values()), skipped


def _below(folder: Path, avoided: Path | None) -> list[Path]:
    """All files below a folder in order; hidden ones and the folder of results left out."""
    found = []
    for above, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (Path(above) / f).resolve() != avoided)
        names = sorted(name for name in files if not name.startswith(".") and name not in ("Thumbs.db", "desktop.ini"))
        found += [Path(above) / name for name in names]
    return found


def _is_meant(path: Path) -> bool:
    """Whether a file of a folder is an image or a video, or says by its ending that it is one."""
    if path.suffix.lower() in {*ENDINGS, *VIDEOS, *_OTHERS}:
        return True
    try:
        return form_of(load(path)) in FORMS.values()
    except UnusableFile:
        return False


def _beside(out: Path | None, source: Path, name: str, times: float, form: str, full: bool = False) -> Path:
    ending = source.suffix
    if ending.lower() in (".webm", ".avi"):
        ending = ".mkv"  # H.264 has its place in Matroska
    elif ending.lower() not in VIDEOS:
        ending = ENDING[form] if form else ending if ending.lower() in ENDINGS else ".png"
    stem = source.stem + (f"_{source.suffix[1:].lower()}" if full and source.suffix else "")
    folder = source.parent if out is None else (out / name).parent
    return folder / f"{stem}_x{times:g}{ending}"


def _apart(jobs: list[UpscaleJob], times: float, form: str) -> list[UpscaleJob]:
    """Give results of one name names of their own: a.jpg and a.png become a_jpg_x4.png and a_png_x4.png."""

    def key(job: UpscaleJob) -> str:
        return str(job.result).casefold()  # some file systems do not distinguish A from a

    count = Counter(map(key, jobs))

    def full(job: UpscaleJob) -> UpscaleJob:
        base = job.result.parent / job.source.name
        return replace(job, result=_beside(base.parent, job.source, job.source.name, times, form, full=True))

    jobs = [full(job) if count[key(job)] > 1 else job for job in jobs]
    seen: dict[str, UpscaleJob] = {}
    for job in jobs:
        other = seen.setdefault(key(job), job)
        if other is not job:
            raise InputError(
                f"{other.source} and {job.source} would both become {job.result}; rename one, or upscale them into"
                " different folders."
            )
    return jobs
