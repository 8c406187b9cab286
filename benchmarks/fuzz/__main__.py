"""Try thousands of bad inputs on the command line, and judge every answer.

    python -m benchmarks.fuzz [--seed 0] [--cases 2000] [--kinds names links] [--jobs 2] [--out FILE.json]
    python -m benchmarks.fuzz --seed 0 --case names:17
    python -m benchmarks.fuzz --selfcheck

Every case is made from its seed and its name alone, so that ``--case`` makes it again and shows all that it said. A
good answer to bad input is exit code 0, 1 or 2, without 30 s of silence; with 2, one sentence ``ganvas: ...; remedy.``.
It is no traceback and no raw escape byte, leaves no temporary file, and writes only below the current folder and into
ganvas's cache. Prints a table of kinds (largest seconds and MiB in the last columns) and the faults by their place in
the source. Exit code 0 if there are none, else 1; 3 if a case could not be made.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# One thread: a process with several cannot be forked safely.
SURROUNDINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VIPS_CONCURRENCY": "1",
    "PYTHONHASHSEED": "0",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Nothing is downloaded: the port is closed.
    **{f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "ftp", "all")},
}
LATE = (
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "pyarrow.parquet", "pyvips", "rich.console"),
    *("rich.progress", "rich.table", "scipy.linalg", "sklearn.datasets", "spandrel", "tyro", "jinja2"),
    *("ganvas.diagnosis", "ganvas.evaluation", "ganvas.experiment", "ganvas.inference", "ganvas.reports"),
    *("ganvas.imageio.job", "ganvas.imageio.planning", "ganvas.studies", "ganvas.data.examine", "ganvas.tasks"),
)
"""What commands import only when they need it."""


def main() -> int:
    """Parse, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=2000, help="in all, divided among the kinds (default: 2000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of every kind (default: 0)")
    parser.add_argument("--kinds", nargs="+", default=[], metavar="KIND", help="only these (default: all)")
    parser.add_argument("--case", default="", metavar="KIND:N", help="one case, with all that it prints")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once (default: 1)")
    parser.add_argument("--limit", type=float, default=30, help="seconds after which a case hangs (default: 30)")
    parser.add_argument("--out", type=Path, help="JSON file of the table and of all faults")
    parser.add_argument("--selfcheck", action="store_true", help="plant one fault of every kind and see it found")
    given = parser.parse_args()
    alone_in_thread("benchmarks.fuzz")
    if not given.selfcheck:
        preload()
    with tempfile.TemporaryDirectory(prefix="ganvas-fuzz-") as workspace:
        Path(workspace).chmod(0o755)
        if given.selfcheck:
            return _selfcheck(Path(workspace))
        if given.case:
            return _one(given.case, given.seed, given.limit, Path(workspace))
        return _many(given, Path(workspace))


def kinds() -> list[str]:
    """The names of all kinds of input, by their files."""
    from . import kinds as package

    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def alone_in_thread(module: str) -> None:
    """Start this program anew, if needed, with libraries that start no threads and reach no network."""
    if any(os.environ.get(name) != value for name, value in SURROUNDINGS.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **SURROUNDINGS})


def preload() -> None:
    """Import once what every case needs, and what commands import late."""
    import torch

    from ganvas.inference.importers._torchvision import make_importable

    from .forks import expect_one_thread

    torch.set_num_threads(1)
    make_importable()
    from ganvas.cli import VERBS

    for name in (*LATE, *(f"ganvas.cli.{verb}" for verb in VERBS)):
        importlib.import_module(name)
    expect_one_thread()


