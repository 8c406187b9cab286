"""Foreign checkpoints: recognized, equal to the original networks, and their code never run."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

import ganvas
from ganvas.errors import InputError
from ganvas.experiment import train
from ganvas.inference.export import convert
from ganvas.inference.importers.foreign import FAMILIES, read_weights
from ganvas.metrics.distortion import luma, psnr
from ganvas.observers.watch import Watch
from tests.conftest import SHARED, Cli, assert_refused, enlarging, write_photographs
from tests.inference.networks import lively, photo, rrdb

LEFTTHOMAS = SHARED / "data" / "weights" / "ref_srgan_x4_leftthomas.safetensors"
SETS = SHARED / "data" / "sr_eval"


def conv(before: int, after: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


# The networks as their authors' files have them, in few lines.


class Sgrvinod(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()

        def part(*layers: nn.Module) -> nn.Module:
            block = nn.Module()
            block.conv_block = nn.Sequential(*layers)
            return block

        def residual() -> nn.Module:
            block = nn.Module()
            block.conv_block1 = part(conv(width, width), nn.BatchNorm2d(width), nn.PReLU())
            block.conv_block2 = part(conv(width, width), nn.BatchNorm2d(width))
            return block

        def doubling() -> nn.Module:
            block = nn.Module()
            block.conv, block.prelu = conv(width, 4 * width), nn.PReLU()
            return block

        self.conv_block1 = part(conv(3, width, 9), nn.PReLU())
        self.residual_blocks = nn.Sequential(residual(), residual(), residual())
        self.conv_block2 = part(conv(width, width), nn.BatchNorm2d(width))
        self.subpixel_convolutional_blocks = nn.Sequential(doubling(), doubling())
        self.conv_block3 = part(conv(width, 3, 9), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (x - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
        first = y = self.conv_block1.conv_block(x)
        for block in self.residual_blocks:
            y = block.conv_block2.conv_block(block.conv_block1.conv_block(y)) + y
        y = self.conv_block2.conv_block(y) + first
        for block in self.subpixel_convolutional_blocks:
            y = block.prelu(functional.pixel_shuffle(block.conv(y), 2))
        made: Tensor = (self.conv_block3.conv_block(y) + 1) / 2
        return made


class BasicSR(nn.Module):
    def __init__(self, width: int = 4, scale: int = 4) -> None:
        super().__init__()

        def block() -> nn.Module:
            made = nn.Module()
            made.conv1, made.conv2 = conv(width, width), conv(width, width)
            return made

        self.scale = scale
        self.conv_first, self.body = conv(3, width), nn.Sequential(block(), block())
        self.upconv1 = conv(width, 4 * width)
        if scale == 4:
            self.upconv2 = conv(width, 4 * width)
        self.conv_hr, self.conv_last = conv(width, width), conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.leaky_relu(self.conv_first(x), 0.1)
        for block in self.body:
            y = y + block.conv2(functional.relu(block.conv1(y)))
        y = functional.leaky_relu(functional.pixel_shuffle(self.upconv1(y), 2), 0.1)
        if self.scale == 4:
            y = functional.leaky_relu(functional.pixel_shuffle(self.upconv2(y), 2), 0.1)
        y = self.conv_last(functional.leaky_relu(self.conv_hr(y), 0.1))
        return y + functional.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)


def old_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """ESRGAN's first names: of a Sequential in a Sequential."""
    ends = {"conv_first": "model.0", "conv_body": "model.1.sub.1", "conv_up1": "model.3", "conv_up2": "model.6"}
    ends |= {"conv_hr": "model.8", "conv_last": "model.10"}
    renamed = {}
    for name, tensor in state.items():
        head, _, rest = name.partition(".")
        if head == "body":
            index, dense, layer, kind = rest.split(".")
            renamed[f"model.1.sub.{index}.{dense.upper()}.{layer}.0.{kind}"] = tensor
        else:
            renamed[f"{ends[head]}.{rest}"] = tensor
    return renamed


