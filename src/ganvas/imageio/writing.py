"""Write image files of any depth and size from a stream of rows, without holding the image in memory."""

from __future__ import annotations

import errno
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyvips
from numpy.typing import NDArray

from ganvas.imageio import exif, photoshop, png
from ganvas.imageio.metadata import Metadata
from ganvas.imageio.reading import UnusableFile

EXTENSIONS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}
EXTENSIONS |= {".avif": "avif"}
EXTENSION = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "tiff": ".tif", "avif": ".avif"}
BITS = {"png": 16, "tiff": 16, "avif": 12, "jpeg": 8, "webp": 8}
LONGEST = {"jpeg": 65_500, "webp": 16_383, "avif": 65_536, "png": 1_000_000, "tiff": 1_000_000}
QUALITY = {"jpeg": 95, "webp": 95, "avif": 90}
AVIF_EFFORT = 3  # of 0 to 9: 4 takes four times as long for a quarter fewer bytes
SEARCHED = 8 << 20  # bytes at either end of a file in which to look for its EXIF block
MARK = b"ganvas puts EXIF "

Rows = NDArray[np.uint8] | NDArray[np.uint16]


def check_fits(form: str, width: int, height: int) -> None:
    """Refuse sizes that a format cannot hold.

    Raises:
        UnusableFile: a side is too long.
    """
    if max(width, height) > LONGEST[form]:
        raise UnusableFile(
            f"the result of {width} x {height} pixels exceeds the maximum size of a {form.upper()} file"
            f" ({LONGEST[form]:,} per side); give --format png, or a smaller --scale"
        )


def write_photo(
    path: Path,
    form: str,
    rows: Iterable[Rows],
    size: tuple[int, int],
    final: tuple[int, int],
    kind: tuple[int, int],
    metadata: Metadata,
    quality: int = 0,
) -> None:
    """Write an image file from bands of rows.

    Args:
        rows: uint8 or uint16 (rows, width, channels), from top to bottom.
        size: width and height of the rows.
        final: width and height of the file, to which the image is resized.
        kind: channels (1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha) and bits, 8 or 16.
        quality: quality of JPEG, WebP and AVIF, 1 to 100; 0 for `QUALITY`.

    Raises:
        OSError: the file cannot be written. It is then incomplete, so give a temporary path.
    """
    front = _front(metadata) if form == "png" else b""
    with path.open("w+b") as file:  # raises the system's own error
        file.seek(len(front))
        read, write = os.pipe()
        # By its descriptor, not its name: a saver left running by Ctrl-C must not recreate a deleted file.
        target = pyvips.Target.new_to_descriptor(file.fileno())
        failed: list[str] = []

        def save() -> None:
            try:
                _save(read, target, form, final, metadata, quality)
            except pyvips.Error as error:
                failed.append(str(error))
            finally:
                os.close(read)  # so that writing to the pipe fails

        saver = threading.Thread(target=save, name="ganvas-save")
        try:
            with suppress(BrokenPipeError), os.fdopen(write, "wb", buffering=0) as pipe:  # the saver has the reason
                saver.start()
                for piece in _as_png(rows, size, *kind):
                    _write_all(pipe.fileno(), piece)
        finally:
            if saver.is_alive():
                saver.join()
        if failed:
            # libvips does not always report the system's error; another write raises it.
            file.seek(0, os.SEEK_END)
            file.write(bytes(1 << 16))
            os.fsync(file.fileno())
            raise os_error(failed[0])
        _finish(file, form, metadata, front)


def _as_png(rows: Iterable[Rows], size: tuple[int, int], channels: int, bits: int) -> Iterator[bytes]:
    """The rows as an uncompressed PNG file, which libvips reads from a pipe at any depth."""
    yield png.SIGNATURE
    yield png.chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0))
    packer = zlib.compressobj(0)
    for band in rows:
        lines = band.astype(f">u{bits // 8}").reshape(len(band), -1).view(np.uint8)
        filtered = np.zeros((lines.shape[0], lines.shape[1] + 1), np.uint8)  # each row starts with its filter type
        filtered[:, 1:] = lines
        yield png.chunk(b"IDAT", packer.compress(filtered.data))
    yield png.chunk(b"IDAT", packer.flush()) + png.chunk(b"IEND", b"")


def _front(metadata: Metadata) -> bytes:
    """The chunks that go between the first one of a PNG file and those that libvips writes."""
    made = b"".join(png.chunk(name, data) for name, data in metadata.coded)
    if metadata.exif:
        made += png.chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        made += png.chunk(b"iTXt", png.XMP + bytes(5) + metadata.xmp)
    return made + b"".join(png.chunk(name, data) for name, data in metadata.text)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _save(read: int, target: Any, form: str, final: tuple[int, int], metadata: Metadata, quality: int) -> None:
    source = pyvips.Source.new_from_descriptor(read)
    image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="truncated")
    deep = image.format == "ushort"
    if (image.width, image.height) != final:
        image = image.resize(final[0] / image.width, vscale=final[1] / image.height)
    image, keep = _with_metadata(image, form, metadata)
    quality = quality or QUALITY.get(form, 0)
    if form == "png":
        image.pngsave_target(target, keep=keep, filter="all")
    elif form == "jpeg":
        subsample = "off" if quality >= 90 else "auto"
        image.jpegsave_target(target, keep=keep, Q=quality, optimize_coding=True, subsample_mode=subsample)
    elif form == "webp":
        image.webpsave_target(target, keep=keep, Q=quality, smart_subsample=True)
    elif form == "tiff":
        big = image.width * image.height * image.bands * (2 if deep else 1) > 3 << 30
        image.tiffsave_target(target, keep=keep, compression="deflate", predictor="horizontal", bigtiff=big)
    else:
        depth = BITS["avif"] if deep else 8
        image.heifsave_target(
            target, keep=keep, Q=quality, compression="av1", bitdepth=depth, subsample_mode="off", effort=AVIF_EFFORT
        )


