"""Find the files of a job, and the path of each result."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ganvas.errors import InputError
from ganvas.files import expect_ending
from ganvas.imageio.reading import FORMS, UnusableFile, form_of, load
from ganvas.imageio.writing import EXTENSION, EXTENSIONS
from ganvas.imaging.cameras import RAW

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
# Endings of videos that can be written, and ffmpeg's names of their formats; those of the others do not hold H.264.
MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_OTHERS = (".gif", ".bmp", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".svg", *RAW)  # some refused later


@dataclass(frozen=True)
class FileJob:
    """One file of a job.

    Attributes:
        name: path of the source relative to the given folder, with / as separator.
        result: path of the result.
    """

    source: Path
    name: str
    result: Path

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by its extension."""
        return self.source.suffix.lower() in VIDEOS

    @property
    def form(self) -> str:
        """The format of the result, by its extension."""
        return EXTENSIONS.get(self.result.suffix.lower(), "png")


@dataclass(frozen=True)
class JobList:
    """All files of a job.

    Attributes:
        root: the folder of results and of their manifest; None if results go beside their sources or into one file.
        skipped: number of files in the folders that are neither images nor videos.
        unreadable: folders that could not be searched, and why.
    """

    jobs: tuple[FileJob, ...]
    root: Path | None
    skipped: int = 0
    unreadable: dict[Path, str] = field(default_factory=dict)


def plan(inputs: Sequence[str], out: Path | None, suffix: str, form: str, *, apart: bool = False) -> JobList:
    """Find the files and name their results: photo.jpg -> photo_x4.jpg.

    Args:
        inputs: files, folders with all their subfolders, or patterns with * and ?.
        out: a folder for the results, or a file for a single input; None to write beside the sources.
        suffix: what is added to their names, such as _x4.
        form: format of the results; empty for that of each source.
        apart: the names of results differ by more than their endings, since other files are named after them.

    Raises:
        InputError: there are no images, or two results would have the same path.
    """
    paths = [path for text in inputs for path in _expand(text)]
    folders = [path for path in paths if path.is_dir()]
    named_file = out is not None and out.suffix.lower() in {*EXTENSIONS, *VIDEOS} and not out.is_dir()
    if folders and out is None:
        raise InputError(f"{folders[0]} is a folder, which needs a folder for its results; give --out FOLDER.")
    if named_file and (len(paths) > 1 or folders):
        raise InputError(f"--out {out} is one file, but there are several inputs; give a folder.")
    if out is not None and out.suffix.lower() in _OTHERS and not out.is_dir():
        raise InputError(f"--out {out} has an unsupported format; give a PNG, JPEG, WebP, TIFF or AVIF file.")
    if out is not None and not named_file and out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file but not an image; give a folder, or the name of an image.")
    if named_file and out is not None:
        if form and EXTENSIONS.get(out.suffix.lower(), form) != form:
            raise InputError(f"--out {out} and --format {form} contradict each other; give only one of them.")
        expect_ending(out, *(MUXERS if paths[0].suffix.lower() in VIDEOS else EXTENSIONS), flag="--out")
        return JobList((FileJob(paths[0], paths[0].name, out),), None)
    found, skipped, unreadable = _collect(paths, folders, out)
    jobs = [FileJob(source, name, _result_path(out, source, name, suffix, form)) for source, name in found]
    jobs = _unique(jobs, suffix, form, apart)
    if not jobs and not unreadable:
        raise InputError(
            f"there are no images in {', '.join(inputs)}; give PNG, JPEG, WebP, TIFF or AVIF files, or folders or"
            " patterns of them."
        )
    return JobList(tuple(jobs), out, skipped, unreadable)


