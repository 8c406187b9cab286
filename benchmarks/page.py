"""The page of runs in Chromium: python benchmarks/page.py FOLDER

FOLDER is made where it does not exist: 200 runs, of which one has 100,000 log lines and 1,000 sheets. Printed are the
times that a visitor waits for, the sheets a second, and what the server takes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from ganvas.imaging.saving import save_png
from ganvas.recipe.serialization import to_plain
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, write_previews
from ganvas.systems import named_recipe
from ganvas.terminal import print

RUNS, LINES, SHEETS, SECONDS = 200, 100_000, 1_000, 8
LIST = """(async () => {
    const began = performance.now();
    await (await fetch('/api/runs')).text();
    return performance.now() - began;
})()"""
COUNT = """
    window.seen = 0;
    new MutationObserver(() => window.seen++).observe(document.querySelector('.moment output'), { childList: true });
"""


def make(name: str, lines: int, sheets: int) -> None:
    """Write a finished run."""
    folder = RunFolder(Path("runs") / name)
    folder.samples.mkdir(parents=True)
    folder.recipe.write_text(json.dumps(to_plain(named_recipe("dcgan-digits"))))
    with folder.log.open("w") as log:
        for index in range(lines):
            terms = {
                "d/adversarial": 1.2 + (7919 * index) % 101 / 500,
                "g/adversarial": 0.8,
                "d/R1": 0.001 * (index % 50),
            }
            log.write(
                json.dumps({"images": 64 * index, "images_per_second": 1500.0, "data_wait": 0.01, **terms}) + "\n"
            )
    folder.add_event("finished", images=64 * (lines - 1))
    noise, previews = np.random.default_rng(0).integers(0, 256, (404, 820, 1), np.uint8), []
    for index in range(sheets):
        image, path = noise.copy(), folder.sample_path(index * 64)
        image[:, index % 800 : index % 800 + 20] = 255
        save_png(image, path)
        layout = {"rows": 8, "columns": 8, "tile": (48, 48), "zoom": 3, "reals": 8}
        previews.append(Preview(file=path.name, images_seen=index * 64, kind="grid", **layout))  # type: ignore[arg-type]
    write_previews(folder.samples, previews)


def main(argv: Sequence[str]) -> None:
    """Measure, and print lines."""
    folder = Path(argv[0])
    folder.mkdir(exist_ok=True)
    with contextlib.chdir(folder):
        if not Path("runs").exists():
            for index in range(RUNS - 1):
                make(f"run-{index:03d}", 40, 1)
            make("big", LINES, SHEETS)
        words = [sys.executable, "-m", "ganvas", "web", "--no-open", "--port", "0"]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        assert server.stdout
        address = re.search(r"http\S+", server.stdout.readline())
        assert address
        try:
            visit(address[0], server.pid)
        finally:
            began = time.perf_counter()
            server.send_signal(signal.SIGINT)
            server.wait()
            print(f"Ctrl-C: {time.perf_counter() - began:.2f} s; load {os.getloadavg()[0]:.1f}")


def taken(pid: int) -> tuple[float, float]:
    """Processor seconds and resident MB of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def visit(address: str, pid: int) -> None:
    """Visit the page as a person would."""
    home = address.partition("?")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context()
        context.set_default_timeout(120_000)
        page, began = context.new_page(), time.perf_counter()
        page.goto(address)
        page.wait_for_selector(".run")
        print(f"{page.locator('.run').count()} runs shown after {time.perf_counter() - began:.2f} s")
        print(f"their list alone: {page.evaluate(LIST):.0f} ms")
        before = taken(pid)
        page.wait_for_timeout(1000 * SECONDS)
        spent, memory = taken(pid)
        print(f"open and nothing new: {100 * (spent - before[0]) / SECONDS:.2f} % of a core, {memory:.0f} MB")
        for _ in range(2):
            page.goto(f"{home}#/")
            page.wait_for_selector(".run")
            (spent, _), began = taken(pid), time.perf_counter()
            page.get_by_role("link", name="big", exact=True).click()
            page.wait_for_selector(".charts svg")
            cost, memory = taken(pid)
            waited = time.perf_counter() - began
            print(f"{LINES:,} lines drawn after {waited:.2f} s, {cost - spent:.2f} s of the server; {memory:.0f} MB")
        page.get_by_role("slider", name="moment").press("Home")
        page.evaluate(COUNT)
        page.get_by_role("button", name="play").click()
        page.wait_for_timeout(4000)
        print(f"sheets a second: {page.evaluate('window.seen') / 4:.1f}")
        began = time.perf_counter()
        for _ in range(9):
            tab = context.new_page()
            tab.goto(home)
            tab.wait_for_selector(".run")
        print(f"nine further tabs: {time.perf_counter() - began:.1f} s")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