def _many(given: argparse.Namespace, workspace: Path) -> int:
    names = given.kinds or kinds()
    each = -(-given.cases // len(names))
    cases = [f"{kind}:{given.first + index}" for index in range(each) for kind in names][: given.cases]
    began = time.monotonic()
    tried: Counter[str] = Counter()
    largest: dict[str, tuple[float, int]] = {}
    bad: list[dict[str, Any]] = []
    unmade: list[str] = []
    for name, result in _results(cases, given, workspace):
        kind = name.partition(":")[0]
        if result is None:
            unmade.append(name)
            continue
        tried[kind] += 1
        seconds, memory = largest.get(kind, (0.0, 0))
        largest[kind] = max(seconds, result.answer.seconds), max(memory, result.answer.memory)
        if result.faults:
            bad.append(_plain(result))
        if tried.total() % 50 == 0:
            print(f"{tried.total():,} of {len(cases):,} cases, {len(bad)} bad", file=sys.stderr, flush=True)
    found = {
        "command": f"python -m benchmarks.fuzz {' '.join(sys.argv[1:])}".strip(),
        "commit": _commit(),
        "seconds": round(time.monotonic() - began),
        "kinds": _table(tried, bad, largest),
        "faults": _by_place(bad),
        "bad": bad,
        "unmade": unmade,
    }
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(_summary(found))
    return 3 if unmade else 1 if bad else 0


def _results(cases: Sequence[str], given: argparse.Namespace, workspace: Path) -> Iterator[tuple[str, Any]]:
    """The results in the order in which the cases end; None for one that could not be made."""
    from ganvas.cli import main as ganvas

    from .forks import NotMade, Trial

    waiting, running = list(reversed(cases)), list[Trial]()
    while waiting or running:
        while waiting and len(running) < given.jobs:
            name = waiting.pop()
            try:
                running.append(Trial(name, *_arguments(name, given.seed, workspace), ganvas, given.limit))
            except NotMade as error:
                print(error, file=sys.stderr)
                yield name, None
        for trial in list(running):
            result = trial.poll()
            if result is not None:
                running.remove(trial)
                trial.clear()
                yield trial.name, result
        time.sleep(0.003)


def _arguments(name: str, seed: int, workspace: Path) -> tuple[Any, int, Any]:
    from .forks import NOBODY
    from .ground import Ground
    from .stock import Stock

    stock = workspace / "stock"
    if not stock.exists():
        stock.mkdir()
        if not os.geteuid():
            os.chown(stock, NOBODY, NOBODY)
    kind = name.partition(":")[0]
    if kind not in kinds():
        raise SystemExit(f"there is no kind {kind}; there are {', '.join(kinds())}")
    make = importlib.import_module(f".kinds.{kind}", __package__).make
    return make, seed, Ground(workspace / name.replace(":", "-"), Stock(stock))


def _one(name: str, seed: int, limit: float, workspace: Path) -> int:
    from ganvas.cli import main as ganvas

    from .forks import attempt

    result = attempt(name, *_arguments(name, seed, workspace), ganvas, limit)
    print(f"{name}: {result.attack.what!r}")
    print(f"ganvas {' '.join(map(repr, result.attack.argv))}  {result.attack.environment or ''}")
    print(f"exit code {result.answer.code}, {result.answer.seconds:.1f} s, {result.answer.memory} MiB")
    for title, text in (("stdout", result.answer.out), ("stderr", result.answer.err)):
        print(f"--- {title}\n{text.decode('utf-8', 'backslashreplace')!r}" if text else f"--- no {title}")
    for fault in result.faults:
        print(f"--- {fault.kind}: {fault.where}\n{fault.detail}".encode("utf-8", "backslashreplace").decode())
    print("good" if not result.faults else "bad")
    return 1 if result.faults else 0


def _selfcheck(workspace: Path) -> int:
    """Each planted fault must be found, and only it."""
    from . import planted
    from .forks import attempt
    from .ground import Attack, Ground
    from .stock import Stock

    wrong = 0
    for fault in planted.FAULTS:
        attack = Attack(fault, [fault])
        ground = Ground(workspace / fault, Stock(workspace / "stock"))
        result = attempt(fault, lambda ground, chance, attack=attack: attack, 0, ground, planted.command, 1)  # type: ignore[misc]
        found = [one.kind for one in result.faults] or ["none"]
        wrong += found != [fault]
        print(f"{fault:<10} found {', '.join(found)}")
    print("FAIL" if wrong else "PASS")
    return 1 if wrong else 0


def _plain(result: Any) -> dict[str, Any]:
    return {
        "case": result.name,
        "what": result.attack.what,
        "argv": list(result.attack.argv),
        "code": result.answer.code,
        "seconds": round(result.answer.seconds, 1),
        "memory": result.answer.memory,
        "faults": [{"kind": one.kind, "where": one.where, "detail": one.detail[-3000:]} for one in result.faults],
    }


def _table(tried: Counter[str], bad: list[dict[str, Any]], largest: dict[str, tuple[float, int]]) -> dict[str, Any]:
    from .judge import FAULTS

    rows: dict[str, Any] = {}
    for kind in sorted(tried):
        of_kind = [one for one in bad if one["case"].startswith(kind + ":")]
        counts = {fault: sum(any(f["kind"] == fault for f in one["faults"]) for one in of_kind) for fault in FAULTS}
        seconds, memory = largest[kind]
        rows[kind] = {
            "cases": tried[kind],
            "bad": len(of_kind),
            **counts,
            "seconds": round(seconds, 1),
            "memory": memory,
        }
    return rows


def _by_place(bad: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each different fault once, the most frequent first, with its cases."""
    cases: dict[tuple[str, str], list[str]] = {}
    for one in bad:
        for fault in one["faults"]:
            cases.setdefault((fault["kind"], fault["where"]), []).append(one["case"])
    ordered = sorted(cases.items(), key=lambda entry: (entry[0][0], -len(entry[1])))
    return [{"kind": kind, "where": where, "count": len(names), "cases": names[:8]} for (kind, where), names in ordered]


def _summary(found: dict[str, Any]) -> str:
    from .judge import FAULTS

    heads = ("cases", "bad", *FAULTS, "seconds", "memory")
    rows = [f"| kind | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    rows += [f"| {kind} | {' | '.join(str(row[head]) for head in heads)} |" for kind, row in found["kinds"].items()]
    totals = [sum(row[head] for row in found["kinds"].values()) for head in heads[:-2]]
    rows.append(f"| all | {' | '.join(map(str, totals))} | | |")
    rows += ["", f"`{found['command']}`, commit {found['commit']}, {found['seconds']:,} s", ""]
    rows += [f"- {one['kind']}, {one['count']} times: {one['where']} ({one['cases'][0]})" for one in found["faults"]]
    rows += [f"- not made: {name}" for name in found["unmade"]]
    return "\n".join(rows).encode("utf-8", "backslashreplace").decode()


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