def _expand(text: str) -> list[Path]:
    path = Path(text)
    if path.exists() or not glob.has_magic(text):
        # A link that leads nowhere is a file that cannot be upscaled, and does not end the others.
        if not os.path.lexists(path):
            raise InputError(f"{text} does not exist; give an image, a folder of images, or a pattern in quotes.")
        return [path]
    # Folders that are there by this very name are no pattern: [2023]/*.jpg.
    folder = next((folder for folder in path.parents if folder.is_dir()), path.parent)
    pattern = str(Path(glob.escape(str(folder)), path.relative_to(folder)))
    found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    if not found:
        raise InputError(f"no file matches {text}; give an image, a folder of images, or another pattern.")
    return found


def _collect(
    paths: Sequence[Path], folders: Sequence[Path], out: Path | None
) -> tuple[list[tuple[Path, str]], int, dict[Path, str]]:
    """All sources with their names, each once, the number of other files in the folders, and unreadable folders."""
    found: dict[str, tuple[Path, str]] = {}
    skipped, unreadable = 0, dict[Path, str]()
    excluded = os.path.realpath(out) if out is not None else None
    for path in paths:
        if not path.is_dir():
            found.setdefault(os.path.realpath(path), (path, path.name))
            continue
        above = f"{os.path.realpath(path).rpartition(os.sep)[2]}/" if len(folders) > 1 else ""
        for source in _walk(path, excluded, unreadable):
            if _is_media(source):
                found.setdefault(os.path.realpath(source), (source, above + source.relative_to(path).as_posix()))
            else:
                skipped += 1
    return list(found.values()), skipped, unreadable


def _walk(folder: Path, excluded: str | None, unreadable: dict[Path, str]) -> list[Path]:
    """All files in a folder and its subfolders in order, without hidden files and the folder of results."""

    def report(error: OSError) -> None:
        unreadable[Path(error.filename)] = f"the folder cannot be read ({error.strerror})"

    found = []
    for above, folders, files in os.walk(folder, onerror=report):
        seen = [name for name in folders if not name.startswith(".")]
        folders[:] = sorted(name for name in seen if os.path.realpath(Path(above) / name) != excluded)
        names = sorted(name for name in files if not name.startswith(".") and name not in ("Thumbs.db", "desktop.ini"))
        found += [Path(above) / name for name in names]
    return found


def _is_media(path: Path) -> bool:
    """Whether a file is an image or a video, by its extension or its content."""
    if path.suffix.lower() in {*EXTENSIONS, *VIDEOS, *_OTHERS}:
        return True
    try:
        return form_of(load(path)) in FORMS.values()
    except UnusableFile:
        return False


def _result_path(out: Path | None, source: Path, name: str, suffix: str, form: str, full: bool = False) -> Path:
    ending = source.suffix
    if ending.lower() in VIDEOS:
        ending = ending if ending.lower() in MUXERS else ".mkv"
    else:
        ending = EXTENSION[form] if form else ending if ending.lower() in EXTENSIONS else ".png"
    stem = source.stem + (f"_{source.suffix[1:].lower()}" if full and source.suffix else "")
    folder = source.parent if out is None else (out / name).parent
    return folder / f"{stem}{suffix}{ending}"


def _unique(jobs: list[FileJob], suffix: str, form: str, apart: bool) -> list[FileJob]:
    """Give results of the same name different names: a.jpg and a.png become a_jpg_x4.png and a_png_x4.png."""

    def key(job: FileJob) -> str:
        return str(job.result.with_suffix("") if apart else job.result).casefold()  # some file systems ignore case

    count = Counter(map(key, jobs))

    def full(job: FileJob) -> FileJob:
        base = job.result.parent / job.source.name
        return replace(job, result=_result_path(base.parent, job.source, job.source.name, suffix, form, full=True))

    jobs = [full(job) if count[key(job)] > 1 else job for job in jobs]
    seen: dict[str, FileJob] = {}
    for job in jobs:
        other = seen.setdefault(key(job), job)
        if other is not job:
            raise InputError(
                f"{other.source} and {job.source} have the same result {job.result}; rename one of them, or give"
                " different folders for them."
            )
    return jobs
