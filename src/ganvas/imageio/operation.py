"""What a job does to each of its files, and how a changed photo is written with all metadata that still applies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

import ganvas
from ganvas.files import whole
from ganvas.imageio import exif, photoshop, xmp
from ganvas.imageio.interrupts import deferred
from ganvas.imageio.metadata import Metadata
from ganvas.imageio.reading import OLD_IMAGE, Photo
from ganvas.imageio.writing import BITS, EXTENSION, Rows, check_fits, write_photo
from ganvas.inference.engine.raster import Floats

OnProgress = Callable[[float], None]


class Before(Protocol):
    """Called with the finished temporary file of a result, and with that of the file beside it if there is one."""

    def __call__(self, part: Path, beside: Path | None = None) -> object:
        """Record them; they are renamed when this returns."""


@dataclass(frozen=True)
class OutputOptions:
    """How to write results. The names of the fields, and of those of subclasses, enter every manifest.

    Attributes:
        form: format of the result; empty for that of the photo.
        quality: quality of JPEG, WebP and AVIF, 1 to 100; 0 for the format's default.
        strip_location: leave out where the photo was taken.
    """

    form: str = ""
    quality: int = 0
    strip_location: bool = False

    def settings(self) -> dict[str, Any]:
        """The options for a manifest; without those added later that have their usual value, so that old ones match."""
        return {name: value for name, value in asdict(self).items() if value or name != "strip_location"}

    def form_for(self, photo: Photo) -> str:
        """The format of the result for a photo."""
        return self.form or (photo.form if photo.form in EXTENSION else "png")


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
        about: how it was made, in words.
        notes: what the file does not preserve and why, and what to look at.
        frames: number of frames of a video.
    """

    path: Path
    width: int
    height: int
    about: str
    notes: tuple[str, ...]
    frames: int = 1

    @property
    def megapixels(self) -> float:
        """Millions of pixels of the result, over all frames."""
        return self.width * self.height * self.frames / 1e6


@dataclass(frozen=True)
class Choice:
    """What is done to one file.

    Attributes:
        flaws: what was measured of the file, for the manifest; a job that is resumed gives it back. None if nothing.
        about: what was chosen and why, in words; empty where there was nothing to choose.
    """

    operation: Operation
    flaws: dict[str, float] | None = None
    about: str = ""


class Operation(ABC):
    """What a job does to each of its files.

    Attributes:
        verb: the command, such as upscale.
        doing: what is being done, such as upscaling.
        past: what has been done, such as upscaled.
        takes_videos: whether it takes videos as well as photos.
        suffix: what is added to the name of a result.
        growth: number of pixels of a result for each of its source.
    """

    verb: ClassVar[str]
    doing: str
    past: str
    takes_videos: ClassVar[bool] = False
    suffix: str
    growth: float

    def chosen(self, look: Callable[[], Iterable[Floats]], known: object = None) -> Choice:
        """What is done to one file: this, unless it depends on the file.

        Args:
            look: reads parts of the file (height, width, 1 or 3) in [0, 1].
            known: `Choice.flaws` of the same file, from a manifest that anyone may have written; None if unknown.
        """
        return Choice(self)

    @abstractmethod
    def settings(self, source: Path) -> dict[str, Any]:
        """All settings that change the result for a file, for the manifest.

        Raises:
            UnusableFile: a file that belongs to it is missing.
        """

    @abstractmethod
    def photo(self, photo: Photo, path: Path, form: str, *, on_progress: OnProgress, before: Before) -> Written:
        """Write the result for a photo, which appears complete or not at all.

        Args:
            form: format of the result.
            on_progress: called with the share that is done.
            before: called before the finished temporary files are renamed.

        Raises:
            UnusableFile: the photo is damaged, or too large for the format.
            OSError: the file cannot be written.
            InputError: a setting does not go with the photo, or the model's output is invalid.
        """

    def beside(self, source: Path, result: Path) -> Path | None:
        """A second file that `photo` writes with a result, under the same rules; None if there is none."""
        return None

    def ignores(self, source: Path) -> bool:
        """Whether a file belongs to another photo, and nothing is to be made of it."""
        return False

    def video(self, source: Path, path: Path, *, on_progress: OnProgress, before: Before) -> Written:
        """Write the result for a video, by an operation that takes them; see `photo`."""
        raise NotImplementedError


