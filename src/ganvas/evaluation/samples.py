"""The samples that are compared: fakes of a run or of a folder, and the reals they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import ganvas.inference
from ganvas.data import Dataset, load
from ganvas.data.examine import examine
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels
from ganvas.inference.super_resolution import BICUBIC
from ganvas.metrics.measure import Labels
from ganvas.recipe.sources import Images
from ganvas.runs.folder import RunFolder
from ganvas.runs.models import bundled
from ganvas.systems import read_recipe

Split = Literal["train", "held-out", "all"]

FAKES = 2048  # unless said otherwise
MOST = 1_000_000  # fakes in an evaluation: all are held in memory
CHUNK = 4096  # training images in memory at a time


@dataclass(frozen=True)
class Samples:
    """Fakes and reals of one size, and all that is known of them."""

    fakes: NDArray[Any]
    """(N, ...), of any modality; images are uint8 (N, H, W, C)."""
    reals: NDArray[Any]
    """(M, ...)."""
    training: Dataset
    """What was trained on: all of it."""
    held_out: Dataset
    """What was never trained on: all of it."""
    name: str
    """Of the run, or of the source of the fakes."""
    folder: RunFolder | None
    """Of the run, if there is one."""
    state: str
    """Which weights made the fakes: last, best, or a checkpoint's name; "" for fakes of a folder."""
    images_seen: int
    """By these weights; 0 for fakes of a folder."""
    protocol: dict[str, Any]
    """What a figure has to say of the samples."""
    notes: tuple[str, ...] = ()
    """Sentences on what was left out."""
    labels: Labels | None = None
    """The classes of both, where the fakes were made of the reals' classes."""

    def parts(self) -> Iterator[NDArray[Any]]:
        """What was trained on, a part at a time."""
        for start in range(0, len(self.training), CHUNK):
            yield self.training.take(slice(start, start + CHUNK))


def gather(
    source: str | Path,
    against: str = "",
    *,
    fakes: int = 0,
    split: Split = "train",
    seed: int = 0,
    which: Literal["last", "best"] = "last",
    device: str = "cpu",
) -> Samples:
    """Make or read the fakes, and read as many reals.

    Args:
        source: a run's folder, a .safetensors file that ganvas wrote, or any source of pictures.
        against: source of the reals; by default the run's own.
        fakes: how many; 0 is 2,048, or as many as the other side has.
        split: part of the reals.
        seed: of the noise, and of which pictures are taken where there are more.
        which: state of the run.
        device: where to generate.

    Raises:
        InputError: there is nothing to compare, or the pictures have several sizes.
    """
    if not 0 <= fakes <= MOST or seed < 0:
        raise InputError(
            f"{fakes} fakes from seed {seed} cannot be made; give 0 to {MOST:,}, and a seed of at least 0."
        )
    path = Path(source)
    if RunFolder(path).exists() or path.suffix == ".safetensors":
        return _of_run(path, against, fakes, split, seed, which, device)
    return _of_source(str(source), against, fakes, split, seed)


def source_of(source: str | Path) -> str:
    """The source of the pictures that a run, or a model in one, was trained on; empty where there is no run."""
    folder = _run_of(Path(source))
    return str(folder.read_recipe().get("data", {}).get("source", "")) if folder else ""


def _run_of(path: Path) -> RunFolder | None:
    return next((folder for folder in map(RunFolder, (path, *path.parents[:2])) if folder.exists()), None)


