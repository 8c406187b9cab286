"""Kill trainings, folders of photos and studies with SIGKILL, again and again, and see that nothing is lost.

    python -m benchmarks.fuzz.kills [--kills 60] [--twice 50] [--only NAME ...] [--seed 0]

Every job runs once undisturbed. Then it is started, killed and started again, half of the time at a random moment, half
of the time while a temporary file is there, and at last left to end. What it then has must equal what the undisturbed
one has: every tensor, every picture bit for bit, the same lines of the log, no file left over. Afterwards one photo is
upscaled by two processes at once, TWICE times: its result must never be seen torn. Exit code 0 if all is well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .__main__ import alone_in_thread, preload
from .forks import fork, give_away
from .stock import photograph

CHAIN = 5  # kills of one folder before its job may end
Facts = dict[str, str]


@dataclass(frozen=True)
class Job:
    """A command that can be started again after a kill."""

    words: Sequence[str]
    prepare: Callable[[Path], None] = lambda folder: None
    stops: bool = False
    """Whether its runs stop by themselves when it is killed; what they then save and show is no fault."""


def _photos(folder: Path, side: int = 40) -> None:
    (folder / "photos").mkdir()
    for index in range(8):
        ending = (".png", ".jpg", ".webp", ".tif")[index % 4]
        photograph(side + 3 * index, side + 2 * index, index).save(folder / "photos" / f"{index}{ending}")


def _study(folder: Path) -> None:
    fields = {"images": 160, "system.g_hidden": [16], "system.d_hidden": [16]}
    plain = {"recipe": "mlp-digits", "set": fields, "seeds": [0, 1]}
    (folder / "s.json").write_text(json.dumps(plain), encoding="utf-8")


_SMALL = ("--system.g-width", "4", "--system.d-width", "4")
_MLP = ("--system.g-hidden", "16", "--system.d-hidden", "16")
_ENLARGING = (
    *("--start=", "--system.size", "32", "--system.g-width", "4", "--system.blocks", "1", "--system.d-width", "2"),
    *("--system.d-hidden", "8", "--data.source", "photos", "--batch-size", "4", "--images", "48"),
)
JOBS = {
    "mlp": Job(("train", "mlp-digits", "--name", "r", "--images", "1920", *_MLP)),
    "dcgan": Job(("train", "dcgan-digits", "--name", "r", "--images", "1280", *_SMALL)),
    "srgan": Job(("train", "srgan-x4", "--name", "r", *_ENLARGING), _photos),
    "folder": Job(("upscale", "photos", "--out", "o", "--model", "srresnet-x4"), lambda folder: _photos(folder, 12)),
    "study": Job(("study", "s.json"), _study, stops=True),
}


def facts(folder: Path) -> Facts:
    """What a job has made: digests of tensors and pictures, and the lines of its logs without times."""
    from safetensors.numpy import load_file

    found: Facts = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name.endswith(".part"):
            found[f"left over: {name}"] = ""
        elif path.suffix == ".safetensors" and not _is_spare(path):
            for tensor, values in load_file(path).items():
                found[f"{name} {tensor}"] = hashlib.sha1(values.tobytes()).hexdigest()
        elif path.name == "log.jsonl":
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found[name] = str(
                [{key: line[key] for key in sorted(line) if "/" in key or key == "images"} for line in lines]
            )
        elif path.name == ".ganvas-upscale.jsonl":
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found[name] = str(sorted(line["source"] for line in lines if line["status"] == "done"))
        elif path.parent.name in ("samples", "o") and path.is_file() and path.suffix != ".json":
            found[name] = hashlib.sha1(path.read_bytes()).hexdigest()
    return found


def _is_spare(state: Path) -> bool:
    """Whether a newer state is there; a run that stopped in between keeps that one as well."""
    return state.stem.isdecimal() and any(
        other.stem.isdecimal() and other.stem > state.stem for other in state.parent.glob("*.safetensors")
    )


def start(words: Sequence[str], folder: Path) -> int:
    """Run a command of ganvas in a forked process."""

    def child() -> int:
        from ganvas.cli import main

        for number, name in ((0, os.devnull), (1, "said"), (2, "said")):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
            os.dup2(os.open(folder.parent / name if number else name, flags), number)
        os.environ["HOME"] = str(folder.parent)
        os.chdir(folder)
        code = main(list(words))
        sys.stdout.flush()
        return code

    return fork(child)


def ended(process: int) -> int | None:
    """The exit code of a process; None while it runs."""
    done, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def to_its_end(words: Sequence[str], folder: Path) -> float:
    """Run a command to its end; its seconds.

    Raises:
        RuntimeError: it failed.
    """
    began = time.monotonic()
    process = start(words, folder)
    while (code := ended(process)) is None:
        time.sleep(0.005)
    if code:
        said = (folder.parent / "said").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"ganvas {' '.join(words)} ended with {code}: {said[-1500:]}")
    return time.monotonic() - began


def killed(words: Sequence[str], folder: Path, seconds: float, chance: Random) -> bool:
    """Start a command and kill it at a moment within its usual seconds; whether that found it at work."""
    process, began = start(words, folder), time.monotonic()
    at = chance.uniform(0, seconds)
    while_writing = chance.random() < 0.5
    while runs := ended(process) is None:
        if time.monotonic() - began >= at and (not while_writing or _is_writing(folder)):
            break
        time.sleep(0.001)
    if not runs:
        return False
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return True


def _is_writing(folder: Path) -> bool:
    return any(name.endswith(".part") for _, _, files in os.walk(folder) for name in files)


def new(workspace: Path, job: Job) -> Path:
    """A fresh folder with what the job needs."""
    above = Path(tempfile.mkdtemp(dir=workspace))
    folder = above / "place"
    folder.mkdir()
    job.prepare(folder)
    for path in (above, *above.rglob("*")):
        if path.is_dir():
            give_away(path)
    return folder


def kill_often(name: str, kills: int, chance: Random, workspace: Path) -> int:
    """Kill a job so often, a few times a folder; how many folders ended differently from the undisturbed one."""
    job = JOBS[name]
    whole = new(workspace, job)
    seconds = to_its_end(job.words, whole)
    expected = facts(whole)
    hits = folders = bad = 0
    while hits < kills:
        folder = new(workspace, job)
        for _ in range(CHAIN):
            hit = killed(job.words, folder, seconds, chance)
            hits += hit
            if not hit or hits >= kills:
                break
        folders += 1
        try:
            to_its_end(job.words, folder)
            found = facts(folder)
            shown = {key for key in found.keys() - expected.keys() if job.stops and "/samples/" in key}
            wrong = sorted(key for key in expected.keys() | found.keys() - shown if expected.get(key) != found.get(key))
        except RuntimeError as error:
            wrong = [str(error)]
        bad += bool(wrong)
        for line in wrong[:5]:
            print(f"  {name}: {line}", flush=True)
        shutil.rmtree(folder.parent, ignore_errors=True)
    print(f"| {name} | {seconds:.1f} | {hits} | {folders} | {bad} |", flush=True)
    return bad


def twice_at_once(times: int, chance: Random, workspace: Path) -> int:
    """Upscale one photo by two processes at once; how often its result was torn, missing or wrong."""
    words = ("upscale", "p.png", "--model", "srresnet-x4")
    job = Job(words, lambda folder: photograph(40, 30).save(folder / "p.png"))
    whole = new(workspace, job)
    seconds = to_its_end(words, whole)
    expected = (whole / "p_x4.png").read_bytes()
    torn = 0
    for _ in range(times):
        folder = new(workspace, job)
        result = folder / "p_x4.png"
        processes = [start(words, folder)]
        time.sleep(chance.uniform(0, seconds))
        processes.append(start(words, folder))
        codes: dict[int, int] = {}
        whole_so_far = True
        while len(codes) < 2:
            if result.exists():
                whole_so_far &= result.read_bytes() == expected
            codes |= {one: code for one in processes if one not in codes and (code := ended(one)) is not None}
            time.sleep(0.001)
        left = [path.name for path in folder.iterdir() if path.name.endswith(".part")]
        sound = whole_so_far and result.exists() and result.read_bytes() == expected and 0 in codes.values()
        if left or not sound:
            torn += 1
            print(f"  at once: whole {sound}, exit codes {sorted(codes.values())}, left over {left}", flush=True)
        shutil.rmtree(folder.parent, ignore_errors=True)
    print(f"\nOne photo by two processes at once, {times} times: {torn} torn, missing or with files left over")
    return torn


def main() -> int:
    """Kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60, help="in all, divided among the jobs (default: 60)")
    parser.add_argument("--twice", type=int, default=50, help="upscales of one photo by two at once (default: 50)")
    parser.add_argument("--only", nargs="+", choices=[*JOBS], default=[*JOBS], help="jobs (default: all)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    alone_in_thread("benchmarks.fuzz.kills")
    preload()
    chance = Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="ganvas-kills-") as name:
        workspace = Path(name)
        give_away(workspace)
        print("| job | undisturbed, s | kills that found it at work | folders | ended differently |")
        print("|---|--:|--:|--:|--:|", flush=True)
        each = -(-given.kills // len(given.only))
        bad = sum(kill_often(job, each, chance, workspace) for job in given.only) if given.kills else 0
        bad += twice_at_once(given.twice, chance, workspace) if given.twice else 0
    print("FAIL" if bad else "PASS")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
