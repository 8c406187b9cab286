"""Files in GANVAS_SYSTEMS: whatever is wrong with one, the message names the variable and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganvas import systems
from ganvas.systems import entries, load_systems
from tests.conftest import Cli, assert_refused

BROKEN = {
    "no Python": ("def", "SyntaxError", "line 1"),
    "no text": ("\0", "null bytes", ""),
    "that fails": ("\n1 / 0\n", "ZeroDivisionError", "line 2"),
    "that exits": ("import sys; sys.exit(3)", "SystemExit", "line 1"),
    "that lacks something": ("import nowhere_at_all", "ModuleNotFoundError", "nowhere_at_all"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What GANVAS_SYSTEMS names, as if it had been set when ganvas was imported."""
    monkeypatch.setattr(systems, "FOLDERS", [str(tmp_path / "gans")])
    monkeypatch.setattr(systems, "__path__", [*systems.__path__, str(tmp_path / "gans")])
    return tmp_path / "gans"


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named(case: str, folder: Path, cli: Cli) -> None:
    folder.mkdir()
    text, *expected = BROKEN[case]
    (folder / "broken_gan.py").write_text(text)
    assert_refused(cli("evaluate", "digits"), "GANVAS_SYSTEMS", "gans/broken_gan.py", "correct it", *expected)
    if case.startswith("no"):
        assert_refused(cli("list"), "GANVAS_SYSTEMS", "gans/broken_gan.py")


def test_a_missing_folder_is_named(folder: Path, cli: Cli) -> None:
    for words in (["list"], ["train", "dcgan-digits"], ["evaluate", "digits"]):
        assert_refused(cli(*words), "GANVAS_SYSTEMS", "gans", "does not exist")


def test_an_error_of_ganvas_itself_is_none_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "_files", lambda: [("nowhere", Path(systems.__path__[0]) / "nowhere.py")])
    with pytest.raises(ModuleNotFoundError):
        load_systems()
    with pytest.raises(FileNotFoundError):
        entries()
