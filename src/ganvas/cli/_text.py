"""Inspect sentences before training: ganvas data sentences.txt"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

from ganvas.cli._parser import Parser

ENDINGS = (".txt", ".csv", ".tsv", ".jsonl")
SHOWN = 8  # sentences, words and copies
LEVELS = ("word", "character")


def asked(argv: list[str]) -> bool:
    """Whether the source is one of sentences: by its name, the ending of its files, or a flag for sentences."""
    from ganvas.data.sentences import BUNDLED

    if any(word.split("=")[0] in ("--level", "--length", "--words") for word in argv):
        return True
    source = next((word for word in argv if not word.startswith("-")), "")
    if source in BUNDLED or Path(source).suffix.lower() in ENDINGS:
        return True
    if not source or not Path(source).is_dir():
        return False
    files = [file for file in Path(source).iterdir() if not file.name.startswith(".")]
    return bool(files) and all(file.suffix.lower() == ".txt" for file in files)


def main(argv: list[str]) -> int:
    """Run ``ganvas data FILE.txt``."""
    parser = Parser("ganvas data", description=__doc__)
    parser.add_argument("source", help="tiny, a text file, a folder of them, or a csv, tsv, parquet or jsonl file")
    parser.add_argument("--column", default="", help="column of a table with the sentences")
    parser.add_argument("--level", choices=LEVELS, default="word", help="words or characters (default: word)")
    parser.add_argument("--length", type=int, default=20, help="longest sentence that a recipe takes (default: 20)")
    parser.add_argument("--words", type=int, default=2_450, help="size of a recipe's vocabulary (default: 2450)")
    arguments = parser.parse_args(argv)
    from ganvas.data import open_data
    from ganvas.data.sentences import Text, is_unspaced, read_corpus
    from ganvas.errors import InputError
    from ganvas.recipe.text import SPECIAL, UNKNOWN, Sentences
    from ganvas.terminal.console import Console

    if not 1 <= arguments.length <= 2_000 or arguments.words < len(SPECIAL) + 1:
        raise InputError(
            f"--length {arguments.length} must lie in 1..2000, and --words {arguments.words} be at least"
            f" {len(SPECIAL) + 1}."
        )
    source = Sentences(source=arguments.source, column=arguments.column, level=arguments.level)
    console = Console(highlight=False, soft_wrap=True, markup=False)

    def report(title: str, lines: list[str]) -> None:
        for index, line in enumerate(lines):
            console.print(f"{title if index == 0 else '':<12}{line}")

    text = open_data(source, (arguments.length + 1, arguments.words))
    assert isinstance(text, Text)
    corpus = read_corpus(source)
    sentences, unit = corpus.sentences, f"{source.level}s"
    report("source", [f"{corpus.name}: {len(sentences):,} sentences by {unit}"])
    report("read as", [*corpus.notes])
    report("unusable", [f"{bad.name}: {bad.reason}" for bad in corpus.skipped[:SHOWN]])
    lengths = sorted(map(len, sentences))
    at = [lengths[round(share * (len(lengths) - 1))] for share in (0, 0.5, 0.95, 0.99, 1)]
    report("lengths", ["{} minimum, {} median, {} at 95 %, {} at 99 %, {} maximum".format(*at)])
    longer = sum(length > arguments.length for length in lengths)
    report("longer", [f"{longer:,} than {arguments.length} {unit} ({longer / len(lengths):.1%})"])
    copies = [(words, count) for words, count in Counter(sentences).most_common(SHOWN) if count > 1]
    surplus = len(sentences) - len(set(sentences))
    report("copies", [f"{surplus:,} exact ones, which are left out" if surplus else "none"])
    report("", [f"{count:,} times {source.joint.join(words)}" for words, count in copies])
    counts = Counter(chain(*sentences))
    known = sum(count for _, count in counts.most_common(arguments.words - len(SPECIAL)))
    report("vocabulary", [f"{len(counts):,} {unit}, {sum(count > 1 for count in counts.values()):,} of them repeated"])
    report("", [" ".join(repr(word) if word == " " else word for word, _ in counts.most_common(4 * SHOWN))])
    unknown = int((text.images == UNKNOWN).sum())
    report("", [f"--words {arguments.words:,} knows {known / counts.total():.1%} of them; {unknown:,} become <unk>"])
    if source.level == "word" and is_unspaced(sentences):
        report("script", ["mostly without spaces between words; give --level character"])
    report("held out", [f"{len(text.held_out):,} sentences, as --data.held-out {source.held_out:g} does"])
    spaced = sentences[:: max(1, len(sentences) // SHOWN)][:SHOWN]
    report("samples", [source.joint.join(words) for words in spaced])
    return 0
