"""The film strip: pictures of the moments that it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ganvas.data import load
from ganvas.imaging.grid import GAP, HEADING, grid, label_columns, short
from ganvas.imaging.saving import save_png
from ganvas.recipe.sources import Images
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import write_previews
from ganvas.tasks.images.previews import ImagePreviewer
from tests.conftest import tiny


def test_columns_are_spaced_in_time_whatever_previews_there_are() -> None:
    recipe, folder = tiny(), RunFolder("runs/r")
    previewer = ImagePreviewer(recipe, (1, 2), load(Images(source="digits"), size=8, channels=1))
    folder.samples.mkdir(parents=True)
    counts = [0, *range(800, 1001)]
    for count in counts:
        sheet = grid(np.full((2, 8, 8, 1), count // 4, np.uint8), 2)
        save_png(np.concatenate([sheet, sheet], axis=1), folder.sample_path(count))
    write_previews(
        folder.samples,
        [replace(previewer.layout, file=folder.sample_path(c).name, images_seen=c) for c in counts],
    )
    previewer.finish(folder)
    with Image.open(folder.filmstrip) as image:
        strip = np.asarray(image)
    expected = [0, 826, 1000]  # the moments up to 669 have only the first preview
    assert strip.shape[1] == len(expected) * 50 + GAP
    assert strip[HEADING + 10, 10::50].tolist() == [count // 4 for count in expected]
    blank = np.zeros((0, strip.shape[1], 1), np.uint8)
    assert np.array_equal(strip[:HEADING, :, None], label_columns(blank, [short(count) for count in expected]))


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (12_345, "12.3k"), (999_700, "999k"), (1_627_700, "1.63M")]
)
def test_counts_are_short(count: int, text: str) -> None:
    assert short(count) == text
