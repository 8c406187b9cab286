"""Helpers for the tests of photos: a tiny network, images with every kind of metadata, the command."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ganvas import cli as command_line
from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.systems.srgan import SRGAN

XMP = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    b' xmp:Rating="5" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights that upscales by 4, as a file."""
    torch.manual_seed(0)
    system = SRGAN(g_width=4, blocks=1, base="bilinear", norm="none", final="none", d_width=4, d_hidden=8)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    tensors = {f"g.{name}": tensor * 0.02 for name, tensor in system.generator().state_dict().items()}
    checkpoint.save(path, tensors, {"system": to_plain(system), "run": "tiny", "images": 0})
    return path


Upscale = Callable[..., int]


@pytest.fixture
def upscale(model: Path) -> Upscale:
    """Run ``ganvas upscale ...`` in this process with the tiny network; its exit code."""
    return lambda *words: command_line.main(["upscale", "--model", str(model), *map(str, words)])


def pixels(height: int = 20, width: int = 30, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth colours with a little noise."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = np.stack([np.sin((x * (c + 1) + y * (3 - c)) / 6 + seed) for c in range(channels)], axis=2)
    noise = np.random.default_rng(seed).normal(0, 3, waves.shape)
    return (waves * 90 + 128 + noise).clip(0, 255).astype(np.uint8)


def exif(orientation: int = 1) -> Image.Exif:
    """EXIF as from a camera: maker note, place, lens, dates, non-ASCII text."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F], block[0x0131], block[0x4746] = "Nikon", "Lightroom", 5
    block[0x9C9B] = "Título".encode("utf-16le") + b"\0\0"
    block[0x011A], block[0x011B], block[0x0128] = 300.0, 300.0, 2
    camera = block.get_ifd(0x8769)
    camera[0x829A], camera[0x9003], camera[0xA434] = 0.008, "2020:01:02 03:04:05", "50mm"
    camera[0xA002], camera[0xA003] = 30, 20
    camera[0x927C] = b"Nikon\0\x02\x10\0\0MM\0*" + bytes(range(200))
    place = block.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (48.0, 51.0, 29.6), "E", (2.0, 17.0, 40.2)
    return block


def save(path: Path, array: NDArray[np.uint8], orientation: int = 1) -> Path:
    """Write a file with profile, EXIF, XMP and resolution, if its format supports them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, object] = {"exif": exif(orientation), "icc_profile": ICC, "dpi": (300, 300)}
    if path.suffix in (".jpg", ".webp", ".avif"):
        options |= {"xmp": XMP, "quality": 95}
    if path.suffix == ".tif":
        options["exif"][700] = XMP  # type: ignore[index]
    Image.fromarray(array).save(path, **options)  # type: ignore[arg-type]
    return path


def deep(path: Path, channels: int = 3, height: int = 20, width: int = 30, most: int = 65535) -> NDArray[np.uint16]:
    """Write a 16-bit file of values up to `most`, and return them."""
    values = np.random.default_rng(0).integers(0, most + 1, (height, width, channels), np.uint16)
    values[:] = values[:1, :1] // 2 + (np.arange(width, dtype=np.uint16)[None, :, None] * (most // width // 3))
    kind = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}[channels]
    image = pyvips.Image.new_from_array(values).copy(interpretation=kind)
    image.write_to_file(str(path))
    return values


def read(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The pixels of a file, at its own depth."""
    image = pyvips.Image.new_from_file(str(path))
    found: NDArray[np.uint8] | NDArray[np.uint16] = image.numpy()
    return found[..., None] if found.ndim == 2 else found


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """A PIL image as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _huge(width: int, height: int) -> bytes:
    """A PNG file that claims this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def _animated(form: str) -> bytes:
    frames = [Image.fromarray(pixels(seed=seed)) for seed in range(3)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


def write_bad_photos(folder: Path) -> dict[str, str]:
    """Write files that are refused; name -> part of the message about it."""
    photo = encoded(Image.fromarray(pixels(200, 300)), "JPEG")
    drawing = encoded(Image.fromarray(pixels(200, 300)), "PNG")
    files = {
        "words.jpg": (b"no image at all", "not an image of a known format"),
        "zero.png": (b"", "empty"),
        "cut.jpg": (photo[: len(photo) // 2], "damaged"),
        "cut.png": (drawing[: len(drawing) // 2], "damaged"),
        "flipped.png": (drawing[:2000] + b"\xff" * 200 + drawing[2200:], "damaged"),
        "wide.png": (_huge(40_000, 40_000), "--limit"),
        "moving.gif": (_animated("GIF"), "contains several images"),
        "moving.webp": (_animated("WEBP"), "contains several images"),
        "moving.png": (_animated("PNG"), "contains several images"),
        "pages.tif": (_animated("TIFF"), "contains several images"),
        "lab.tif": (encoded(Image.new("LAB", (8, 8)), "TIFF"), "its colours"),
        "float.tif": (encoded(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"), "float"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {name: message for name, (_, message) in files.items()}
