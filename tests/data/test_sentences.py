"""Sentences as data: tokens, vocabulary, copies, tables, encodings, and what is no text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ganvas import InputError
from ganvas.data import open_data
from ganvas.data.sentences import Text, decode, encode, read_corpus, tokenize
from ganvas.recipe.text import END, PAD, SPECIAL, UNKNOWN, Counting, Oracle, Sentences
from tests.conftest import Cli, assert_refused

NOUNS, VERBS = ("cat", "dog", "bird", "horse"), ("sees", "hears", "likes")
LINES = [f"The {who} {does} a {what}." for who in NOUNS for does in VERBS for what in NOUNS if who != what]


def write(text: str | bytes, name: str = "lines.txt") -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def opened(source: str, places: int = 9, words: int = 40, **fields: object) -> Text:
    found = open_data(Sentences(source=source, **fields), (places, words))  # type: ignore[arg-type]
    assert isinstance(found, Text)
    return found


def test_words_small_and_apart_from_punctuation() -> None:
    line = "He said: \"it's 3,000 well-known cats, isn't it?\""
    assert tokenize(line, "word", lower=True, detach=True) == (
        *("he", "said", ":", '"', "it's", "3,000", "well-known", "cats", ",", "isn't", "it", "?", '"'),
    )
    assert tokenize("A  cat.", "word", lower=False, detach=False) == ("A", "cat.")
    assert tokenize("a <unk> b", "word", lower=True, detach=True) == ("a", SPECIAL[UNKNOWN], "b")
    assert tokenize("x" * 65, "word", lower=True, detach=True) == (SPECIAL[UNKNOWN],)
    assert tokenize(" A\t b ", "character", lower=True, detach=True) == ("a", " ", "b")
    # A letter and its accent are one character, however they are written.
    assert tokenize("e\u0301", "character", lower=True, detach=True) == ("\u00e9",)


def test_rows_are_words_an_end_and_padding() -> None:
    text = opened(write("\n".join(LINES)))
    assert text.images.dtype == np.int32
    assert text.images.shape == (36, 9)
    assert text.words[:3] == SPECIAL
    first = text.images[0].tolist()
    assert [text.words[kind] for kind in first[:6]] == ["the", "cat", "sees", "a", "dog", "."]
    assert first[6:] == [END, PAD, PAD]
    assert decode(text.images[:1], text.words) == [("the", "cat", "sees", "a", "dog", ".")]


def test_the_vocabulary_is_of_the_training_part_by_count_and_then_by_the_word() -> None:
    lines = [f"b a {number}" for number in range(19)] + ["b c unseen"]
    text = opened(write("\n".join(lines)), held_out=0.1)
    # Rows 9 and 19 are held out.
    assert text.words[3:5] == ("a", "b")
    assert "9" not in text.words
    assert "unseen" not in text.words
    assert text.held_out == [("b", "a", "<unk>"), ("b", "<unk>", "<unk>")]
    assert len(text.training) == 18
    small = opened("lines.txt", words=6)
    assert small.words == (*SPECIAL, "a", "b", "0")
    assert small.training[1] == ("b", "a", "<unk>")


def test_copies_and_longer_sentences_are_counted() -> None:
    write("\n".join([*LINES, LINES[0], LINES[0].upper(), "one two three four five six seven eight nine", "", "  "]))
    dropped, cut = opened("lines.txt"), opened("lines.txt", longer="cut")
    assert len(dropped) == 36
    assert dropped.notes == ("1 sentences longer than 8 words left out", "2 exact copies left out")
    assert len(cut) == 37
    assert cut.notes[0] == "1 sentences longer than 8 words cut"
    assert cut.images[-1, -1] == END  # a cut sentence ends, too


def test_chinese_by_characters() -> None:
    lines = ["猫在桌子上。", "狗在椅子下。", "鸟在天上飞。", "猫看见了狗。"]
    text = opened(write("\n".join(lines)), level="character", held_out=0)
    assert ["".join(words) for words in text.training] == lines
    assert text.joint == ""


def test_a_mark_of_the_byte_order_is_no_character() -> None:
    assert read_corpus(Sentences(source=write(b"\xef\xbb\xbf" + b"a b\nc d"))).sentences[0] == ("a", "b")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no sentence"),
        (b"\n \n\n", "holds no sentence"),
        (b"a single line", "has only one sentence;"),
        (b"a b\n" * 50, "has only one sentence, in many copies;"),
        (b"a\na a\na a a\n", "has only the word 'a'"),
        ("Ein Bär geht.\nZwei Bären.".encode("latin-1"), "probably in Latin-1, by the byte 0xe4 in line 1"),
        ("猫在桌子上。\n狗在椅子下面睡觉。".encode("gbk"), "probably in GBK"),
        ("a b\nc d".encode("utf-16"), "in UTF-16, but only UTF-8 is read; convert it: iconv"),
        ("a b\nc d".encode("utf-16-le"), "in UTF-16"),
        (bytes(range(256)) * 40, "is binary, not text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is binary, not text"),
    ],
    ids=["empty", "blank", "one line", "all equal", "one word", "latin-1", "gbk", "utf-16", "no mark", "binary", "png"],
)
def test_what_is_no_text_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(InputError) as refused:
        opened(write(content))
    assert says in str(refused.value)


def test_sentences_that_are_all_too_long() -> None:
    with pytest.raises(InputError, match=r"all 36 sentences of lines.txt are longer than 2 words; give a larger"):
        opened(write("\n".join(LINES)), places=3)


def test_tables() -> None:
    write("id,caption\n" + "\n".join(f'{n},"{line}"' for n, line in enumerate(LINES)), "a.csv")
    write("sentence\tid\n" + "\n".join(f"{line}\t{n}" for n, line in enumerate(LINES)), "a.tsv")
    write("\n".join(json.dumps({"id": n, "quote": line}) for n, line in enumerate(LINES)), "a.jsonl")
    write("\n".join(map(json.dumps, LINES)), "b.jsonl")
    whole = opened(write("\n".join(LINES))).fingerprint
    assert {opened(name).fingerprint for name in ("a.csv", "a.tsv", "a.jsonl", "b.jsonl")} == {whole}
    assert opened("a.csv", column="caption").fingerprint == whole
    with pytest.raises(InputError, match=r"has no column of texts 'captoin' \(did you mean 'caption'\?\)"):
        opened("a.csv", column="captoin")
    with pytest.raises(InputError, match=r"is no table, of which --data.column names a part"):
        opened("lines.txt", column="caption")
    with pytest.raises(InputError, match=r"has the columns id, quote; name the one of sentences with --data.column"):
        opened(write("id,quote\n1,a", "c.csv"))
    with pytest.raises(InputError, match="is damaged in line 2: it is not valid JSON"):
        opened(write('{"text": "a"}\n{"text"', "d.jsonl"))


def test_a_table_in_parquet() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"id": range(36), "text": LINES}), "a.parquet")
    assert opened("a.parquet").fingerprint == opened(write("\n".join(LINES))).fingerprint
    with pytest.raises(InputError, match="is damaged or not a parquet file"):
        opened(write(b"PAR1 and no more", "b.parquet"))


def test_a_folder() -> None:
    Path("texts/test").mkdir(parents=True)
    write("\n".join(LINES[:20]), "texts/a2.txt")
    write("\n".join(LINES[20:]), "texts/a10.txt")
    write("x", "texts/.hidden.txt")
    write("\xe4".encode("latin-1"), "texts/a3.txt")
    write("never read", "texts/test/b.txt")
    text = opened("texts")
    assert text.fingerprint == opened(write("\n".join(LINES))).fingerprint
    assert [bad.name for bad in text.skipped] == ["a3.txt"]
    assert text.notes == ("read from a2.txt, a3.txt, a10.txt, not test/b.txt",)
    Path("none").mkdir()
    with pytest.raises(InputError, match=r"none holds no .txt file"):
        opened("none")


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    write("\n".join(LINES))
    monkeypatch.setattr("ganvas.data.sentences.LINES", 30)
    with pytest.raises(InputError, match="has more than 30 lines"):
        opened("lines.txt")
    monkeypatch.setattr("ganvas.data.sentences.LARGEST", 100)
    with pytest.raises(InputError, match="exceed the limit of 100"):
        opened("lines.txt")


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"there is no text 'tinny' \(did you mean 'tiny'\?\); give the path"):
        opened("tinny")


def test_numbers_that_count() -> None:
    text = open_data(Counting(highest=3), (5, 7))
    assert isinstance(text, Text)
    found = decode(text.images, text.words)
    assert [" ".join(words) for words in found] == ["0 1", "0 1 2", "0 1 2 3", "1 2", "1 2 3", "2 3"]
    assert all(map(Counting.is_right, found))
    assert not any(map(Counting.is_right, [(), ("1",), ("1", "3"), ("1", "a"), ("2", "1"), ("1", "<unk>")]))
    with pytest.raises(InputError, match=r"has 7 words.*give --system.words 7 and --system.length 4"):
        open_data(Counting(highest=3), (5, 6))


def test_the_oracle_knows_how_likely_its_sequences_are() -> None:
    oracle = Oracle(words=30, length=5, count=400)
    text = open_data(oracle, (5, 33))
    rows = text.images - len(SPECIAL)
    assert rows.shape == (400, 5)
    assert not (text.images < len(SPECIAL)).any()
    # Over all words, the chances of the next one add up to 1.
    every = np.concatenate([np.repeat(rows[:1, :4], 30, 0), np.arange(30)[:, None]], 1)
    before = 4 * oracle.nll(rows[:1, :4])
    total = sum(np.exp(-(5 * oracle.nll(one[None]) - before)) for one in every)
    assert total == pytest.approx(1, abs=1e-4)
    shuffled = np.random.default_rng(0).permuted(rows, axis=0)
    assert oracle.nll(rows) < oracle.nll(shuffled) - 0.1
    assert np.array_equal(rows, open_data(oracle, (5, 33)).images - len(SPECIAL))


def test_words_outside_the_vocabulary_become_unknown() -> None:
    words = (*SPECIAL, "a", "b")
    assert encode([("a", "z", "<pad>"), ("b",) * 9], words, 4).tolist() == [[3, 1, 1, 2], [4, 4, 4, 4]]


def test_a_look_at_the_data(cli: Cli) -> None:
    write("\n".join([*LINES, LINES[0]]))
    done = cli("data", "lines.txt", "--words", "8")
    assert done.returncode == 0, done.stderr
    for part in (
        "lines.txt: 37 sentences by words",
        "6 median",
        "1 exact ones",
        "2 times the cat sees a dog .",
        "<unk>",
    ):
        assert part in done.stdout, done.stdout
    assert cli("data", "lines.txt", "--level", "character", "--length", "30").returncode == 0
    assert_refused(cli("data", "lines.txt", "--length", "0"), "--length 0 must lie in 1..2000")
    assert_refused(cli("data", write("\xe4".encode("latin-1"), "x.txt")), "probably in Latin-1")
