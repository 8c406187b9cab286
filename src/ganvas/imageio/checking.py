"""Check what a result preserves of its photo, by reading both files again."""

from __future__ import annotations

from pathlib import Path

from ganvas.imageio import exif
from ganvas.imageio.metadata import name_of_profile
from ganvas.imageio.reading import Photo, form_of, load, open_photo, read_metadata
from ganvas.imageio.xmp import has_place, how, is_marked

# Tags that differ as they should: size, orientation, offsets.
_CHANGED = {exif.ORIENTATION, exif.WIDTH, exif.HEIGHT, exif.EXIF, exif.GPS, exif.X_RESOLUTION, exif.Y_RESOLUTION}
_CHANGED |= {exif.RESOLUTION_UNIT, *exif.SUBJECT, *exif.DENSITIES}


def check(source: Path, result: Path) -> str:
    """One line about a result: size, depth, alpha, profile, EXIF, XMP, resolution, orientation.

    Raises:
        UnusableFile: one of the files cannot be read.
    """
    old, new = open_photo(source, limit=float("inf")), open_photo(result, limit=float("inf"))
    depth = load(result)
    bits = depth.get("bits-per-sample") if depth.get_typeof("bits-per-sample") else new.bits
    facts = [
        f"{new.colour.width} x {new.colour.height} from {old.colour.width} x {old.colour.height} px",
        how(new.metadata.xmp),
        f"{new.form.upper()}, {'grey' if new.colour.channels == 1 else 'RGB'}",
        f"{bits} bit" if new.bits == old.bits else f"{bits} bit, was {old.bits}",
        _alpha(old, new),
        _profile(old, new, source),
        _exif(old, new),
        _xmp(old, new),
        _place(old, new),
        _dpi(old, new),
        f"orientation {old.metadata.orientation} applied" if old.metadata.orientation > 1 else "upright",
    ]
    if new.metadata.orientation != 1:
        facts[-1] = f"ORIENTATION {new.metadata.orientation} IS STILL SET"
    return f"{result}: " + "; ".join(fact for fact in facts if fact)


def _alpha(old: Photo, new: Photo) -> str:
    if old.alpha is None:
        return "no alpha" if new.alpha is None else "ALPHA ADDED"
    return "alpha kept" if new.alpha is not None else "alpha blended onto white"


def _profile(old: Photo, new: Photo, source: Path) -> str:
    image = load(source)
    was, _ = read_metadata(image, form_of(image), source)
    if not was.icc and not new.metadata.icc:
        return "no profile"
    if new.metadata.icc is None:
        return "profile left out"
    name = name_of_profile(new.metadata.icc)
    return f"profile {'kept' if new.metadata.icc == was.icc else 'now'} ({name})"


def _exif(old: Photo, new: Photo) -> str:
    if not old.metadata.exif:
        return "no EXIF"
    if not new.metadata.exif:
        return "EXIF LEFT OUT"
    was, now = (dict(exif.tags(exif.descriptive(exif.parse(photo.metadata.exif or b"")))) for photo in (old, new))
    expected = {path: data for path, data in was.items() if path[-1] not in _CHANGED}
    if exif.has_place(old.metadata.exif) and not exif.has_place(new.metadata.exif):
        expected = {path: data for path, data in expected.items() if not {exif.GPS, exif.MAKER_NOTE} & set(path)}
    same = sum(now.get(path) == data for path, data in expected.items())
    count = f"{same} of {len(expected)} tags"
    return f"EXIF kept ({count})" if same == len(expected) else f"EXIF {count.upper()}"


def _xmp(old: Photo, new: Photo) -> str:
    if not is_marked(new.metadata.xmp):
        return "XMP NOT MARKED AS CHANGED BY A MODEL"
    return "XMP kept, marked as changed by a model" if old.metadata.xmp else "XMP marked as changed by a model"


def _place(old: Photo, new: Photo) -> str:
    """Whether the file says where the photo was taken."""
    was, now = (exif.has_place(photo.metadata.exif) or has_place(photo.metadata.xmp) for photo in (old, new))
    return "place kept (GPS)" if now else "place left out" if was else ""


def _dpi(old: Photo, new: Photo) -> str:
    was, now = old.metadata.dpi, new.metadata.dpi
    if was is None:
        return "no dpi" if now is None else f"DPI {now[0]:g} INVENTED"
    kept = now is not None and all(abs(a - b) < 0.5 for a, b in zip(was, now, strict=True))
    return f"{was[0]:g} dpi" if kept else "DPI LEFT OUT"
