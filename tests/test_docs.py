"""The pages are true: their code runs, their commands parse, their tables and links hold.

A block ```python runs as it stands, in a folder where the run runs/dcgan-digits is finished; ```python file=NAME.py is
a file in the folder that GANVAS_SYSTEMS names. Commands in ```bash are parsed; those of add-a-gan.md and extend.md run.
"""

from __future__ import annotations

import argparse
import ast
import graphlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from markdown_it import MarkdownIt

from ganvas import Watch, cli
from ganvas.cli import _flags
from ganvas.experiment import cost
from ganvas.studies import read_study
from ganvas.systems.dcgan import DCGAN
from tests.conftest import ROOT, Cli, TrainedRun, tiny, write_photographs
from tests.processes import Forked

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
ADD_A_GAN, EXTEND = ROOT / "docs" / "add-a-gan.md", ROOT / "docs" / "extend.md"


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    about: str
    text: str


def blocks(page: Path, language: str = "") -> list[Block]:
    """The blocks of a page, in its order."""
    found = re.findall(r"^( *)```([^\s`][^\n]*)\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [Block(page, about, text) for _, about, text in found if about.startswith(language)]


def commands(page: Path) -> Iterator[list[str]]:
    """The words after ``ganvas`` of every command in a page's bash blocks."""
    for block in blocks(page, "bash"):
        for command in re.split(r"\n|&&", block.text):
            words = shlex.split(command)
            if words and Path(words[0]).name == "ganvas":
                yield words[1:]


def table(page: Path, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first`, without its head."""
    _, rest = page.read_text(encoding="utf-8").split(f"\n| {first} |", 1)
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


PYTHON = [block for page in PAGES for block in blocks(page, "python")]
RUNNABLE = [block for block in PYTHON if block.about == "python"]
COMMANDS = [words for page in PAGES if page not in (ADD_A_GAN, EXTEND) for words in commands(page)]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.page.stem)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block.page), "exec")


@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: block.page.stem)
def test_python_runs(block: Block, trained_run: TrainedRun) -> None:
    recipe = tiny("dcgan", system=DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=12), images=16)
    trained_run(recipe, Watch(grid=(2, 2)), "dcgan-digits")
    exec(compile(block.text, str(block.page), "exec"), {})


class Parsed(Exception):
    """A command line was understood."""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_parse(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    recipes, arguments = _flags.parse_as, argparse.ArgumentParser.parse_args

    def parse_recipe(kind: type[_flags.Common], verb: str, argv: list[str]) -> None:
        recipes(kind, verb, argv)
        raise Parsed

    def parse_args(parser: argparse.ArgumentParser, argv: list[str]) -> None:
        arguments(parser, argv)
        raise Parsed

    if words[0] in ("train", "plan", "tune"):
        monkeypatch.setattr(_flags, "parse_as", parse_recipe)
    else:
        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    with pytest.raises(Parsed):
        pytest.fail(f"exit code {cli.main(words)}: {capsys.readouterr().err}")


def all_in_turn(asked: list[list[str]]) -> None:
    cost.SECONDS = 0.2
    for words in asked:
        assert cli.main(words) == 0, words


def run_page(page: Path, folder: str, more: dict[str, list[str]]) -> str:
    """Save a page's files in the folder and run its commands; what they print.

    Args:
        more: words to add to the commands that begin so, to make them quick.
    """
    Path(folder).mkdir()
    for block in blocks(page, "python file="):
        (Path(folder) / block.about.removeprefix("python file=")).write_text(block.text, encoding="utf-8")
    asked = [
        [*words, *next((m for start, m in more.items() if " ".join(words).startswith(start)), [])]
        for words in commands(page)
    ]
    # In a process of their own, since the variable is read once.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_SYSTEMS", folder)
        code, printed = Forked(all_in_turn, asked).ended()
    assert code == 0, printed
    return printed


def test_a_gan_in_one_file(tmp_path: Path) -> None:
    printed = run_page(
        ADD_A_GAN, "gans", {"train": ["--images", "128", "--batch-size", "16", "--watch.grid", "2", "2"]}
    )
    for shown in ("resizeconv  (Miyato et al. 2018", "resizeconv-digits", "dcgan-digits-ls", "Upsample"):
        assert shown in printed
    assert (tmp_path / "fakes.png").is_file()
    assert (tmp_path / "runs" / "resizeconv-digits" / "model.safetensors").is_file()


def test_every_extension_in_one_file(tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos", 3)
    narrow = ["--system.g-width", "4", "--batch-size", "16", "--watch.grid", "2", "2"]
    printed = run_page(
        EXTEND,
        "parts",
        {
            "train dcgan": [*narrow, "--system.d-width", "4", "--images", "96"],
            "train srresnet": [*narrow, "--system.size", "32", "--system.blocks", "1", "--images", "32"],
            "train waves": ["--images", "640"],
            "evaluate runs/extended": ["--fakes", "60"],
        },
    )
    recipes, logs = (
        {run.name: (run / file).read_text() for run in (tmp_path / "runs").iterdir()}
        for file in ("recipe.json", "log.jsonl")
    )
    for run, words in {
        "extended": ["Margins", "Leash"],
        "srresnet-x4": ["Edges", "Dimmed"],
        "dcgan-stripes": ["Stripes"],
        "waves": ["Perceptrons", "Waves"],
    }.items():
        assert all(word in recipes[run] for word in words)
    for run, word in {"extended": "thumbnails", "srresnet-x4": "g/Edges", "waves": "SWD"}.items():
        assert word in logs[run]
    for word in ("contrast", "averaged to 4 px, grey", "nearness", "SWD"):
        assert word in printed
    with np.load(tmp_path / "waves.npz") as made:
        assert made["signals"].shape == (100, 16)


def test_the_fair_comparison_runs(cli: Cli, tmp_path: Path) -> None:
    (block,) = blocks(ROOT / "docs" / "compare.md", "json file=")
    plan = json.loads(block.text)
    small = {"system.g_width": 4, "system.d_width": 4, "batch_size": 32, "data.held_out": 0.5}
    judged = {**plan["evaluate"], "fakes": 100, "measures": ["kid"]}
    shown = {**plan, "set": small, "vary": {"adam_d.lr": [2e-4]}, "seeds": [0], "at": [1], "evaluate": judged}
    name = block.about.removeprefix("json file=")
    (tmp_path / name).write_text(json.dumps(shown), encoding="utf-8")
    done = cli("study", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("comparison.html")
    assert "KID ↓ last" in done.stdout
    (tmp_path / "whole.json").write_text(block.text, encoding="utf-8")
    assert len(read_study(tmp_path / "whole.json").runs()) == 6


def test_the_table_of_verbs_is_complete() -> None:
    for page, head in ((ENGLISH, "verb"), (CHINESE, "子命令")):
        assert sorted(row[0] for row in table(page, head)) == sorted(f"`ganvas {verb}`" for verb in cli.VERBS)


def test_the_table_of_rooms_holds() -> None:
    source = ROOT / "src" / "ganvas"
    rooms = [row[0].strip("`") for row in table(ROOT / "ARCHITECTURE.md", "room")]
    there = {file.stem for file in source.glob("[a-z]*.py")} | {
        init.parent.name for init in source.glob("*/__init__.py")
    }
    assert set(rooms) == there
    for file in source.rglob("*.py"):
        room = file.relative_to(source).parts[0].removesuffix(".py")
        for imported in _imported(file) if room in rooms else ():
            assert rooms.index(imported) <= rooms.index(room), f"{file} imports {imported}"


def test_all_output_and_all_json_go_one_way() -> None:
    """Nothing but `terminal` prints or makes a console, and nothing but `untrusted` parses JSON."""
    source = ROOT / "src" / "ganvas"
    for file in source.rglob("*.py"):
        room = file.relative_to(source).parts[0].removesuffix(".py")
        if room == "terminal":
            continue
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        imported = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        assert "print" not in called or imported["print"] == "ganvas.terminal.print", file
        makes = "Console" in called or imported.get("track")
        assert not makes or "ganvas.terminal" in " ".join(imported.values()), f"{file} prints by a console of its own"
        assert room == "untrusted" or not called & {"json.loads", "json.load"}, f"{file} parses JSON"


def test_no_imports_run_in_a_circle() -> None:
    source = ROOT / "src" / "ganvas"
    files = {".".join(file.relative_to(source.parent).with_suffix("").parts): file for file in source.rglob("*.py")}
    files = {name.removesuffix(".__init__"): file for name, file in files.items()}
    del files["ganvas"]  # from which others take the version alone
    graph = {name: _modules(file) & set(files) - {name} for name, file in files.items()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(files) > 200


def _modules(file: Path) -> set[str]:
    """The modules that a file imports anywhere: of ``from a import b`` both a and a.b."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    return {name for node in nodes for one in node.names for name in (node.module or "", f"{node.module}.{one.name}")}


def _imported(file: Path) -> set[str]:
    """The rooms that a file imports anywhere, in functions and for annotations alone too."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    modules += [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("ganvas.")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in map(_anchor, headings(file)), f"{page.name} links to {link}"


def headings(page: Path) -> list[str]:
    """A page's headings with their marks, code left out."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"^#+ .*$", text, re.M)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def test_the_chinese_readme_is_the_whole_readme() -> None:
    def shape(page: Path) -> tuple[list[int], list[tuple[str, str]], list[str]]:
        levels = [len(heading.split()[0]) for heading in headings(page)]
        code = [(block.about, block.text) for block in blocks(page) if block.about != "text"]
        text = page.read_text(encoding="utf-8").replace("(docs/zh-CN/", "(docs/")
        links = re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", text)
        return levels, code, [link for link in links if not link.startswith("README")]

    assert shape(ENGLISH) == shape(CHINESE)
    assert [len(b.text.splitlines()) for b in blocks(ENGLISH)] == [len(b.text.splitlines()) for b in blocks(CHINESE)]


TRANSLATED = sorted((ROOT / "docs" / "zh-CN").glob("*.md"))


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)
def test_a_translated_page_has_the_parts_of_its_original_and_a_line_for_each_paragraph(page: Path) -> None:
    original = ROOT / "docs" / page.name
    markdown = MarkdownIt("commonmark").enable("table")

    def parts(page: Path) -> list[str]:
        return [part.type + part.tag for part in markdown.parse(page.read_text(encoding="utf-8"))]

    assert parts(page) == parts(original)
    assert f"(zh-CN/{page.name})" in original.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert not re.search(r"[\u3002\uff0c\uff1b\uff1a]\n[\u4e00-\u9fff]", text), "a paragraph is broken into lines"
    # CommonMark neither begins nor ends bold text between a full stop and a character.
    shown = re.sub(r"<code>.*?</code>", "", markdown.render(text))
    assert "**" not in shown


def test_every_system_and_decision_has_its_page() -> None:
    systems = {path.stem for path in (ROOT / "src" / "ganvas" / "systems").glob("[a-z]*")}
    assert {page.stem for page in (ROOT / "docs" / "systems").glob("*.md")} == systems
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    for page in decisions:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]}: ")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Price"))
