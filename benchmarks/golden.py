"""Prove that a rebuild changes no weight, figure or pixel.

    python benchmarks/golden.py record OUT.json [--only PATTERN]
    python benchmarks/golden.py compare BEFORE.json AFTER.json [--only PATTERN] [--renamed]

Record trains every recipe, shrunk to a second, and variants with what no recipe has, in fp32 and bf16; then it
generates, enlarges, evaluates, diagnoses, compares, studies, tunes and augments. It keeps digests of tensors, numbers
and pixels, which no new name of a module, field, flag or file changes, and beside them names and figures in clear text,
which --renamed lets differ. What tells the time is left out, and so are drawings with words. Digests depend on the
processor and the libraries: both records must come from one machine.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, is_dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
import torch
from PIL import Image, ImageCms
from safetensors.torch import load_file
from sklearn.datasets import load_digits, load_sample_image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import ganvas
from ganvas import Host, Recipe, Study, Watch, named_recipe
from ganvas.cli import main as cli
from ganvas.diagnosis import diagnose
from ganvas.recipe.reconstruction import Perceptual
from ganvas.recipe.serialization import to_plain
from ganvas.runs.record import Record
from ganvas.studies.study import changed, to_text
from ganvas.systems import entries

Facts = dict[str, Any]
Array = np.ndarray[Any, Any]

# All that knows the names of ganvas, to be changed as they are, stands from here to `items`.

TIMES = {"images_per_second", "data_wait", "seconds", "saved_seconds", "observers", "time", "hours"}
LEFT_OUT = TIMES | {"recipe"}  # keys of JSON; a recipe's numbers are items of their own
SETTINGS = {"host.json", "recipe.json", "study.json", "index.json"}
DRAWINGS = {"curves.png", "evaluation.png", "diagnosis.png", "tune.png", "report.png"}
FIGURE = ("measure", "value", "low", "high")
BATCH = 8
SMALL: dict[str, Facts] = {
    "DCGAN": {"g_width": 4, "d_width": 4, "latent": 8},
    "R3GAN": {"size": 16, "widths": [16, 8, 8], "blocks": 1, "group": 8, "latent": 8},
    "MLP": {"size": 8, "g_hidden": [16, 32], "d_hidden": [32, 16]},
    "Toy2DMLP": {"g_hidden": [16, 16], "d_hidden": [16]},
    "SRGAN": {"size": 32, "g_width": 4, "blocks": 1, "d_width": 2, "d_hidden": 8},
}
CHANGES = '["colour","shift","cut","blit","geometry","tone"]'
VARIANTS = {  # a recipe, and fields that differ
    "adaptive": "dcgan-stacked-mnist data.source=digits images=128 penalties.0.gamma=1..0.1@100:cosine"
    " penalties.1.every=3 ema.half_life=0..100@100 augment.flip=true augment.target=0.6 augment.adapt_over=100"
    f" augment.policy={CHANGES} augment.noise=0.1..0@100",
    "differentiable": f"dcgan-digits-classes augment.policy={CHANGES} augment.differentiable=0.3..0.9@64"
    " augment.tone_factor=0.5",
    "treated": "dcgan-digits images=512 objective.saturating=true adam_d.lr=0.02 steering.mode=treat steering.every=16",
    "frozen": "dcgan-digits schedule.freeze_d=[16,32] schedule.freeze_g=[40,56] schedule.g_per_d=2",
    "dropout": "dcgan-digits system.d_norm=spectral system.d_dropout=0.3 objective=LeastSquares adam_d.decoupled=true"
    " adam_d.weight_decay=1e-4 adam_d.lr=1e-3..1e-4@64:step",
    "wasserstein": "dcgan-digits system.d_norm=none system.head=pool objective=Wasserstein schedule.d_per_g=2"
    ' penalties=[{"type":"GradientPenalty"}]',
    "projection": "dcgan-digits-classes system.d_norm=spectral system.g_spectral=true system.attention=8"
    ' objective=Hinge penalties=[{"type":"GradientPenalty","every":2}]',
    "classifier": "dcgan-digits-classes system.conditioning=classifier",
    "r3gan-classes": "r3gan-small system.classes=10",
    "content": "srgan-x4 images=96 schedule.pretrain=24 data.held_out=0.25"
    " reconstruction.0.when=both reconstruction.1.when=both",
    "blind": "srgan-x4 data.degradation=BlindOnce",
    "bilinear": "srgan-x4 data.degradation=Bilinear data.turn=false system.scale=2 system.norm=batch",
    "area": "srgan-x4 data.degradation=Area",
    "begun": "srgan-x4 start=srresnet-x4 system.g_width=64 system.blocks=16 batch_size=2 images=8",
}
WATCHES = {
    "adaptive": Watch(extractor="digits", sample_every=16, keep_every=32, grid=(2, 3), stop_when_past_best=0.9),
    "content": Watch(stop_at_knee=0.3),
}
FP32_ALONE = ("blind",)
COMMANDS = {  # @NAME is the folder of a run in fp32, HERE one for what the command writes
    "generate/pictures": "generate @dcgan-cifar10 -n 12 --grid HERE/grid.png --out HERE/single",
    "generate/walk": "generate @mlp-digits --interpolate --grid HERE/grid.png --out HERE/walk.gif",
    "generate/classes": "generate @dcgan-digits-classes --grid HERE/grid.png",
    "generate/class": "generate @r3gan-classes -n 8 --class 3 --class 5 --grid HERE/grid.png --out HERE/single",
    "generate/points": "generate @mlp-ring --grid HERE/plot.png --out HERE/points.npz",
    "upscale/srresnet": "upscale kinds --out HERE --model srresnet-x4",
    "upscale/srgan": "upscale kinds --out HERE --model srgan-x4",
    "upscale/tiles": "upscale kinds --out HERE --model srgan-x4 --tile 16",
    "upscale/x2": "upscale kinds --out HERE --model srgan-x4 --scale 2 --format webp",
    "upscale/strength": "upscale kinds --out HERE --model srgan-x4 --strength 0.5 --format tiff --no-colour-lock",
    "upscale/run": "upscale kinds --out HERE --model @srgan-g1d1",
    "upscale/tiled-run": "upscale kinds --out HERE --model @srgan-g1d1 --tile 16",
    "evaluate/digits": "evaluate @dcgan-digits --extractor digits --fakes 200 --json HERE/it.json",
    "evaluate/best": "evaluate @adaptive --extractor digits --which best --split held-out --json HERE/it.json",
    "evaluate/classes": "evaluate @projection --extractor digits --fakes 200 --measures per-class --json HERE/it.json",
    "evaluate/default": "evaluate @dcgan-cifar10 --fakes 40 --resize 32 --json HERE/it.json",
    "evaluate/perceptual": "evaluate @dcgan-cifar10 --fakes 16 --measures perceptual --json HERE/it.json",
    "evaluate/folder": "evaluate fakes --against digits --extractor digits --seed 1 --json HERE/it.json",
    "evaluate/features": "evaluate fakes --against digits --fakes 99 --split all --resize 32 --json HERE/it.json",
    "evaluate/photos": "evaluate bicubic srresnet-x4 srgan-x4 @srgan-g1d1 --on photos --json HERE/it.json",
    "study": "study plan.json --device cpu --runs HERE",
    "tune": "tune mlp-digits --images 4000 --batch-size 16 --system.g-hidden 16 32 --search.extractor digits"
    " --search.images 320 --search.factors 1 40 --search.seeds 1 --host.runs HERE --name it",
    "augment": "augment digits --per-class 3 --real-per-class 8 --images 256 --updates 3 --seeds 2 --candidates 2"
    " --no-flips --confidence 0 --copies 0 --out HERE/it",
    "data": f"data pictures --augmented {' '.join(json.loads(CHANGES))} --out HERE/sheet.png",
    "convert": "convert @dcgan-digits --half --out HERE/half.safetensors",
}


@cache
def recipe(name: str) -> Recipe:
    """One that takes a second: narrow, of few batches, with data that are at hand."""
    if name in VARIANTS:
        base, *words = VARIANTS[name].split()
        return changed(recipe(base), {field: _value(text) for field, text in (w.split("=", 1) for w in words)}, name)
    full = named_recipe(name)
    system, data = to_plain(full.system), to_plain(full.data)
    fields = ({"size": min(system["size"], 32)} if "size" in system else {}) | SMALL[system["type"]]
    source = "photos" if data["type"] == "Crops" else "digits" if system.get("channels") == 1 else "pictures"
    images = 8 * BATCH * full.schedule.d_per_g
    changes = {f"system.{field}": value for field, value in fields.items()}
    changes |= {"data.count": 400} if data["type"] == "Mixture2D" else {"data.source": source}
    for index, term in enumerate(full.reconstruction):
        if isinstance(term, Perceptual):
            changes |= {
                f"reconstruction.{index}.extractor": "efficientnet-lite0",
                f"reconstruction.{index}.layer": [1, 1],
            }
    changes |= {"schedule.pretrain": min(full.schedule.pretrain, images // 2), "start": ""}
    return changed(full, changes | {"batch_size": BATCH, "images": images}, name)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@cache
def run(name: str, precision: str = "fp32") -> Path:
    """The folder of a run, trained where it is not yet."""
    watch = replace(WATCHES.get(name, Watch()), checkpoint_seconds=1e9)
    made = changed(recipe(name), {"precision": precision}, name)
    return ganvas.train(made, name=f"{name}-{precision}", watch=watch, host=Host(device="cpu")).folder.path


def trained(name: str, precision: str) -> Facts:
    """All that a run leaves."""
    return facts(run(name, precision))


def at_own_size(name: str) -> Facts:
    """Of a recipe as it is: its numbers, fresh weights, and what these make."""
    full = named_recipe(name)
    torch.manual_seed(0)
    g, d = full.system.generator().eval(), full.system.discriminator().eval()
    weights = [*g.state_dict().values(), *d.state_dict().values()]
    with torch.no_grad():
        made = g(full.system.inputs(1, 0))
        judged = d(made)
    return {"numbers": of_numbers(to_plain(full)), "weights": of_arrays(weights), "made": of_arrays([made, judged])}


def carried_out(name: str) -> Facts:
    """What a command writes; of a study also the comparison."""
    place = Path(tempfile.mkdtemp(dir="."))
    if name == "study":
        asked = {"extractor": "digits", "fakes": 100, "measures": ["kid", "pr"]}
        vary = {"adam_g.lr": [1e-4, 4e-4]}
        study = Study(recipe=recipe("mlp-digits"), name="it", vary=vary, seeds=(0, 1), evaluate=asked)
        Path("plan.json").write_text(to_text(study))
    command(COMMANDS[name].replace("HERE", str(place)))
    return facts(place) | (compared([place / "it"]) if name == "study" else {})


def diagnosed(name: str) -> Facts:
    """The verdicts on a run, with their evidence."""
    command(f"diagnose @{name}")
    found = diagnose(Record(run(name)))
    return {"diagnosis": of_numbers(found), "text": [verdict.name for verdict in found.timeline]}


def compared(runs: list[Path]) -> Facts:
    """The table of a comparison."""
    found = ganvas.compare(runs, out="comparison.html")
    told = [found.columns, found.gains, found.distances, found.end]
    return {"comparison": of_numbers(told), "comparison text": [[c.title, *c.ranks] for c in found.columns]}


def items() -> dict[str, Callable[[], Facts]]:
    """All that is recorded, by name."""
    listed = [entry.name for entry in entries()]
    both = [(name, "fp32") for name in (*listed, *VARIANTS)]
    both += [(name, "bf16") for name, _ in both if name not in FP32_ALONE]
    return {
        **{f"recipe/{name}": partial(at_own_size, name) for name in listed},
        **{f"train/{name}/{precision}": partial(trained, name, precision) for name, precision in both},
        **{name: partial(carried_out, name) for name in COMMANDS},
        "diagnose/pictures": partial(diagnosed, "treated"),
        "diagnose/points": partial(diagnosed, "mlp-grid"),
        "compare": lambda: compared([run("frozen"), run("dropout")]),
    }


def command(line: str) -> None:
    """Run a command line in this process; that extra samples do not help is no failure."""
    words = [str(run(word[1:])) if word.startswith("@") else word for word in line.split()]
    if cli(words) not in (0, 3):
        raise RuntimeError("it failed")


def facts(place: Path) -> Facts:
    """Digests of all files in a folder, kind by kind and in no order, and the names and figures in them."""
    found: dict[str, list[str]] = {"tensors": [], "pixels": [], "pixels about": [], "numbers": []}
    keys: set[str] = set()
    figures, words = [], []
    for path in sorted(path for path in place.rglob("[!.]*.*") if path.name not in SETTINGS | DRAWINGS):
        if path.suffix == ".safetensors":
            found["tensors"].append(of_arrays(load_file(path).values()))
        elif path.suffix == ".npz":
            found["pixels"].append(of_arrays(np.load(path).values()))
        elif path.suffix in (".json", ".jsonl"):
            text = path.read_text()
            plain = [json.loads(part) for part in (text.splitlines() if path.suffix == ".jsonl" else [text])]
            found["numbers"].append(of_numbers(plain))
            keys.update(key for one in each(plain) for key in one)
            figures += [[one.get(key) for key in FIGURE] for one in each(plain) if FIGURE[0] in one]
        elif path.suffix in (".png", ".gif", ".jpg", ".webp", ".tif", ".tiff"):
            picture = pyvips.Image.new_from_file(str(path), **({"n": -1} if path.suffix == ".gif" else {}))
            about = {field: picture.get(field) for field in picture.get_fields()}
            words += [str(about.pop(field)) for field in list(about) if field.startswith(("xmp", "png-comment"))]
            found["pixels"].append(of_arrays([picture.numpy()]))
            found["pixels about"].append(digest(repr([one for one in about.values() if not isinstance(one, str)])))
    told = {"keys text": sorted(keys), "figures text": figures, "words text": sorted(set(words))}
    return {kind: sorted(digests) for kind, digests in found.items()} | told


def each(value: Any) -> Iterator[Facts]:
    """Every object in plain data, outermost first; none in what is left out."""
    if isinstance(value, dict):
        yield value
        value = [item for key, item in value.items() if key not in LEFT_OUT]
    for item in value if isinstance(value, list) else ():
        yield from each(item)


def numbers(value: Any) -> Iterator[float]:
    """Every number in plain data or dataclasses, in order; none in what is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        value = [item for key, item in value.items() if key not in LEFT_OUT]
    if isinstance(value, int | float):
        yield value
    for item in value if isinstance(value, list | tuple) else ():
        yield from numbers(item)