def _with_metadata(image: Any, form: str, metadata: Metadata) -> tuple[Any, str]:
    """The image with the metadata that libvips writes, and libvips' list of what to keep."""
    image = image.copy()
    keep = []
    blobs = {"icc-profile": metadata.icc}
    if form != "png":
        blobs["xmp"] = metadata.xmp
    if form == "jpeg" and (resources := photoshop.join(metadata.iptc, metadata.photoshop)):
        blobs["iptc"] = photoshop.JPEG_PREFIX + resources
    for kind, data in blobs.items():
        if data:
            keep.append(kind.partition("-")[0])
            image.set_type(pyvips.GValue.blob_type, f"{kind}-data", data)
    if metadata.dpi:
        image = image.copy(xres=metadata.dpi[0] / 25.4, yres=metadata.dpi[1] / 25.4)
        image.set_type(pyvips.GValue.gstr_type, "resolution-unit", "in")
    exif_block = _block(metadata, form)
    if exif_block:
        # libvips would rewrite the values it knows: only reserve space, which `_finish` fills byte for byte.
        keep.append("exif")
        room = (MARK * (len(exif_block) // len(MARK) + 1)).decode()
        image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-ImageDescription", room)
    return image, "|".join(keep) or "none"


def _block(metadata: Metadata, form: str) -> bytes | None:
    """The EXIF block for the space reserved in a file of this format."""
    if form in ("tiff", "png") or (form == "jpeg" and len(metadata.exif or b"") > 65_000):
        return None
    if metadata.dpi:  # WebP and AVIF, and JPEG as libvips writes it, store it only in EXIF
        return (
            exif.with_resolution(metadata.exif, metadata.dpi)
            if metadata.exif
            else exif.block(exif.resolution(metadata.dpi))
        )
    return metadata.exif


def _finish(file: BinaryIO, form: str, metadata: Metadata, front: bytes) -> None:
    """Fill in the EXIF block, or PNG's chunks `front`; remove the resolution that libvips invents if none is known."""
    if form == "tiff":
        _finish_tiff(file, metadata)
        return
    length = file.seek(0, os.SEEK_END)
    if form == "png":  # libvips wrote behind the space for these chunks
        file.seek(len(front))
        head = file.read(png.HEAD)
        file.seek(0)
        file.write(head + front)
        part = bytearray(file.read(SEARCHED))
        if not metadata.dpi and _forget_resolution(part):
            file.seek(len(head + front))
            file.write(part)
        return
    for start in dict.fromkeys((0, max(0, length - SEARCHED))):
        file.seek(start)
        part = bytearray(file.read(SEARCHED))
        if _fill(part, _block(metadata, form)):
            file.seek(start)
            file.write(part)
            return


def _fill(part: bytearray, block: bytes | None) -> bool:
    """Copy an EXIF block into the space reserved for it."""
    first = part.find(MARK)
    if block is None or first < 0:
        return False
    end = first + len(MARK) * (len(block) // len(MARK) + 1)
    start = part.rindex(b"II*\0", 0, first) if part.rfind(b"II*\0", 0, first) >= 0 else part.rindex(b"MM\0*", 0, first)
    part[start:end] = block.ljust(end - start, b"\0")
    return True


def _forget_resolution(part: bytearray) -> bool:
    at = part.find(b"pHYs", 0, part.find(b"IDAT"))
    if at < 0:
        return False
    part[at - 4 : at + 17] = png.chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0))  # square pixels of unknown size
    return True


def _finish_tiff(file: BinaryIO, metadata: Metadata) -> None:
    """Append a new first directory with the EXIF entries and without an invented resolution."""
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = exif.parse(data)
        except exif.Malformed:  # files over 4 GB have another structure
            return
    if metadata.exif:
        source = exif.descriptive(exif.parse(metadata.exif))
        resolution = (exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT, exif.ORIENTATION)
        found.entries |= {tag: entry for tag, entry in source.entries.items() if tag not in resolution}
        found.children |= source.children
    if not metadata.dpi:
        for tag in (exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT):
            found.entries.pop(tag, None)
    resources = photoshop.join(metadata.iptc, metadata.photoshop)
    for tag, content in ((exif.IPTC, metadata.iptc), (exif.PHOTOSHOP, resources)):
        if content:
            found.entries[tag] = exif.ExifEntry(1, len(content), content)
    end = file.seek(0, os.SEEK_END)
    start = end + end % 2
    file.write(b"\0" * (start - end) + exif.serialize(found, start))
    file.seek(4)
    file.write(struct.pack("<I", start))


def os_error(message: str) -> OSError:
    """The system's error that a message of libvips or ffmpeg mentions."""
    for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS):
        if os.strerror(number) in message:
            return OSError(number, os.strerror(number))
    return OSError(errno.EIO, " ".join(message.split()))
