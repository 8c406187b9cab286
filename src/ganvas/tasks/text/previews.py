"""Sentences of the same noise, one a line; at the end how some of them changed over time."""

from __future__ import annotations

from ganvas.data.sentences import Text, decode
from ganvas.files import write_text
from ganvas.observers.previews import Previewer
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, at_moments, read_previews
from ganvas.training.run import Run
from ganvas.untrusted import Unreadable, read_bytes

LINES = 24  # sentences of a preview
FOLLOWED, MOMENTS = 4, 12  # sentences that are followed over time
OVER_TIME = "sentences.txt"
LARGEST = 2**20  # bytes of a preview


class SentencesPreviewer(Previewer):
    """Texts of 24 sentences (fixed noise)."""

    def __init__(self, seed: int, text: Text) -> None:
        """`text` names the words."""
        self.text = text
        self.layout = Preview(file="", images_seen=0, kind="text", rows=LINES, gap=0, seed=seed)

    def start(self, run: Run) -> None:
        """Draw the noise."""
        self.inputs = run.recipe.system.inputs(LINES, self.layout.seed)

    def draw(self, run: Run) -> str:
        """One text."""
        rows = run.generate(self.inputs).argmax(2).numpy()
        return "\n".join(self.text.joint.join(words) for words in decode(rows, self.text.words)) + "\n"

    def finish(self, folder: RunFolder) -> None:
        """Write some of the sentences at some moments, early ones closer together."""
        found = [preview for preview in read_previews(folder.samples) if preview.kind == "text"]
        if not found:
            return
        last = found[-1].images_seen
        chosen = at_moments(found, [(step / (MOMENTS - 1)) ** 2 * last for step in range(MOMENTS)])
        moments = [(preview.images_seen, _lines(folder, preview)) for preview in chosen]
        width = len(f"{last:,}")
        blocks = [
            "\n".join(f"{seen:>{width},}  {lines[row]}" for seen, lines in moments if row < len(lines))
            for row in range(FOLLOWED)
        ]
        head = "The same noise over time: sentences seen in training, and what is written after them."
        write_text(folder.path / OVER_TIME, "\n\n".join([head, *blocks]) + "\n")


def last_sentences(folder: RunFolder, count: int) -> list[str]:
    """The first sentences of the last preview."""
    found = [preview for preview in read_previews(folder.samples) if preview.kind == "text"]
    return _lines(folder, found[-1])[:count] if found else []


def _lines(folder: RunFolder, preview: Preview) -> list[str]:
    try:
        content = read_bytes(folder.samples / preview.file, LARGEST)
    except (FileNotFoundError, Unreadable):
        return []
    return content.decode("utf-8", "replace").splitlines()