def digest(*parts: str | bytes) -> str:
    """SHA-256 of these, one after the other."""
    return hashlib.sha256(b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)).hexdigest()


def of_numbers(value: Any) -> str:
    """Digest of the fractions in a value, each once and sorted: counts, places and repetitions are a matter of form."""
    fractions = {float(number) for number in numbers(value) if number != number or number % 1}
    return digest(*(f"{number!r}\n" for number in sorted(fractions)))


def of_arrays(arrays: Iterable[Any]) -> str:
    """Digest of arrays' or tensors' types, shapes and contents, whatever their names and order."""
    plain = [np.asarray(array) for array in arrays]
    return digest(*sorted(digest(f"{array.dtype} {array.shape}", array.tobytes()) for array in plain))


def write_data() -> None:
    """Stand-ins cut from scikit-learn's two photographs: pictures in classes, photos, all kinds of files, and fakes."""
    whole = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]

    def cut(index: int, height: int, width: int) -> Array:
        top, left = 37 * index % 200, 53 * index % 300
        found: Array = whole[index % 2][top : top + height, left : left + width]
        return found

    for folder in ("photos", "kinds", "fakes", *(f"pictures/{label}" for label in range(10))):
        Path(folder).mkdir(parents=True)
    for index in range(160):
        Image.fromarray(cut(index, 36 + index % 3, 40)).save(f"pictures/{index % 10}/{index}.png")
    for index in range(4):
        Image.fromarray(cut(index + 2, 84 + index, 96 + 5 * index)).save(f"photos/{index}.png")
    noise = np.random.default_rng(0).normal(0, 12, (400, 8, 8))
    for index, digit in enumerate((load_digits().images[:400] * 255 / 16 + noise).clip(0, 255).astype(np.uint8)):
        Image.fromarray(digit).save(f"fakes/{index}.png")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile[:24] + bytes(12) + profile[36:]  # without the time it was made
    photo = Image.fromarray(cut(5, 40, 56))
    photo.save("kinds/photo.jpg", exif=exif, dpi=(300, 300), icc_profile=profile, quality=95)
    photo.convert("L").save("kinds/grey.png")
    photo.putalpha(Image.radial_gradient("L").resize(photo.size))
    photo.save("kinds/alpha.png", dpi=(72, 72))
    deep = cut(7, 40, 56).astype(np.uint16) * 257
    pyvips.Image.new_from_array(deep).copy(interpretation="rgb16").write_to_file("kinds/deep.png")


