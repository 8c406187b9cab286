"""What only reads runs loads no torch: the answer comes before torch would have been imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports.runs import add_figure, add_previews, made

SCRIPT = """
import sys
from ganvas.cli import main
code = main(sys.argv[1:])
loaded = sorted({"torch", "torchvision", "sklearn"} & set(sys.modules))
sys.exit(code or (f"loaded {loaded}" if loaded else 0))
"""


def runs() -> None:
    for name, batch in (("a", 16), ("b", 32)):
        folder = made(name, batch_size=batch)
        add_figure(folder, "FD", 9.0)
        add_previews(folder)
        folder.add_log({"images": 400, "signals": {"auc": 0.9}, "terms": {}})


@pytest.mark.parametrize(
    "words",
    [["runs"], ["list"], ["compare", "runs"], ["diagnose", "runs/a"], ["report", "runs/a"]],
    ids=lambda words: words[0],
)
def test_no_torch_is_loaded(words: list[str]) -> None:
    runs()
    done = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_answer_comes_before_the_image(capsys: pytest.CaptureFixture[str]) -> None:
    from ganvas.cli import main

    runs()
    Path("file").write_text("")
    for words, answer in (
        (["diagnose", "runs/a", "--out", "file/x.png"], "too early to tell"),
        (["compare", "runs", "--out", "file/x.html"], "FD"),
    ):
        assert main(words) == 2
        printed = capsys.readouterr()
        assert answer in printed.out
        assert "file/x" in printed.err


REFUSED = {
    "upscale nope.jpg": "nope.jpg does not exist",
    "generate runs/nope": "there is no runs/nope",
    "evaluate runs/nope": "there is no runs/nope",
    "train dcgan-digits --data no/where": "there is no dataset 'no/where'",
    "plan dcgan-digits --data no/where": "there is no dataset 'no/where'",
    "tune dcgan-digits --data no/where": "there is no dataset 'no/where'",
    "augment no/where --per-class 5 --out x": "there is no dataset 'no/where'",
    "study nope.json": "there is no file nope.json",
    "train dcgan-digits --batch-size 1": "--batch-size 1 is too small",
}


def test_a_wrong_path_is_refused_without_torch() -> None:
    script = f"import sys\nfrom ganvas.cli import main\nfor words in {list(REFUSED)}: print(main(words.split()))\n"
    script += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["2"] * len(REFUSED) + ["False"]
    for line, words in zip(done.stderr.splitlines(), REFUSED.values(), strict=True):
        assert words in line