def _of_run(
    path: Path, against: str, fakes: int, split: Split, seed: int, which: Literal["last", "best"], device: str
) -> Samples:
    generator = _open(path, which, device)
    channels, size, _ = generator.system.shape
    folder = _run_of(path)
    if folder:
        pictures = read_recipe(folder.read_recipe(), str(folder.recipe)).data
        assert isinstance(pictures, Images)  # as its system makes some
        trained_on = pictures
    elif against:
        pictures = Images(source=against)
    else:
        raise InputError(f"{path} lies in no run, so its pictures are not known; name their source with --against.")
    pictures = replace(pictures, source=against) if against else pictures
    reals, of_reals, training, held_out, protocol = _reals(pictures, size, channels, fakes or FAKES, split, seed)
    known = training.classes
    if folder and against:
        # What may be memorized is what was trained on, whatever else the fakes are compared with.
        own = load(trained_on, size=size, channels=channels, progress=True)
        training, held_out = own.split(trained_on.held_out)
    count = fakes or len(reals)
    labels = None
    if generator.classes and of_reals is not None and known == generator.classes:
        # As often as among the reals, so that no distance comes from other shares of the classes.
        spaced = np.linspace(0, len(of_reals) - 1, count).round().astype(np.int64)
        labels = Labels(known, of_reals[spaced], of_reals)
    made = generator.generate(count, seed, labels.fakes.tolist() if labels else None)
    state = which if path.is_dir() else {"model": "last"}.get(path.stem, path.stem)
    protocol |= {"fakes": len(made), "seed": seed}
    if generator.classes:
        protocol |= {"classes": "as many of each as reals" if labels else "equally many of each"}
    about = generator.name, folder, state, generator.images_seen
    return Samples(made, reals, training, held_out, *about, protocol, labels=labels)


def _open(path: Path, which: Literal["last", "best"], device: str) -> ganvas.inference.Generator:
    """The one place where a model is opened: a generator of images."""
    generator = ganvas.inference.open(path, which=which, device=device)
    if generator.about.inputs != "noise":
        raise InputError(
            f"{path} upscales images, and is scored on originals; give the sets with --on, such as --on Set5."
        )
    if not isinstance(generator, ganvas.inference.Generator):
        raise InputError(
            f"{path} makes points, not images; what is measured of them is in its log and on its sheets (ganvas train"
            " writes both), so evaluate a run on pictures."
        )
    return generator


def _of_source(source: str, against: str, fakes: int, split: Split, seed: int) -> Samples:
    is_name = source in (BICUBIC, *bundled()) and not Path(source).exists()
    if is_name or Path(source).suffix in (".pth", ".pt"):
        raise InputError(
            f"{source} upscales images, and is scored on originals; give the sets with --on, such as --on Set5."
        )
    if not against:
        raise InputError(f"{source} is no run, so there is nothing to hold it against; name real pictures: --against.")
    found = examine(source, progress=True)
    if len(found.sizes) != 1:
        sizes = ", ".join(f"{n:,} of {w} x {h}" for (w, h), n in found.sizes.most_common(3))
        raise InputError(
            f"the pictures in {source} are of {len(found.sizes)} sizes ({sizes or 'none can be used'}); give fakes of"
            " one size, since resizing would be measured too."
        )
    ((width, height),) = found.sizes
    if width != height:
        raise InputError(f"the pictures in {source} are {width} x {height}; give square ones, as ganvas makes them.")
    channels = 1 if set(found.modes) <= {"L", "1"} else 3
    whole = load(Images(source=source), size=width, channels=channels, progress=True)
    count = min(fakes or FAKES, len(whole))
    made = whole.take(_choose(len(whole), count, seed))
    reals, _, training, held_out, protocol = _reals(Images(source=against), width, channels, count, split, seed)
    protocol |= {"fakes": len(made), "seed": seed}
    notes = (f"{len(whole.skipped)} files in {source} cannot be used.",) if whole.skipped else ()
    return Samples(made, reals, training, held_out, whole.name, None, "", 0, protocol, notes)


def _reals(
    pictures: Images, size: int, channels: int, count: int, split: Split, seed: int
) -> tuple[Pixels, NDArray[np.int64] | None, Dataset, Dataset, dict[str, Any]]:
    whole = load(pictures, size=size, channels=channels, progress=True)
    training, held_out = whole.split(pictures.held_out)
    part = {"train": training, "held-out": held_out, "all": whole}[split]
    if not len(part):
        raise InputError(f"{whole.name} has no {split} pictures; give another --split.")
    chosen = _choose(len(part), min(count, len(part)), seed)
    reals = part.take(chosen)
    protocol = {
        "reals": len(reals),
        "source": whole.name,
        "data": whole.fingerprint,
        "split": split,
        "held_out": pictures.held_out,
    }
    return reals, None if part.labels is None else part.labels[chosen], training, held_out, protocol


def _choose(total: int, count: int, seed: int) -> np.ndarray:
    """So many different numbers below `total`, in their order, the same for the same seed."""
    return np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