def record(out: Path, only: str) -> int:
    """Carry out all items in a folder that is thrown away; one that fails is recorded as an error."""
    began, home, here = time.perf_counter(), Path.cwd(), Path(__file__).resolve().parent
    torch.set_num_threads(1)
    os.environ.update(OMP_NUM_THREADS="1", PYTHONPATH=str(Path(ganvas.__file__).resolve().parents[1]))  # of children
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, cwd=here, capture_output=True, text=True).stdout.strip()
    about: Facts = {**Host().describe(), "numpy": np.__version__, "commit": commit}
    found: dict[str, Facts] = {}
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        os.chdir(place)
        os.environ.update(GANVAS_CACHE=f"{place}/cache", GANVAS_DATA=f"{place}/data")
        write_data()
        wanted = {name: work for name, work in items().items() if re.search(only, name)}
        for count, (name, work) in enumerate(wanted.items(), 1):
            said, start = io.StringIO(), time.perf_counter()
            try:
                with redirect_stdout(said), redirect_stderr(said):
                    found[name] = work()
            except (Exception, SystemExit) as error:
                reasons = [f"error: {type(error).__name__}: {error}", *said.getvalue().strip().splitlines()[-1:]]
                found[name] = {"error": "; ".join(reasons)}
            took = time.perf_counter() - start
            print(f"{count}/{len(wanted)}  {took:5.1f} s  {name}  {found[name].get('error', '')}", flush=True)
        os.chdir(home)
    about["seconds"] = round(time.perf_counter() - began)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"about": about, "items": found}, indent=1) + "\n")
    errors = sum("error" in item for item in found.values())
    print(f"{errors} errors in {len(found)} items, {about['seconds']} s: {out}")
    return 0


