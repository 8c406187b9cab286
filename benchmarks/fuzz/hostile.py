"""Names, numbers, JSON and bytes that programs stumble over; a generator of a kind combines them."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from .judge import INJECTED

NAMES = (
    *("[bold]x[/bold]", "a]", "[/b]", "[red", "[link=http://a.example]x", "\\[x]", "[2023]", "[a-z]"),
    *("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "a\x7fb", "tab\tx", "a\rb"),
    *(f"a\n{INJECTED} line", f"a\r\n{INJECTED}: all is well.", "\n", "a\u2028b", "a\u202egnp.b"),
    *("\udcff\udcfe", "caf\udce9", "名前", "e\u0301", "①", "²³", "١٢", "𝟙𝟚", "ß", "İ"),
    *("-rf", "--out", "-x", "--", "-", "-i", "--help", "-n"),
    *("..", "...", "~", "~root", "$HOME", "%s%n%d", "%03d", "{0}", "{name!r:>99999}", "*", "?", "a b", " lead", "end "),
    *("concat:a|b", "file:x", "pipe:0", "http:x", "a'b", 'a"b', "a;b", "a|b", "a`id`", "<script>alert(1)</script>"),
    *("&amp;", "CON", "nul.", ".hidden", ".x.part", "x.part", "tmp", "0" * 30, "1e9", "None", "nan", "0"),
)
PATHS = ("../../x", "../canary", "/etc/x", "a/b", "a\\b", "..\\..\\x", "/", ".", "", "./", "x/", "//x", "a/../../../x")
NUMBERS = (
    *("nan", "inf", "-inf", "1e400", "-1", "0", "-0", "1", "0.5", "1e-320", "99999999999", "-99999999999"),
    *("9" * 5000, "1" + "0" * 400, "1_000", "0x10", "１２", "²", "①", "١٢", "", " ", "x", "1,5", "--", "None", "true"),
    *(str(2**31), str(2**63), str(2**64), str(2**40), "[b]", "\x1b[31m", f"a\n{INJECTED}", "\udcff", "@..@", "1..2@3"),
    *("1..nan@inf", "1..2@-5", "1..2@" + "9" * 30, "[/b]", "a" * 3000, "1 2", "(1,2)", "[1, 2]", "{}", "1:2"),
)
ENDINGS = ("", ".png", ".PNG", ".jpg", ".JPG", ".gif", ".mp4", ".csv", ".npz", ".safetensors", ".html", ".txt", ".part")


def name(chance: Random, ending: str = "", at_most: int = 255) -> str:
    """A name that a file system of Linux allows, of at most so many bytes; never one with a slash."""
    kind = chance.randrange(10)
    if kind < 7:
        stem = chance.choice(NAMES)
    elif kind < 9:
        size = chance.choice((at_most, at_most, at_most - 1, at_most - 7, 250, 240, 128))
        letter = chance.choice(("x", "x", "ä", "名", "\U0001f40d"))
        stem = letter * ((min(size, at_most) - len(ending.encode())) // len(letter.encode()))
    else:
        stem = "".join(chance.choices("ab \n\t\x1b[]/{}%-._é名\udc80\\'\"", k=chance.randrange(1, 20))).replace(
            "/", "_"
        )
    while len((stem + ending).encode("utf-8", "surrogateescape")) > at_most:
        stem = stem[:-1]
    found = stem + ending
    return "dots" + ending if found in ("", ".", "..") else found


def word(chance: Random) -> str:
    """A word of a command line; it may be a name, a number or a path."""
    return chance.choice(
        (name(chance), name(chance), chance.choice(NUMBERS), chance.choice(NUMBERS), chance.choice(PATHS))
    )


# JSON


def json_text(chance: Random, sound: Any = None) -> bytes:
    """The text of a JSON file gone wrong; most kinds are made from a sound value, if there is one."""
    if sound is not None and chance.random() < 0.6:
        tree = json.loads(json.dumps(sound))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            tree = spoil(tree, chance)
        return dumps(tree)
    text = json.dumps(sound if sound is not None else {"type": "Recipe", "images": 1}).encode()
    deep = chance.choice((500, 5_000, 100_000))
    return chance.choice(
        (
            *(b"", b" ", b"null", b"[]", b"{}", b'""', b"0", b"true", b"NaN", b"-Infinity", b"\x00" * 40, b"{", b'{"'),
            *(b"[" * deep, b'{"a":' * deep, b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep),
            *(
                b"9" * 5_000,
                b'{"images":' + b"9" * 5_000 + b"}",
                b'"\\ud800"',
                b'{"a":"\\ud800"}',
                b"\xff\xfe{\x00}\x00",
            ),
            *(b"\xef\xbb\xbf" + text, text[: len(text) // 2], text + text, text + b"\n" + text, b"[" + text + b"]"),
            *(text.decode().encode("utf-16"), text.replace(b'"', b"'"), text.replace(b":", b"=", 1), b"\x80" + text),
            *(
                b"null\n[]\n5\n" + text,
                bytes(chance.randrange(256) for _ in range(200)),
                b'{"images": 1, "images": []}',
            ),
        )
    )


def dumps(tree: Any) -> bytes:
    """As `json.dumps`, with numbers of any length and with lone surrogates."""
    text = json.dumps(tree)
    return text.replace('"@digits@"', "9" * 5_000).replace('"@deep@"', "[" * 50_000 + "]" * 50_000).encode()


def odd(chance: Random) -> Any:
    """A value that is hardly what a field expects."""
    return chance.choice(
        (
            *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 10**9, -(10**12), 0.5, -0.0, 1e308, 1e-320),
            *(
                float("nan"),
                float("inf"),
                -float("inf"),
                "",
                "x",
                "0",
                "\ud800",
                "a" * 10_000,
                "../../x",
                "/etc/passwd",
            ),
            *([], {}, [[]], [None], [1, "a"], {"type": "x"}, {"": 1}, {"type": ["Images"]}, {"a": {"b": {}}}),
            *("@digits@", "@deep@", [0] * 5_000, chance.choice(NAMES), chance.choice(NUMBERS), chance.choice(PATHS)),
        )
    )


def spoil(tree: Any, chance: Random) -> Any:
    """A tree with one place changed: a value, a kind, a missing or a foreign key."""
    if not isinstance(tree, dict | list) or not tree or chance.random() < 0.1:
        return odd(chance)
    key: Any = chance.choice(list(tree)) if isinstance(tree, dict) else chance.randrange(len(tree))
    if isinstance(tree[key], dict | list) and tree[key] and chance.random() < 0.75:
        tree[key] = spoil(tree[key], chance)
        return tree
    how = chance.randrange(5)
    if how == 0:
        del tree[key]
    elif how == 1 and isinstance(tree, dict):
        tree[name(chance)] = odd(chance)
    elif how == 2 and isinstance(tree, dict):
        tree[key + "x"] = tree.pop(key)
    else:
        tree[key] = odd(chance)
    return tree


# bytes


def damaged(data: bytes, chance: Random) -> bytes:
    """A file cut, flipped, filled or overwritten somewhere."""
    size = max(1, len(data))
    at, end = sorted((chance.randrange(size), chance.randrange(size)))
    how = chance.randrange(10)
    if how == 0:
        return data[:at]
    if how == 1:
        return data[: size - chance.randrange(1, 12)]
    if how == 2:
        changed = bytearray(data or b"\0")
        for _ in range(chance.choice((1, 3, 30))):
            changed[chance.randrange(size) if chance.random() < 0.5 else chance.randrange(min(size, 64))] = (
                chance.randrange(256)
            )
        return bytes(changed)
    if how == 3:
        return data[:at] + bytes(end - at) + data[end:]
    if how == 4:
        return data[:at] + data[end:]
    if how == 5:
        return data[:at] + b"\xff" * chance.choice((2, 4, 8)) + data[at + 4 :]
    if how == 6:
        return data + data
    if how == 7:
        return data[at:]
    if how == 8:
        return chance.choice(
            (b"", b"\0", b"GIF89a", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x80\x02.")
        )
    start = chance.randrange(min(size, 256))
    return data[:start] + chance.randbytes(chance.choice((4, 16, 64))) + data[start + 8 :]
