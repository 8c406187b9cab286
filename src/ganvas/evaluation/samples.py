"""The samples that are compared: fakes of a run or of a folder, and the reals they are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import ganvas.inference
from ganvas.data import Dataset, open_data
from ganvas.data.examine import examine
from ganvas.errors import InputError
from ganvas.evaluation.arrays import Array, Latent, Sampled, choose, dataset_of, sampler_of
from ganvas.evaluation.baselines import BICUBIC
from ganvas.inference.base import Predictor
from ganvas.inference.progress import generating
from ganvas.metrics.likelihood_curve import GAN, LIKELIHOOD
from ganvas.metrics.measure import Labels
from ganvas.recipe import Recipe
from ganvas.recipe.schedule import WHOLE
from ganvas.recipe.sources import Images, Source
from ganvas.recipe.system import System
from ganvas.runs.folder import RunFolder
from ganvas.runs.header import Damaged, read_header
from ganvas.runs.models import PACKAGED, bundled
from ganvas.systems import read_recipe, read_system
from ganvas.tasks import Task, task_of

Split = Literal["train", "held-out", "all"]
Against = str | Dataset

FAKES = 2048  # unless said otherwise
MOST = 1_000_000  # fakes in an evaluation: all are held in memory
CHUNK = 4096  # rows of the training part in memory at a time


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
    """Sentences on what was left out, or decided for the user."""
    labels: Labels | None = None
    """The classes of both, where the fakes were made of the reals' classes."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What the task knows besides, as fields of `Evidence`."""

    def parts(self) -> Iterator[NDArray[Any]]:
        """What was trained on, a part at a time."""
        for start in range(0, len(self.training), CHUNK):
            yield self.training.take(slice(start, start + CHUNK))


def gather(
    source: str | Path | Sampled,
    against: str | Path | Array = "",
    *,
    latent: Latent = 0,
    fakes: int = 0,
    split: Split = "train",
    seed: int = 0,
    which: Literal["last", "best"] = "last",
    device: str = "cpu",
    progress: bool = False,
) -> Samples:
    """Make or read the fakes, and read as many reals.

    Args:
        source: a run's folder, a .safetensors file that ganvas wrote, any source of images, or samples in memory.
        against: source of the reals, or an array of them; by default the run's own.
        latent: see `ganvas.evaluation.arrays.sampler_of`.
        fakes: how many; 0 is 2,048, or as many as the other side has.
        split: part of the reals.
        seed: of the noise, and of which reals are taken where there are more.
        which: state of the run.
        device: where to generate.
        progress: show a bar of what is generated on stderr.

    Raises:
        InputError: there is nothing to compare, or the images have several sizes.
    """
    if not 0 <= fakes <= MOST or seed < 0:
        raise InputError(
            f"--fakes {fakes} and --seed {seed} are out of range; give 0 to {MOST:,} fakes and a seed of at least 0."
        )
    reals = str(against) if isinstance(against, str | Path) else dataset_of(against)
    if not isinstance(source, str | Path):
        return _of_memory(source, latent, reals, fakes, split, seed, device)
    path = Path(source)
    if _is_model(path):
        return _of_model(path, reals, fakes, split, seed, which, device, progress)
    return _of_source(str(source), reals, fakes, split, seed)


def task_of_model(source: object) -> Task | None:
    """The task of a run, or of the model in a file; None for fakes in files or in memory, and for a model of others."""
    if not isinstance(source, str | Path):
        return None
    path = Path(source)
    try:
        return task_of(_system(path)) if _is_model(path) else None
    except Damaged:
        return None  # opening it says what is wrong


def source_of(source: object) -> str:
    """What the data are called that a run, or a model in one, was trained on; empty where there is no run."""
    if not isinstance(source, str | Path):
        return ""
    recipe = _recipe(_run_of(Path(source)))
    return recipe.data.title if recipe else ""


def _is_model(path: Path) -> bool:
    return RunFolder(path).exists() or path.suffix.lower() == ".safetensors"


