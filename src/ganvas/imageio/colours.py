"""Colour spaces that a file describes by code numbers or by its primaries and gamma, as ICC profiles.

Every format can hold a profile. The code numbers of PNG (cICP) and AVIF (nclx) are those of ITU-T H.273; gAMA and cHRM
are PNG's. The profiles follow ICC.1:2022.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.imageio import png

SRGB, SRGB_CURVE = 1, 13  # code numbers of sRGB, which is also what a file without a description is
PQ, HLG = 16, 18
WHITE = 203.0  # cd/m2 of white paper in HDR images (ITU-R BT.2408)
_D65, _DCI, _C = (0.3127, 0.329), (0.314, 0.351), (0.31, 0.316)
_NTSC = (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65)
_PRIMARIES = {
    1: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *_D65),
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.6, 0.15, 0.06, *_D65),
    6: _NTSC,
    7: _NTSC,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *_D65),
    11: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_DCI),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_D65),
    22: (0.63, 0.34, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_NAMES = {1: "BT.709", 6: "BT.601", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
_CURVES = {1: "BT.709", 4: "gamma 2.2", 5: "gamma 2.8", 8: "linear", SRGB_CURVE: "sRGB", PQ: "PQ", HLG: "HLG"}
# Gamma, and the slope and end of the straight part near black, of curves ((v + a) / (1 + a)) ** gamma.
_BROKEN = {1: (1 / 0.45, 0.099, 4.5, 0.081), 7: (1 / 0.45, 0.1115, 4.0, 0.0913), 13: (2.4, 0.055, 12.92, 0.04045)}
_BROKEN |= dict.fromkeys((6, 14, 15), _BROKEN[1])
_GAMMA = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_CODED = (b"cICP", b"mDCV", b"cLLI")  # PNG chunks: code numbers, and the light of HDR images
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class ColourSpace:
    """A colour space of three primaries and one curve.

    Attributes:
        primaries: x and y of red, green, blue and white (CIE 1931).
        name: for people.
        gamma: of the curve from values to light, if it is a power.
        codes: the code numbers of primaries and curve, if the file gives them.
    """

    primaries: tuple[float, ...]
    name: str
    gamma: float = 0
    codes: tuple[int, int] = (0, SRGB_CURVE)

    def profile(self, grey: bool) -> bytes:
        """An ICC profile of these colours, or of the grey values along their curve.

        The profile of an HDR image also holds the code numbers, for programs that know them. To others it shows the
        image up to the white of paper, and everything brighter as white.
        """
        curve = _curve(self.codes[1], self.gamma)
        tags = {b"desc": _text(f"{self.name}, by ganvas"), b"cprt": _text("public domain"), b"wtpt": _xyz(_D50)}
        if grey:
            tags |= {b"kTRC": curve}
        else:
            adapted, columns = _matrix(self.primaries)
            tags |= {b"chad": b"sf32" + bytes(4) + _fixed(*adapted.ravel())}
            tags |= {b"rXYZ": _xyz(columns[:, 0]), b"gXYZ": _xyz(columns[:, 1]), b"bXYZ": _xyz(columns[:, 2])}
            tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
            if self.codes[0]:
                tags |= {b"cicp": b"cicp" + bytes(4) + bytes((*self.codes, 0, 1))}
        return _profile(b"GRAY" if grey else b"RGB ", tags)


def described(
    path: Path, form: str, icc: bytes | None, grey: bool
) -> tuple[bytes | None, tuple[tuple[bytes, bytes], ...], list[str]]:
    """The profile of a file, if need be made from what else describes its colours; those chunks of PNG; and notes."""
    coded: tuple[tuple[bytes, bytes], ...] = ()
    space, origin = None, ""
    try:
        if form == "png":
            found = dict(png.chunks(path, (*_CODED, b"gAMA", b"cHRM", b"sRGB"), until=b"IDAT"))
            coded = tuple((name, found[name]) for name in _CODED if name in found)
            if len(found.get(b"cICP", b"")) == 4:
                space, origin = _by_codes(*found[b"cICP"][:2]), "cICP"
            elif not icc and b"sRGB" not in found:
                space, origin = _by_gamma(found), "gAMA and cHRM"
        elif form == "avif" and not icc and (codes := _nclx(path)):
            space, origin = _by_codes(*codes), "nclx"
            coded = ((b"cICP", bytes((*space.codes, 0, 1))),) if space else ()
    except ValueError as error:
        return icc, coded, [f"colours not described: {error}"]
    if space is None:
        return icc, coded, []
    return space.profile(grey), coded, [f"colours described by a profile, made from the file's {origin}: {space.name}"]


def _nclx(path: Path) -> tuple[int, int] | None:
    """The code numbers of an AVIF file's primaries and curve, from its first colour description."""
    with path.open("rb") as file:
        data = file.read(1 << 20)
    inside = range(0, len(data))
    for name in (b"meta", b"iprp", b"ipco", b"colr"):
        found = _box(data, inside, name)
        if found is None:
            return None
        inside = range(found.start + 4, found.stop) if name == b"meta" else found
    kind, primaries, curve = struct.unpack(">4sHH", data[inside.start : inside.start + 8].ljust(8, b"\0"))
    return (primaries, curve) if kind == b"nclx" else None


