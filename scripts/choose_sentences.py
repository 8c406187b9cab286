"""Choose short, plain sentences from books, and print them: python scripts/choose_sentences.py BOOK.txt ...

A book is UTF-8 text, paragraphs separated by empty lines, speech in double quotation marks. A sentence is taken whole,
from the narration or from within one pair of quotation marks, and only if it has no punctuation inside but commas,
apostrophes, hyphens and semicolons. Of those, the core is printed: the largest set in which every word occurs at least
--times times, so that no word has to be learned from a single example.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

QUOTED = "\0"  # stands for a quotation in the narration around it
WORD = r"(?:I|A|[A-Z]?[a-z]+)(?:'[a-z]+)?"  # nothing shouted in capitals
PLAIN = re.compile(rf"(?=[A-Z]){WORD}(?:(?:[,;] |[ -]){WORD})*[.?!]")
TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\ufeff": ""})


def words(sentence: str) -> list[str]:
    """Its words in lower case; ``fir-tree`` and ``don't`` are one each."""
    return re.findall(r"[a-z'-]+", sentence.lower())


def split(text: str) -> list[str]:
    """At each full stop, question mark or exclamation mark that a space follows."""
    return re.split(r"(?<=[.?!]) ", text.strip())


def sentences(paragraph: str) -> list[str]:
    """Whole sentences of the narration, then of each quotation."""
    parts = paragraph.split('"')
    if len(parts) % 2 == 0:
        parts.append("")  # a speech of several paragraphs is closed in the last one only
    narration, spoken, halfway = parts[0], [], False
    for quote, rest in zip(parts[1::2], parts[2::2], strict=True):
        whole = split(quote)
        if halfway:
            del whole[0]  # `"If so," said he, "go."` is one sentence
        halfway = quote.endswith(",") and not re.search(r"[.?!]( |$)", rest)
        if quote.endswith(",") and whole:
            last = whole.pop()
            spoken += whole if halfway else [*whole, last[:-1] + "."]  # `"I go," said he.` has its full stop after `he`
        else:
            spoken += whole
        narration += QUOTED + (". " if quote.endswith((".", "?", "!")) and rest[1:2].isupper() else "") + rest
    return [s for s in split(" ".join(narration.split())) if QUOTED not in s] + spoken


def core(chosen: list[str], times: int) -> list[str]:
    """The largest subset, in the same order, in which every word occurs ``times`` times or more."""
    while True:
        counts = Counter(word for sentence in chosen for word in words(sentence))
        kept = [sentence for sentence in chosen if all(counts[word] >= times for word in words(sentence))]
        if len(kept) == len(chosen):
            return kept
        chosen = kept


def main() -> None:
    """Print the sentences, one per line, in the order of the books."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("books", type=Path, nargs="+", metavar="BOOK")
    parser.add_argument("--words", type=int, nargs=2, default=(4, 14), metavar=("LEAST", "MOST"), help="of a sentence")
    parser.add_argument("--times", type=int, default=2, help="that each word occurs at least (default: 2)")
    parser.add_argument("--without", nargs="+", default=[], metavar="WORD", help="leave out sentences with these words")
    args = parser.parse_args()
    least, most = args.words
    unwanted = {word.lower() for word in args.without}
    found: dict[str, None] = {}  # distinct, in order
    for book in args.books:
        text = book.read_text(encoding="utf-8").translate(TYPOGRAPHY)
        for paragraph in re.split(r"\n\s*\n", text):
            for sentence in sentences(" ".join(paragraph.split())):
                inside = words(sentence)
                if PLAIN.fullmatch(sentence) and least <= len(inside) <= most and unwanted.isdisjoint(inside):
                    found[sentence] = None
    print("\n".join(core(list(found), args.times)))


if __name__ == "__main__":
    main()
