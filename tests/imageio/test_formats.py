"""Formats of phones, cameras and other programs: colours, and metadata that is true of the old image alone."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from ganvas.imageio import photoshop, png
from ganvas.imageio.exif import has_place
from ganvas.imageio.reading import open_photo
from ganvas.imageio.xmp import Change, changed
from tests.conftest import Cli
from tests.imageio.conftest import Upscale, encoded, pixels, save

FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif", "avif": ".avif"}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)


def packet(properties: str, inside: str = "") -> bytes:
    """An XMP packet with these attributes and children of its description."""
    namespaces = {
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "GPano": "http://ns.google.com/photos/1.0/panorama/",
        "GCamera": "http://ns.google.com/photos/1.0/camera/",
        "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
        "Container": "http://ns.google.com/photos/1.0/container/",
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    }
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in namespaces.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="" {declared}'
        f" {properties}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def with_chunks(path: Path, array: np.ndarray, *chunks: tuple[bytes, bytes]) -> Path:
    """Write a PNG file with these chunks behind the first."""
    plain = encoded(Image.fromarray(array), "PNG")
    path.write_bytes(plain[: png.HEAD] + b"".join(png.chunk(*one) for one in chunks) + plain[png.HEAD :])
    return path


def shown(path: Path, mode: str = "RGB") -> np.ndarray:
    """The colours that a program shows that knows profiles: uint8 sRGB."""
    with Image.open(path) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        made = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert made is not None
        return np.asarray(made.convert(mode))


def flat(*colour: int) -> np.ndarray:
    return np.full((16, 24, 3), colour, np.uint8)


@pytest.mark.parametrize("form", FORMATS)
def test_gamma_and_primaries_of_png_become_a_profile(
    form: str, upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    with_chunks(Path("linear.png"), flat(128, 64, 10), (b"gAMA", struct.pack(">I", 100_000)))
    points = [round(value * 100_000) for value in (*P3[6:], *P3[:6])]
    with_chunks(Path("wide.png"), flat(200, 100, 50), (b"cHRM", struct.pack(">8I", *points)))
    assert upscale("linear.png", "wide.png", "--out", "o", "--format", form) == 0
    assert capsys.readouterr().out.count("colours described by a profile, made from the file's gAMA and cHRM") == 2
    light = np.array([128, 64, 10]) / 255
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(shown(Path(f"o/linear_x4{FORMATS[form]}")) - expected).max() < 5
    assert np.abs(shown(Path(f"o/wide_x4{FORMATS[form]}")) - np.array([215, 93, 32])).max() < 5  # as libvips' own P3


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))],
        [(b"gAMA", struct.pack(">I", 45_455))],
        [(b"cICP", bytes((1, 13, 0, 1)))],
        [],
    ],
)
def test_srgb_gets_no_profile(chunks: list[tuple[bytes, bytes]], upscale: Upscale) -> None:
    with_chunks(Path("p.png"), pixels(), *chunks)
    assert upscale("p.png") == 0
    with Image.open("p_x4.png") as made:
        assert "icc_profile" not in made.info


def test_gamma_of_a_grey_image(upscale: Upscale) -> None:
    with_chunks(Path("g.png"), flat(128, 0, 0)[..., 0], (b"gAMA", struct.pack(">I", 100_000)))
    assert upscale("g.png") == 0
    assert np.abs(shown(Path("g_x4.png")).astype(int) - 188).max() < 3


def test_impossible_colours_are_noted(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    with_chunks(Path("a.png"), pixels(), (b"cHRM", bytes(32)))
    with_chunks(Path("b.png"), pixels(), (b"gAMA", struct.pack(">I", 1)))
    with_chunks(Path("c.png"), pixels(), (b"cICP", bytes((99, 13, 0, 1))))
    assert upscale("a.png", "b.png", "c.png", "--out", "o") == 0
    assert capsys.readouterr().out.count("colours not described: its ") == 3


@pytest.mark.parametrize("form", FORMATS)
def test_code_numbers_of_png_become_a_profile(form: str, upscale: Upscale) -> None:
    with_chunks(Path("p3.png"), flat(200, 100, 50), (b"cICP", bytes((12, 13, 0, 1))))
    assert upscale("p3.png", "--format", form) == 0
    assert np.abs(shown(Path(f"p3_x4{FORMATS[form]}")) - np.array([215, 93, 32])).max() < 5
    assert dict(png.chunks(Path("p3.png"), (b"cICP",))) == {b"cICP": bytes((12, 13, 0, 1))}
    if form == "png":
        assert dict(png.chunks(Path("p3_x4.png"), (b"cICP",))) == {b"cICP": bytes((12, 13, 0, 1))}


def test_hdr_keeps_its_code_numbers(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    light = (b"cLLI", struct.pack(">II", 10_000_000, 2_000_000))
    with_chunks(Path("pq.png"), flat(148, 148, 148), (b"cICP", bytes((9, 16, 0, 1))), light)
    assert upscale("pq.png") == 0
    assert upscale("pq.png", "--format", "jpeg") == 0
    printed = capsys.readouterr().out
    assert "BT.2020 with PQ" in printed
    assert "light levels of HDR left out: JPEG" in printed
    assert dict(png.chunks(Path("pq_x4.png"), (b"cICP", b"cLLI"))) == {
        b"cICP": bytes((9, 16, 0, 1)),
        light[0]: light[1],
    }
    for name in ("pq_x4.png", "pq_x4.jpg"):
        with Image.open(name) as made:
            assert b"cicp\0\0\0\0" + bytes((9, 16, 0, 1)) in made.info["icc_profile"]
        assert shown(Path(name)).min() > 250  # value 148 is the white of paper


def _avif(path: Path, array: np.ndarray, primaries: int, curve: int) -> Path:
    """An AVIF file with a box of code numbers, which libvips does not write."""
    box = struct.pack(">I4s4sHHHB", 19, b"colr", b"nclx", primaries, curve, 6, 0x80)
    data = bytearray(encoded(Image.fromarray(array), "AVIF", quality=100))
    at = data.find(b"colrnclx")
    assert at > 0
    data[at - 4 : at + 15] = box
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["avif", "png", "jpeg"])
def test_code_numbers_of_avif_become_a_profile(form: str, upscale: Upscale) -> None:
    _avif(Path("p3.avif"), flat(200, 100, 50), 12, 13)
    _avif(Path("srgb.avif"), flat(200, 100, 50), 1, 13)
    assert upscale("p3.avif", "srgb.avif", "--out", "o", "--format", form) == 0
    assert np.abs(shown(Path(f"o/p3_x4{FORMATS[form]}")) - np.array([215, 93, 32])).max() < 6
    with Image.open(f"o/srgb_x4{FORMATS[form]}") as made:
        assert "icc_profile" not in made.info


def test_the_base_image_of_ultra_hdr_is_upscaled(
    upscale: Upscale, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    light = (pixels(64, 96) / 255.0) ** 2.2 * np.where(np.arange(96) > 60, 4, 1)[:, None]
    image = pyvips.Image.new_from_array(light.astype(np.float32)).copy(interpretation="scrgb")
    try:
        image.uhdrsave("phone.jpg")
    except (pyvips.Error, AttributeError):
        pytest.skip("this libvips writes no Ultra HDR")
    assert upscale("phone.jpg") == 0
    assert "gain map left out: it fits only the small image" in capsys.readouterr().out
    with Image.open("phone_x4.jpg") as made, Image.open("phone.jpg") as was:
        assert made.size == (384, 256)
        assert made.format == "JPEG"
        assert made.info["icc_profile"] == was.info["icc_profile"]
        small = made.resize(was.size, Image.Resampling.BOX)
        assert np.abs(np.asarray(small, float) - np.asarray(was, float)).mean() < 12
    Path("phones").mkdir()
    Path("phone.jpg").rename("phones/phone.jpg")
    assert "1 usable images" in cli("data", "phones").stdout


def test_a_motion_photos_film_is_noted(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    film = struct.pack(">I4s4s", 24, b"ftyp", b"mp42") + bytes(2000)
    about = packet('GCamera:MotionPhoto="1" GCamera:MicroVideoOffset="2012" xmp:Rating="3"')
    Path("m.jpg").write_bytes(encoded(Image.fromarray(pixels()), "JPEG", xmp=about) + film)
    assert upscale("m.jpg") == 0
    assert capsys.readouterr().out.count("motion photo's film left out: it fits only the small image") == 1
    made = Path("m_x4.jpg").read_bytes()
    assert b"Motion" not in made
    assert b"MicroVideo" not in made
    assert b'xmp:Rating="3"' in made


def test_a_missing_end_marker_is_noted_and_missing_pixels_are_damage(
    upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = encoded(Image.fromarray(pixels(64, 64)), "JPEG", quality=90)
    folded = encoded(Image.fromarray(pixels(64, 64)), "JPEG", quality=90, progressive=True)
    for name, content in (("a", photo[:-2]), ("b", photo[:-1]), ("c", folded[:-2]), ("whole", photo)):
        Path(f"{name}.jpg").write_bytes(content)
    for name, content in (
        ("d", photo[:-12]),
        ("e", photo[: len(photo) // 2]),
        ("f", folded[:-12]),
        ("g", photo[:-40] + bytes(40)),
    ):
        Path(f"{name}.jpg").write_bytes(content)
    assert upscale(*(f"{name}.jpg" for name in ("a", "b", "c", "whole")), "--out", "o", "--format", "png") == 0
    assert capsys.readouterr().out.count("its end marker is missing, but no pixels are") == 3
    assert Path("o/a_x4.png").read_bytes() == Path("o/whole_x4.png").read_bytes()
    assert upscale(*(f"{name}.jpg" for name in "defg"), "--out", "o") == 1
    assert capsys.readouterr().out.count("it is damaged") >= 4


def test_xmp_describes_the_new_image() -> None:
    attributes = 'tiff:ImageWidth="30" exif:PixelYDimension="20" GPano:FullPanoWidthPixels="3000"'
    attributes += ' GPano:CroppedAreaTopPixels="11" GPano:PoseHeadingDegrees="45" photoshop:Instructions="one&#10;two"'
    attributes += ' hdrgm:Version="1.0" xmp:Rating="4"'
    inside = "<xmp:Thumbnails><rdf:Alt><rdf:li>old</rdf:li></rdf:Alt></xmp:Thumbnails>"
    inside += "<GPano:CroppedAreaImageWidthPixels>30</GPano:CroppedAreaImageWidthPixels>"
    inside += '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"/></rdf:Seq></Container:Directory>'
    inside += '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions stDim:w="30" stDim:h="20"/>'
    inside += "</mwg-rs:Regions>"
    change = Change("x", (120, 80), (4, 4))
    made, gone = changed(packet(attributes, inside), change)
    assert gone == ("gain map",)
    for kept in ('tiff:ImageWidth="120"', 'exif:PixelYDimension="80"', 'FullPanoWidthPixels="12000"', '"one&#10;two"'):
        assert kept in made.decode()
    for kept in ('CroppedAreaTopPixels="44"', ">120</GPano:", 'PoseHeadingDegrees="45"', 'stDim:w="120" stDim:h="80"'):
        assert kept in made.decode()
    for old in (b"Thumbnails", b"hdrgm:Version", b"Directory"):
        assert old not in made
    turned, gone = changed(packet(attributes, inside), replace(change, turned=True))
    assert set(gone) == {"gain map", "panorama's view", "regions of faces"}
    assert b"Pano:Full" not in turned
    assert b"Regions" not in turned


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_exif_says_in_pixels_grows(byte_order: str, orientation: int, upscale: Upscale) -> None:
    block = Image.Exif()
    block.endian = byte_order
    block[0x0112] = orientation
    camera = block.get_ifd(0x8769)
    camera[0x9214], camera[0xA20E], camera[0xA20F] = (10, 12, 4, 6), IFDRational(2001, 2), IFDRational(500)
    Image.fromarray(pixels()).save("p.jpg", exif=block)
    assert upscale("p.jpg") == 0
    with Image.open("p_x4.jpg") as made:
        found = made.getexif().get_ifd(0x8769)
    assert found.get(0x9214) == ((40, 48, 16, 24) if orientation == 1 else None)
    assert (found[0xA20E], found[0xA20F]) == (4002, 2000)


def test_damaged_xmp_is_noted_and_the_mark_is_there(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels()).save("p.jpg", xmp=b"<x:xmpmeta broken")
    assert upscale("p.jpg", "--check") == 0
    output = capsys.readouterr().out
    assert "XMP left out: it is damaged" in output
    assert "marked as changed by a model" in output


def resource(number: int, content: bytes) -> bytes:
    """One of Photoshop's resources."""
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(content)) + content + bytes(len(content) % 2)