def write_changed(
    photo: Photo,
    path: Path,
    options: OutputOptions,
    past: str,
    how: str,
    bands: Callable[[bool], Iterator[Floats]],
    sizes: tuple[tuple[int, int], tuple[int, int]],
    *,
    before: Before,
    on_rows: Callable[[int], object] = lambda rows: None,
) -> tuple[str, ...]:
    """Write a changed photo with its metadata; return notes on what the file does not preserve, and why.

    Args:
        past: what was done to it, as in `Operation.past`.
        how: how, for its metadata.
        bands: makes rows (rows, width, channels) in [0, 1] from top to bottom, alpha being the last channel; called
            with whether to blend it onto white instead.
        sizes: width and height of the rows, and of the file.
        before: see `Operation.photo`.
        on_rows: called with the number of rows of every band.
    """
    form = options.form_for(photo)
    full, final = sizes
    check_fits(form, *full)
    bits = 16 if photo.bits == 16 and BITS[form] > 8 else 8
    flat = form == "jpeg"
    channels = photo.colour.channels + (photo.alpha is not None and not flat)
    factors = final[0] / photo.colour.width, final[1] / photo.colour.height
    how = f"{how}, ganvas {ganvas.__version__}"
    change = xmp.Change(how, final, factors, photo.metadata.orientation > 1, not options.strip_location, past)
    metadata, notes = _metadata_for(photo, form, change)

    def rows() -> Iterator[Rows]:
        peak, kind = (65535, np.uint16) if bits == 16 else (255, np.uint8)
        for band in bands(flat):
            yield np.rint(band * np.float32(peak)).astype(kind)
            on_rows(len(band))

    with recorded(path, before) as part:
        write_photo(part, form, rows(), full, final, (channels, bits), metadata, options.quality)
    if photo.bits == 16 and bits == 8:
        notes += (f"16 bits reduced to 8: {form.upper()} supports no more",)
    if photo.alpha and flat:
        notes += ("transparency blended onto white: JPEG has no alpha channel",)
    return notes


def with_alpha(colours: Iterator[Floats], alphas: Iterator[Floats] | None, flat: bool) -> Iterator[Floats]:
    """Join bands of colours with bands of alpha of other heights, or blend them onto white."""
    if alphas is None:
        yield from colours
        return
    rows = _Rows(alphas)
    for colour in colours:
        alpha = rows.take(len(colour))
        yield colour * alpha + (1 - alpha) if flat else np.concatenate([colour, alpha], axis=2)


@contextmanager
def recorded(path: Path, before: Callable[[Path], object]) -> Iterator[Path]:
    """`ganvas.files.whole`, with a call of `before` on the finished temporary file right before it is renamed."""

    def rename(part: Path) -> None:
        with deferred():  # both or neither: a file recorded as done but not renamed would be made twice
            before(part)
            part.replace(path)

    with whole(path, rename) as part:
        yield part


class _Rows:
    """Regroups rows that arrive in bands of any height."""

    def __init__(self, bands: Iterator[Floats]) -> None:
        self.bands, self.left = bands, [next(bands)]

    def take(self, rows: int) -> Floats:
        while sum(map(len, self.left)) < rows:
            self.left.append(next(self.bands))
        have = np.concatenate(self.left)
        self.left = [have[rows:]]
        return have[:rows]


def _metadata_for(photo: Photo, form: str, change: xmp.Change) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata for the new file, and notes on what it cannot hold."""
    metadata, notes = photo.metadata, photo.notes
    if metadata.exif:
        try:
            block = exif.upright(metadata.exif, *change.size, change.factors, change.turned)
            metadata = replace(metadata, exif=block if change.location else exif.without_place(block))
        except exif.Malformed as error:
            metadata, notes = replace(metadata, exif=None), (*notes, f"EXIF left out: {error}")
    if metadata.exif and form == "jpeg" and len(metadata.exif) > 65_000:
        notes = (*notes, f"EXIF left out: {len(metadata.exif):,} bytes are too many for JPEG")
        metadata = replace(metadata, exif=None)
    if not change.location:
        iptc, others = photoshop.without_places(metadata.iptc, metadata.photoshop)
        metadata = replace(metadata, iptc=iptc, photoshop=others)
    if form not in ("jpeg", "tiff"):
        notes = (*notes, f"IPTC left out: {form.upper()} cannot hold it") if metadata.iptc else notes
        metadata = replace(metadata, iptc=None, photoshop=None)
    if metadata.text and form != "png":
        metadata, notes = replace(metadata, text=()), (*notes, f"text left out: {form.upper()} cannot hold it")
    if form != "png" and any(name != b"cICP" for name, _ in metadata.coded):
        notes = (*notes, f"light levels of HDR left out: {form.upper()} cannot hold them")
    try:
        packet, gone = xmp.changed(metadata.xmp, change)
    except xmp.Malformed:
        (packet, gone), notes = xmp.changed(None, change), (*notes, "XMP left out: it is damaged")
    notes = tuple(dict.fromkeys((*notes, *(f"{what} {OLD_IMAGE}" for what in gone))))
    return replace(metadata, xmp=packet, orientation=1), notes
