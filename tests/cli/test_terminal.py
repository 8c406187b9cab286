"""Text on its way to the terminal: names of strangers are neither markup nor commands, and never end a batch."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from ganvas.cli import main
from ganvas.imaging.lettering import save_chart
from ganvas.reports import compare
from ganvas.terminal import clean
from ganvas.terminal.console import Console
from tests.conftest import Cli, assert_refused
from tests.reports.runs import add_figure, made

NAMES = ("a]", "[b]", "[link=x]y", ":smile:", "a\x1b[31mred", "a\nb", "a\u202egnp", "狗 🐶")


def test_what_a_terminal_obeys_is_shown_as_an_escape() -> None:
    assert clean("a\x1b[2J\r\n\x07\x9b\u2028\u202e\udc80\x00") == r"a\x1b[2J\r\n\x07\x9b\u2028\u202e\udc80\x00"
    for plain in ("狗 🐶 naïve", "[b]", "a\u3000b"):
        assert clean(plain) == plain


@pytest.mark.parametrize("words", [["runs"], ["compare", "runs", "--unfinished"]], ids=" ".join)
def test_names_of_runs_are_printed_as_they_are(cli: Cli, words: list[str]) -> None:
    for index, name in enumerate(NAMES):
        add_figure(made(name, batch_size=16 + index), "F[/b]D", 9.0 + index)
    done = cli(*words)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        assert clean(name) in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    if words[0] == "compare":
        assert "F[/b]D" in done.stdout


def test_values_of_a_recipe_are_printed_as_they_are(cli: Cli) -> None:
    for name in ("a", "b"):
        recipe = made(name).recipe
        plain = json.loads(recipe.read_text())
        plain["start"] = f"[/red]{name}\x1b"
        recipe.write_text(json.dumps(plain))
    printed = io.StringIO()
    from ganvas.cli.compare import show

    show(compare(["runs"]), Console(file=printed, width=200))
    assert "[/red]a\\x1b" in printed.getvalue()


def test_names_of_files_and_classes_are_printed_as_they_are(cli: Cli) -> None:
    for folder in NAMES:
        Path("in", folder).mkdir(parents=True)
        Image.effect_noise((8, 8), 60).save(Path("in", folder, "[b]\x1b.png"))
    Path("in", NAMES[0], "bad\nname.png").write_text("x")
    done = cli("data", "in")
    assert done.returncode == 0, done.stderr
    assert "bad\\nname.png" in done.stdout
    assert "\x1b" not in done.stdout
    for name in NAMES:
        assert f"1 {clean(name)}" in done.stdout


def test_a_refusal_is_one_line_whatever_was_typed(cli: Cli) -> None:
    assert_refused(cli("generate", "runs/\x1b[31m\nred"), "runs/\\x1b[31m\\nred")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_what_the_encoding_lacks_is_escaped(encoding: str) -> None:
    for name, batch in (("狗", 16), ("\udc80", 32)):
        add_figure(made(name, batch_size=batch), "FD", 9.0)
    printed = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    with contextlib.redirect_stdout(printed):
        assert main(["runs"]) == 0
        assert main(["compare", "runs"]) == 0
    shown = printed.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert "\\u72d7" in shown
    assert "\\udc80" in shown


@pytest.mark.parametrize("words", [["train", "--help"], ["upscale", "--help"], ["plan", "mlp-digits", "--help"]])
def test_help_returns_its_exit_code(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert "usage: ganvas" in capsys.readouterr().out


def test_names_are_drawn_as_they_are(cli: Cli) -> None:
    folder = made("a$\\bad$\x1b")
    folder.add_log({"images": 400, "signals": {"auc": 0.9}, "terms": {}, r"d/$\bad$": 1.0})
    done = cli("diagnose", folder.path)
    assert done.returncode == 0, done.stderr
    assert (folder.path / "diagnosis.png").is_file()


def test_names_along_an_axis_are_drawn_as_they_are() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.set_yticks([0, 1], [r"$\bad$", r"a\$b"])
    axes.set_xscale("log")
    axes.set_xlim(1e-9, 1)
    for _ in range(2):
        save_chart(figure, Path("a.png"))
    powers, names = axes.get_xticklabels(), axes.get_yticklabels()
    assert [label.get_text() for label in names] == [r"$\bad$", r"a\$b"]
    assert all(label.get_parse_math() for label in powers)
