"""Train every faulty and every healthy run of the benchmark, two at a time; finished runs are skipped.

python benchmarks/diagnosis/train_runs.py OUT --faces FACES.zip [--treat] [--jobs 2] [--seeds N ...] [--only NAME ...]

--only takes the beginnings of names, KIND.DATA.SEED; of runs in other games and on other data than those that the
thresholds were tuned on it takes whole names, such as plain@relativistic.cifar.0 (with --cifar PICTURES).
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import numpy as np
from faults import FAULTS, HEALTHY, IMAGES, SEEDS, recipe_of

FEW = 200
LOOKS = 40


def names(seeds: list[int]) -> list[str]:
    """All runs, as KIND.DATA.SEED, healthy ones first."""
    kinds = [*HEALTHY, *FAULTS]
    return [f"{kind}.{data}.{seed}" for seed in seeds for kind in kinds for data in ("digits", "faces")]


def train_run(name: str, out: Path, sources: dict[str, str], treat: bool) -> None:
    """Train one run in this process."""
    from ganvas import Host, Images, Steering, Watch, train
    from ganvas.training.loop import Diverged

    kind, data, seed = name.split(".")
    recipe = recipe_of(kind, sources[data], int(seed))
    if kind.startswith("few-pictures"):
        assert isinstance(recipe.data, Images)
        recipe = replace(recipe, data=Images(source=_few(recipe.data.source, recipe.system, out), held_out=0.5))
    if treat:
        recipe = replace(recipe, steering=Steering(mode="treat", every=IMAGES // LOOKS))
    watch = Watch(sample_epochs=0, grid=(4, 4), measure_every=IMAGES // 20, diagnose_every=IMAGES // LOOKS)
    try:
        train(recipe, name=name, watch=watch, host=Host(device="cpu", runs=str(out)))
    except Diverged as error:
        print(error)


def _few(source: str, system: object, out: Path) -> str:
    """A file of 2 x FEW images, half of which are held out."""
    from ganvas.data import load
    from ganvas.recipe.sources import Images

    size, channels = system.size, system.channels  # type: ignore[attr-defined]
    path = out / f"few-{size}.npz"
    if not path.exists():
        few = load(Images(source=source), size=size, channels=channels).spread(2 * FEW)
        part = path.with_suffix(".part.npz")
        np.savez(part, few)
        part.replace(path)
    return str(path)


def main() -> None:
    """Train what is missing, several at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--faces", default="faces.zip")
    parser.add_argument("--cifar", default="cifar10")
    parser.add_argument("--treat", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seeds", nargs="*", type=int, default=SEEDS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in names(given.seeds) if not given.only or any(name.startswith(o) for o in given.only)]
    wanted += [name for name in given.only if "@" in name or ".cifar." in name]
    if given.treat:
        wanted = [name for name in wanted if name.split(".")[0] in FAULTS]
    sources = {"digits": "digits", "faces": given.faces, "cifar": given.cifar}
    began = time.perf_counter()
    with ProcessPoolExecutor(given.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        under_way = {pool.submit(train_run, name, given.out, sources, given.treat): name for name in wanted}
        for done in as_completed(under_way):
            failure = done.exception()
            outcome = f"FAILED: {failure}" if failure else "done"
            print(f"{time.perf_counter() - began:6.0f} s  {under_way[done]}  {outcome}", flush=True)


if __name__ == "__main__":
    main()