def _box(data: bytes, inside: range, name: bytes) -> range | None:
    """Where the content of the first box of this name is (ISO 14496-12)."""
    at = inside.start
    while at + 8 <= inside.stop:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == name:
            return range(at + 8, min(at + size, inside.stop))
        if size < 8:
            return None
        at += size
    return None


def _by_codes(primaries: int, curve: int) -> ColourSpace | None:
    """The colour space of two code numbers, where 2 means unspecified; None if there is nothing to say: it is sRGB.

    Raises:
        ValueError: a code number is reserved or not supported.
    """
    primaries, curve = (SRGB if primaries == 2 else primaries), (SRGB_CURVE if curve == 2 else curve)
    if (primaries, curve) == (SRGB, SRGB_CURVE):
        return None
    if primaries not in _PRIMARIES or curve not in {*_BROKEN, *_GAMMA, PQ, HLG}:
        raise ValueError(f"its code numbers ({primaries}, {curve}) are of no known colour space")
    name = f"{_NAMES.get(primaries, f'primaries {primaries}')} with {_CURVES.get(curve, f'curve {curve}')}"
    return ColourSpace(_PRIMARIES[primaries], name, _GAMMA.get(curve, 0), (primaries, curve))


def _by_gamma(chunks: dict[bytes, bytes]) -> ColourSpace | None:
    """The colour space of PNG's gAMA and cHRM, each of which may be missing; None if they say sRGB.

    Raises:
        ValueError: they are of no colour space.
    """
    gamma, primaries = None, None
    if len(content := chunks.get(b"gAMA", b"")) == 4:
        gamma = struct.unpack(">I", content)[0] / 100_000  # from light to values: below 1
    if len(content := chunks.get(b"cHRM", b"")) == 32:
        points = [number / 100_000 for number in struct.unpack(">8I", content)]
        primaries = (*points[2:], *points[:2])  # PNG puts white first
    usual = gamma is None or abs(gamma * 2.2 - 1) < 0.01
    same = primaries is None or np.allclose(primaries, _PRIMARIES[SRGB], atol=0.002)
    if usual and same:
        return None
    if gamma is not None and not 0.05 <= gamma <= 5:
        raise ValueError(f"its gamma of {gamma:g} is not possible")
    chosen = primaries or _PRIMARIES[SRGB]
    try:
        _matrix(chosen)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        raise ValueError("its primaries are not possible") from None
    power = 0 if gamma is None or usual else 1 / gamma
    words = [f"gamma {power:.3g}" if power else "sRGB's curve", *["primaries of its own"] * (not same)]
    return ColourSpace(chosen, " and ".join(words), power)


def _matrix(primaries: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bradford's adaptation of the white point to D50, and XYZ of red, green and blue as columns, adapted."""
    x, y = np.array(primaries[0::2], float), np.array(primaries[1::2], float)
    if (y == 0).any():
        raise ZeroDivisionError
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    columns, white = xyz[:, :3], xyz[:, 3]
    columns = columns * np.linalg.solve(columns, white)
    scale = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD
    return adapted, adapted @ columns


def _curve(code: int, gamma: float) -> bytes:
    """A curve from values to light as the content of a tag."""
    if gamma:
        return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(gamma)
    if code in (PQ, HLG):
        light = (_pq if code == PQ else _hlg)(np.linspace(0, 1, 1024)) / WHITE
        steps: bytes = np.rint(light.clip(0, 1) * 65535).astype(">u2").tobytes()
        return b"curv" + bytes(4) + struct.pack(">I", len(light)) + steps
    power, offset, slope, end = _BROKEN[code]
    rest = (1 / (1 + offset), offset / (1 + offset), 1 / slope, end)
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(power, *rest)


def _pq(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 of values of SMPTE ST 2084."""
    power = values ** (32 / 2523)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    made: NDArray[np.float64] = 10000 * light ** (8192 / 1305)
    return made


def _hlg(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m2 of values of ITU-R BT.2100 HLG on a display of 1,000 cd/m2."""
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    made: NDArray[np.float64] = 1000 * scene**1.2
    return made


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: tuple[float, ...] | NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _text(text: str) -> bytes:
    data = text.encode("utf-16be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for name, data in tags.items():
        at = places.get(data)  # equal curves are stored once
        if at is None:
            at = places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at, len(data))
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # fixed, so that equal colours give equal bytes
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x04400000, b"mntr", space, b"XYZ ")
    head += date + b"acsp" + bytes(28) + struct.pack(">iii", *(round(value * 65536) for value in _D50))
    return head.ljust(128, b"\0") + table + body
