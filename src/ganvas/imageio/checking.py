"""What an upscaled file holds of its photo, found by reading both files anew."""

from __future__ import annotations

from pathlib import Path

from ganvas.imageio import exif
from ganvas.imageio.metadata import is_noted, name_of_profile
from ganvas.imageio.reading import Photo, form_of, load, metadata, open_photo

# What differs by right: the size, the orientation, where things stand.
_CHANGED = {exif.ORIENTATION, exif.WIDTH, exif.HEIGHT, exif.EXIF, exif.GPS, exif.X_RESOLUTION, exif.Y_RESOLUTION}
_CHANGED |= {exif.RESOLUTION_UNIT}


def check(source: Path, result: Path) -> str:
    """One line on an upscaled file: size, depth, alpha, profile, EXIF, XMP, resolution, orientation.

    Raises:
        UnusableFile: one of the files cannot be read.
    """
    old, new = open_photo(source, limit=float("inf")), open_photo(result, limit=float("inf"))
    depth = load(result)
    bits = depth.get("bits-per-sample") if depth.get_typeof("bits-per-sample") else new.bits
    facts = [
        f"{new.colour.width} x {new.colour.height} from {old.colour.width} x {old.colour.height} px",
        f"{new.form.upper()}, {_colours(new)}",
        f"{bits} bit" if new.bits == old.bits else f"{bits} bit, was {old.bits}",
        _alpha(old, new),
        _profile(old, new, source),
        _exif(old, new),
        _xmp(old, new),
        _dpi(old, new),
        f"orientation {old.kept.orientation} applied" if old.kept.orientation > 1 else "upright",
    ]
    if new.kept.orientation != 1:
        facts[-1] = f"ORIENTATION {new.kept.orientation} IS STILL SET"
    return f"{result}: " + "; ".join(fact for fact in facts if fact)


def _colours(photo: Photo) -> str:
    return "grey" if photo.colour.channels == 1 else "RGB"


def _alpha(old: Photo, new: Photo) -> str:
    if old.alpha is None:
        return "no alpha" if new.alpha is None else "ALPHA ADDED"
    return "alpha kept" if new.alpha is not None else "alpha put on white"


def _profile(old: Photo, new: Photo, source: Path) -> str:
    image = load(source)
    was, _ = metadata(image, form_of(image), source)
    if not was.icc and not new.kept.icc:
        return "no profile"
    if new.kept.icc is None:
        return "profile left out"
    name = name_of_profile(new.kept.icc)
    return f"profile {'kept' if new.kept.icc == was.icc else 'now'} ({name})"


def _exif(old: Photo, new: Photo) -> str:
    if not old.kept.exif:
        return "no EXIF"
    if not new.kept.exif:
        return "EXIF LEFT OUT"
    was, now = (dict(exif.tags(exif.descriptive(exif.parse(photo.kept.exif or b"")))) for photo in (old, new))
    asked = {path: data for path, data in was.items() if path[-1] not in _CHANGED}
    same = sum(now.get(path) == data for path, data in asked.items())
    return f"EXIF kept ({same} of {len(asked)} tags)" if same == len(asked) else f"EXIF {same} OF {len(asked)} TAGS"


def _xmp(old: Photo, new: Photo) -> str:
    said = "XMP kept and noted" if old.kept.xmp else "XMP noted"
    return said if is_noted(new.kept.xmp) else "XMP WITHOUT THE NOTE"


def _dpi(old: Photo, new: Photo) -> str:
    was, now = old.kept.dpi, new.kept.dpi
    if was is None:
        return "no dpi" if now is None else f"DPI {now[0]:g} MADE UP"
    kept = now is not None and all(abs(a - b) < 0.5 for a, b in zip(was, now, strict=True))
    return f"{was[0]:g} dpi" if kept else "DPI LEFT OUT"