def middle_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """ESRGAN's second names."""
    ends = {"conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2", "conv_hr": "HRconv"}
    renamed = {}
    for name, tensor in state.items():
        head, _, rest = name.partition(".")
        rest = rest.replace("rdb", "RDB")
        renamed[f"RRDB_trunk.{rest}" if head == "body" else f"{ends.get(head, head)}.{rest}"] = tensor
    return renamed


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[dict[str, Tensor]], object], str]] = {
    "sgrvinod": (Sgrvinod, lambda s: {"epoch": 3, "model": s}, "sgrvinod's SRResNet"),
    "sgrvinod-srgan": (Sgrvinod, lambda s: {f"net.{n}": t for n, t in s.items()}, "sgrvinod's SRResNet"),
    "basicsr": (BasicSR, lambda s: {"params": s}, "BasicSR's MSRResNet"),
    "basicsr-x2": (lambda: BasicSR(scale=2), lambda s: {"params_ema": s, "params": {}}, "BasicSR's MSRResNet"),
    "esrgan": (rrdb, lambda s: {"params_ema": s}, "ESRGAN's RRDBNet"),
    "esrgan-middle": (rrdb, middle_names, "ESRGAN, by spandrel"),
    "esrgan-old": (rrdb, old_names, "ESRGAN, by spandrel"),
    "compiled": (BasicSR, lambda s: {f"module._orig_mod.{n}": t for n, t in s.items()}, "BasicSR's MSRResNet"),
    "compiled-part": (
        BasicSR,
        lambda s: {n.replace("body.0.", "body.0._orig_mod."): t for n, t in s.items()},
        "BasicSR's MSRResNet",
    ),
    "parallel": (BasicSR, lambda s: {f"module.{n}": t for n, t in s.items()}, "BasicSR's MSRResNet"),
}


def need_spandrel() -> None:
    pytest.importorskip("ganvas.inference.importers._torchvision").make_importable()
    pytest.importorskip("spandrel", reason="the extra foreign is not installed")


@pytest.mark.parametrize("name", CASES)
def test_others_are_recognised_and_equal_to_themselves(name: str, tmp_path: Path, cli: Cli) -> None:
    build, packed, kind = CASES[name]
    if "spandrel" in kind:
        need_spandrel()
    network = lively(build())
    path = tmp_path / f"{name}.pth"
    torch.save(packed(network.state_dict()), path)
    pixels = photo(20, 24)
    x = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = network(x)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    upscaler = ganvas.open(path)
    made = upscaler.upscale(pixels.astype(np.float32) / np.float32(255), colour_lock=False)
    assert np.abs(made - expected).max() < 1e-4
    assert upscaler.last is not None
    assert upscaler.last.exact
    if name == "esrgan-old":
        done = cli("convert", str(path), "--out", "converted.safetensors")
        assert done.returncode == 0, done.stderr
        assert kind in done.stdout
        again = ganvas.open(tmp_path / "converted.safetensors").upscale(pixels)
        assert np.array_equal(again, ganvas.open(path).upscale(pixels))
        convert(path, tmp_path / "half.safetensors", half=True)
        assert {t.dtype for t in load_file(tmp_path / "half.safetensors").values()} == {torch.float16}
        assert (tmp_path / "half.safetensors").stat().st_mode == (tmp_path / f"{name}.pth").stat().st_mode


def test_the_compact_network_is_that_of_spandrel(tmp_path: Path) -> None:
    need_spandrel()
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    network = lively(SRVGGNetCompact(num_feat=4, num_conv=2, upscale=2))
    torch.save({"params": network.state_dict()}, tmp_path / "compact.pth")
    upscaler = ganvas.open(tmp_path / "compact.pth")
    pixels = photo(20, 24)
    x = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = network(x)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    made = upscaler.upscale(pixels.astype(np.float32) / np.float32(255), colour_lock=False)
    assert np.abs(made - expected).max() < 1e-4