def _system(path: Path) -> System:
    """The system of the run that a model lies in, or of the model's header."""
    recipe = _recipe(_run_of(path))
    return recipe.system if recipe else read_system(read_header(path)[0]["system"], str(path))


def _run_of(path: Path) -> RunFolder | None:
    return next((folder for folder in map(RunFolder, (path, *path.parents[:2])) if folder.exists()), None)


def _recipe(folder: RunFolder | None) -> Recipe | None:
    return read_recipe(folder.read_recipe(), str(folder.recipe)) if folder else None


def _of_model(
    path: Path,
    against: Against,
    fakes: int,
    split: Split,
    seed: int,
    which: Literal["last", "best"],
    device: str,
    progress: bool,
) -> Samples:
    model = _open(path, which, device)
    system = _system(path)
    task, folder = task_of(system), _run_of(path)
    if against and not task.has_features:
        raise InputError(f"--against {against} names images, and {path} makes {task.unit}; leave it out.")
    recipe = _recipe(folder)
    if not recipe and not against:
        remedy = "name their source with --against" if task.has_features else "give the run's folder"
        raise InputError(f"{path} lies in no run, so the {task.unit} it was trained on are not known; {remedy}.")
    data = recipe.data if recipe else Images(source=str(against))
    compared = against if isinstance(against, Dataset) else _with_source(data, against) if against else data
    reals, of_reals, training, held_out, protocol = _reals(compared, system.shape, fakes or FAKES, split, seed)
    known, read = training.classes, [training]
    if folder and against:
        # What may be memorized is what was trained on, whatever else the fakes are compared with.
        training, held_out = open_data(data, system.shape, progress=True).split(data.held_out)
        read.append(training)
    count = fakes or len(reals)
    labels = None
    if model.classes and of_reals is not None and known == model.classes:
        # As often as among the reals, so that no distance comes from other shares of the classes.
        spaced = np.linspace(0, len(of_reals) - 1, count).round().astype(np.int64)
        labels = Labels(known, of_reals[spaced], of_reals)
    with generating(model, count, show=progress):
        made = model.sample(count, seed, labels.fakes.tolist() if labels else None)
    state = which if path.is_dir() else {"model": "last"}.get(path.stem, path.stem)
    protocol |= {"fakes": len(made), "seed": seed}
    if model.classes:
        protocol |= {"classes": "as many of each as reals" if labels else "equally many of each"}
    about = model.name, folder, state, model.images_seen
    if recipe:
        protocol |= task.protocol(recipe)
    extra = {
        **(task.evidence(recipe) if recipe else {}),
        **model.evidence(made, reals, training, seed),
        **_draws(model, recipe, folder, device, len(made), seed),
    }
    notes = _remarks(*read)
    return Samples(made, reals, training, held_out, *about, protocol, notes, labels=labels, known=extra)


def _draws(
    model: Predictor, recipe: Recipe | None, folder: RunFolder | None, device: str, count: int, seed: int
) -> dict[str, Any]:
    """What draws at any temperature: the model, and the state at the end of its pretraining, if it has gone on."""
    own = model.draws(count, seed)
    if own is None or recipe is None or folder is None:
        return {}
    pretrain = recipe.schedule.pretrain
    if pretrain == WHOLE or model.images_seen <= pretrain:
        return {"draws": {LIKELIHOOD: own}}
    if not folder.pretrained.is_file():
        return {"draws": {GAN: own}}
    before = _open(folder.pretrained, "last", device).draws(count, seed)
    return {"draws": {LIKELIHOOD: before, GAN: own}}


def _open(path: Path, which: Literal["last", "best"], device: str) -> Predictor:
    """The one place where a model is opened: of any modality, as long as it begins at noise."""
    model = ganvas.inference.open(path, which=which, device=device)
    if model.about.inputs != "noise":
        raise InputError(
            f"{path} {model.does}, and is scored on originals; give the sets with --on, such as --on Set5."
        )
    return model


def _with_source(data: Source, against: str) -> Source:
    """Other images, read as the data are."""
    if "source" in {one.name for one in fields(data)}:  # type: ignore[arg-type]
        return replace(data, source=against)  # type: ignore[type-var]
    return Images(source=against, held_out=data.held_out)