RECORDS = b"".join(
    b"\x1c\x02" + bytes((n,)) + struct.pack(">H", len(t)) + t for n, t in ((90, b"Paris"), (120, b"Sun"))
)
RIGHTS, THUMBNAIL = resource(0x040A, b"\x01"), resource(0x040C, bytes(28) + b"old thumbnail")


def _with_resources(path: Path) -> Path:
    image = pyvips.Image.new_from_array(pixels())
    blocks = photoshop.JPEG_PREFIX + THUMBNAIL + resource(0x0404, RECORDS) + RIGHTS
    image.set_type(pyvips.GValue.blob_type, "iptc-data", blocks)
    image.jpegsave(str(path), keep="iptc")
    return path


def test_photoshops_thumbnail_goes_and_its_records_stay(upscale: Upscale) -> None:
    _with_resources(Path("p.jpg"))
    assert upscale("p.jpg") == 0
    made = Path("p_x4.jpg").read_bytes()
    assert b"old thumbnail" not in made
    assert resource(0x0404, RECORDS) + RIGHTS in made


def test_records_go_from_jpeg_to_tiff_and_back(upscale: Upscale) -> None:
    _with_resources(Path("p.jpg"))
    assert upscale("p.jpg", "--format", "tiff", "--scale", "1") == 0
    with Image.open("p_x1.tif") as made:
        assert made.tag_v2[33723] == RECORDS  # type: ignore[attr-defined]
    assert upscale("p_x1.tif", "--format", "jpeg", "--scale", "1") == 0
    assert resource(0x0404, RECORDS) + RIGHTS in Path("p_x1_x1.jpg").read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_the_place_is_kept_and_left_out_if_asked(
    form: str, upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FORMATS[form]
    photo = Path(f"p{source}")
    assert upscale(save(Path("camera.jpg"), pixels()), "--scale", "1", "--out", photo) == 0
    assert upscale(photo, "--out", "kept", "--check") == 0
    assert "place kept" in capsys.readouterr().out
    assert has_place(open_photo(Path(f"kept/p_x4{source}")).metadata.exif)
    assert upscale(photo, "--out", "without", "--strip-location", "--check") == 0
    assert "place left out" in capsys.readouterr().out
    made = open_photo(Path(f"without/p_x4{source}")).metadata
    assert not has_place(made.exif)
    latitude = struct.pack("<II", 48, 1), struct.pack(">II", 48, 1)
    assert not any(number in Path(f"without/p_x4{source}").read_bytes() for number in latitude)
    with Image.open(f"without/p_x4{source}") as image:
        tags = image.getexif()
        assert tags[0x010F] == "Nikon"
        assert dict(tags.get_ifd(0x8825)) == {}
        camera = tags.get_ifd(0x8769)
        assert camera[0xA434] == "50mm"
        assert 0x927C not in camera


def test_the_place_in_xmp_and_iptc_is_left_out(upscale: Upscale) -> None:
    about = packet('exif:GPSLatitude="48,51.5N" photoshop:City="Paris" xmp:Rating="2"')
    image = pyvips.Image.new_from_file(str(_with_resources(Path("r.jpg")))).copy()
    image.set_type(pyvips.GValue.blob_type, "xmp-data", about)
    image.jpegsave("p.jpg", keep="iptc|xmp")
    assert upscale("p.jpg", "--strip-location") == 0
    made = Path("p_x4.jpg").read_bytes()
    for place in (b"Paris", b"GPSLatitude"):
        assert place not in made
    for kept in (b"Sun", b'xmp:Rating="2"'):
        assert kept in made


def test_the_old_options_still_name_the_same_results() -> None:
    from ganvas.imageio.upscale import UpscaleOptions

    assert UpscaleOptions().settings() == {"scale": 0, "form": "", "quality": 0, "colour_lock": True}


def test_files_of_cameras_are_named_with_the_remedy(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    heic = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + bytes(100)
    Path("in/phone.heic").write_bytes(heic)
    Path("in/phone.jpg").write_bytes(heic)
    thumbnail = encoded(Image.fromarray(pixels()), "TIFF")
    for name in ("a.DNG", "b.nef", "c.arw", "d.cr2"):
        Path("in", name).write_bytes(thumbnail)
    save(Path("in/good.jpg"), pixels())
    assert upscale("in", "--out", "o") == 1
    printed = capsys.readouterr()
    assert "1 upscaled, 6 failed" in printed.out
    lines = {line.split(":")[0].strip(): line for line in printed.out.splitlines() if line.startswith("  in")}
    for name in ("phone.heic", "phone.jpg"):
        assert "an HEIC photo; convert it to JPEG or PNG" in lines[f"in/{name}"]
        assert len(lines[f"in/{name}"]) < 150
    for name in ("a.DNG", "b.nef", "c.arw", "d.cr2"):
        assert "a camera's RAW file" in lines[f"in/{name}"]
        assert "develop it" in lines[f"in/{name}"]


def test_heic_in_training_data_is_named(cli: Cli) -> None:
    Path("in").mkdir()
    heic = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + bytes(100)
    Path("in/phone.heic").write_bytes(heic)
    save(Path("in/good.jpg"), pixels())
    assert "phone.heic: it is an HEIC photo; convert it" in cli("data", "in").stdout
