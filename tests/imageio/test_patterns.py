"""Patterns of names among the files to upscale."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganvas.errors import InputError
from ganvas.imageio.planning import plan


def test_the_name_of_a_folder_is_no_pattern() -> None:
    for name in ("[2023]/a.jpg", "[2023]/b.jpg", "2/c.jpg", "[2023]/in [x]/d.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")

    def found(*patterns: str) -> list[str]:
        return [job.source.as_posix() for job in plan(patterns, Path("out"), "_x4", "").jobs]

    assert found("[2023]/*.jpg") == ["[2023]/a.jpg", "[2023]/b.jpg"]
    assert found(f"{Path.cwd()}/[[]2023]/?.jpg") == [f"{Path.cwd()}/[2023]/a.jpg", f"{Path.cwd()}/[2023]/b.jpg"]
    assert found("[2023]/in [x]/*") == ["[2023]/in [x]/d.jpg"]
    assert found("[0-9]/*.jpg") == ["2/c.jpg"]
    with pytest.raises(InputError, match="no file matches"):
        found("[2023]/*.png")