def _of_memory(
    source: Sampled, latent: Latent, against: Against, fakes: int, split: Split, seed: int, device: str
) -> Samples:
    name, sample = sampler_of(source, latent, seed, device)
    if isinstance(against, str) and not against:
        raise InputError(f"the reals to compare {name} with are not known; give them, as in against='photos/'.")
    (height, _, channels) = sample(1).shape[1:]
    reals, _, training, held_out, protocol = _reals(
        _images(against), (channels, height, height), fakes or FAKES, split, seed
    )
    made = sample(fakes or len(reals))
    protocol |= {"fakes": len(made), "seed": seed}
    return Samples(made, reals, training, held_out, name, None, "", 0, protocol, _remarks(training))


def _images(against: Against) -> Source | Dataset:
    return against if isinstance(against, Dataset) else Images(source=against)


def _of_source(source: str, against: Against, fakes: int, split: Split, seed: int) -> Samples:
    is_name = source in (BICUBIC, *bundled(), *PACKAGED) and not Path(source).exists()
    if is_name or Path(source).suffix.lower() in (".pth", ".pt", ".param"):
        raise InputError(
            f"{source} upscales images, and is scored on originals; give the sets with --on, such as --on Set5."
        )
    if not against:
        raise InputError(f"{source} is no run, so its reals are not known; name real images with --against.")
    found = examine(source, progress=True)
    if len(found.sizes) != 1:
        sizes = ", ".join(f"{n:,} of {w} x {h}" for (w, h), n in found.sizes.most_common(3))
        raise InputError(
            f"the images in {source} are of {len(found.sizes)} sizes ({sizes or 'none can be used'}); give fakes of"
            " one size, since resizing would be measured too."
        )
    ((width, height),) = found.sizes
    if width != height:
        raise InputError(f"the images in {source} are {width} x {height}; give square ones, as ganvas makes them.")
    grey = all(mode.split()[-1] in ("L", "1") for mode in found.modes)  # as in "PNG L"
    shape = (1 if grey else 3, width, width)
    whole = open_data(Images(source=source), shape, progress=True)
    made = whole.take(choose(len(whole), fakes or FAKES, seed))
    reals, _, training, held_out, protocol = _reals(_images(against), shape, len(made), split, seed)
    protocol |= {"fakes": len(made), "seed": seed}
    return Samples(made, reals, training, held_out, whole.name, None, "", 0, protocol, _remarks(whole, training))


def _remarks(*data: Dataset) -> tuple[str, ...]:
    """What was decided for the user in reading these data, and which files cannot be used."""
    found = [(one.name, remark) for one in data for remark in (*one.notes, one.unusable) if remark]
    return tuple(dict.fromkeys(f"{name}: {remark}." for name, remark in found))


def _reals(
    source: Source | Dataset, shape: tuple[int, ...], count: int, split: Split, seed: int
) -> tuple[NDArray[Any], NDArray[np.int64] | None, Dataset, Dataset, dict[str, Any]]:
    if isinstance(source, Dataset):
        whole, share = source, 0.0
        channels, height, width = shape
        if whole.images.shape[1:] != (height, width, channels):
            theirs = " x ".join(map(str, whole.images.shape[1:]))
            raise InputError(
                f"the reals are {theirs} and the fakes {height} x {width} x {channels} (height x width x channels);"
                " give both alike."
            )
    else:
        whole, share = open_data(source, shape, progress=True), source.held_out
    training, held_out = whole.split(share)
    part = {"train": training, "held-out": held_out, "all": whole}[split]
    if not len(part):
        raise InputError(f"{whole.name} has no {split} {whole.kind}; give another --split.")
    chosen = choose(len(part), count, seed)
    reals = part.take(chosen)
    protocol = {
        "reals": len(reals),
        "source": whole.name,
        "data": whole.fingerprint,
        "split": split,
        "held_out": share,
    }
    return reals, None if part.labels is None else part.labels[chosen], training, held_out, protocol