def test_without_spandrel_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    torch.save(old_names(rrdb().state_dict()), tmp_path / "esrgan.pth")
    with pytest.raises(InputError, match=r"esrgan\.pth cannot be opened.*pip install 'ganvas\[foreign\]'"):
        ganvas.open(tmp_path / "esrgan.pth")


def test_leftthomas_is_as_good_as_it_is_known_to_be() -> None:
    if not LEFTTHOMAS.exists() or not SETS.exists():
        pytest.skip("no shared/data/weights or sr_eval here")
    upscaler = ganvas.open(LEFTTHOMAS)
    assert sum(p.numel() for p in upscaler._exact.network.parameters()) < 734_092  # batch normalisation is folded
    scores = []
    for file in sorted((SETS / "Set5" / "LRx4").iterdir()):
        low = np.asarray(Image.open(file).convert("RGB"))
        high = np.asarray(Image.open(SETS / "Set5" / "HR" / file.name).convert("RGB"))
        made = upscaler.upscale(low, colour_lock=False)
        scores.append(psnr(luma(made), luma(high[: made.shape[0], : made.shape[1]])))
    assert np.mean(scores) == pytest.approx(30.66, abs=0.03)


class Evil:
    """Would write a file if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("form", ["torch", "pickle", "class"])
def test_code_is_refused_and_not_run(form: str, tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "evil.pth"
    if form == "torch":
        torch.save({"params": {"conv_first.weight": torch.zeros(1)}, "extra": Evil()}, path)
    elif form == "class":
        torch.save({"epoch": 1, "model": Sgrvinod()}, path)  # as the tutorial saves it
    else:
        path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match=r"contains code besides weights .* save only the weights: torch\.save"):
        ganvas.open(path)
    assert_refused(cli("convert", str(path), "--out", "x.safetensors"), "contains code", "state_dict")
    assert not Path("ran").exists()
    assert not Path("x.safetensors").exists()


def test_files_that_are_not_checkpoints_are_refused(tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "x.pth"
    torch.save(lively(BasicSR()).state_dict(), path)
    whole = path.read_bytes()
    for content in (b"", b"no checkpoint at all", b"hello\n", whole[:200], whole[:-300]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.pth is damaged or not a checkpoint"):
            ganvas.open(path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(InputError, match=r"x\.pth contains no named weights"):
        ganvas.open(path)
    torch.save({"params": {"fc.weight": torch.zeros(2, 2)}}, path)
    with pytest.raises(InputError, match=r"x\.pth cannot be opened: its network is unknown"):
        ganvas.open(path)
    state = lively(BasicSR()).state_dict()
    del state["conv_hr.weight"]
    torch.save(state, path)
    with pytest.raises(InputError, match=r"it looks like BasicSR's MSRResNet, but its weights do not match"):
        ganvas.open(path)
    torch.save(lively(BasicSR()).state_dict(), path)
    assert_refused(cli("convert", str(path), "--out", "x.onnx"), "x.onnx", ".safetensors")
    assert_refused(cli("convert", "nobody.pth", "--out", "x.safetensors"), "nobody.pth")


def test_plain_safetensors_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file(lively(BasicSR()).state_dict(), path)
    assert ganvas.open(path).scale == 4
    assert read_weights(path).keys() == load_file(path).keys()
    assert len({family.key for family in FAMILIES}) == len(FAMILIES)


def test_a_converted_run_upscales_like_the_run(cli: Cli, tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos", 3)
    train(enlarging(tmp_path / "photos"), name="r", watch=Watch(checkpoint_seconds=1e9))
    done = cli("convert", "runs/r", "--half", "--out", "small.safetensors")
    assert done.returncode == 0, done.stderr
    whole, small = Path("runs/r/model.safetensors"), Path("small.safetensors")
    assert small.stat().st_size < 0.75 * whole.stat().st_size
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    a, b = (ganvas.open(path).upscale(pixels).astype(int) for path in ("runs/r", small))
    assert a.shape == (36, 48, 3)
    assert abs(a - b).max() <= 2
