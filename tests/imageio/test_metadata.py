"""Metadata is preserved from file to file, as read by independent libraries where possible."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageOps

import ganvas
from ganvas.imageio import exif as exif_blocks
from ganvas.imageio.xmp import SOURCE_TYPE, Change, Malformed, changed
from tests.imageio.conftest import ICC, XMP, Upscale, deep, exif, pixels, read, save

FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif", "avif": ".avif"}


@pytest.mark.parametrize(("source", "form"), list(itertools.product(FORMATS.values(), FORMATS)))
def test_metadata_goes_from_every_format_to_every_format(source: str, form: str, upscale: Upscale) -> None:
    photo = save(Path(f"in/photo{source}"), pixels(), orientation=6)
    before = photo.read_bytes()
    assert upscale(photo, "--out", "out", "--format", form) == 0
    assert photo.read_bytes() == before
    result = Path("out") / f"photo_x4{FORMATS[form]}"
    with Image.open(result) as made, Image.open(photo) as was:
        assert made.size == (80, 120)
        assert made.info["icc_profile"] == ICC
        made_exif, asked = made.getexif(), was.getexif()
        if form != "tiff":  # PIL turns TIFF files by the tag and then hides it
            assert made_exif[0x0112] == 1
        for tag in (0x010F, 0x0131, 0x4746, 0x9C9B):
            assert made_exif[tag] == asked[tag]
        for directory in (0x8769, 0x8825):
            values = dict(asked.get_ifd(directory))
            if directory == 0x8769 and values:
                values |= {0xA002: 80, 0xA003: 120}
            assert dict(made_exif.get_ifd(directory)) == values
        xmp = made.info.get("xmp") or made.info.get("XML:com.adobe.xmp", "").encode("latin-1")
        xmp = xmp or made.tag_v2[700]  # type: ignore[attr-defined]
        assert SOURCE_TYPE.encode() in xmp
        if source != ".png":
            assert b'xmp:Rating="5"' in xmp
            assert b'tiff:Orientation="1"' in xmp
        dpi = made.info.get("dpi") or (made_exif[0x011A], made_exif[0x011B])
        assert np.allclose([float(value) for value in dpi], 300, atol=0.01)
        # The result is upright: downscaled again, it equals the rotated photo.
        small = ImageOps.exif_transpose(made).convert("RGB").resize((20, 30), Image.Resampling.BOX)
        turned = ImageOps.exif_transpose(was).convert("RGB")
    assert np.abs(np.asarray(small, float) - np.asarray(turned, float)).mean() < 12


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_no_resolution_is_invented(ending: str, upscale: Upscale) -> None:
    Image.fromarray(pixels()).save(f"bare{ending}")
    assert upscale(f"bare{ending}") == 0
    with Image.open(f"bare_x4{ending}") as made:
        assert made.info.get("dpi") in (None, (1, 1))
        assert "icc_profile" not in made.info
        assert not {0x011A, 0x9000, 0xA001} & set(made.getexif())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("byte_order", [b"", b"MM", b"II"])
def test_the_resolution_is_kept_if_exif_has_none(
    form: str, byte_order: bytes, upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    block = Image.Exif()
    block.endian = "<" if byte_order == b"II" else ">"
    block[0x013B], block.get_ifd(0x8769)[0x9003] = "somebody", "2020:01:02 03:04:05"
    Image.fromarray(pixels()).save("scan.jpg", dpi=(72, 300), exif=block if byte_order else b"")
    assert upscale("scan.jpg", "--format", form, "--check") == 0
    output = capsys.readouterr().out
    assert "72 dpi" in output
    assert ("EXIF kept (2 of 2 tags)" if byte_order else "no EXIF") in output
    with Image.open(f"scan_x4{FORMATS[form]}") as made:
        tags = made.getexif()
        if form != "png":
            assert [float(tags[0x011A]), float(tags[0x011B])] == [72, 300]
        assert tags.get(0x013B) == ("somebody" if byte_order else None)


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_stay_16_bits_by_their_type(ending: str, channels: int, upscale: Upscale) -> None:
    values = deep(Path(f"dark{ending}"), channels, most=200)  # so dark that by their values they would pass for 8 bits
    assert upscale(f"dark{ending}", "--no-colour-lock") == 0
    made = read(Path(f"dark_x4{ending}"))
    assert made.dtype == np.uint16
    assert made.shape == (80, 120, channels)
    assert made.max() < 2500
    assert values.max() <= 200


def test_16_bits_use_their_steps(upscale: Upscale) -> None:
    deep(Path("ramp.png"), 1, height=12, width=64)
    assert upscale("ramp.png") == 0
    made = read(Path("ramp_x4.png"))
    assert len(np.unique(made)) > 250
    assert np.unique(made % 257).size > 100


def test_16_bits_become_12_of_avif_and_8_of_jpeg(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    deep(Path("a.png"))
    assert upscale("a.png", "--format", "avif", "--check") == 0
    assert "12 bit" in capsys.readouterr().out
    assert pyvips.Image.new_from_file("a_x4.avif").get("bits-per-sample") == 12
    assert upscale("a.png", "--format", "jpeg", "--check") == 0
    output = capsys.readouterr().out
    assert "8 bit, was 16" in output
    assert "16 bits reduced to 8: JPEG supports no more" in output


def test_grey_stays_grey_and_the_pixels_are_the_models(upscale: Upscale, model: Path) -> None:
    grey = pixels(channels=1)[..., 0]
    Image.fromarray(grey).save("grey.png")
    assert upscale("grey.png") == 0
    with Image.open("grey_x4.png") as made:
        assert made.mode == "L"
        assert np.array_equal(np.asarray(made), ganvas.open(model).upscale(grey))


def test_alpha_is_upscaled_without_fringes(upscale: Upscale) -> None:
    image = np.zeros((24, 24, 4), np.uint8)
    image[6:18, 6:18] = (200, 30, 30, 255)  # transparent pixels are black
    for ending in (".png", ".webp", ".tif", ".avif"):
        options = {"lossless": True} if ending == ".webp" else {}
        Image.fromarray(image).save(f"cut{ending}", **options)
        assert upscale(f"cut{ending}") == 0
        with Image.open(f"cut_x4{ending}") as made:
            assert made.mode == "RGBA"
            values = np.asarray(made).astype(int)
        assert (values[:16, :, 3] <= 2).all()  # AVIF's transparency is not exact
        assert (values[32:64, 32:64, 3] >= 253).all()
        rim = (values[..., 3] > 30) & (values[..., 3] < 250)
        assert values[..., 0][rim].min() > 150, ending


def test_alpha_is_matlabs_bicubic(upscale: Upscale) -> None:
    import torch

    from ganvas.imaging.tensors import bicubic

    image = pixels(50, 30, 4)
    Image.fromarray(image).save("soft.png")
    assert upscale("soft.png") == 0
    expected = bicubic(torch.from_numpy(image[..., 3]), 4).numpy().astype(int)
    assert np.abs(read(Path("soft_x4.png"))[..., 3] - expected).max() <= 1  # which rounds between its two passes


def test_jpeg_has_alpha_blended_onto_white(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    image = np.zeros((16, 16, 4), np.uint8)
    image[:, 8:] = (10, 20, 30, 255)
    Image.fromarray(image).save("cut.png")
    assert upscale("cut.png", "--format", "jpeg", "--check") == 0
    assert "alpha blended onto white" in capsys.readouterr().out
    with Image.open("cut_x4.jpg") as made:
        assert np.asarray(made)[:, :16].min() > 245


def test_palette_becomes_colours(upscale: Upscale) -> None:
    Image.fromarray(pixels()).quantize(32).save("few.png", icc_profile=ICC)
    Image.fromarray(pixels()).quantize(32).save("few.gif")
    assert upscale("few.png", "few.gif", "--out", "out") == 0
    for name in ("few_png_x4.png", "few_gif_x4.png"):
        with Image.open(Path("out") / name) as made:
            assert made.mode == "RGB"
            assert made.size == (120, 80)
    with Image.open("out/few_png_x4.png") as made:
        assert made.info["icc_profile"] == ICC


def test_cmyk_becomes_rgb_with_a_profile_that_is_true(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("CMYK", (20, 12), (0, 255, 255, 0)).save("print.jpg", quality=95)
    Image.new("CMYK", (20, 12), (0, 255, 255, 0)).save("print.tif")
    assert upscale("print.jpg", "print.tif", "--out", "out", "--check") == 0
    assert capsys.readouterr().out.count("CMYK converted to RGB") == 2
    for name in ("print_x4.jpg", "print_x4.tif"):
        with Image.open(Path("out") / name) as made:
            assert made.mode == "RGB"
            assert made.info["icc_profile"][16:20] == b"RGB "
            red, green, blue = np.asarray(made).mean((0, 1))
            assert red > 180 > 100 > max(green, blue)


def test_a_profile_of_other_colours_is_left_out(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels(channels=1)[..., 0]).save("grey.jpg", icc_profile=ICC)
    assert upscale("grey.jpg", "--check") == 0
    output = capsys.readouterr().out
    assert "profile left out: it is for RGB" in output
    with Image.open("grey_x4.jpg") as made:
        assert "icc_profile" not in made.info


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_once(orientation: int, upscale: Upscale) -> None:
    photo = save(Path("turned.jpg"), pixels(), orientation)
    assert upscale(photo, "--format", "png") == 0
    with Image.open("turned_x4.png") as made, Image.open(photo) as was:
        assert made.getexif()[0x0112] == 1
        turned = ImageOps.exif_transpose(was)
        small = made.resize(turned.size, Image.Resampling.BOX)
        assert np.abs(np.asarray(small, float) - np.asarray(turned, float)).mean() < 12


def test_text_of_png_files_is_kept(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Title", "hello")
    text.add_itxt("Comment", "Grüße")
    Image.fromarray(pixels()).save("text.png", pnginfo=text)
    assert upscale("text.png") == 0
    with Image.open("text_x4.png") as made:
        made.load()
        assert made.info["Title"] == "hello"
        assert made.info["Comment"] == "Grüße"
    assert upscale("text.png", "--format", "webp") == 0
    assert "text left out" in capsys.readouterr().out


def test_the_mark_preserves_existing_xmp() -> None:
    change = Change("4 times by a, ganvas 1", (120, 80))
    once, gone = changed(XMP, change)
    assert not gone
    for kept in (
        b'<?xpacket begin="\xef\xbb\xbf" id=',
        b'xmp:Rating="5"',
        b'tiff:Orientation="1"',
        b'<?xpacket end="w"?>',
    ):
        assert kept in once
    twice, _ = changed(once, replace(change, how="4 times by b, ganvas 1"))
    assert twice.count(SOURCE_TYPE.encode()) == 1
    assert b"by a" not in twice
    iptc = b'xmlns:I="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" I:DigitalSourceType="http://x/digitalCapture" '
    camera, _ = changed(XMP.replace(b"xmp:Rating", iptc + b"xmp:Rating"), change)
    assert b"digitalCapture" not in camera
    assert camera.count(SOURCE_TYPE.encode()) == 1
    wide = b"\xfe\xff" + ("<!DOCTYPE x>" + XMP.decode()).encode("utf-16-be")
    deep = XMP.replace(b"</rdf:RDF>", b"<a>" * 9000 + b"</a>" * 9000 + b"</rdf:RDF>")
    for bad in (b"no packet", b"<a/>", b"<!DOCTYPE x>" + XMP, wide, deep):
        with pytest.raises(Malformed):
            changed(bad, change)


def test_non_ascii_exif_survives_tiff(upscale: Upscale) -> None:
    block = exif_blocks.parse(exif().tobytes().removeprefix(b"Exif\0\0"))
    name = "Jörg Müller".encode()
    block.entries[0x013B] = exif_blocks.ExifEntry(2, len(name) + 1, name + b"\0")
    Image.fromarray(pixels()).save("named.jpg", exif=b"Exif\0\0" + exif_blocks.block(block))
    assert upscale("named.jpg", "--format", "tiff") == 0
    assert upscale("named_x4.tif", "--format", "png", "--scale", "1") == 0
    for file in ("named_x4.tif", "named_x4_x1.png"):
        assert name in Path(file).read_bytes()
    with Image.open("named_x4_x1.png") as made:
        assert dict(made.getexif().get_ifd(0x8825)) == dict(exif().get_ifd(0x8825))
        assert made.getexif().get_ifd(0x8769)[0x927C] == exif().get_ifd(0x8769)[0x927C]


def test_damaged_exif_does_not_stop_a_photo(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels()).save("odd.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert upscale("odd.jpg") == 0
    assert "EXIF left out" in capsys.readouterr().out


def test_the_line_of_check_describes_the_file(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    photo = save(Path("photo.jpg"), pixels(), orientation=8)
    assert upscale(photo, "--check") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("photo_x4.jpg: "))
    for fact in (
        "80 x 120 from 20 x 30 px",
        "JPEG, RGB",
        "8 bit",
        "no alpha",
        "profile kept",
        "EXIF kept (",
        "300 dpi",
    ):
        assert fact in line
    assert "XMP kept, marked as changed by a model" in line
    assert "orientation 8 applied" in line


def test_smaller_scales_come_from_the_models(upscale: Upscale) -> None:
    Image.fromarray(pixels()).save("p.png")
    for scale, size in (("2", (60, 40)), ("1.5", (45, 30)), ("1", (30, 20))):
        assert upscale("p.png", "--scale", scale) == 0
        with Image.open(f"p_x{scale}.png") as made:
            assert made.size == size
            small = made.resize((30, 20), Image.Resampling.BOX)
        assert np.abs(np.asarray(small, float) - pixels()).mean() < 12


def test_one_pixel_becomes_sixteen(upscale: Upscale) -> None:
    Image.new("RGB", (1, 1), (10, 200, 30)).save("dot.png")
    Image.new("RGBA", (1, 3), (10, 200, 30, 90)).save("line.png")
    assert upscale("dot.png", "line.png", "--out", "out") == 0
    assert read(Path("out/dot_x4.png")).shape == (4, 4, 3)
    assert read(Path("out/line_x4.png")).shape == (12, 4, 4)


def test_names_of_any_kind(upscale: Upscale) -> None:
    for name in ("Übersicht 日本.jpg", "a[1].png", "b[Q=3].jpg", "-dash.png"):
        save(Path("in") / name, pixels(8, 8))
    assert upscale("in", "--out", "out") == 0
    assert sorted(path.name for path in Path("out").glob("*_x4*")) == sorted(
        ["Übersicht 日本_x4.jpg", "a[1]_x4.png", "b[Q=3]_x4.jpg", "-dash_x4.png"]
    )