def compare(before: Path, after: Path, only: str, renamed: bool) -> int:
    """List every fact that differs, is missing or failed; 1 if there is one."""
    both = [json.loads(path.read_text()) for path in (before, after)]
    for key in ("processor", "system", "python", "torch", "numpy"):
        if len(found := {whole["about"][key] for whole in both}) > 1:
            print(f"digests may differ by {key}: {', '.join(found)}")
    one, other = (
        {f"{name}: {key}": fact for name, item in whole["items"].items() for key, fact in item.items()}
        for whole in both
    )
    differing = [
        key
        for key in dict.fromkeys([*one, *other])
        if re.search(only, key.partition(":")[0])
        and (key.endswith("error") or (one.get(key) != other.get(key) and not (renamed and key.endswith("text"))))
    ]
    for key in differing:
        print(key, *(f"    {str(whole.get(key, 'missing'))[:400]}" for whole in (one, other)), sep="\n")
    print(f"{len(differing)} of {len(one)} and {len(other)} facts differ")
    return 1 if differing else 0


def main() -> int:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("record", "compare"))
    parser.add_argument("files", type=Path, nargs="+", help="one to record, two to compare")
    parser.add_argument("--only", default="", metavar="PATTERN", help="items in whose names it is found")
    parser.add_argument("--renamed", action="store_true", help="let clear text differ")
    given = parser.parse_args()
    if given.verb == "record" and len(given.files) == 1:
        return record(given.files[0], given.only)
    if given.verb == "compare" and len(given.files) == 2:
        return compare(given.files[0], given.files[1], given.only, given.renamed)
    return parser.error("record writes one file, and compare reads two")


if __name__ == "__main__":
    sys.exit(main())
